"""What people may do to jobs and targets, in every state."""

from __future__ import annotations

import pytest

from holdfast.events.decide import decide
from holdfast.events.errors import BadInput
from holdfast.events.facts import AttemptRevoked, JobCancelled, JobHeld, JobReleased
from holdfast.events.launches import PATIENCE_US, plan
from holdfast.events.messages import (
    Cancel,
    Changed,
    Command,
    Configure,
    Hold,
    Pause,
    Prioritise,
    Release,
    Resume,
    Retry,
    Unreachable,
)
from holdfast.events.ready import ReadyQueue
from holdfast.events.records import Limit, Target
from holdfast.events.spec import LimitSpec
from holdfast.events.states import Running, Unknown

from .home import Home, spec

STATES = (
    "waiting",
    "held",
    "ready",
    "delayed",
    "launching",
    "running",
    "unknown",
    "succeeded",
    "failed",
    "cancelled",
    "skipped",
    "lost",
)


def job_in(home: Home, state: str) -> int:
    """A job in this state, brought there as it would be in life."""
    blocker, job = home.submit(
        spec("blocker"),
        spec("job", retries=1, retry_delay_us=10**9) if state == "delayed" else spec("job"),
    )
    match state:
        case "waiting" | "skipped":
            (job,) = home.submit(spec("dependent", after=[blocker]))
            if state == "skipped":
                home.ran(blocker, exit_code=1)
        case "held":
            home.do(Hold((job,)))
        case "delayed" | "failed":
            home.ran(job, exit_code=1)
        case "launching":
            home.launch(job)
        case "running" | "unknown" | "lost":
            home.started(job)
            if state == "unknown":
                home.report(Unreachable("local", "no answer"))
            elif state == "lost":
                home.says(job, "ended", how="lost", ended_at=home.now)
        case "succeeded":
            home.ran(job)
        case "cancelled":
            home.do(Cancel((job,)))
        case _:
            pass
    assert home.names(job) == [state]
    return job


