"""Which of the jobs that are ready are taken, where much stands in their way."""

from __future__ import annotations

from holdfast.events.launches import DEPTH, plan
from holdfast.events.messages import Configure
from holdfast.events.ready import TOO_LARGE, ReadyQueue
from holdfast.events.spec import LimitSpec

from .home import Home, spec


def queue_of(home: Home, *jobs: int) -> ReadyQueue:
    queue = ReadyQueue()
    for job in jobs:
        queue.push(home.job(job))
    return queue


def taken(home: Home, queue: ReadyQueue, limited_max: int = 100) -> list[int]:
    target = home.base.target("local")
    assert target is not None
    return [job.id for job in plan(home.draft(), queue, target, 0, limited_max)]


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
