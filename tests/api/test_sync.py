"""Holdfast without an event loop: in plain code and in many threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import holdfast
from holdfast.events.facts import AttemptEnded
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock


def test_a_job_is_submitted_and_waited_for(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        record = hf.submit(["sh", "-c", "exit 3"]).wait(timeout=60)
    assert (record.state, record.exit_code) == ("failed", 3)


def test_waiting_ends_after_its_time_and_the_job_goes_on(home: Path, tmp_path: Path) -> None:
    with holdfast.open_sync(home) as hf:
        job = hf.submit("while ! test -e go; do sleep 0.01; done", cwd=tmp_path)
        with pytest.raises(TimeoutError):
            job.wait(timeout=0.05)
        (tmp_path / "go").touch()
        assert job.wait(timeout=60).succeeded


def test_many_threads_share_one(home: Path) -> None:
    with holdfast.open_sync(home, slots=2) as hf, ThreadPoolExecutor(20) as pool:

        def run(number: int) -> holdfast.JobRecord:
            return hf.submit(["true"], name=f"n{number}").wait(timeout=60)

        records = list(pool.map(run, range(100)))
        assert sorted(record.name for record in records) == sorted(f"n{number}" for number in range(100))
        assert {record.state for record in records} == {"succeeded"}
        assert len({record.id for record in records}) == 100


def test_events_are_followed(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        hf.submit("true")
        for number, event in enumerate(hf.events(), 1):
            assert event.seq == number
            if isinstance(event.event, AttemptEnded):
                break


def test_a_sweep_is_submitted_changed_and_waited_for(home: Path) -> None:
    with holdfast.open_sync(home, slots=2) as hf:
        sweep = hf.submit_many((holdfast.Job(run=["true"], hold=True) for _ in range(10)), flow="sweep")
        assert hf.status().counts == {"held": 10}
        assert hf.hold(sweep[0]).unchanged[0].job == sweep.ids[0]
        assert hf.prioritise(sweep[0], sweep[1], priority=3).jobs == sweep.ids[:2]
        assert hf.cancel(sweep[0]).jobs == sweep.ids[:1]
        assert hf.release(list(sweep)[1:]).jobs == sweep.ids[1:]
        assert [record.state for record in sweep.wait(timeout=60)] == ["cancelled", *["succeeded"] * 9]
        assert hf.pause("local").targets == ("local",)
        assert hf.retry(sweep[0]).jobs == sweep.ids[:1]
        assert sweep[0].record().state == "ready"
        assert hf.resume("local").targets == ("local",)
        assert sweep[0].wait(timeout=60).succeeded


def test_many_threads_may_close_it_and_all_wait_until_it_is_closed(home: Path) -> None:
    hf = holdfast.open_sync(home)
    with ThreadPoolExecutor(4) as pool:
        for closed in [pool.submit(hf.close) for _ in range(4)]:
            closed.result(timeout=60)
    hf.close()
    with HomeLock(Home(home)):  # which it has let go of
        pass
