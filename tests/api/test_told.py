"""Who waits for a job hears of its end, also where the commit of it was the last thing that a scheduler did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

import holdfast
import holdfast.supervisor
import holdfast.testing
from holdfast.actors.writer import ThreadedDisk
from holdfast.cli.main import main
from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptEnded
from holdfast.store.contract import Store
from holdfast.store.errors import LogFailed


class _Soonest:
    """Restarts begin at once."""

    def random(self) -> float:
        return 0.0


class _Disk(ThreadedDisk):
    """Commits, once, the end of an attempt, and then does not know whether it has."""

    failed = False

    async def open(self) -> Store:
        return self._open_store()  # a clock that jumps would, while a thread does it

    async def commit(self, store: Store, drafts: Sequence[Draft]) -> list[int]:
        starts = store.commit(drafts)
        ends = any(isinstance(entry.event, AttemptEnded) for draft in drafts for entry in draft.entries)
        if ends and not _Disk.failed:
            _Disk.failed = True
            raise LogFailed(Path("log.db"), "a sync failed")
        return starts


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    around = replace(holdfast.supervisor.system(), disk=_Disk, random=_Soonest())
    monkeypatch.setattr(_Disk, "failed", False)
    monkeypatch.setattr("holdfast.supervisor.system", lambda: around)
    monkeypatch.setattr("holdfast.testing._InlineDisk", _Disk)


async def test_p5_an_end_that_no_scheduler_told_is_told_by_the_next(autojump_clock: MockClock) -> None:
    del autojump_clock
    told: list[str] = []
    async with holdfast.testing.open(lambda _: 0) as hf, trio.open_nursery() as nursery:
        job = await hf.submit("work")

        async def wait() -> None:
            told.append((await job.wait()).state)

        async def wait_from_the_crash_on() -> None:
            while not _Disk.failed:
                await trio.lowlevel.checkpoint()
            await wait()

        with trio.fail_after(600):
            nursery.start_soon(wait)
            await wait_from_the_crash_on()
    assert told == ["succeeded"] * 2


async def test_p5_finished_hears_of_an_end_that_no_scheduler_told(home: Path) -> None:
    async with holdfast.open_supervisor(home) as supervisor:
        flow = holdfast.FlowSpec(jobs=(holdfast.JobSpec(run=("true",)),))
        submitted = await supervisor.request(holdfast.Submit(flow))
        with trio.fail_after(10):
            assert set(await supervisor.finished(submitted.jobs)) == set(submitted.jobs)
    assert _Disk.failed


def test_p5_a_run_ends_with_an_end_that_no_scheduler_told(home: Path, tmp_path: Path) -> None:
    flow = tmp_path / "flow.toml"
    flow.write_text('[jobs.a]\nrun = "true"\n')
    assert main(["--home", str(home), "run", str(flow)]) == 0
    assert _Disk.failed
