"""Where targets are found: those of this machine have an actor each, all others are with the connection supervisor."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from functools import partial

from holdfast.events.allocations import ATTEMPT, token_of
from holdfast.events.facts import AttemptBatched
from holdfast.events.records import Asked, Batch, Granted, Target
from holdfast.events.spec import JobSpec
from holdfast.store.contract import LiveBase

from .address import Address
from .connections.messages import Attend, ConnectionsMessage, ForTarget, Leave, Meet
from .slurm.log import Log
from .targets.messages import TargetMessage
from .writer import OpenLog


class Directory:
    """Passes messages on to targets, by name."""

    def __init__(self, here: Mapping[str, Address[TargetMessage]], connections: Address[ConnectionsMessage]) -> None:
        self._here = here
        self._connections = connections
        self._wanted: set[str] = set()
        self.home = ""
        self.remote: dict[str, Target] = {}
        """The targets of other machines by name, as the log has them."""
        self.era = 0
        """Since when what is said of hosts counts: what was on its way when the actors started anew is void."""

    @property
    def here(self) -> list[str]:
        """The targets of this machine, by name."""
        return sorted(self._here)

    def tell(self, target: str, message: TargetMessage) -> None:
        """Leave a message for a target; raises InboxFull."""
        if target in self._here:
            self._here[target].tell_nowait(message)
        else:
            self._connections.tell_nowait(ForTarget(target, message))

    def meet(self, target: Target, *, dial: bool = False) -> None:
        """A target of another machine is as it is now."""
        self.remote[target.name] = target
        self._connections.tell_nowait(Meet(target, dial))

    def leave(self, target: str) -> None:
        """A target is no more."""
        self.remote.pop(target, None)
        self._wanted.discard(target)
        self._connections.tell_nowait(Leave(target))

    def attend(self, target: str, *, wanted: bool) -> None:
        """Whether there is something to do for a target of another machine; said only where it changes."""
        if wanted != (target in self._wanted):
            (self._wanted.add if wanted else self._wanted.discard)(target)
            self._connections.tell_nowait(Attend(target, wanted))

    def wants(self, target: str) -> bool:
        """Whether there was something to do for the target when it was said last."""
        return target in self._wanted


def log_of(log: OpenLog) -> Log:
    """What a cluster's actor asks of the log."""

    def held_by(target: str) -> tuple[list[Batch], list[tuple[str, AttemptBatched]]]:
        base = log.store.base
        jobs = {job.id: job for job in base.in_flight(target)}
        placed = base.batched(list(jobs)).values()
        newest = [each for each in placed if each.attempt == jobs[each.job].attempt]
        open_batches = base.open_batches(target)
        held = [(f"{base.home}.{each.job}.{each.attempt}", each) for each in newest]
        return open_batches, [*held, *_allocations(base, target, {batch.name for batch in open_batches})]

    # Each time anew: the store is another one after a failed sync.
    def script(batch: str) -> str | None:
        return log.store.base.script(batch)

    def journal(target: str) -> str | None:
        record = log.store.base.target(target)
        return None if record is None or not log.store.base.in_flight(target) else record.journal

    def secret_names() -> set[str]:
        return log.store.base.secret_names()

    return Log(
        spec_of=partial(spec_of, log),
        held_by=held_by,
        script=script,
        journal=journal,
        secret_names=secret_names,
    )


def _allocations(base: LiveBase, cluster: str, batches: Container[str]) -> Iterator[tuple[str, AttemptBatched]]:
    """The allocations of a cluster that are in its hands: each is a batch of its own."""
    for target in base.targets():
        allocation = target.allocation
        if allocation is not None and allocation.cluster == cluster and isinstance(allocation.state, Asked | Granted):
            token = token_of(base.home, allocation.number)
            if token in batches:
                yield token, AttemptBatched(allocation.number, ATTEMPT, token)


def spec_of(log: OpenLog, token: str) -> JobSpec | None:
    """What was asked for of the job that an attempt's token names; None for a token of another home."""
    home, _, rest = token.partition(".")
    job, _, attempt = rest.partition(".")
    base = log.store.base
    if home != base.home or not job.isdecimal() or attempt == str(ATTEMPT):  # which is no job's, but an allocation's
        return None
    return base.specs([int(job)]).get(int(job))
