"""A workdir with Holdfast's folder in it, and scripts of batches that run there: in a shell, as on a node."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from holdfast.actors.slurm.attempt_folders import (
    SECRETS_ARGV,
    AttemptFolder,
    prepare_argv,
    read_answer,
    read_argv,
    read_stdin,
    secrets_stdin,
)
from holdfast.actors.slurm.script import Place, render
from holdfast.actors.targets.messages import Order
from holdfast.events.spec import JobSpec, SlurmSpec
from tests.tools import need

HOME: Final = "home1"
DASH: Final = ("dash",)
SHELLS: Final = (DASH, ("bash", "--posix"), ("busybox", "sh"))
# Says its words, and nothing that isn't among them or its variables.
SAY_WORDS: Final = "import sys; sys.stdout.buffer.write(b'\\0'.join(map(__import__('os').fsencode, sys.argv[1:])))"


def order(job: int = 7, attempt: int = 1, /, **fields: object) -> Order:
    """The launch of an attempt of a job with these fields; it is `true` where no `run` is given."""
    spec = msgspec.convert({"run": ("true",), "cwd": ".", **fields}, JobSpec)
    return Order(job, attempt, f"{HOME}.{job}.{attempt}", spec)


class BatchFolder:
    """A workdir, made with all that Holdfast puts there."""

    def __init__(self, workdir: Path) -> None:
        self.workdir = workdir
        self.folder = workdir / ".holdfast" / HOME
        workdir.mkdir(exist_ok=True)
        self.run(prepare_argv(str(self.folder)))

    @property
    def place(self) -> Place:
        """The same, as scripts are made with it."""
        return Place(str(self.workdir), str(self.folder))

    def run(self, argv: Sequence[str], stdin: bytes = b"") -> bytes:
        """Run a command as a site would; return what it printed."""
        ran = subprocess.run(argv, input=stdin, capture_output=True, check=True, timeout=60)
        assert ran.stderr == b""
        return ran.stdout

    def script(self, *orders: Order, slurm: SlurmSpec | None = None, options: Sequence[tuple[str, str]] = ()) -> str:
        """The script of these orders, as one batch."""
        return render(orders[0].token, orders, options, slurm or SlurmSpec(), self.place)

    def give_secrets(self, secrets: Mapping[str, Mapping[str, str]]) -> None:
        """Put secrets where scripts look for them."""
        self.run(SECRETS_ARGV, secrets_stdin(str(self.folder), secrets))

    def start(
        self, script: str, *, shell: Sequence[str] = DASH, job: int = 5, task: int | None = None, restart: int = 0
    ) -> subprocess.Popen[bytes]:
        """Start a script as a node does, `job` being Slurm's id; its log is its standard error."""
        file = self.workdir / f"script.{job}.{restart}"
        file.write_text(script, newline="")
        of_array = {"SLURM_ARRAY_JOB_ID": "5", "SLURM_ARRAY_TASK_ID": str(task)} if task is not None else {}
        restarted = {"SLURM_RESTART_COUNT": str(restart)} if restart else {}
        environ = {"PATH": os.environ["PATH"], "SLURM_JOB_ID": str(job), "SLURMD_NODENAME": "n1"}
        command = [need(shell[0], f"apt-get install {shell[0]}"), *shell[1:], str(file)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env={**environ, **of_array, **restarted}, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )

    def end(
        self, script: str, *, shell: Sequence[str] = DASH, job: int = 5, task: int | None = None, restart: int = 0
    ) -> tuple[int, str]:
        """Run a script to its end; return its exit code, and what would be in Slurm's log."""
        child = self.start(script, shell=shell, job=job, task=task, restart=restart)
        out, err = child.communicate(timeout=60)
        return child.returncode, (out + err).decode()

    def read(self, *works: str) -> dict[str, AttemptFolder]:
        """What stands in the folders of these attempts."""
        return read_answer(self.run(read_argv(str(self.folder)), read_stdin(works)), works)

    def output(self, work: str = "7.1", kind: str = "out") -> bytes:
        """What an attempt has written so far."""
        file = self.folder / "output" / f"{work}.{kind}"
        return file.read_bytes() if file.exists() else b""
