"""Dependencies left to a cluster: which jobs may wait in its queue, and what becomes of those it takes out there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from holdfast.events.draft import Draft
from holdfast.events.facts import AttemptRevoked, JobReady
from holdfast.events.launches import launch
from holdfast.events.messages import Cancel, Configure, Hold, Reported, Retry
from holdfast.events.native import MOST, behind, has_files, keeps_dependencies, was_refused
from holdfast.events.records import Attempt, Job, Launched
from holdfast.events.spec import JobSpec, LimitSpec, PilotSpec, SlurmSpec
from holdfast.events.staging import InputFile, OutputFile
from holdfast.events.states import Cancelled, Skipped

from .home import SECOND_US, Home, spec

CLUSTER: Final = "cluster"
NATIVE: Final = SlurmSpec(native_dependencies=True)


def there(name: str, **fields: object) -> JobSpec:
    """A job for the cluster."""
    return spec(name, **{"target": CLUSTER, "cwd": "", **fields})


def submitted(*jobs: JobSpec) -> tuple[Home, tuple[int, ...]]:
    """A home that has them, and a cluster."""
    home = Home()
    home.do(Configure({CLUSTER: {}, "other": {}}, slurm={CLUSTER: NATIVE, "other": NATIVE}))
    return home, home.submit(*jobs)


def wants(home: Home, job: int, is_there: Callable[[Job], bool] = lambda _: True) -> dict[str, str] | None:
    """What the job may wait for in the queue."""
    draft = home.draft()
    return behind(draft, draft.known_job(job), is_there)


def follow(home: Home, *jobs: int) -> None:
    """Launch them behind what they wait for."""

    def launch_all(draft: Draft) -> None:
        for job in jobs:
            after = behind(draft, draft.known_job(job), lambda _: True)
            assert after is not None
            launch(draft, draft.known_job(job), after=after)

    home.tick(launch_all)


def says(home: Home, job: int, state: str, **fields: object) -> None:
    home.report(Reported(CLUSTER, (home.status(job, state, **fields),)))


def ends(home: Home, job: int, exit_code: int = 0) -> None:
    says(home, job, "ended", how="exited", exit_code=exit_code, started_at=home.now, ended_at=home.now)


def test_a_job_goes_behind_what_it_waits_for_once_that_is_there() -> None:
    home, (a, b) = submitted(there("a"), there("b", after=["a"]))
    assert wants(home, b) is None
    home.launch(a)
    assert wants(home, b, lambda _: False) is None
    assert wants(home, b, lambda job: job.id == a) == {"home.1.1": "after"}
    says(home, a, "running", started_at=home.now)
    assert wants(home, b) == {"home.1.1": "after"}
    assert wants(home, a) is None


@pytest.mark.parametrize(
    "fields,after",
    [
        ({"after_any": ["a"]}, {"home.1.1": "after_any"}),
        ({"after": ["a"], "after_any": ["a"]}, {"home.1.1": "after"}),
        ({"after_failed": ["a"]}, None),
        ({"after": ["a"], "after_failed": ["a"]}, None),
        ({"after": ["a"], "limits": ["seat"]}, None),
        ({"after": ["a", "here"]}, None),
        ({"after": ["a", "elsewhere"]}, None),
        ({"after": ["a"], "target": "other"}, None),
        ({"after": ["a"], "hold": True}, None),
    ],
)
def test_only_what_the_cluster_judges_alike_is_left_to_it(
    fields: dict[str, object], after: dict[str, str] | None
) -> None:
    home = Home()
    home.do(Configure({CLUSTER: {}, "other": {}}, slurm={CLUSTER: NATIVE, "other": NATIVE}))
    jobs = (there("a"), spec("here"), there("elsewhere", target="other"), there("b", **fields))
    a, here, elsewhere, b = home.submit(*jobs, limits={"seat": LimitSpec(1)})
    home.launch(a, here, elsewhere)
    assert wants(home, b) == after


def test_the_cluster_knows_nothing_of_tries_that_are_left() -> None:
    jobs = there("a", retries=1, retry_delay_us=0), there("ok", after=["a"]), there("any", after_any=["a"])
    home, (a, ok, any_) = submitted(*jobs)
    home.launch(a)
    assert wants(home, ok) == {"home.1.1": "after"}
    assert wants(home, any_) is None
    ends(home, a, 1)
    home.wake(a)
    home.launch(a)
    assert wants(home, ok) == {"home.1.2": "after"}
    assert wants(home, any_) == {"home.1.2": "after_any"}


def test_nothing_goes_behind_what_is_out_of_sight_or_shall_end() -> None:
    home, (a, b, c, d) = submitted(there("a"), there("b"), there("c", after=["a"]), there("d", after=["b"]))
    home.launch(a, b)
    says(home, a, "unclear")
    home.do(Cancel((b,)))
    assert (wants(home, c), wants(home, d)) == (None, None)
    says(home, a, "queued")
    assert wants(home, c) == {"home.1.1": "after"}


def test_what_has_ended_well_is_not_waited_for_any_more() -> None:
    home, (a, b, c) = submitted(there("a"), spec("b"), there("c", after=["a", "b"]))
    home.ran(b)
    home.launch(a)
    assert wants(home, c) == {"home.1.1": "after"}


def test_one_that_waits_for_very_many_waits_here() -> None:
    names = [f"n{number}" for number in range(MOST + 1)]
    home, jobs = submitted(*map(there, names), there("all", after=names), there("most", after=names[1:]))
    home.launch(*jobs[: MOST + 1])
    assert wants(home, jobs[-2]) is None
    assert len(wants(home, jobs[-1]) or {}) == MOST


@pytest.mark.parametrize(
    "slurm,native",
    [(NATIVE, True), (SlurmSpec(), False), (SlurmSpec(native_dependencies=True, pilot=PilotSpec()), False)],
)
def test_dependencies_are_given_to_a_cluster_that_is_to_have_them_and_never_to_allocations(
    slurm: SlurmSpec, *, native: bool
) -> None:
    home = Home()
    home.do(Configure({CLUSTER: {}}, slurm={CLUSTER: slurm}))
    target = home.base.target(CLUSTER)
    assert target is not None
    assert keeps_dependencies(target) is native


def test_files_have_to_be_brought_between_an_end_and_a_start() -> None:
    plain, brings, fetches = spec(), JobSpec(inputs=(InputFile("a", "a"),)), JobSpec(outputs=(OutputFile("a", "a"),))
    assert has_files(brings, [plain])
    assert has_files(plain, [plain, fetches])
    assert not has_files(fetches, [plain, brings])


def test_an_attempt_knows_what_its_cluster_is_to_wait_for_as_long_as_there_is_a_record_of_it() -> None:
    home, (a, b) = submitted(there("a"), there("b", after=["a"]))
    home.launch(a)
    follow(home, b)
    assert home.names(b) == ["launching"]
    after = {"home.1.1": "after"}
    assert home.base.attempt((b, 1)) == Attempt(b, 1, "home.2.1", CLUSTER, home.now, Launched(), after)
    says(home, b, "running", started_at=home.now)
    attempt = home.base.attempt((b, 1))
    assert attempt is not None
    assert attempt.after == after
    assert "too late to hold it" in home.change(Hold((b,))).unchanged[0].reason


def test_what_is_taken_out_waits_again_as_long_as_it_has_anything_to_wait_for() -> None:
    jobs = there("a", retries=1, retry_delay_us=0), there("b", after=["a"]), there("c", after=["b"])
    home, (a, b, c) = submitted(*jobs)
    home.launch(a)
    follow(home, b, c)
    says(home, b, "revoked", error="it was taken out")
    assert home.events == [AttemptRevoked(b, 1, "it was taken out", "waiting")]
    draft = home.draft()
    assert was_refused(draft, draft.known_job(b), {"home.1.1": "after"})
    ends(home, a, 1)
    assert home.names(a, b, c) == ["delayed", "waiting", "launching"]
    home.wake(a)
    home.launch(a)
    assert not was_refused(draft, draft.known_job(b), wants(home, b) or {})
    follow(home, b)
    says(home, c, "revoked")
    ends(home, a)
    ends(home, b)
    assert home.names(a, b, c) == ["succeeded", "succeeded", "ready"]


def test_what_is_taken_out_because_something_failed_for_good_is_skipped_with_all_behind_it() -> None:
    home, (a, b, c) = submitted(there("a"), there("b", after=["a"]), there("c", after=["b"]))
    home.launch(a)
    follow(home, b, c)
    ends(home, a, 1)
    assert home.names(b, c) == ["launching", "launching"]
    says(home, c, "revoked")
    says(home, b, "revoked")
    assert home.state(b) == Skipped(home.now, a, "after job 1, which failed")
    assert home.state(c) == Skipped(home.now, b, "after job 2, which was skipped")


def test_an_end_that_is_heard_of_before_the_end_of_what_it_waited_for_counts() -> None:
    home, (a, b, c) = submitted(there("a"), there("b", after=["a"]), there("c", after=["b"]))
    home.launch(a)
    follow(home, b)
    ends(home, b)
    assert home.names(a, b, c) == ["launching", "succeeded", "ready"]
    ends(home, a)
    assert home.names(a, b, c) == ["succeeded", "succeeded", "ready"]


def test_what_is_taken_out_after_all_it_waited_for_has_ended_well_is_ready() -> None:
    home, (a, b) = submitted(there("a"), there("b", after=["a"]))
    home.launch(a)
    follow(home, b)
    ends(home, a)
    says(home, b, "revoked")
    assert home.names(b) == ["ready"]


def test_a_cancel_of_one_that_waits_in_the_queue_skips_what_waits_for_it() -> None:
    home, (a, b, c) = submitted(there("a"), there("b", after=["a"]), there("c", after=["b"]))
    home.launch(a)
    follow(home, b, c)
    home.do(Cancel((b,)))
    says(home, b, "revoked")
    assert home.state(b) == Cancelled(home.now, "cancelled")
    says(home, c, "revoked")
    assert home.names(a, c) == ["launching", "skipped"]


def test_a_retry_of_what_failed_has_those_taken_out_wait_for_it() -> None:
    home, (a, b) = submitted(there("a"), there("b", after=["a"]))
    home.launch(a)
    follow(home, b)
    ends(home, a, 1)
    home.do(Retry((a,)))
    says(home, b, "revoked")
    assert home.names(a, b) == ["ready", "waiting"]


@pytest.mark.parametrize("exit_code,state", [(None, "waiting"), (0, "ready"), (1, "skipped")])
def test_a_back_off_that_is_over_starts_nothing_that_still_has_to_wait(exit_code: int | None, state: str) -> None:
    home, (a, b) = submitted(there("a"), there("b", after=["a"], retries=1, retry_delay_us=SECOND_US))
    home.launch(a)
    follow(home, b)
    says(home, b, "ended", how="not_started", ended_at=home.now, error="its node failed to boot")
    assert home.names(b) == ["delayed"]
    if exit_code is not None:
        ends(home, a, exit_code)
    home.now += 2 * SECOND_US
    home.wake(b)
    assert home.names(b) == [state]
    assert home.events[0] == JobReady(b, "ready" if state == "ready" else "waiting")
    if exit_code is None:
        ends(home, a)
        assert home.names(b) == ["ready"]


def test_an_attempt_that_waited_for_nothing_is_ready_again_whatever_has_become_of_what_it_had_waited_for() -> None:
    home, (a, b) = submitted(there("a"), there("b", after_any=["a"]))
    home.launch(a)
    ends(home, a, 1)
    home.launch(b)
    home.do(Retry((a,)))
    says(home, b, "revoked")
    assert home.names(b) == ["ready"]
