"""What starts in which turn: limits that are given back, refused commits, and jobs that are too large for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio

from holdfast.actors.launching import TURN_MAX
from holdfast.actors.reply import Reply
from holdfast.actors.scheduler import Ask, SchedulerMessage
from holdfast.actors.targets.messages import Connected
from holdfast.events.draft import Draft
from holdfast.events.facts import Event, HostChanged, OfJob
from holdfast.events.hosts import Up
from holdfast.events.messages import Answer, Attached, AttemptStatus, Command, Configure, Reported, Submit
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, SlurmSpec, SshSpec, TargetSpec
from holdfast.store.contract import Store
from holdfast.store.errors import DiskFull

from .scheduling import Stage, write
from .stepping import pause, run_virtual

LICENCE = {"licence": LimitSpec(concurrent=1)}
TWO_SLOTS = Configure({"local": {"cpus": 2}})
FAR = TargetSpec({"cpus": 2}, SshSpec("far"))


def limited(jobs: int) -> Submit:
    return Submit(FlowSpec((JobSpec(run="true", limits=("licence",)),) * jobs, limits=LICENCE))


def ended(*jobs: int, target: str = "local") -> Reported:
    statuses = (AttemptStatus(f"home.{job}.1", "ended", ended_at=5, how="exited", exit_code=0) for job in jobs)
    return Reported(target, tuple(statuses))


def named(event: Event) -> str:
    return f"{type(event).__name__} {event.job}" if isinstance(event, OfJob) else type(event).__name__


class Recorded:
    """A stage whose commits are written down, event by event; while `refusing`, the disk is full."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.stage.disk.writing = self._write
        self.commits: list[list[str]] = []
        self.refusing = False
        self.first: list[SchedulerMessage] = [Connected(1, Attached("local", "journal", "boot", 300))]

    async def _write(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        if self.refusing:
            raise DiskFull(Path("log.db"))
        self.commits += [[named(entry.event) for entry in draft.entries] for draft in drafts]
        return await write(store, drafts)

    def run(self, scenario: Callable[[Recorded], object], *commands: Command) -> list[list[str]]:
        """The commits of a scheduler with a runner, after these commands and the steps that `scenario` takes."""

        async def whole() -> None:
            self.stage.store.commit([self.stage.draft(*commands)])
            async with trio.open_nursery() as nursery:
                await self.stage.begin(nursery)
                await self.stage.schedule(nursery)
                for message in self.first:
                    await self.stage.scheduler.tell(message)
                await pause(0.1)
                self.commits.clear()
                scenario(self)
                await pause(5.0)
                self.refusing = False
                await pause(5.0)
                nursery.cancel_scope.cancel()

        run_virtual(whole)
        return self.commits


def test_who_waited_for_a_limit_is_launched_in_the_commit_that_records_the_end_of_its_holder() -> None:
    def scenario(recorded: Recorded) -> None:
        recorded.stage.scheduler.tell_nowait(ended(1))

    assert Recorded().run(scenario, TWO_SLOTS, limited(2)) == [["AttemptEnded 1", "AttemptLaunched 2"]]


def test_p3_a_limit_that_a_refused_commit_gave_back_is_given_back_once() -> None:
    def scenario(recorded: Recorded) -> None:
        recorded.refusing = True
        recorded.stage.scheduler.tell_nowait(ended(1))

    assert Recorded().run(scenario, TWO_SLOTS, limited(1)) == [["AttemptEnded 1"]]


def test_a_limit_that_a_refused_commit_gave_on_is_given_on_by_the_next() -> None:
    def scenario(recorded: Recorded) -> None:
        recorded.refusing = True
        recorded.stage.scheduler.tell_nowait(ended(1))

    assert Recorded().run(scenario, TWO_SLOTS, limited(2)) == [["AttemptEnded 1", "AttemptLaunched 2"]]


@pytest.mark.parametrize("round_trip_us, launched", [(0, 2), (1_000_000, 2 + 8)])
def test_over_a_slow_link_launches_are_on_their_way_before_the_end_that_they_follow_is_heard_of(
    round_trip_us: int, launched: int
) -> None:
    spec = FlowSpec((JobSpec(run="true", target="far", cwd=""),) * 20, targets={"far": FAR})

    def scenario(recorded: Recorded) -> None:
        recorded.stage.scheduler.tell_nowait(ended(1, 2, target="far"))

    recorded = Recorded()
    draft = recorded.stage.draft(Submit(spec))
    draft.record(HostChanged("far", Up(1, round_trip_us)))
    recorded.stage.store.commit([draft])
    recorded.first.append(Connected(1, Attached("far", "journal", "boot", 301)))
    (commit,) = recorded.run(scenario, TWO_SLOTS)
    assert commit[:2] == ["AttemptEnded 1", "AttemptEnded 2"]
    assert commit[2:] == [f"AttemptLaunched {job}" for job in range(3, 3 + launched)]


def on_cluster(jobs: Sequence[JobSpec], capacity: dict[str, int], max_queued: int) -> Recorded:
    """A scheduler to be, whose cluster is up and slow to answer, and has these jobs before it."""
    target = TargetSpec(capacity, slurm=SlurmSpec(max_queued=max_queued))
    recorded = Recorded()
    draft = recorded.stage.draft(Submit(FlowSpec(tuple(jobs), targets={"cluster": target}, limits=LICENCE)))
    draft.record(HostChanged("cluster", Up(1, 1_000_000)))
    recorded.stage.store.commit([draft])
    recorded.first.append(Connected(1, Attached("cluster", "journal", "boot", 301)))
    return recorded


@pytest.mark.parametrize("capacity, max_queued", [({}, 3), ({"cpus": 3}, 500)], ids=["queue", "capacity"])
def test_p3_a_cluster_never_has_more_than_it_may_also_as_others_end(capacity: dict[str, int], max_queued: int) -> None:
    recorded = on_cluster((JobSpec(run="true", target="cluster", cwd=""),) * 20, capacity, max_queued)

    def scenario(recorded: Recorded) -> None:
        assert len(recorded.stage.store.base.in_flight("cluster")) == 3
        recorded.stage.scheduler.tell_nowait(ended(1, 2, target="cluster"))

    (commit,) = recorded.run(scenario, TWO_SLOTS)
    assert commit == ["AttemptEnded 1", "AttemptEnded 2", "AttemptLaunched 4", "AttemptLaunched 5"]


def test_p3_a_cluster_never_has_more_than_it_may_also_as_others_take_the_place_of_those_that_a_limit_holds_back() -> (
    None
):
    limited = (JobSpec(run="true", target="cluster", cwd="", limits=("licence",)),) * 3
    recorded = on_cluster((*limited, *(JobSpec(run="true", target="cluster", cwd=""),) * 9), {}, 3)

    def scenario(recorded: Recorded) -> None:
        assert [job.id for job in recorded.stage.store.base.in_flight("cluster")] == [1, 4, 5]

    assert recorded.run(scenario, TWO_SLOTS) == []


def test_a_cluster_is_given_thousands_in_many_turns_so_that_others_are_heard_in_between() -> None:
    recorded = on_cluster((JobSpec(run="true", target="cluster", cwd=""),) * (2 * TURN_MAX + 5), {}, 100_000)
    recorded.first.clear()

    def scenario(recorded: Recorded) -> None:
        recorded.stage.scheduler.tell_nowait(Connected(1, Attached("cluster", "journal", "boot", 301)))

    commits = recorded.run(scenario, TWO_SLOTS)
    launched = [sum(event.startswith("AttemptLaunched") for event in commit) for commit in commits]
    assert [each for each in launched if each] == [TURN_MAX, TURN_MAX, 5]


def test_a_job_too_large_for_its_target_starts_when_the_target_grows_also_beside_a_changed_limit() -> None:
    large = Submit(FlowSpec((JobSpec(run="true", needs={"cpus": 2}),)))

    def scenario(recorded: Recorded) -> None:
        for command in (TWO_SLOTS, limited(1)):
            recorded.stage.scheduler.tell_nowait(Ask(Reply[Answer](), command, "ada"))

    commits = Recorded().run(scenario, TWO_SLOTS, large, Configure({"local": {"cpus": 1}}))
    assert commits == [["TargetConfigured", "LimitConfigured", "JobSubmitted 2"], ["AttemptLaunched 1"]]
