"""Retrying what ended badly: it, and what was skipped because of it, waits and runs as if for the first time."""

from __future__ import annotations

from itertools import permutations

import pytest

from holdfast.events.decide import decide
from holdfast.events.messages import Cancel, Changed, Hold, Release, Retry, Unchanged
from holdfast.events.states import Skipped

from .home import Home, spec
from .memory_base import MemoryBase


@pytest.fixture(params=[True, False], ids=["unmet kept", "unmet counted"])
def home(request: pytest.FixtureRequest) -> Home:
    return Home(MemoryBase(keeps_unmet=bool(request.param)))


def lose(home: Home, job: int) -> None:
    home.started(job)
    home.says(job, "ended", how="lost", ended_at=home.now)


@pytest.mark.parametrize("end", ["failed", "cancelled", "lost"])
def test_what_was_skipped_because_of_a_job_comes_along_however_far_down(home: Home, end: str) -> None:
    ids = home.submit(spec("a"), spec("b", after=["a"]), spec("c", after=["b"]), spec("d", after=["c"]))
    match end:
        case "failed":
            home.ran(ids[0], exit_code=1)
        case "cancelled":
            home.do(Cancel(ids[:1]))
        case _:
            lose(home, ids[0])
    assert home.names(*ids) == [end, "skipped", "skipped", "skipped"]
    assert home.do(Retry(ids[:1])) == Changed(ids)
    assert [entry.cause for entry in home.entries] == [None, -1, -2, -3]
    assert home.names(*ids) == ["ready", "waiting", "waiting", "waiting"]
    home.ran(*ids)
    assert set(home.names(*ids)) == {"succeeded"}


def test_a_retry_gives_all_tries_back_and_the_next_token_is_new(home: Home) -> None:
    (job,) = home.submit(spec("a", retries=1, retry_delay_us=0))
    home.ran(job, exit_code=1)
    assert home.names(job) == ["delayed"]
    home.wake(job)
    home.ran(job, exit_code=1)
    assert home.names(job) == ["failed"]
    home.do(Retry((job,)))
    home.ran(job, exit_code=1)
    assert home.names(job) == ["delayed"]
    assert home.token(job) == f"home.{job}.3"


def test_a_skipped_job_is_retried_by_retrying_what_it_was_skipped_for(home: Home) -> None:
    a, b = home.submit(spec("a"), spec("b", after=["a"]))
    home.ran(a, exit_code=1)
    answer = home.change(Retry((b,)))
    assert answer.jobs == ()
    assert answer.unchanged == (
        Unchanged(b, f"was skipped: it runs after job {a}, which failed; retry job {a}, and this one comes along"),
    )
    assert home.change(Retry((b, a))).jobs == (a, b)


def test_nothing_is_retried_that_succeeded_or_has_not_ended(home: Home) -> None:
    a, b = home.submit(spec("a"), spec("b"))
    home.ran(a)
    answer = home.change(Retry((a, b)))
    assert answer.jobs == ()
    assert [each.reason for each in answer.unchanged] == [
        "succeeded: there is nothing to retry",
        "has not ended (ready)",
    ]


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
def test_the_order_in_which_jobs_are_named_does_not_matter(home: Home, order: tuple[int, ...]) -> None:
    ids = home.submit(spec("a"), spec("b", after_any=["a"]), spec("c", after_any=["b"]))
    home.ran(*ids, exit_code=1)
    answer = home.change(Retry(tuple(ids[place] for place in order)))
    assert set(answer.jobs) == set(ids)
    assert home.names(*ids) == ["ready", "waiting", "waiting"]
    home.ran(*ids)


def test_what_had_not_begun_waits_again_and_what_had_goes_on(home: Home) -> None:
    a, b, one, other = home.submit(
        spec("a"), spec("b"), spec("one", after_any=["a", "b"]), spec("other", after_any=["a"])
    )
    home.ran(a, exit_code=1)
    assert home.names(one, other) == ["waiting", "ready"]
    home.do(Retry((a,)))
    home.ran(b)
    assert home.names(one, other) == ["waiting", "ready"]
    home.ran(a)
    assert home.names(one, other) == ["ready", "ready"]


def test_an_end_that_came_twice_counts_once(home: Home) -> None:
    a, b, job = home.submit(spec("a"), spec("b"), spec("job", after_any=["a", "b"]))
    home.ran(a, exit_code=1)
    home.do(Retry((a,)))
    home.ran(a, exit_code=1)
    assert home.names(job) == ["waiting"]
    home.ran(b)
    assert home.names(job) == ["ready"]


def test_a_job_that_still_can_not_run_is_skipped_again_and_said_so(home: Home) -> None:
    a, b, job = home.submit(spec("a"), spec("b"), spec("job", after=["a", "b"]))
    home.ran(a, exit_code=1)
    home.ran(b, exit_code=1)
    assert home.change(Retry((a,))).jobs == (a,)
    state = home.state(job)
    assert isinstance(state, Skipped)
    assert state.because == b
    assert home.change(Retry((b,))).jobs == (b, job)
    home.ran(a, b)
    assert home.names(job) == ["ready"]


def test_a_job_asked_for_whose_dependency_has_failed_since_says_so(home: Home) -> None:
    a, job = home.submit(spec("a"), spec("job", after_any=["a"]))
    (other,) = home.submit(spec("other", after_failed=[a]))
    home.ran(a, exit_code=1)
    home.ran(job, exit_code=1)
    home.ran(other, exit_code=1)
    home.do(Retry((a,)))
    home.ran(a)
    answer = home.change(Retry((other,)))
    assert answer.jobs == ()
    assert "which succeeded" in answer.unchanged[0].reason
    assert home.names(other) == ["skipped"]


def test_a_ready_job_that_is_held_while_what_it_waited_for_runs_again_waits_for_it(home: Home) -> None:
    a, job = home.submit(spec("a"), spec("job", after_failed=["a"]))
    home.ran(a, exit_code=1)
    home.do(Retry((a,)))
    assert home.names(job) == ["ready"]
    home.do(Hold((job,)))
    home.do(Release((job,)))
    assert home.names(job) == ["waiting"]
    home.ran(a)
    assert home.names(job) == ["skipped"]


def test_a_job_that_is_held_and_released_in_the_tick_of_the_retry_waits_for_it(home: Home) -> None:
    a, job = home.submit(spec("a"), spec("job", after_failed=["a"]))
    home.ran(a, exit_code=1)
    draft = home.draft()
    for command in (Retry((a,)), Hold((job,)), Release((job,))):
        decide(draft, command)
    home.commit(draft)
    assert home.names(a, job) == ["ready", "waiting"]


def test_a_job_released_after_what_it_waited_for_ended_otherwise_is_not_left_waiting_for_ever(home: Home) -> None:
    a, job = home.submit(spec("a"), spec("job", after_failed=["a"]))
    home.ran(a, exit_code=1)
    home.do(Retry((a,)))
    home.ran(a)
    assert home.names(job) == ["ready"]
    home.do(Hold((job,)))
    home.do(Release((job,)))
    assert home.names(job) == ["skipped"]


def test_a_retried_chain_of_any_depth_is_followed(home: Home) -> None:
    ids = home.submit(*(spec(f"j{n}", after=[f"j{n - 1}"] if n else []) for n in range(3_000)))
    home.ran(ids[0], exit_code=1)
    assert home.change(Retry(ids[:1])).jobs == ids
    assert home.names(*ids[:3]) == ["ready", "waiting", "waiting"]
