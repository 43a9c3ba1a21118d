"""A machine without processes, files or clock, for `Core` alone: time is set by hand, and processes end when told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from holdfast.actors.runner import Core, Host, NotStarted, Order, Run, recall

from .driving import Attempt, Message

SECOND_US = 1_000_000


class Machine(Host):
    """Stands in for everything below `Core`. What it holds outlives a Core, as the real one outlives a runner."""

    block_bytes = 1

    def __init__(self) -> None:
        self.boot, self.pid = "boot-1", 7
        self.now_us = 0
        self.journal = ""
        self.full = False
        self.no_segments = False
        self.unstartable: set[str] = set()
        self.living: dict[int, str] = {}  # the token of each process
        self.started: list[tuple[int, str]] = []  # when, and which token
        self.terminated: list[int] = []
        self.killed: list[str] = []
        self.leased: set[int] = set()
        self.spare: list[int] = []
        self.spent: set[int] = set()  # of a former runner
        self.length: dict[int, tuple[int, int]] = {}
        self.punched: list[tuple[int, int, int, int]] = []
        self.rewrites = 0
        self._pids = 100

    def wall_us(self) -> int:
        return 1_700_000_000 * SECOND_US + self.now_us

    def monotonic_us(self) -> int:
        return self.now_us

    def name_journal(self) -> str:
        return "journal-1"

    def append(self, lines: str) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        assert lines.endswith("\n")
        self.journal += lines

    def rewrite(self, lines: str) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.rewrites += 1
        self.journal = lines

    def lease(self) -> int:
        if self.no_segments:
            raise OSError(24, "Too many open files")
        segment = self.spare.pop() if self.spare else len(self.length) + 1
        assert segment not in self.leased
        self.length.setdefault(segment, (0, 0))
        self.leased.add(segment)
        return segment

    def reopen(self, segment: int) -> None:
        self.leased.add(segment)
        self.spent.add(segment)

    def release(self, segment: int, pid: int | None) -> None:
        del pid
        self.leased.remove(segment)
        if segment not in self.spent:
            self.spare.append(segment)

    def sizes(self, segment: int) -> tuple[int, int]:
        return self.length[segment]

    def punch(self, segment: int, stream: int, start: int, end: int) -> bool:
        self.punched.append((segment, stream, start, end))
        return True

    def spawn(self, order: Order, segment: int) -> int:
        claims = [line for line in self.journal.splitlines() if f'"token":"{order.token}"' in line]
        assert claims, "the claim stands in the journal before the process is there"
        assert segment in self.leased
        if order.token in self.unstartable:
            raise NotStarted("it is not there")
        self._pids += 1
        self.living[self._pids] = order.token
        self.started.append((self.now_us, order.token))
        return self._pids

    def terminate(self, pid: int) -> None:
        self.terminated.append(pid)

    def kill(self, runs: Sequence[Run]) -> None:
        self.killed += [run.token for run in runs]

    def process_start(self, pid: int) -> int | None:
        return pid * 10 if pid in self.living else None

    def find(self, runs: Sequence[Run]) -> dict[str, int]:
        wanted = {run.token for run in runs}
        return {token: pid for pid, token in self.living.items() if token in wanted}


class Bench:
    """A Core on a machine, its messages decoded, and what a supervisor would have learned from them."""

    def __init__(self, **capacity: int) -> None:
        self.machine = Machine()
        self.capacity = capacity or {"cpus": 2}
        self.count = 0
        self.core = self.restart()

    def restart(self) -> Core:
        """The death of the runner and the start of another on the same machine."""
        self.machine.leased.clear()
        self.machine.spare.clear()
        self.core = Core(self.machine, recall(self.machine.journal.encode()))
        self.core.receive({"type": "hello", "protocol": 1, "environ": {}})
        self.core.receive({"type": "capacity", "capacity": dict(self.capacity)})
        return self.core

    def attempt(self, **members: object) -> Attempt:
        self.count += 1
        known = {"token": f"t.{self.count}.1", "argv": ["x"], "cwd": "/", **members}
        return msgspec.convert(known, Attempt)

    def say(self, kind: str, **members: object) -> list[Message]:
        """Send a message and take a turn."""
        encoded = msgspec.json.encode({"type": kind, **members})
        self.core.receive(msgspec.json.decode(encoded, type=dict[str, object]))
        return self.turn()

    def launch(self, *attempts: Attempt) -> list[Message]:
        return self.say("launch", attempts=attempts)

    def turn(self) -> list[Message]:
        """Take turns until nothing is due at this time."""
        messages: list[Message] = []
        while True:
            messages += [msgspec.json.decode(message, type=Message) for message in self.core.turn()]
            due = self.core.next_due()
            if due is None or due > self.machine.now_us:
                return messages

    def wait(self, microseconds: int) -> list[Message]:
        """Let time pass, with a turn at each moment that the core asks for."""
        end = self.machine.now_us + microseconds
        messages = self.turn()
        while (due := self.core.next_due()) is not None and due <= end:
            self.machine.now_us = due
            messages += self.turn()
        self.machine.now_us = end
        return messages + self.turn()

    def finish(self, token: str | Attempt, status: int = 0) -> list[Message]:
        """End a process, with a status as of `wait`."""
        name = token if isinstance(token, str) else token.token
        pid = next(pid for pid, each in self.machine.living.items() if each == name)
        del self.machine.living[pid]
        self.core.child_ended(pid, status, 1000, 4096)
        return self.turn()

    def running(self) -> list[str]:
        return list(self.machine.living.values())
