"""Holdfast in a program with an event loop: submit, wait, change, and read the log, on Trio and on asyncio alike."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio

import holdfast
from holdfast.events.facts import AttemptEnded, HomeCreated, JobSubmitted

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_a_job_is_submitted_and_waited_for(home: Path, loop: Loop) -> None:
    async def main() -> None:
        before = datetime.now(UTC)
        async with holdfast.open(home) as hf:
            job = await hf.submit(["sh", "-c", "exit 3"], name="three")
            record = await job.wait()
        assert (record.id, record.name, record.state, record.exit_code) == (1, "three", "failed", 3)
        assert record.ended
        assert not record.succeeded
        assert record.started_at is not None
        assert record.ended_at is not None
        assert before - timedelta(seconds=1) < record.submitted_at <= record.started_at <= record.ended_at
        assert record.cpu_s is not None
        assert record.cpu_s >= 0
        assert record.memory_bytes is not None
        assert record.memory_bytes > 1_000_000

    loop(main)


def test_jobs_are_submitted_together_and_others_run_after_them(home: Path, loop: Loop, tmp_path: Path) -> None:
    async def main() -> None:
        async with holdfast.open(home, slots=4) as hf:
            sweep = await hf.submit_many(
                holdfast.Job(run=["sh", "-c", f"echo {number} >> out"], cwd=tmp_path) for number in range(20)
            )
            report = await hf.submit("sort -n out > sorted", after=sweep, cwd=tmp_path)
            assert (await report.wait()).succeeded
            assert len(sweep) == 20
            assert [record.state for record in await sweep.wait()] == ["succeeded"] * 20
            assert [job.id for job in sweep] == list(sweep.ids)
        assert (tmp_path / "sorted").read_text().split() == [str(number) for number in range(20)]

    loop(main)


def test_jobs_of_one_submission_name_each_other(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            both = await hf.submit_many(
                [holdfast.Job(run="false", name="first"), holdfast.Job(run="true", name="second", after="first")],
                flow="pair",
            )
            first, second = await both.wait()
            assert (first.flow, first.state, second.state) == ("pair-1", "failed", "skipped")
            assert second.reason == "after job 1, which failed"

    loop(main)


def test_a_known_key_is_the_same_job(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            first = await hf.submit("true", key="once")
            again = await hf.submit("true", key="once")
            assert first.id == again.id

    loop(main)


def test_jobs_are_held_released_prioritised_cancelled_and_retried(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            job = await hf.submit("sleep 60", hold=True)
            assert job.record().state == "held"
            assert (await hf.prioritise(job, priority=7)).jobs == (job.id,)
            assert (await hf.cancel(job)).jobs == (job.id,)
            assert (await job.wait()).state == "cancelled"
            assert (await hf.retry(job)).jobs == (job.id,)
            assert (await hf.hold(job)).jobs + (await hf.release(job)).jobs != ()
            await hf.cancel(job)
            assert (await job.wait()).state == "cancelled"

    loop(main)


def test_a_paused_target_starts_nothing(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            await hf.pause()
            job = await hf.submit("true")
            with anyio.move_on_after(0.2) as patience:
                await job.wait()
            assert patience.cancelled_caught
            assert (await hf.status()).counts == {"ready": 1}
            await hf.resume()
            assert (await job.wait()).succeeded

    loop(main)


def test_events_come_from_the_beginning_and_then_live_none_missed_and_none_twice(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            await (await hf.submit("true")).wait()
            seen: list[holdfast.Recorded] = []
            async with anyio.create_task_group() as group:

                async def follow() -> None:
                    async for event in hf.events():
                        seen.append(event)
                        if isinstance(event.event, AttemptEnded) and event.event.job == 3:
                            return

                group.start_soon(follow)
                await (await hf.submit("true")).wait()
                await hf.submit("true")
            assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
            assert isinstance(seen[0].event, HomeCreated)
            submitted = [event for event in seen if isinstance(event.event, JobSubmitted)]
            assert [event.event.job for event in submitted if isinstance(event.event, JobSubmitted)] == [1, 2, 3]
            assert submitted[0].author != ""
            later = [event async for event in _until(hf.events(after=seen[-2].seq), seen[-1].seq)]
            assert later == seen[-1:]

    loop(main)


async def _until(events: holdfast.Events, seq: int) -> AsyncGenerator[holdfast.Recorded, None]:
    async for event in events:
        yield event
        if event.seq >= seq:
            return


def test_cancelling_who_waits_never_cancels_the_job(home: Path, loop: Loop, tmp_path: Path) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            job = await hf.submit("while ! test -e go; do sleep 0.01; done", cwd=tmp_path)
            with anyio.move_on_after(0.1) as patience:
                await job.wait()
            assert patience.cancelled_caught
            (tmp_path / "go").touch()
            assert (await job.wait()).succeeded

    loop(main)


def test_what_runs_goes_on_after_leaving_and_is_there_at_the_next_opening(
    home: Path, loop: Loop, tmp_path: Path
) -> None:
    async def main() -> None:
        async with holdfast.open(home, slots=1) as hf:
            running = await hf.submit("touch started; while ! test -e go; do sleep 0.01; done", cwd=tmp_path)
            later = await hf.submit("true")
            while not (tmp_path / "started").exists():  # noqa: ASYNC110 - all that the job can do is make a file
                await anyio.sleep(0.01)
        (tmp_path / "go").touch()
        async with holdfast.open(home) as hf:
            assert (await hf.job(running.id).wait()).succeeded
            record = await hf.job(later.id).wait()
            assert record.succeeded
            assert record.attempt == 1
            assert hf.record(running.id).attempt == 1

    loop(main)
