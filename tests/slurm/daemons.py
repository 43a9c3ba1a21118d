"""A cluster's daemons: started, stopped, killed and started again; none outlives the cluster or the test process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.system.place import PATIENCE_S, until
from tests.system.processes import alive, kill
from tests.tools import need

from . import warden

WARDEN: Final = Path(warden.__file__)


class Warden:
    """A process that starts others and, whatever becomes of this one, ends them with all that they started."""

    def __init__(self, folders: Sequence[Path], keep_open: Sequence[int] = ()) -> None:
        """Start it; the `folders` are removed at the end, and the descriptors `keep_open` are open until then."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WARDEN), *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=tuple(keep_open),
            start_new_session=True,  # Ctrl-C is for whoever uses it
        )

    @property
    def pid(self) -> int:
        """Its own pid."""
        return self._process.pid

    def start(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> int:
        """Start `command`, with a path as its first word and no other environment than this; return its pid."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"command": list(command), "environ": dict(environ), "log": str(log)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """End everything that it started and what came of that."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)
        self._process.stdout.close()


class Daemon:
    """One daemon, which may be stopped, killed and started any number of times."""

    def __init__(
        self, warden: Warden, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> None:
        """Start nothing yet. `command` stays in the foreground; it logs to `log` by itself or by writing to stderr."""
        self.name, self._warden, self._log = name, warden, log
        self._errors = log.with_suffix(".err")
        # A warden that is itself killed can end nothing: then the kernel ends the daemons at least.
        self._command = [need("setpriv", "it is part of util-linux"), "--pdeathsig", "KILL", "--", *command]
        self._environ = dict(environ)
        self._pid: int | None = None
        self.ready: Callable[[], object] = lambda: True  # whether it does its work, once launched

    @property
    def pid(self) -> int:
        """The pid of the process that was started last."""
        assert self._pid is not None, f"{self.name} was never started"
        return self._pid

    @property
    def running(self) -> bool:
        """Whether it runs; one that is stopped does."""
        return self._pid is not None and alive(self._pid)

    @property
    def said(self) -> str:
        """What it has written since it was started first."""
        texts = [path.read_text(errors="replace") for path in (self._log, self._errors) if path.exists()]
        return next(filter(None, texts), "")

    def launch(self) -> None:
        """Start it, and don't wait until it is ready."""
        assert not self.running, f"{self.name} runs"
        self._pid = self._warden.start(self._command, self._environ, self._errors)

    def until_ready(self) -> None:
        """Wait until it does its work; it fails where it has ended instead."""
        until(lambda: self.ready() or not self.running, f"{self.name} is ready\n{self.said[-2000:]}")
        assert self.running, f"{self.name} has ended: {self.said[-2000:]}"

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it does its work."""
        self.launch()
        self.until_ready()

    def stop(self) -> None:
        """Let it hang: the kernel takes connections in its name, and nothing is ever answered."""
        kill(self.pid, signal.SIGSTOP)

    def continue_(self) -> None:
        """Let it go on."""
        kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it with -9: it saves nothing, and what it started runs on."""
        kill(self.pid)

    def shut_down(self) -> None:
        """End it as its administrator does: it saves what it knows."""
        kill(self.pid, signal.SIGTERM)
        until(lambda: not self.running, f"{self.name} ends")


class Ports:
    """Ports of loopback that are nobody else's as long as this is open, though daemons listen there and end."""

    def __init__(self, count: int) -> None:
        """Take so many ports."""
        # Bound and never listening: nobody else is given the port; who says SO_REUSEADDR, as Slurm does, can listen.
        self._sockets = [_bound() for _ in range(count)]
        self._numbers = [int(each.getsockname()[1]) for each in self._sockets]

    def take(self) -> int:
        """One of them."""
        return self._numbers.pop()

    def close(self) -> None:
        """Give them back."""
        for each in self._sockets:
            each.close()


def listening(port: int) -> bool:
    """Whether somebody listens on a port of loopback; nothing is sent there."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()
    return any(words[1:4:2] == [wanted, "0A"] for words in map(str.split, lines))


def _bound() -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", 0))
    return made
