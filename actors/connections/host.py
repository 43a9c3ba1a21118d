"""One host: dials it when it is needed and may be tried, speaks with its runner, and says how it stands.

The rules are in `events/hosts.py`; here time passes. Whatever hangs here delays nobody else.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import trio
from msgspec import Struct
from msgspec.structs import replace

from holdfast.events.backoff import Uniform
from holdfast.events.errors import Unavailable
from holdfast.events.hosts import (
    IDLE,
    RETRY_CAP_US,
    Answered,
    Asked,
    Broke,
    Connecting,
    Dialled,
    HostState,
    Idle,
    Rested,
    ShowedKey,
    Sight,
    Silent,
    Suspect,
    Up,
    dial_at,
    follow,
    reason_of,
)
from holdfast.events.messages import (
    Answer,
    Changed,
    HostSeen,
    Inspect,
    LogIn,
    ReadOutput,
    Refusal,
    Say,
    Settled,
    Staged,
    Unreachable,
)
from holdfast.events.records import Target
from holdfast.store.home import Home

from ..address import Address
from ..errors import lone
from ..reply import Reply
from ..scheduler import RecordBatches
from ..slurm.log import ClusterTimes, Log
from ..targets.conversation import Conversation, Ears, Patience, ReportMessage
from ..targets.link import LinkBroken
from ..targets.messages import Connected, CutOff, TargetMessage
from ..world import Clock
from .clusterside import ClusterSide, Listener
from .dialling import Dialler, KeyNotTrusted, PersonNeeded, RemoteLine
from .interview import INTERVIEW_S, Interview
from .porter import Porter, Told
from .steps import ANSWER_S, cpus_of
from .turns import Turns

if TYPE_CHECKING:
    pass

DIAL_S: Final = 30.0
LOOK_S: Final = 30.0
REST_S: Final = 120.0
INSPECT_S: Final = 120.0
PATIENCE: Final = Patience(ping_s=5.0, suspect_s=11.0, silence_s=30.0, away_s=5.0)
_US: Final = 1_000_000


class Times(Struct, frozen=True):
    """How long things may take. `dial_s`: to be let in; `rest_s`: a connection stays that nothing needs."""

    patience: Patience = PATIENCE
    dial_s: float = DIAL_S
    rest_s: float = REST_S
    cluster: ClusterTimes = ClusterTimes()


class Around(Struct, frozen=True):
    """What all hosts share. `settled`: waits until the scheduler has done with all that it was told."""

    home: Home
    turns: Turns
    scheduler: Address[ReportMessage | CutOff | HostSeen | Staged | RecordBatches | Settled]
    log: Log
    clock: Clock
    random: Uniform
    on_trouble: Callable[[str | None], None]
    times: Times = Times()
    era: int = 0
    settled: Callable[[], Awaitable[object]] | None = None


class Host:
    """The way to one target's machine, and what goes over it."""

    def __init__(self, target: Target, home_id: str, dialler: Dialler, around: Around) -> None:
        self._target = target
        self._dialler = dialler
        self._around = around
        # A connection of a supervisor that is gone went with it.
        known: HostState = target.host
        self._state: HostState = IDLE if isinstance(known, Connecting | Up | Suspect) else known
        self._due_s = self._due_of(self._state)
        self._untold: list[HostState] = []
        self._news = trio.Event()
        self._wanted = self._asked_for = False
        self._fetches: list[tuple[ReadOutput | Inspect, Reply[Answer]]] = []
        self._interview: Interview | None = None
        self._changed = trio.Event()
        self._connected = trio.CancelScope()
        ears = Ears(self._trouble, self._answered, self._silent)
        told = Told(around.scheduler, around.log.spec_of, around.clock.now, self._trouble, self._alive)
        self._porter = Porter(target.name, home_id, told)
        patience = around.times.patience
        if target.allocation is not None:
            patience = replace(patience, answer_s=ANSWER_S)
        self._conversation = Conversation(
            target.name,
            around.home.secrets,
            Address(Listener(target.name, self._heard)),
            around.clock,
            ears,
            patience,
            self._porter,
        )
        self._side = ClusterSide(target, home_id, self._porter, around)
        self._cpus: int | None = None

    def attend(self, *, wanted: bool) -> None:
        """Whether there is something to do for it."""
        self._wanted = wanted
        self._wake()

    def meet(self, target: Target, *, dial: bool) -> None:
        """The target is as it is now: another way there means another connection; `dial`: try it now."""
        moved = target.ssh != self._target.ssh or target.is_cluster != self._target.is_cluster
        if moved:
            self._connected.cancel()
        self._target = target
        self._side.meet(target)
        if moved or (dial and not isinstance(self._state, Connecting | Up | Suspect)):
            self._see(Rested())
            self._asked_for = self._asked_for or dial
        self._wake()

    async def pass_on(self, message: TargetMessage) -> None:
        """For its runner, or the cluster that it is."""
        cluster = self._side.cluster
        await (self._conversation if cluster is None else cluster).pass_on(message)

    async def leave(self) -> None:
        """Put in order what can be there, before the connection is given up."""
        await self._side.leave()

    def fetch(self, request: ReadOutput | Inspect, reply: Reply[Answer]) -> None:
        """Have output read there, or the cluster looked at, once it is connected; if not, the reason is the answer."""
        if self._conversation.connected:
            self._fetch(request, reply)
        else:
            self._asked_for = True
            self._fetches.append((request, reply))
            self._answer_fetches()
        self._wake()

    def _answer_fetches(self) -> None:
        reason = reason_of(self._state)
        if not self._conversation.connected and (reason is None or dial_at(self._state) == 0):
            return
        fetches, self._fetches = self._fetches, []
        for request, reply in fetches:
            if self._conversation.connected:
                self._fetch(request, reply)
            else:
                reply.send(Refusal(f"{self._target.name} can't be reached: {reason}", Unavailable.exit_code))

    def _fetch(self, request: ReadOutput | Inspect, reply: Reply[Answer]) -> None:
        if isinstance(request, ReadOutput):
            self._conversation.read(request, reply)
        else:
            self._side.inspect(request, reply)

    def converse(self, request: LogIn | Say, reply: Reply[Answer]) -> None:
        """Log in with a person at hand, or take what they typed."""
        if isinstance(request, Say):
            if self._interview is None:
                reply.send(Refusal(f"{self._target.name} asks nothing just now", Unavailable.exit_code))
            else:
                self._interview.say(request.text, reply)
            return
        if self._conversation.connected:
            reply.send(Changed(targets=(self._target.name,)))
            return
        if self._interview is not None:
            self._interview.fail("somebody else has begun to log in")
        self._connected.cancel()
        self._interview = Interview(reply)
        self._see(Rested())
        self._asked_for = True
        self._wake()

    def _end_interview(self) -> None:
        interview, reason = self._interview, reason_of(self._state)
        if interview is not None and (reason is not None or isinstance(self._state, Up)):
            self._interview = None
            if reason is None:
                interview.succeed(self._target.name)
            else:
                interview.fail(reason)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell)
            if self._state is not self._target.host:
                self._untold.append(Idle(self._around.clock.now()))
                self._news.set()
            while True:
                await self._until_due()
                self._see(Dialled())
                sight: Sight = Rested()
                with trio.CancelScope() as self._connected:
                    sight = await self._connect()
                # Given up while it ended by itself, it is given up: its end is none of what is to come.
                self._see(Rested() if self._connected.cancel_called else sight)

    # When it is dialled.

    async def _until_due(self) -> None:
        """Wait until it is needed and may be tried."""
        while True:
            reason = reason_of(self._state)
            if self._wanted:
                self._conversation.miss()
                if reason is not None:
                    await self._conversation.missing(reason)
            wait_s = self._wait_s() if self._wanted or self._asked_for else math.inf
            if wait_s <= 0:
                return
            with trio.move_on_after(min(wait_s, self._conversation.patience_left_s)):
                await self._changed.wait()

    def _wait_s(self) -> float:
        """How long to wait, at least, before it is dialled, or looked at again: what slept has not waited."""
        at = dial_at(self._state)
        if at is None:
            return math.inf
        slept = at <= self._around.clock.now()
        return 0.0 if slept else min(LOOK_S, self._due_s - trio.current_time())

    def _due_of(self, state: HostState) -> float:
        """When it may be dialled, by Trio's clock: a wall clock that is set back delays nothing."""
        at = dial_at(state)
        if at is None:
            return math.inf
        wait_s = (at - self._around.clock.now()) / _US
        return trio.current_time() + min(max(0.0, wait_s), RETRY_CAP_US / _US)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    async def _rest(self, scope: trio.CancelScope) -> None:
        """Let go of a connection that nothing has needed for a while."""
        while True:
            if self._wanted:
                await self._changed.wait()
                continue
            with trio.move_on_after(self._around.times.rest_s):
                await self._changed.wait()
                continue
            scope.cancel()
            return

    # What comes of it.

    async def _connect(self) -> Sight:
        """Connect, and stay connected for as long as it lasts and is needed; returns why it did not, or is over."""
        dialler, host = self._dialler, self._target.name
        dial_s = self._around.times.dial_s
        try:
            with trio.fail_after(dial_s):
                gateway = await dialler.gateway(self._target)
            async with self._around.turns.turn(gateway):
                dial_s = dial_s if self._interview is None else INTERVIEW_S
                with trio.fail_after(dial_s):
                    line = await dialler.dial(self._target, self._interview)
            return await self._use(line)
        except KeyNotTrusted as error:
            why = f"{error}; `holdfast hosts check {host}` shows how to accept it"
            return ShowedKey(error.key, error.fingerprint, why, error.changed)
        except PersonNeeded as error:
            return Asked(f"{error}; `holdfast hosts connect {host}` tries again, and asks you for what it takes")
        except Unavailable as error:
            return Broke(str(error))
        except trio.TooSlowError:
            return Broke(f"{host} did not let us in within {dial_s:.0f} s")
        except Exception as error:  # noqa: BLE001 - what a library makes of one host must not end the others' connections
            return Broke(f"a mistake of Holdfast's own, please report it: {error!r}")

    async def _use(self, line: RemoteLine) -> Sight:
        reason = "the connection ended"
        self._cpus = cpus_of(self._target, line.environ)
        try:
            async with line.stream:
                with trio.CancelScope() as resting:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._rest, resting)
                        nursery.start_soon(self._porter.run, line)
                        nursery.start_soon(self._side.serve, line, self._conversation)
                        await self._conversation.hold(line)
                        raise LinkBroken(reason)
            return Rested()
        except* (Unavailable, trio.BrokenResourceError, trio.ClosedResourceError) as group:
            reason = str(lone(group)) or reason
        return Broke(reason)

    # What is said of it.

    async def _heard(self, message: ReportMessage) -> None:
        """What the runner says: of a cluster's login node it is only that it is there."""
        if isinstance(message, Connected) and self._cpus is not None:
            message = replace(message, report=replace(message.report, cpus=self._cpus))
        if self._side.cluster is None or isinstance(message, Unreachable):
            await self._around.scheduler.tell(message)
        elif isinstance(message, Connected):
            self._side.greeted()

    def _see(self, sight: Sight) -> None:
        state = follow(self._state, sight, self._around.clock.now(), self._around.random)
        if state is not self._state:
            self._state = state
            self._due_s = self._due_of(state)
            # What was asked for has been tried, whatever came of it.
            self._asked_for = self._asked_for and isinstance(state, Idle | Connecting)
            self._untold.append(state)
            self._news.set()
            self._answer_fetches()
            self._end_interview()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news = trio.Event()
            untold, self._untold = self._untold, []
            for state in untold:
                await self._around.scheduler.tell(HostSeen(self._target.name, state, self._around.era))

    def _alive(self) -> None:
        self._conversation.alive()

    def _trouble(self, trouble: str | None) -> None:
        self._around.on_trouble(None if trouble is None else f"{self._target.name}: {trouble}")

    def _answered(self, latency_us: int) -> None:
        self._see(Answered(latency_us))

    def _silent(self, reason: str) -> None:
        self._see(Silent(reason))
