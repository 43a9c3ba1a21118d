"""The ways to other machines: each may be slow, broken, silent, refused, or show a key that nobody vouched for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Final

import trio

from holdfast.actors.connections.dialling import KeyNotTrusted, PersonNeeded, RemoteLine
from holdfast.actors.connections.interview import Interview
from holdfast.actors.staging.remotefiles import RemoteFiles
from holdfast.events.errors import Unavailable
from holdfast.events.records import Target
from tests.actors.stepping import pause

from .determinism import now_us
from .machine import Machine
from .slurm_cluster import CLUSTER
from .verdict import Verdict
from .wire import End, Latency, connect, no_latency

if TYPE_CHECKING:
    from .keeper import Incarnation

HOSTS: Final = ("east", "west", "far")
GATEWAYS: Final = {"east": "gate", "west": "gate", "far": "far", CLUSTER: CLUSTER}
TURNS: Final = 2
"""How many attempts to connect may be under way at a gateway at a time."""
PASSWORD: Final = "sesame"  # noqa: S105 - of a machine that is not there
LEAST_S: Final = 0.001
"""No handshake is over at once."""


class Way:
    """The way to one machine, and how it does.

    Until `barred_until_us` it is refused at once, until `hung_until_us` nothing is heard from there; `asks`: it wants a
    password; `known`: the keys in the file of those that are trusted.
    """

    def __init__(self, name: str, machine: Machine, random: Random, verdict: Verdict) -> None:
        self.name = name
        self.machine = machine
        self.random = random
        self.verdict = verdict
        self.latency: Latency = no_latency
        self.barred_until_us = 0
        self.hung_until_us = 0
        self.unstartable = 0.0
        self.asks = False
        self.key = f"ssh-ed25519 {name}-1"
        self.known = {self.key}
        self.dialled = 0
        self.watch: Callable[[str], object] = lambda _: None
        """Called when the machine is dialled."""
        self.shut: Callable[[str], object] = lambda _: None
        """Called when it turned somebody away whom only a person can help."""
        self._ends: list[End] = []
        self._dialling = 0

    def delay(self) -> float:
        """How long what is sent now takes, in seconds."""
        return self.latency()

    @property
    def hung(self) -> bool:
        """Whether nothing is heard from there."""
        return now_us() < self.hung_until_us

    @property
    def fingerprint(self) -> str:
        """Of the key that it shows."""
        return fingerprint_of(self.key)

    def open_ends(self) -> list[End]:
        """The supervisor's ends of the connections that stand."""
        self._ends = [end for end in self._ends if not end.closed]
        return self._ends

    def each_end(self, act: Callable[[End], object]) -> None:
        """Do something to every connection that stands, and to those that one end has left already."""
        for end in self._ends:
            act(end)

    def change_key(self) -> None:
        """It was set up anew, or somebody stands in between."""
        self.key = f"{self.key.rpartition('-')[0]}-{self.random.randrange(1_000_000)}"
        self.verdict.tell(f"{self.name} shows another key from now on: {self.key}")

    def hang(self, seconds: float) -> None:
        """The machine stops for a while, whatever is under way; then it goes on with all of it."""
        self.verdict.tell(f"{self.name} hangs for {seconds} s")
        self.hung_until_us = now_us() + int(seconds * 1_000_000)
        if self.machine.runner is not None:
            self.machine.runner.freeze(seconds)

    def mend(self) -> None:
        """All is well again; connections that nobody heard of any more are found to be broken."""
        self.barred_until_us = self.hung_until_us = 0
        self.latency, self.unstartable, self.asks = no_latency, 0.0, False
        self.each_end(End.cut_if_silent)
        if self.machine.runner is not None:
            self.machine.runner.thaw()

    @asynccontextmanager
    async def _being_dialled(self) -> AsyncGenerator[None]:
        self._dialling += 1
        self.dialled += 1
        self.watch(self.name)
        self.verdict.check(self._dialling == 1, f"{self.name} is dialled by two at a time")
        self.verdict.check(not self.open_ends(), f"{self.name} is dialled while a connection to it stands")
        try:
            yield
        finally:
            self._dialling -= 1

    @property
    def dialling(self) -> int:
        """How many dial it just now."""
        return self._dialling

    async def dial(self, incarnation: Incarnation, target: Target, interview: Interview | None) -> RemoteLine:
        """See `Dialler`."""
        async with self._being_dialled():
            incarnation.keeper.check_turns(self.name)
            await pause(LEAST_S + self.delay())
            if self.hung:
                self.verdict.tell(f"{self.name} does not answer who dials it")
                await trio.sleep_forever()
            if incarnation.dead or now_us() < self.barred_until_us:
                message = f"{self.name} can't be reached"
                raise Unavailable(message)
            if self.key not in self.known | set(target.trusted):
                self.shut(self.name)
                raise KeyNotTrusted(self.name, self.key, self.fingerprint, changed=bool(self.known))
            if self.asks:
                await self._let_in(interview)
            return self._connect(incarnation)

    async def _let_in(self, interview: Interview | None) -> None:
        said = None if interview is None else await interview.ask(f"Password of {self.name}: ", echo=False)
        await pause(LEAST_S)
        if said != PASSWORD:
            self.shut(self.name)
            message = f"{self.name} wants its password"
            raise PersonNeeded(message)

    def _connect(self, incarnation: Incarnation) -> RemoteLine:
        machine = self.machine
        if machine.runner is None:
            if self.random.random() < self.unstartable:
                message = f"no process can be started on {self.name}"
                raise Unavailable(message)
            incarnation.keeper.start_runner(machine)
        assert machine.runner is not None, "it was just started"
        near, far = connect(self.delay, f"host {self.name}")
        self.open_ends().append(near)
        incarnation.take(near)
        machine.runner.accept(far)
        folder = f"/elsewhere/{self.name}"
        return RemoteLine(near, {}, folder, private=f"{folder}/.holdfast", files=no_files)


class SimulatedDialler:
    """Of one supervisor process. See `Dialler`."""

    def __init__(self, incarnation: Incarnation) -> None:
        self._incarnation = incarnation

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Nothing has to be kept."""
        await trio.lowlevel.checkpoint()
        task_status.started()

    async def gateway(self, target: Target) -> str:
        """See `Dialler`."""
        return GATEWAYS[target.name]

    async def dial(self, target: Target, interview: Interview | None) -> RemoteLine:
        """See `Dialler`."""
        return await self._incarnation.keeper.ways[target.name].dial(self._incarnation, target, interview)


def fingerprint_of(key: str) -> str:
    """Of a key."""
    return f"SHA256:{key}"


def no_files() -> AbstractAsyncContextManager[RemoteFiles]:
    """In place of a way to files; no job here brings any along."""
    message = "the simulation has no files"
    raise AssertionError(message)
