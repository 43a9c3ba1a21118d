"""A runner process: the real runner's `Core` in a loop like its `Server`'s, over in-memory connections.

Beside what the machine does to it, it may be stopped for a while (SIGSTOP), and its reports may come twice, late or out
of order.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Final

import trio
from msgspec import Struct

from holdfast.actors import runner

from .determinism import now_us
from .host import Killed, SimulatedHost
from .machine import Machine
from .wire import End

IDLE_US: Final = 10_000_000
_US: Final = 1_000_000
_REPORT: Final = '{"type":"report"'


class Mischief(Struct):
    """How often (0 to 1) a report is said twice, or held back and overtaken; and how often there is garbage."""

    twice: float = 0.0
    late: float = 0.0
    garbage: float = 0.0


class _Peer:
    def __init__(self, stream: End) -> None:
        self.stream = stream
        self.received = bytearray()


class RunnerProcess:
    """One run of the runner, from its start to its end."""

    def __init__(self, machine: Machine, random: Random, mischief: Mischief) -> None:
        self.machine = machine
        self.host = SimulatedHost(machine, machine.give_runner_pid())
        machine.runner_started_us[self.host.pid] = now_us()
        self._random = random
        self._mischief = mischief
        self._peers: list[_Peer] = []
        self._current: _Peer | None = None
        self._arrived: deque[tuple[_Peer, bytes]] = deque()
        self._held: list[tuple[int, str]] = []
        self._wakes = trio.Event()
        self._scope = trio.CancelScope()
        self._frozen_until_us = 0
        self._readers: trio.Nursery | None = None
        self._idle_since_us = now_us()
        self.core: runner.Core | None = None

    def accept(self, stream: End) -> None:
        """Take a new connection, as the system does, whatever the runner is doing."""
        peer = _Peer(stream)
        self._peers.append(peer)
        if self._readers is not None:
            self._readers.start_soon(self._read, peer)

    def freeze(self, seconds: float) -> None:
        """Stop it for a while, as SIGSTOP or a machine that swaps would."""
        self._frozen_until_us = now_us() + int(seconds * _US)

    def thaw(self) -> None:
        """Let it go on."""
        self._frozen_until_us = 0
        self._wakes.set()

    def kill(self) -> None:
        """End it as SIGKILL does."""
        if self.machine.runner is self:
            self.machine.verdict.tell(f"the runner of {self.machine.name} is killed")
            self.machine.runner_died()
            self._vanish()
            self._scope.cancel()

    def _vanish(self) -> None:
        for peer in self._peers:
            peer.stream.vanish()
        self._peers = []
        self._current = None

    async def run(self) -> None:
        """Serve until killed, or until idle for a while."""
        with self._scope:
            try:
                async with trio.open_nursery() as readers:
                    self._readers = readers
                    for peer in self._peers:
                        readers.start_soon(self._read, peer)
                    await self._serve()
                    readers.cancel_scope.cancel()
            except* Killed:
                self.kill()
        if self.machine.runner is self:
            self._vanish()
            self.machine.runner_left()

    async def _read(self, peer: _Peer) -> None:
        data = b"something"
        while data:
            try:
                data = await peer.stream.receive_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            self._arrived.append((peer, data))
            self._wakes.set()

    async def _serve(self) -> None:
        core = self.core = runner.Core(self.host, runner.recall(self.host.read_journal()))
        while True:
            await self._wait_while_frozen()
            for ended in self.host.reap():
                core.child_ended(*ended)
            if any(run.adopted for run in core.leaders.values()):
                core.check_adopted()
            messages = core.turn()
            self.host.step()
            self._send(messages)
            if self._peers or not core.idle():
                self._idle_since_us = now_us()
            elif now_us() - self._idle_since_us >= IDLE_US:
                return
            await self._wait(core)
            while self._arrived:
                self._take(core, *self._arrived.popleft())

    async def _wait_while_frozen(self) -> None:
        while now_us() < self._frozen_until_us:
            self._wakes = trio.Event()
            with trio.move_on_at(self._frozen_until_us / _US):
                await self._wakes.wait()

    async def _wait(self, core: runner.Core) -> None:
        now = now_us()
        waits = [process.end_us for process in self.machine.processes.values() if now < process.end_us]
        waits += [due_us for due_us, _ in self._held]
        due = core.next_due()
        if due is not None:
            waits.append(now + max(0, due - self.host.monotonic_us()))
        if not self._peers:
            waits.append(self._idle_since_us + IDLE_US)
        if self._arrived or (waits and min(waits) <= now):
            await trio.lowlevel.checkpoint()
            return
        self._wakes = trio.Event()
        with trio.move_on_at(min(waits) / _US if waits else float("inf")):
            await self._wakes.wait()

    def _send(self, messages: Sequence[str]) -> None:
        """Give what is said to whoever said hello last, with some mischief."""
        peer, now = self._current, now_us()
        due = [text for due_us, text in self._held if due_us <= now]
        self._held = [(due_us, text) for due_us, text in self._held if due_us > now]
        if peer is None:
            return
        for text in messages:
            is_report, luck = text.startswith(_REPORT), self._random.random()
            if is_report and luck < self._mischief.late:
                self._held.append((now + self._random.randrange(2_000_000), text))
            else:
                due += [text, text] if is_report and luck > 1 - self._mischief.twice else [text]
        for text in due:
            _say(peer, text)
        if due and self._random.random() < self._mischief.garbage:
            peer.stream.send_now(b"\0\0\0\2{]")

    def _take(self, core: runner.Core, peer: _Peer, data: bytes) -> None:
        if peer not in self._peers:
            return
        if not data:
            self._close(peer)
            return
        peer.received += data
        while len(peer.received) >= 4 and peer in self._peers:
            end = 4 + int.from_bytes(peer.received[:4], "big")
            if len(peer.received) < end:
                return
            message = json.loads(bytes(peer.received[4:end]))
            del peer.received[:end]
            self._receive(core, peer, message)

    def _receive(self, core: runner.Core, peer: _Peer, message: dict[str, object]) -> None:
        if message.get("type") != "hello" and peer is not self._current:
            self._close(peer)
            return
        if message.get("type") == "execute":
            self._execute(peer, runner.Command(message, {}, 0))
            return
        try:
            core.receive(message)
        except runner.Malformed as error:
            self.machine.verdict.fail(f"the supervisor said what is not the protocol: {error}")
            return
        if peer is not self._current:
            if self._current is not None:
                self._close(self._current)
            self._current = peer
            self._held = []

    def _execute(self, peer: _Peer, command: runner.Command) -> None:
        """Have a command run, and say how it ended to whoever asked, if both are still there then."""

        def done(ended: runner.Command) -> None:
            if peer is self._current:
                for text in ended.answer():
                    _say(peer, text)

        self.host.step()
        self.machine.execute(command, done)
        self.host.step()

    def _close(self, peer: _Peer) -> None:
        if peer in self._peers:
            self._peers.remove(peer)
            peer.stream.vanish()
        if peer is self._current:
            self._current = None


def _say(peer: _Peer, text: str) -> None:
    data = text.encode("ascii")
    peer.stream.send_now(len(data).to_bytes(4, "big") + data)
