"""What a `run` knows of the jobs that it sees to: counts, whether something went wrong, and no more than lives (P9)."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import pytest

from holdfast.cli.running.watching import Watch
from holdfast.events.messages import Cancel, Retry
from holdfast.store.reader import Reader

from .staging import Stage, job


@pytest.fixture
def reader(stage: Stage) -> Iterator[Reader]:
    with Reader(stage.home) as opened:
        yield opened


def tell(watch: Watch, stage: Stage, *jobs: int) -> list[int]:
    """Pass on how these jobs stand now; those that have just gone wrong."""
    records = [stage.store.base.job(number) for number in jobs]
    return [each.id for each in records if each is not None and watch.note(each)]


def shown(watch: Watch) -> dict[str, int]:
    return {state: count for state, count in watch.counts.items() if count}


def test_it_counts_by_state_and_names_what_has_just_gone_wrong(stage: Stage, reader: Reader) -> None:
    stage.submit(job("a"), job("b"), job("c", after=["b"]), name="flow")
    watch = Watch(reader, "flow-1")
    stage.ran(1)
    assert tell(watch, stage, 1) == []
    stage.ran(2, exit_code=1)
    assert tell(watch, stage, 2, 3) == [2, 3]
    assert shown(watch) == {"succeeded": 1, "failed": 1, "skipped": 1}
    assert watch.unfinished == 0
    assert watch.anything_wrong(reader)


def test_jobs_of_others_are_none_of_a_flows_watch(stage: Stage, reader: Reader) -> None:
    stage.submit(job("before"))
    stage.submit(job("mine"), name="flow")
    watch = Watch(reader, "flow-1")
    stage.submit(job("after"))
    stage.ran(1, exit_code=1)
    stage.ran(3, exit_code=1)
    assert tell(watch, stage, 1, 3) == []
    assert shown(watch) == {"ready": 1}
    stage.ran(2)
    tell(watch, stage, 2)
    assert not watch.anything_wrong(reader)


def test_a_retried_job_is_counted_again_as_what_it_is(stage: Stage, reader: Reader) -> None:
    stage.submit(job("a"), job("b"), name="flow")
    watch = Watch(reader, "flow-1")
    stage.ran(1, exit_code=1)
    tell(watch, stage, 1)
    stage.do(Retry((1,)))
    tell(watch, stage, 1)
    assert watch.unfinished == 2
    assert watch.stale
    watch.refresh(reader)
    assert shown(watch) == {"ready": 2}
    stage.ran(1, 2)
    tell(watch, stage, 1, 2)
    assert shown(watch) == {"succeeded": 2}
    assert not watch.anything_wrong(reader)


def test_a_watch_of_everything_judges_what_was_unfinished_or_came_since_and_nothing_older(
    stage: Stage, reader: Reader
) -> None:
    stage.submit(job("old"), job("left"))
    stage.ran(1, exit_code=1)
    watch = Watch(reader, None)
    assert shown(watch) == {"ready": 1}
    stage.ran(2)
    tell(watch, stage, 2)
    assert not watch.anything_wrong(reader)
    stage.submit(job("new"))
    tell(watch, stage, 3)
    assert watch.unfinished == 1
    stage.do(Cancel((3,)))
    assert tell(watch, stage, 3) == [3]
    assert watch.anything_wrong(reader)


def test_what_ended_between_its_beginning_and_its_first_look_counts(stage: Stage, reader: Reader) -> None:
    stage.submit(job("a"))
    began = reader.seq
    stage.ran(1, exit_code=1)
    assert Watch(reader, None, began=began).anything_wrong(reader)
    assert not Watch(reader, None).anything_wrong(reader)


def test_a_job_that_its_key_stands_for_is_watched_with_the_flow(stage: Stage, reader: Reader) -> None:
    stage.submit(job("known", key="k"))
    stage.submit(job("mine"), name="flow")
    watch = Watch(reader, "flow-1", also=(1,))
    assert shown(watch) == {"ready": 2}
    stage.ran(2)
    stage.ran(1, exit_code=1)
    assert tell(watch, stage, 2, 1) == [1]
    assert watch.anything_wrong(reader)


@pytest.mark.parametrize("flow", ["flow-1", None])
def test_p9_of_what_has_ended_it_keeps_nothing_but_numbers(stage: Stage, reader: Reader, flow: str | None) -> None:
    jobs = stage.submit(*(job(f"j{number}") for number in range(200)), name="flow")
    watch = Watch(reader, flow)
    before = size(watch)
    stage.do(Cancel(jobs))
    tell(watch, stage, *jobs)
    assert before >= 200
    assert size(watch) < 10


def size(watch: Watch) -> int:
    """How many things it holds; a range holds two numbers, however long it is."""
    held = [value for value in vars(watch).values() if isinstance(value, Sized) and not isinstance(value, range | str)]
    return sum(len(value) for value in held)
