"""Other processes at a home: started, listened to, killed; and users and mounts that may not write."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.tools import need, refuse
from tests.tree import ROOT

from .child import DEEDS

_NOBODY: Final = 65534


class Child:
    """A process that does `deed` (see `child`) with a home."""

    def __init__(self, deed: str, folder: Path) -> None:
        assert deed in DEEDS
        command = [sys.executable, "-m", "tests.store.child", deed, str(folder)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self.stdout = self._process.stdin, self._process.stdout

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def hear(self) -> str:
        """The next thing it says."""
        line = self.stdout.readline()
        assert line, "the child said nothing more"
        return line.strip()

    def kill_within(self, seconds: float) -> list[str]:
        """Kill it, at a moment up to which so many seconds go by; what it had said by then and was not heard yet."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
        rest = self.stdout.read()
        self._process.wait()
        # A line that was cut off was not said.
        return rest[: rest.rfind("\n") + 1].split()

    def finish(self) -> list[str]:
        """Tell it that it is over, and wait; what it had said and was not heard yet."""
        self._stdin.close()
        said = self.stdout.read()
        assert self._process.wait() == 0
        return said.split()

    def close(self) -> None:
        """End it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._stdin.close()
        self.stdout.close()


@contextmanager
def child(deed: str, folder: Path) -> Generator[Child]:
    """A child that does not outlive the block."""
    process = Child(deed, folder)
    try:
        yield process
    finally:
        process.close()


@contextmanager
def as_nobody() -> Generator[None]:
    """Let what is inside be done by a user who owns nothing, if we are root; others need no change to be refused."""
    if os.geteuid() != 0:
        yield
        return
    if ROOT.stat().st_mode & 0o005 != 0o005:
        refuse("another user can't read the project's folder, so nothing can be tried as another user")
    os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@contextmanager
def open_folder() -> Generator[Path]:
    """A folder that other users can get to, unlike those of pytest."""
    path = Path(tempfile.mkdtemp(prefix="holdfast-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def with_mounts(script: str, *arguments: str) -> str:
    """Run a shell script in a world of mounts of its own; what it prints. It ends with all its mounts."""
    unshare = need("unshare", "it is part of util-linux; on other systems this can't be tried")
    options = ["-m"] if os.geteuid() == 0 else ["-rm"]
    if subprocess.run([unshare, *options, "true"], check=False, capture_output=True).returncode != 0:
        refuse("mounts of one's own are not allowed here, and this test needs them: run it as root")
    command = [unshare, *options, "sh", "-euc", script, "sh", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
