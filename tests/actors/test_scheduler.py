"""The scheduler at the edges of its life: taking over from one that crashed, leaving when nothing can be recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio

from holdfast.actors.scheduler import Drain
from holdfast.actors.targets.messages import Connected, TargetMessage
from holdfast.actors.writer import Commit
from holdfast.events.draft import Draft
from holdfast.events.launches import launch
from holdfast.events.messages import Attached, Command, Configure, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.contract import Store
from holdfast.store.errors import DiskFull

from .scheduling import Stage, write
from .stepping import pause, run_virtual

ONE_JOB: tuple[Command, ...] = (Configure({"local": {"cpus": 1}}), Submit(FlowSpec(jobs=(JobSpec(run="true"),))))


async def write_slowly(store: Store, drafts: Sequence[Draft]) -> list[int]:
    await pause(10.0)
    return store.commit(drafts)


async def refuse(store: Store, drafts: Sequence[Draft]) -> list[int]:
    del store, drafts
    raise DiskFull(Path("log.db"))


def test_a_commit_that_a_crashed_scheduler_left_with_the_writer_is_known_to_the_next_one() -> None:
    async def scenario() -> tuple[int, list[int]]:
        stage = Stage()
        stage.disk.writing = write_slowly
        async with trio.open_nursery() as nursery:
            await stage.begin(nursery)
            with trio.move_on_after(1.0):  # so long lives the one that crashes
                await stage.writer.ask(Commit, stage.draft(*ONE_JOB))
            recorded = len(stage.store.base.jobs)
            scheduler = await stage.schedule(nursery)
            known = list(scheduler._state.jobs)
            nursery.cancel_scope.cancel()
        return recorded, known

    assert run_virtual(scenario) == (0, [1])


def test_a_runner_hears_of_nothing_before_it_is_recorded_what_it_has() -> None:
    async def scenario() -> tuple[list[TargetMessage], list[str]]:
        stage = Stage()
        draft = stage.draft(*ONE_JOB)
        launch(draft, draft.known_job(1))
        stage.store.commit([draft])
        async with trio.open_nursery() as nursery:
            await stage.begin(nursery)
            await stage.schedule(nursery)
            stage.disk.writing = refuse
            await stage.scheduler.tell(Connected(7, Attached("local", "another journal", "boot", 300)))
            await pause(0.1)
            await stage.scheduler.ask(Drain)
            before = stage.target.take_nowait()
            stage.disk.writing = write
            await pause(2.0)
            after = [type(message).__name__ for message in stage.target.take_nowait()]
            nursery.cancel_scope.cancel()
        return [message for message in before if message.session == 7], after

    # The launch went to a runner with another journal. Told to take it back, this one would say that it never ran.
    assert run_virtual(scenario) == ([], ["SetCapacity"])
