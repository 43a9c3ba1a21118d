"""How many allocations there should be: few at first, more as the queue stands, none for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from msgspec.structs import replace

from holdfast.events.errors import BadInput
from holdfast.events.messages import Submit
from holdfast.events.pilots import (
    GROW_US,
    JOBS_EACH,
    Load,
    Standing,
    check_in_allocation,
    has_time,
    offers,
    size,
    usable_us,
)
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, TargetSpec

from .home import Home

S = 1_000_000
SPEC = PilotSpec(time_us=3600 * S, max=4, cpus=4, idle_us=60 * S)
CAPACITY = {"cpus": 4}
NOW = 10_000 * S
UP = Standing("cluster/1", up=True, leaving=False, busy=True, idle_since=NOW, began_at=NOW)


def waiting(jobs: int, since: int = NOW) -> Load:
    return Load({"cpus": jobs}, since)


def up(count: int) -> list[Standing]:
    return [replace(UP, name=f"cluster/{number}") for number in range(1, count + 1)]


def test_the_first_job_asks_for_one_and_so_do_a_thousand() -> None:
    assert size(SPEC, CAPACITY, waiting(1), [], NOW).more == 1
    assert size(SPEC, CAPACITY, waiting(1000), [], NOW).more == 1


def test_nothing_is_asked_for_while_one_is_still_to_come() -> None:
    coming = replace(UP, up=False, busy=False)
    assert size(SPEC, CAPACITY, waiting(1000), [coming], NOW + GROW_US).more == 0


def test_a_long_queue_doubles_what_is_there_up_to_the_most() -> None:
    assert size(SPEC, CAPACITY, waiting(1000), up(1), NOW).more == 1
    assert size(SPEC, CAPACITY, waiting(1000), up(2), NOW).more == 2
    assert size(SPEC, CAPACITY, waiting(1000), up(3), NOW).more == 1
    assert size(SPEC, CAPACITY, waiting(1000), up(4), NOW).more == 0


def test_a_short_queue_has_one_more_only_when_it_has_stood_for_a_while() -> None:
    wish = size(SPEC, CAPACITY, waiting(JOBS_EACH * 4), up(1), NOW + GROW_US - 1)
    assert wish.more == 0
    assert wish.look_at == NOW + GROW_US
    assert size(SPEC, CAPACITY, waiting(1), up(1), NOW + GROW_US).more == 1


def test_one_that_is_being_given_back_counts_to_the_most_and_for_nothing_else() -> None:
    leaving = replace(UP, leaving=True)
    assert size(replace(SPEC, max=1), CAPACITY, waiting(1), [leaving], NOW).more == 0
    assert size(SPEC, CAPACITY, waiting(1), [leaving], NOW).more == 1


def test_what_has_had_nothing_to_do_for_long_enough_is_given_back() -> None:
    idle = replace(UP, busy=False)
    busy = replace(UP, name="cluster/2")
    early = size(SPEC, CAPACITY, None, [idle, busy], NOW + SPEC.idle_us - 1)
    assert early.back == ()
    assert early.look_at == NOW + SPEC.idle_us
    late = size(SPEC, CAPACITY, None, [idle, busy], NOW + SPEC.idle_us)
    assert late.back == ("cluster/1",)
    assert late.look_at is None
    assert size(SPEC, CAPACITY, waiting(1), [idle], NOW + SPEC.idle_us).back == ()


def test_one_that_never_came_is_given_back_when_nobody_waits_for_it_any_more() -> None:
    coming = replace(UP, up=False, busy=False)
    assert size(SPEC, CAPACITY, None, [coming], NOW + SPEC.idle_us).back == ("cluster/1",)


@given(
    jobs=some.integers(0, 10_000),
    there=some.lists(
        some.builds(Standing, some.just("cluster/1"), *[some.booleans()] * 3, *[some.integers(0, NOW)] * 2)
    ),
    later=some.integers(0, 10 * GROW_US),
    most=some.integers(1, 10),
)
def test_never_more_than_the_most_and_nothing_busy_is_given_back(
    jobs: int, there: list[Standing], later: int, most: int
) -> None:
    there = [replace(each, name=f"cluster/{number}") for number, each in enumerate(there[:most])]
    wish = size(replace(SPEC, max=most), CAPACITY, waiting(jobs) if jobs else None, there, NOW + later)
    assert wish.more >= 0
    assert len(there) + wish.more <= most
    assert not [each for each in there if each.name in wish.back and (each.busy or each.leaving)]
    assert not (wish.more and wish.back)
    assert wish.look_at is None or wish.look_at > NOW + later


def test_what_is_not_known_of_a_whole_node_is_not_offered_before_it_is_there() -> None:
    assert offers({"gpus": 2, "cpus": 99}, replace(SPEC, cpus=0)) == {"gpus": 2}
    assert offers({"gpus": 2}, SPEC) == {"gpus": 2, "cpus": 4}
    assert size(replace(SPEC, cpus=0), {}, waiting(1000), up(1), NOW).more == 0


def test_a_job_needs_the_time_that_it_may_take() -> None:
    assert has_time(NOW + 5 * S, 5 * S, NOW)
    assert not has_time(NOW + 5 * S, 5 * S + 1, NOW)
    assert has_time(NOW + 1, None, NOW)
    assert not has_time(NOW, None, NOW)


def test_jobs_end_a_tenth_before_their_allocation_and_a_minute_at_most() -> None:
    assert usable_us(60 * S) == 54 * S
    assert usable_us(86_400 * S) == 86_340 * S


@pytest.mark.parametrize(
    "job, words",
    [
        (JobSpec(("true",), sbatch={"qos": "long"}), "jobs.a.sbatch"),
        (JobSpec(("true",), template="x"), "jobs.a.template"),
        (JobSpec(("true",), timeout_us=3600 * S), "jobs.a.timeout"),
    ],
)
def test_what_no_allocation_can_do_is_refused(job: JobSpec, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        check_in_allocation(job, SPEC, "jobs.a")


@pytest.mark.parametrize(
    "needs, words",
    [
        ({"cpus": 5}, "each allocation of the target 'cluster' has 4; .*targets.cluster.pilot.cpus"),
        ({"cpus": 1, "memory": 9}, "each allocation of the target 'cluster' has 8; .*targets.cluster.capacity.memory"),
        ({"cpus": 1, "gpus": 1}, "each allocation of the target 'cluster' has 0; .*targets.cluster.capacity.gpus"),
    ],
)
def test_a_job_that_fits_into_no_allocation_is_refused_with_what_to_raise(needs: dict[str, int], words: str) -> None:
    cluster = TargetSpec({"memory": 8}, slurm=SlurmSpec(pilot=SPEC))
    job = JobSpec(("true",), target="cluster", cwd=".", needs=needs)
    with pytest.raises(BadInput, match=words):
        Home().do(Submit(FlowSpec((job,), targets={"cluster": cluster})))


def test_how_many_processors_a_whole_node_has_is_left_to_be_seen() -> None:
    cluster = TargetSpec({}, slurm=SlurmSpec(pilot=replace(SPEC, cpus=0)))
    job = JobSpec(("true",), target="cluster", cwd=".", needs={"cpus": 500})
    Home().do(Submit(FlowSpec((job,), targets={"cluster": cluster})))
