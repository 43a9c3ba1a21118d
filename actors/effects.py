"""What a committed turn does to the world: launches, stops, revocations and acknowledgements, derived from records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from holdfast.events import facts
from holdfast.events.allocations import cluster_of
from holdfast.events.draft import Draft
from holdfast.events.hosts import Down, NeedsYou, Refused, Up
from holdfast.events.limits import limit_of
from holdfast.events.records import Job, Target
from holdfast.events.spec import JobSpec
from holdfast.events.states import Launching, Running, Unknown

from .allocating import Allocations
from .directory import Directory
from .live import Live
from .receipts import newest_receipt, receipt
from .targets.messages import Acknowledge, Launch, Order, Rate, Revoke, SetCapacity, Stop
from .writer import OpenLog

# A target's connection by its number, and the launches that it does not know.
Attachment = tuple[int, list[Job]]


class Effects:
    """Tells targets what to do. Everything here may be said twice: runners know every token that they have seen."""

    def __init__(self, live: Live, log: OpenLog, directory: Directory) -> None:
        self._live = live
        self._log = log
        self._directory = directory
        self._sessions: dict[str, int] = {}
        self._receipt = newest_receipt(log.store)
        self._allocations = Allocations(live, directory)

    def derive(self, draft: Draft, attached: dict[str, Attachment]) -> None:
        """Tell targets what the committed draft means, and from now on speak to these connections of them.

        Not before: until what a connection's runner has is recorded, a revocation, say, would make it claim an attempt
        that it never heard of.
        """
        launches: dict[str, list[Job]] = defaultdict(list)
        stops: dict[str, list[str]] = defaultdict(list)
        for target, (session, jobs) in attached.items():
            self._greet(target, session)
            launches[target] += [self._live.jobs[job.id] for job in jobs if job.id in self._live.jobs]
            stops[target] += self._cancelling(target)
        paused: list[str] = []
        new: dict[int, JobSpec] = {}
        for entry in draft.entries:
            event = entry.event
            # Those that nearly every job has come first, asked for with `is`: see `events.lifecycle`.
            if type(event) is facts.JobSubmitted:
                new[event.job] = event.spec
            elif type(event) is facts.AttemptLaunched:
                launches[event.target].append(self._live.jobs[event.job])
            elif type(event) is facts.CancelRequested:
                if event.job in self._live.jobs:
                    found = self._live.jobs[event.job]
                    stops[found.place].append(self._token(found))
            elif type(event) is facts.TargetPaused:
                paused.append(event.target)
                paused += [each.name for each in self._live.allocations(event.target)]
            elif not isinstance(event, facts.OfJob):
                self._follow_target(event)
        self._acknowledge(draft)
        for target, jobs in launches.items():
            self._launch(target, jobs, new)
        for target, tokens in stops.items():
            if tokens:
                self._directory.tell(target, Stop(self._sessions.get(target, 0), tuple(tokens)))
        for target in paused:
            self._revoke(target)

    def _follow_target(self, event: facts.HomeEvent) -> None:
        """A target, or the way to it, is another one now."""
        match event:
            case facts.TargetConfigured(target=target):
                self._introduce(target)
                self._meet(target)
            case facts.HostChanged(target=target):
                self._note(target)
            case facts.DialRequested(target=target) | facts.HostTrusted(target=target):
                self._meet(target, dial=True)
            case facts.AllocationGranted(allocation=target):
                self._meet(target)
            case (
                facts.AllocationRequested(allocation=target)
                | facts.AllocationReleased(allocation=target)
                | facts.AllocationEnded(allocation=target)
                | facts.AllocationRetired(allocation=target)
            ):
                self._follow(target)
            case _:
                pass

    def _greet(self, target: str, session: int) -> None:
        """Speak to a target over this connection from now on."""
        self._sessions[target] = session
        self._introduce(target)
        for allocation in self._live.allocations(target):
            self._allocations.say(allocation, session)

    def revoke_queued(self) -> None:
        """Take back everywhere what has not started."""
        for target in (*self._directory.here, *self._sessions):
            self._revoke(target)

    def _revoke(self, target: str) -> None:
        tokens = [self._token(job) for job in self._live.in_flight(target) if isinstance(job.state, Launching)]
        if tokens:
            self._directory.tell(target, Revoke(self._sessions.get(target, 0), tuple(tokens)))

    def _introduce(self, target: str) -> None:
        record = self._live.target(target)
        session = self._sessions.get(target)
        if record is not None and session is not None:
            self._directory.tell(target, SetCapacity(session, record.capacity))

    def _meet(self, target: str, *, dial: bool = False) -> None:
        record = self._live.target(target)
        if record is not None and record.is_elsewhere and self._allocations.is_reachable(record):
            self._directory.meet(self._allocations.with_way(record), dial=dial)
            for allocation in self._live.allocations(target):
                self._meet(allocation.name, dial=dial)

    def _follow(self, allocation: str) -> None:
        """An allocation is new, is given back, or is over: the cluster hears of it, and what connects to it."""
        record = self._live.target(allocation)
        if allocation in self._directory.remote and (record is None or not self._allocations.is_reachable(record)):
            self._directory.leave(allocation)
        if record is None:
            self._sessions.pop(allocation, None)
        elif record.allocation is not None:
            self._allocations.say(record, self._sessions.get(record.allocation.cluster, 0))

    def _note(self, target: str) -> None:
        record = self._live.target(target)
        if record is not None and target in self._directory.remote:
            self._directory.remote[target] = self._allocations.with_way(record)
            if isinstance(record.host, Up):
                # What leads into its allocations goes over the connection that stands now.
                for allocation in self._live.allocations(target):
                    self._meet(allocation.name, dial=True)
                for other in self._beside(record):
                    self._meet(other.name, dial=True)

    def _beside(self, target: Target) -> list[Target]:
        """Targets behind the same host that were out of reach: they need not wait, as there is a way now."""
        if target.ssh is None or target.allocation is not None:
            return []
        there = [each for each in self._live.targets() if each.ssh is not None and each.ssh.host == target.ssh.host]
        return [each for each in there if isinstance(each.host, Down | Refused | NeedsYou)]

    def introduce_remote(self) -> None:
        """Tell who keeps the connections of all targets on other machines."""
        self._directory.home = self._live.home
        self._directory.era += 1
        for target in self._live.targets():
            self._meet(target.name)

    def attend(self, busy: Callable[[str], bool]) -> None:
        """Have other machines connected where there is something to do; `busy`: whether a target has ready jobs."""
        for target in self._live.targets():
            if target.is_elsewhere and self._allocations.is_reachable(target):
                name = target.name
                wanted = busy(cluster_of(name)) or bool(self._live.flying(name) or self._live.allocations(name))
                self._directory.attend(name, wanted=wanted)

    def _acknowledge(self, draft: Draft) -> None:
        if not draft.acknowledged:
            return
        if draft.entries:  # else all of it was recorded before
            self._receipt = receipt(self._live.home, self._log.store.seq, draft.now)
        for target, tokens in draft.acknowledged.items():
            self._directory.tell(target, Acknowledge(self._sessions.get(target, 0), tuple(tokens), self._receipt))

    def _launch(self, target: str, jobs: Sequence[Job], new: Mapping[int, JobSpec]) -> None:
        """`new`: what was submitted in this turn, and so need not be read from the log."""
        session = self._sessions.get(target)
        if session is None or not jobs:
            return
        older = [job.id for job in jobs if job.id not in new]
        specs = {**new, **self._log.store.base.specs(older)} if older else new
        record = self._live.target(target)
        is_cluster = record is not None and record.is_cluster
        orders = tuple(
            Order(
                job.id,
                job.attempt,
                self._token(job),
                specs[job.id],
                self._rates(specs[job.id]),
                self._after(job) if is_cluster else {},
            )
            for job in jobs
        )
        self._directory.tell(target, Launch(session, orders))

    def _after(self, job: Job) -> dict[str, str]:
        attempt = self._live.attempt((job.id, job.attempt))
        return {} if attempt is None else attempt.after

    def _rates(self, spec: JobSpec) -> tuple[Rate, ...]:
        rates: list[Rate] = []
        for key in spec.limits:
            limit = self._live.limit(limit_of(key))
            if limit is not None and limit.spec.interval_us is not None:
                rates.append((key, limit.spec.interval_us, limit.spec.burst))
        return tuple(rates)

    def _cancelling(self, target: str) -> list[str]:
        return [
            self._token(job)
            for job in self._live.in_flight(target)
            if isinstance(job.state, Launching | Running | Unknown) and job.state.cancelling
        ]

    def _token(self, job: Job) -> str:
        return f"{self._live.home}.{job.id}.{job.attempt}"