# Command, state: the state after it, and whether it is as was wished if nothing was changed.
AFTER: dict[tuple[type[Command], str], tuple[str, bool]] = {
    (Hold, "waiting"): ("held", True),
    (Hold, "ready"): ("held", True),
    (Hold, "delayed"): ("held", True),
    (Hold, "held"): ("held", True),
    (Release, "held"): ("ready", True),
    **{(Release, state): (state, True) for state in STATES[:7] if state != "held"},
    **{(Cancel, state): ("cancelled", True) for state in STATES[:4]},
    **{(Cancel, state): (state, True) for state in STATES[7:]},
    **{(Cancel, state): (state, True) for state in ("launching", "running", "unknown")},
    **{(Retry, state): ("ready", True) for state in ("failed", "cancelled", "lost")},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("command", [Hold, Release, Cancel, Retry], ids=lambda each: each.__name__)
def test_a_command_does_in_every_state_what_it_may_and_says_why_it_does_nothing(
    command: type[Hold | Release | Cancel | Retry], state: str
) -> None:
    home = Home()
    job = job_in(home, state)
    answer = home.change(command((job,)))
    after, satisfied = AFTER.get((command, state), (state, False))
    assert home.names(job) == [after]
    if home.events:
        assert answer.jobs == (job,)
        assert answer.unchanged == ()
    else:
        assert answer.jobs == ()
        (unchanged,) = answer.unchanged
        assert (unchanged.job, unchanged.satisfied) == (job, satisfied)
        assert unchanged.reason
    assert bool(home.events) is (after != state or (command is Cancel and state in {"launching", "running", "unknown"}))


@pytest.mark.parametrize(
    "command", [Hold((1, 99)), Release((1, 99)), Cancel((1, 99)), Retry((1, 99)), Prioritise((1, 99), 1)]
)
def test_p7_an_unknown_job_refuses_the_whole_command(command: Command) -> None:
    home = Home()
    assert home.submit(spec("a")) == (1,)
    draft = home.draft()
    with pytest.raises(BadInput, match="no job 99"):
        decide(draft, command)
    assert draft.entries == []


@pytest.mark.parametrize("state", ["launching", "running", "unknown"])
def test_an_attempt_in_flight_is_cancelled_only_when_its_end_is_seen(state: str) -> None:
    home = Home()
    job = job_in(home, state)
    (below,) = home.submit(spec("below", after=[job]))
    home.do(Cancel((job,)))
    assert home.names(job, below) == [state, "waiting"]
    again = home.change(Cancel((job,)))
    assert again.unchanged[0].reason == "is being cancelled already"
    home.says(job, "ended", how="stopped", ended_at=home.now)
    assert home.names(job, below) == ["cancelled", "skipped"]


def test_an_attempt_that_is_taken_back_before_it_started_runs_later_or_is_cancelled() -> None:
    home = Home()
    one, other = home.submit(spec("one"), spec("other"))
    home.launch(one, other)
    home.do(Cancel((other,)))
    home.says(one, "revoked")
    assert home.names(one) == ["ready"]
    assert home.job(one).failures == 0
    home.says(other, "revoked")
    assert home.names(other) == ["cancelled"]
    assert [type(event) for event in home.events] == [AttemptRevoked, JobCancelled]
    home.launch(one)
    assert home.token(one).endswith(".2")


def test_jobs_that_are_cancelled_together_are_each_cancelled_and_not_skipped() -> None:
    home = Home()
    ids = home.submit(spec("a"), spec("b", after=["a"]), spec("c", after=["b"]))
    assert home.change(Cancel(ids[:2])).jobs == ids[:2]
    assert home.names(*ids) == ["cancelled", "cancelled", "skipped"]


def test_a_held_job_keeps_waiting_for_what_it_depends_on_and_is_skipped_if_that_fails() -> None:
    home = Home()
    a, b, c, d = home.submit(spec("a"), spec("b", after=["a"]), spec("c"), spec("d", after=["c"]))
    home.do(Hold((b, d)))
    home.ran(a)
    home.ran(c, exit_code=1)
    assert home.names(b, d) == ["held", "skipped"]
    home.do(Release((b,)))
    assert home.names(b) == ["ready"]


def test_a_job_held_and_released_while_it_waits_waits_on() -> None:
    home = Home()
    a, b = home.submit(spec("a"), spec("b", after=["a"]))
    home.do(Hold((b,)))
    assert home.events == [JobHeld(b)]
    home.do(Release((b,)))
    assert home.events == [JobReleased(b, "waiting")]
    home.ran(a)
    assert home.names(b) == ["ready"]


def test_a_priority_can_be_changed_until_the_end_and_is_obeyed() -> None:
    home = Home()
    first, second, third = home.submit(spec("a"), spec("b"), spec("c"))
    home.ran(third)
    answer = home.change(Prioritise((second, first, third), 5))
    assert answer.jobs == (second, first)
    assert answer.unchanged[0].reason == "has ended already (succeeded)"
    assert home.change(Prioritise((second,), 5)).unchanged[0].satisfied
    home.change(Prioritise((second,), 9))
    queue = ReadyQueue()
    for job in (first, second):
        queue.push(home.job(job))
    taken = queue.pop(home.base.job)
    assert taken is not None
    assert taken.id == second


@pytest.mark.parametrize("priority", [10**6 + 1, -(10**6) - 1])
def test_p7_a_priority_out_of_bounds_is_refused(priority: int) -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    with pytest.raises(BadInput, match="out of bounds"):
        home.do(Prioritise((job,), priority))


def test_a_paused_target_starts_nothing_until_it_is_resumed() -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    assert home.do(Pause()) == Changed(targets=("local",))
    assert home.do(Pause("local")) == Changed()
    queue = ReadyQueue()
    queue.push(home.job(job))
    assert plan(home.draft(), queue, home.base.records.targets["local"], 0) == []
    assert home.do(Resume()) == Changed(targets=("local",))
    assert home.do(Resume("local")) == Changed()
    assert [each.id for each in plan(home.draft(), queue, home.base.records.targets["local"], 0)] == [job]


@pytest.mark.parametrize("command", [Pause("moon"), Resume("moon"), Configure({"moon": {"cpus": 1}})])
def test_p7_an_unknown_target_is_refused(command: Command) -> None:
    with pytest.raises(BadInput, match="no target 'moon'"):
        Home().do(command)


def test_a_target_offers_what_it_was_configured_to_and_p7_nothing_negative() -> None:
    home = Home()
    assert home.do(Configure({"local": {"cpus": 2}})) == Changed(targets=("local",))
    assert home.do(Configure({"local": {"cpus": 2}})) == Changed()
    with pytest.raises(BadInput, match="-1 is out of bounds"):
        home.do(Configure({"local": {"cpus": -1}}))
    assert home.base.target("local") == Target("local", {"cpus": 2})


def test_an_offer_of_some_needs_leaves_the_others_as_they_are() -> None:
    home = Home()
    home.do(Configure({"local": {"cpus": 2, "memory": 5}}))
    assert home.do(Configure({"local": {"cpus": 2}})) == Changed()
    home.do(Configure({"local": {"gpus": 1}}))
    assert home.base.target("local") == Target("local", {"cpus": 2, "memory": 5, "gpus": 1})


def test_a_limit_is_configured_and_p7_one_that_can_not_be_changes_nothing() -> None:
    home = Home()
    gpu = LimitSpec(concurrent=2, interval_us=100, burst=5)
    assert home.do(Configure({}, limits={"gpu": gpu})) == Changed(limits=("gpu",))
    assert home.do(Configure({}, limits={"gpu": gpu})) == Changed()
    with pytest.raises(BadInput, match=r"limits\.gpu\.burst: 0 is out of bounds"):
        home.do(Configure({"local": {"cpus": 9}}, limits={"gpu": LimitSpec(burst=0)}))
    assert home.base.limit("gpu") == Limit("gpu", gpu)
    assert home.base.target("local") != Target("local", {"cpus": 9})


def test_a_delayed_job_is_ready_when_its_time_has_come_or_the_clock_was_set_back_before_its_delay() -> None:
    home = Home()
    job = job_in(home, "delayed")
    assert home.wake(job)
    assert home.names(job) == ["delayed"]
    home.now -= 1
    assert not home.wake(job)
    assert home.names(job) == ["ready"]
    assert not home.wake(job)
    home = Home()
    job = job_in(home, "delayed")
    home.now += 10**9
    assert not home.wake(job)
    assert home.names(job) == ["ready"]


def test_a_job_that_waited_long_is_not_overtaken_any_more_unless_it_can_never_fit() -> None:
    home = Home()
    running, big, small = home.submit(spec("r"), spec("big", needs={"cpus": 4}), spec("small"))
    home.launch(running)
    queue = ReadyQueue()

    def picked() -> list[int]:
        for job in (big, small):
            queue.push(home.job(job))
        return [each.id for each in plan(home.draft(), queue, home.base.records.targets["local"], 0)]

    assert picked() == [small]
    home.now += PATIENCE_US + 1
    assert picked() == []
    home.do(Configure({"local": {"cpus": 3}}))
    assert picked() == [small]


def test_what_is_known_of_a_start_is_kept_while_the_target_is_away() -> None:
    home = Home()
    job = job_in(home, "running")
    running = home.state(job)
    assert isinstance(running, Running)
    home.report(Unreachable("local", "no answer"))
    assert home.state(job) == Unknown(home.now, "no answer", running.since)
    home.says(job, "running", pid=1, started_at=running.since)
    assert home.state(job) == running
