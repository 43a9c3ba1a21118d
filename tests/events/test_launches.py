"""Which of the jobs that are ready are taken, where much stands in their way."""

from __future__ import annotations

from holdfast.events.launches import DEPTH, MANY, plan
from holdfast.events.messages import Configure
from holdfast.events.ready import TOO_LARGE, ReadyQueue
from holdfast.events.records import Target
from holdfast.events.spec import LimitSpec, SlurmSpec

from .home import SECOND_US, Home, spec


def queue_of(home: Home, *jobs: int) -> ReadyQueue:
    queue = ReadyQueue()
    for job in jobs:
        queue.push(home.job(job))
    return queue


def taken(
    home: Home, queue: ReadyQueue, limited_max: int = 100, most: int = MANY, target: Target | None = None
) -> list[int]:
    target = target or home.base.target("local")
    assert target is not None
    return [job.id for job in plan(home.draft(), queue, target, 0, limited_max, most)]


def test_jobs_too_large_for_their_target_keep_nobody_waiting_however_many_kinds_there_are() -> None:
    home = Home()
    kinds = [{"cpus": 1 + number % 4, "memory": 2 + number // 4} for number in range(DEPTH + 10)]
    large = home.submit(*(spec(f"large{number}", needs=needs) for number, needs in enumerate(kinds)))
    (small,) = home.submit(spec("small"))
    home.do(Configure({"local": {"cpus": 4, "memory": 1}}))
    queue = queue_of(home, *large, small)
    assert taken(home, queue) == [small]
    home.do(Configure({"local": {"cpus": 4, "memory": 2}}))
    assert taken(home, queue) == []
    queue.unpark(TOO_LARGE)
    assert taken(home, queue) == [large[0]]  # which leaves no memory for the others


def test_of_jobs_with_limits_no_more_are_taken_than_asked_for_and_none_is_lost() -> None:
    home = Home()
    jobs = home.submit(*(spec(f"job{number}", limits=("one",)) for number in range(3)), limits={"one": LimitSpec(1)})
    queue = queue_of(home, *jobs)
    assert taken(home, queue, 2) == [jobs[0], jobs[1]]
    assert taken(home, queue, 2) == [jobs[2]]


def test_what_is_less_urgent_does_not_pass_a_job_that_was_left_for_its_limit() -> None:
    home = Home()
    jobs = home.submit(spec("limited", limits=("one",)), spec("free"), limits={"one": LimitSpec(1)})
    queue = queue_of(home, *jobs)
    assert taken(home, queue, 0) == []
    assert taken(home, queue, 1) == list(jobs)


def test_no_more_jobs_are_taken_than_may_be_and_none_is_lost() -> None:
    home = Home()
    jobs = home.submit(*(spec(f"job{number}") for number in range(4)))
    queue = queue_of(home, *jobs)
    assert taken(home, queue, most=0) == []
    assert taken(home, queue, most=3) == list(jobs[:3])
    assert taken(home, queue, most=3) == [jobs[3]]


def test_jobs_that_do_not_fit_do_not_count_among_those_that_may_be_taken() -> None:
    home = Home()
    (large,) = home.submit(spec("large", needs={"cpus": 4}))
    small = home.submit(*(spec(f"small{number}") for number in range(3)))
    (running,) = home.submit(spec("running"))
    home.launch(running)
    queue = queue_of(home, large, *small)
    assert taken(home, queue, most=2) == list(small[:2])
    home.ended(running)
    assert taken(home, queue, most=2) == [large]


def cluster(home: Home, capacity: dict[str, int]) -> Target:
    home.do(Configure({"cluster": capacity}, slurm={"cluster": SlurmSpec()}))
    target = home.base.target("cluster")
    assert target is not None
    return target


def on_cluster(home: Home, *needs: dict[str, int]) -> tuple[int, ...]:
    jobs = (spec(f"job{number}", needs=each, target="cluster", cwd="") for number, each in enumerate(needs))
    return home.submit(*jobs)


def test_of_a_cluster_only_that_is_counted_of_which_it_was_given_an_amount() -> None:
    home = Home()
    cluster(home, {"licences": 3})
    needs = [
        {"cpus": 100, "licences": 1},
        {"cpus": 100, "licences": 2},
        {"cpus": 100},
        {"licences": 1},
        {"licences": 3},
    ]
    first, second, third, fourth, large = jobs = on_cluster(home, *needs)
    target, queue = cluster(home, {"licences": 2}), queue_of(home, *jobs)
    assert taken(home, queue, target=target) == [first, third, fourth]
    home.launch(first, third, fourth)
    assert taken(home, queue, target=target) == []
    assert queue.parked_keys() == [TOO_LARGE]
    home.ended(third)
    assert taken(home, queue, target=target) == []
    home.ended(first, fourth)
    assert taken(home, queue, target=target) == [second]
    queue.unpark(TOO_LARGE)
    assert taken(home, queue, target=cluster(home, {"licences": 3})) == [large]


def test_a_jobs_room_on_a_cluster_is_kept_free_for_it_after_a_while() -> None:
    home = Home()
    target = cluster(home, {"cpus": 2})
    running, patient, late = on_cluster(home, {"cpus": 1}, {"cpus": 2}, {"cpus": 1})
    home.launch(running)
    queue = queue_of(home, patient, late)
    home.now += 61 * SECOND_US
    assert taken(home, queue, target=target) == []
    home.ended(running)
    assert taken(home, queue, target=target) == [patient]
