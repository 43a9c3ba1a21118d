"""Receipts: given out for ends that are recorded, and refused by a log that does not hold what they name."""

from __future__ import annotations

import pytest
import trio

from holdfast.actors.receipts import check_receipt, newest_receipt
from holdfast.actors.targets.messages import Acknowledge, Connected, TargetMessage
from holdfast.events.errors import LogCutOff
from holdfast.events.launches import launch
from holdfast.events.messages import Attached, AttemptStatus, Command, Configure, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.memory import MemoryStore

from .scheduling import Disk, Stage
from .stepping import pause, run_virtual

ONE_JOB: tuple[Command, ...] = (Configure({"local": {"cpus": 1}}), Submit(FlowSpec(jobs=(JobSpec(run="true"),))))
ENDED = AttemptStatus("home.1.1", "ended", started_at=2, ended_at=3, how="exited", exit_code=0)


def test_p2_a_log_that_ends_before_its_receipt_is_refused_however_long_it_grows() -> None:
    stage = Stage()
    stage.store.commit([stage.draft(*ONE_JOB)])
    shown = newest_receipt(stage.store)
    check_receipt(stage.store, shown)
    restored = MemoryStore("home", 2)
    for _ in range(10):
        with pytest.raises(LogCutOff, match="put the newest log back"):
            check_receipt(restored, shown)
        restored.commit([stage.draft(Configure({"local": {"cpus": 1 + restored.seq}}))])
        restored.log[-1] = restored.log[-2]  # as a clock later on: no other event has the time of this one
    assert restored.seq > stage.store.seq


@pytest.mark.parametrize("shown", ["", "home", "home.", "home.x.1", "other.999.1", ".999.1"])
def test_a_receipt_of_nobody_or_of_another_home_says_nothing(shown: str) -> None:
    check_receipt(MemoryStore("home", 1), shown)


@pytest.mark.parametrize("shown", ["home.0.1", "home.1.2", "home.1", "home.2.1", f"home.{10**30}.1"])
def test_a_receipt_of_this_home_that_fits_no_event_is_refused(shown: str) -> None:
    with pytest.raises(LogCutOff, match=f"event {shown.split('.')[1]}"):
        check_receipt(MemoryStore("home", 1), shown)


def stage_on(store: MemoryStore) -> Stage:
    """The stage of another supervisor, on a log that is there already."""
    stage = Stage()
    stage.store, stage.disk = store, Disk(store)
    return stage


async def acknowledged(store: MemoryStore) -> list[str]:
    """The receipts that a supervisor gives out to a runner that has the end of the job's first attempt."""
    stage = stage_on(store)
    async with trio.open_nursery() as nursery:
        await stage.begin(nursery)
        await stage.schedule(nursery)
        await stage.scheduler.tell(Connected(7, Attached("local", "journal", "boot", 300, (ENDED,))))
        await pause(0.1)
        given = [each.receipt for each in stage.target.take_nowait() if isinstance(each, Acknowledge)]
        nursery.cancel_scope.cancel()
    return given


def launched() -> MemoryStore:
    stage = Stage()
    draft = stage.draft(*ONE_JOB)
    launch(draft, draft.known_job(1))
    stage.store.commit([draft])
    return stage.store


def test_ends_are_acknowledged_with_a_receipt_for_the_place_where_they_are_recorded() -> None:
    async def scenario() -> None:
        store = launched()
        assert await acknowledged(store) == [newest_receipt(store)]
        assert "attempt_ended" in [line.type for line in store.log]

    run_virtual(scenario)


def test_p2_an_end_that_an_earlier_supervisor_recorded_is_acknowledged_with_a_receipt_as_well() -> None:
    async def scenario() -> None:
        store = launched()
        await acknowledged(store)
        ended = next(line.seq for line in store.log if line.type == "attempt_ended")
        (again,) = await acknowledged(store)
        check_receipt(store, again)
        assert int(again.split(".")[1]) >= ended

    run_virtual(scenario)


def test_p2_a_runner_whose_receipt_the_log_does_not_hold_is_told_nothing_and_ends_the_supervisor() -> None:
    async def scenario() -> list[TargetMessage]:
        stage = stage_on(launched())
        with pytest.RaisesGroup(LogCutOff, flatten_subgroups=True):
            async with trio.open_nursery() as nursery:
                await stage.begin(nursery)
                await stage.schedule(nursery)
                report = Attached("local", "journal", "boot", 300, receipt="home.999.1")
                await stage.scheduler.tell(Connected(7, report))
                await pause(0.1)
                nursery.cancel_scope.cancel()
        return list(stage.target.take_nowait())

    assert run_virtual(scenario) == []
