"""Workers to be supervised, and the world that notes what happens to them."""

from __future__ import annotations

from collections.abc import Sequence

import trio
from msgspec import Struct

from holdfast.actors.actor import Actor
from holdfast.actors.address import Address
from holdfast.actors.child import Child, actor_child
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Request
from holdfast.actors.restarts import RestartPolicy
from holdfast.actors.supervision import Strategy, Supervisor

from .stepping import pause


class Most:
    """A source of randomness that always draws the most it may."""

    def random(self) -> float:
        return 1.0


POLICY = RestartPolicy(max_restarts=3, window_s=60, backoff_base_s=1, backoff_cap_s=8)


class Crash(Struct, frozen=True):
    error: BaseException


class Work(Struct, frozen=True):
    seconds: float


class Ping(Request[str], frozen=True):
    """Asks whether anybody is there."""


class Relay(Struct, frozen=True):
    """Ask somebody else, and wait for the answer."""

    whom: Address[Ping]


Message = Crash | Work | Ping | Relay


class Broken(Exception):
    """Stands for a defect."""


class Worker(Actor[Message]):
    """Notes in `world` when what happened to it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    async def opened(self) -> None:
        await pause(self._world.open_s.get(self._name, 0))
        if self._world.cannot_open.get(self._name, 0):
            self._world.cannot_open[self._name] -= 1
            raise Broken(f"{self._name} can't open")
        self._world.note(f"+{self._name}")

    async def closed(self) -> None:
        await pause(self._world.close_s.get(self._name, 0))
        self._world.note(f"-{self._name}")

    async def handle(self, batch: Sequence[Message]) -> None:
        for message in batch:
            match message:
                case Crash(error):
                    raise error
                case Work(seconds):
                    await pause(seconds)
                    self._world.note(f"{self._name} worked")
                case Ping(reply):
                    reply.send(self._name)
                case Relay(whom):
                    await whom.ask(Ping)


class World:
    """Three workers a, b, c and what happened to them, as `time +name` and `time -name`."""

    def __init__(self) -> None:
        self.history: list[str] = []
        self.crashes: list[tuple[str, type[Exception], int]] = []
        self.inboxes: dict[str, Inbox[Message]] = {name: Inbox(name, 10) for name in "abc"}
        self.open_s: dict[str, float] = {}
        self.close_s: dict[str, float] = {}
        self.cannot_open: dict[str, int] = {}

    def note(self, what: str) -> None:
        self.history.append(f"{trio.current_time():g} {what}")

    def take_history(self) -> list[str]:
        history, self.history = self.history, []
        return history

    def on_crash(self, name: str, error: Exception, crashes: int) -> None:
        self.crashes.append((name, type(error), crashes))

    def child(self, name: str, stop_bound_s: float = 10) -> Child:
        return actor_child(lambda: Worker(self, name), self.inboxes[name], stop_bound_s=stop_bound_s)

    def supervisor(
        self, strategy: Strategy, children: Sequence[Child] | None = None, policy: RestartPolicy = POLICY
    ) -> Supervisor:
        chosen = children or [self.child(name) for name in "abc"]
        return Supervisor(chosen, strategy=strategy, policy=policy, random=Most(), on_crash=self.on_crash)

    def tell(self, name: str, message: Message) -> None:
        self.inboxes[name].put_nowait(message)
