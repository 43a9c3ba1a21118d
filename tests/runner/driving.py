"""A supervisor's side of the runner: homes, runners in them, connections, and attempts to launch."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from holdfast.store.unix_path import short_address

RUNNER: Final = Path(__file__).parents[2] / "actors" / "runner.py"
PATIENCE_S: Final = 20.0  # for what comes at once unless something is wrong


class Range(msgspec.Struct, frozen=True):
    """Where the output of an attempt stands."""

    segment: str
    start: int
    end: int
    dropped_start: int
    dropped_end: int


class Status(msgspec.Struct, frozen=True):
    """What the runner says of an attempt."""

    token: str
    state: str
    pid: int | None = None
    process_start: int | None = None
    started_at: int | None = None
    output: tuple[Range, ...] = ()
    ended_at: int | None = None
    how: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    cpu_us: int | None = None
    memory_bytes: int | None = None


class Message(msgspec.Struct, frozen=True):
    """Anything that the runner says."""

    type: str
    attempts: tuple[Status, ...] = ()
    protocol: int | None = None
    pid: int | None = None
    started_at: int | None = None
    boot: str | None = None
    journal: str | None = None
    error: str | None = None
    id: int | None = None
    running: bool | None = None
    base64: str | None = None
    executes: bool = False
    stream: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    not_run: bool = False
    timed_out: bool = False
    truncated: bool = False


class Attempt(msgspec.Struct, frozen=True):
    """An entry of a launch."""

    token: str
    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = {}
    needs: dict[str, int] = msgspec.field(default_factory=lambda: {"cpus": 1})
    rates: tuple[tuple[str, int, int], ...] = ()
    timeout_us: int | None = None
    grace_us: int = 5_000_000
    max_output_bytes: int = 1 << 30
    make_cwd: bool = False


def frame(message: object) -> bytes:
    # The standard library's encoder also takes text that stands for bytes which are no UTF-8.
    body = message if isinstance(message, bytes) else json.dumps(msgspec.to_builtins(message)).encode()
    return len(body).to_bytes(4, "big") + body


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that tells nobody when it happens; it fails, and says `what`, where it doesn't."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        select.select([], [], [], 0.005)


class Link:
    """One connection to a runner; `statuses` holds the last word on every token."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.settimeout(PATIENCE_S)
        self.statuses: dict[str, Status] = {}
        self.troubles: list[str | None] = []
        self.reports = 0
        self._received = bytearray()

    def send(self, kind: str, **members: object) -> None:
        self.connection.sendall(frame({"type": kind, **members}))

    def launch(self, *attempts: Attempt) -> None:
        self.send("launch", attempts=attempts)

    def receive(self) -> Message:
        """The next message; raises EOFError if the runner closed the connection."""
        while len(self._received) < 4 or len(self._received) < 4 + int.from_bytes(self._received[:4], "big"):
            try:
                data = self.connection.recv(1 << 16)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self._received += data
        end = 4 + int.from_bytes(self._received[:4], "big")
        message = msgspec.json.decode(bytes(self._received[4:end]), type=Message)
        del self._received[:end]
        self.reports += message.type == "report"
        self.statuses.update({status.token: status for status in message.attempts})
        if message.type == "trouble":
            self.troubles.append(message.error)
        return message

    def until(self, token: str | Attempt, *states: str) -> Status:
        """Wait until an attempt is in one of `states`."""
        name = token if isinstance(token, str) else token.token
        while name not in self.statuses or self.statuses[name].state not in states:
            self.receive()
        return self.statuses[name]

    def end(self, token: str | Attempt) -> Status:
        return self.until(token, "ended")

    def settle(self) -> None:
        """Wait until everything said before has been heard and answered."""
        self.send("ping", id=7)
        while self.receive().type != "pong":
            pass

    def is_closed(self) -> bool:
        """Read on to the end, which must come."""
        try:
            while True:
                self.receive()
        except EOFError:
            return True


class Home:
    """A home folder in which runners are started; `close` ends all that ran there, by pid."""

    def __init__(self, path: Path, python: str = sys.executable, work: Path | None = None) -> None:
        self.path = path
        self.python = python
        self.prefix = uuid.uuid4().hex[:12]
        self.work = work or path.parent / "work"
        self.work.mkdir()
        self.runners: list[subprocess.Popen[bytes]] = []
        self._links: list[Link] = []
        self._count = 0

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [self.python, "-I", "-S", str(RUNNER), str(self.path), *options]
        runner = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        self.runners.append(runner)
        return runner

    def open(self) -> Link:
        """A connection on which nothing was said yet."""
        connection = socket.socket(socket.AF_UNIX)
        with short_address(self.path / "runner.sock") as address:
            until(lambda: self._reached(connection, address), "a connection to the runner")
        self._links.append(Link(connection))
        return self._links[-1]

    @staticmethod
    def _reached(connection: socket.socket, address: str) -> bool:
        try:
            connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def connect(self, capacity: dict[str, int] | None = None, environ: dict[str, str] | None = None) -> Link:
        """A connection that said hello and was welcomed."""
        hello = {"type": "hello", "protocol": 1, "environ": dict(os.environ) if environ is None else environ}
        while True:
            link = self.open()
            # A child of a runner that was killed holds its socket too, until its exec: nobody answers there.
            with contextlib.suppress(EOFError, BrokenPipeError):
                link.connection.sendall(frame(hello))
                message = link.receive()
                break
        assert message.type == "welcome", message
        link.send("capacity", capacity={"cpus": 2} if capacity is None else capacity)
        return link

    def begin(self, **capacity: int) -> Link:
        """Start a runner and connect to it."""
        self.start()
        return self.connect(capacity or None)

    def attempt(self, *argv: str, **members: object) -> Attempt:
        """An attempt with a token of its own."""
        self._count += 1
        known = {"token": f"{self.prefix}.{self._count}.1", "argv": argv, "cwd": str(self.work), **members}
        return msgspec.convert(known, Attempt)

    def shell(self, script: str, **members: object) -> Attempt:
        return self.attempt("/bin/sh", "-c", script, **members)

    def python_job(self, script: str, **members: object) -> Attempt:
        return self.attempt(self.python, "-I", "-S", "-c", script, **members)

    def read(self, output: Range) -> bytes:
        content = (self.path / "output" / output.segment).read_bytes()
        return content[output.start : output.end]

    def journal(self) -> list[dict[str, object]]:
        lines = (self.path / "runner.journal").read_bytes().splitlines()
        return [msgspec.json.decode(line, type=dict[str, object]) for line in lines]

    def kill_runner(self) -> None:
        """What no process can prepare for."""
        self.runners[-1].kill()
        self.runners[-1].wait(PATIENCE_S)

    def carriers(self) -> Iterator[int]:
        """The pids of all processes that carry a token of this home."""
        for folder in Path("/proc").iterdir() if sys.platform == "linux" else ():
            with contextlib.suppress(OSError):
                if (
                    folder.name.isdigit()
                    and f"HOLDFAST_TOKEN={self.prefix}".encode() in (folder / "environ").read_bytes()
                ):
                    yield int(folder.name)

    def close(self) -> None:
        for link in self._links:
            link.connection.close()
        for runner in self.runners:
            runner.kill()
            runner.wait(PATIENCE_S)
        while pids := list(self.carriers()):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def is_alive(pid: int | None) -> bool:
    """Whether a process runs; a zombie doesn't."""
    assert pid is not None
    if sys.platform != "linux":
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            return True
        return False
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
