"""What targets report: starts, ends, retries, losses; repeated, late, contradictory, and from another runner."""

from __future__ import annotations

import pytest

from holdfast.events.decide import wake
from holdfast.events.errors import LogCutOff
from holdfast.events.facts import (
    AttemptEnded,
    AttemptReached,
    AttemptStarted,
    JobReady,
    TargetAttached,
)
from holdfast.events.messages import Attached, AttemptStatus, Cancel, Reported, Unreachable
from holdfast.events.outcomes import decide_report
from holdfast.events.states import Delayed, Launching, Lost, Running, Succeeded, Unknown

from .home import SECOND_US, Home, spec, status

ENDED: dict[str, object] = {"how": "exited", "exit_code": 0, "started_at": 5, "ended_at": 6}


def attach(home: Home, *attempts: AttemptStatus, journal: str = "j", boot: str = "b", pid: int = 1) -> list[int]:
    """Attach the target's runner; the ids of the jobs to be sent again."""
    return [job.id for job in home.report(Attached("local", journal, boot, pid, attempts))]


def test_a_start_and_an_end_are_recorded_as_the_runner_saw_them() -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    home.launch(job)
    home.says(job, "running", pid=10, process_start=3, started_at=5)
    assert home.state(job) == Running(5)
    home.now += 9
    home.says(job, "ended", **ENDED)
    assert home.state(job) == Succeeded(5, 6)
    assert [entry.author for entry in home.entries] == ["target:local"]


def test_every_end_is_acknowledged_once_it_is_recorded_also_if_it_comes_again_or_is_unknown() -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    home.launch(job)
    token = home.token(job)
    for _ in range(2):
        draft = home.draft()
        decide_report(draft, Reported("local", (status(token, "ended", **ENDED),)))
        assert draft.acknowledged == {"local": [token]}
        home.commit(draft)
    assert home.events == []


@pytest.mark.parametrize("token", ["", "home", "home.1", "other.1.1", "home.x.1", "home.1.x", "home.²."])
@pytest.mark.parametrize("state", ["queued", "running", "ended", "revoked"])
def test_a_token_that_is_not_in_flight_changes_nothing_and_is_acknowledged_if_it_is_over(
    token: str, state: str
) -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    home.launch(job)
    draft = home.draft()
    assert decide_report(draft, Reported("local", (status(token, state, pid=1),))) == []
    assert draft.entries == []
    assert draft.acknowledged == ({"local": [token]} if state in {"ended", "revoked"} else {})


@pytest.mark.parametrize("token", ["home.1.2", "home.99.1"])
@pytest.mark.parametrize("state", ["queued", "running", "ended", "revoked"])
def test_p8_an_attempt_that_the_log_never_launched_proves_that_the_log_lost_its_end(token: str, state: str) -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    home.launch(job)
    draft = home.draft()
    with pytest.raises(LogCutOff, match=token):
        decide_report(draft, Reported("local", (status(token, state, pid=1),)))
    assert draft.acknowledged == {}


def test_reports_that_come_again_or_late_change_nothing() -> None:
    home = Home()
    (job,) = home.submit(spec("a"))
    home.started(job)
    for late in ("queued", "running"):
        home.says(job, late, pid=10)
        assert home.events == []
    home.ended(job)
    for late in ("queued", "running", "revoked", "ended"):
        home.says(job, late, pid=10)
        assert home.events == []
    assert home.names(job) == ["succeeded"]


def test_news_of_an_older_attempt_says_nothing_of_the_newest() -> None:
    home = Home()
    (job,) = home.submit(spec("a", retries=1, retry_delay_us=0))
    home.ran(job, exit_code=1)
    old = home.token(job)
    home.wake(job)
    home.launch(job)
    home.report(Reported("local", (status(old, "ended", **ENDED),)))
    assert home.events == []
    assert home.names(job) == ["launching"]


@pytest.mark.parametrize(
    "how,exit_code,retry_on,retried",
    [
        ("exited", 1, ("failed", "timeout"), True),
        ("exited", 0, ("failed", "timeout", "lost"), False),
        ("exited", 1, ("timeout", "lost"), False),
        ("timeout", None, ("failed", "timeout"), True),
        ("timeout", None, ("failed",), False),
        ("not_started", None, ("failed",), True),
        ("lost", None, ("failed", "timeout"), False),
        ("lost", None, ("lost",), True),
        ("stopped", 143, ("failed", "timeout", "lost"), False),
    ],
)
def test_p2_an_attempt_is_tried_again_only_where_the_retry_policy_says_so(
    how: str, exit_code: int | None, retry_on: tuple[str, ...], *, retried: bool
) -> None:
    home = Home()
    (job,) = home.submit(spec("a", retries=1, retry_on=retry_on, retry_delay_us=SECOND_US))
    home.started(job)
    home.says(job, "ended", how=how, exit_code=exit_code, ended_at=home.now)
    assert (home.names(job) == ["delayed"]) is retried


def test_tries_are_used_up_and_each_waits_within_its_back_off() -> None:
    home = Home()
    (job,) = home.submit(spec("a", retries=3, retry_delay_us=SECOND_US, retry_delay_max_us=3 * SECOND_US))
    for ceiling_s in (1, 2, 3):
        home.ran(job, exit_code=1)
        state = home.state(job)
        assert isinstance(state, Delayed)
        assert home.now <= state.due_at < home.now + ceiling_s * SECOND_US
        home.now = state.due_at
        draft = home.draft()
        assert not wake(draft, job)
        assert [entry.event for entry in draft.entries] == [JobReady(job)]
        home.commit(draft)
    home.ran(job, exit_code=1)
    assert home.names(job) == ["failed"]


def test_a_job_that_is_being_cancelled_is_not_tried_again() -> None:
    home = Home()
    (job,) = home.submit(spec("a", retries=5))
    home.started(job)
    home.do(Cancel((job,)))
    home.ended(job, exit_code=1)
    assert home.names(job) == ["cancelled"]


def test_p2_a_runner_that_contradicts_itself_makes_the_attempt_lost_and_does_not_let_it_run_again() -> None:
    home = Home()
    running, away = home.submit(spec("a", retries=1), spec("b", retries=1))
    home.started(running, away)
    home.says(running, "revoked")
    home.report(Unreachable("local", "no answer"))
    home.says(away, "revoked")
    for job in (running, away):
        state = home.state(job)
        assert isinstance(state, Lost)
        assert "never started" in state.reason
        assert state.started_at == home.now


def test_an_unreachable_target_leaves_its_attempts_unknown_and_claims_nothing() -> None:
    home = Home()
    launched, running, ready = home.submit(spec("a"), spec("b"), spec("c"))
    home.launch(launched)
    home.started(running)
    home.now += 5
    home.report(Unreachable("local", "no answer"))
    assert home.state(launched) == Unknown(home.now, "no answer")
    assert home.state(running) == Unknown(home.now, "no answer", home.now - 5)
    assert home.names(ready) == ["ready"]
    home.report(Unreachable("local", "no answer"))
    assert home.events == []


def test_what_the_runner_still_has_is_as_it_was_when_it_answers_again() -> None:
    home = Home()
    queued, running, ended, starting = home.submit(spec("a"), spec("b"), spec("c"), spec("d"))
    attach(home)
    home.launch(queued, starting)
    home.started(running, ended)
    started_at = home.now
    home.report(Unreachable("local", "no answer"))
    home.now += 5
    resend = attach(
        home,
        home.status(queued, "queued"),
        home.status(running, "running", pid=1, started_at=started_at),
        home.status(ended, "ended", **ENDED),
        home.status(starting, "running", pid=2, process_start=4, started_at=home.now),
    )
    assert resend == []
    assert home.state(queued) == Launching(home.now)
    assert home.state(running) == Running(started_at)
    assert home.state(ended) == Succeeded(5, 6)
    assert home.state(starting) == Running(home.now)
    assert [type(event) for event in home.events] == [AttemptReached, AttemptReached, AttemptEnded, AttemptStarted]


def test_p2_a_launch_that_the_same_runner_never_heard_of_is_sent_again_under_the_same_token() -> None:
    home = Home()
    launched, away = home.submit(spec("a"), spec("b"))
    attach(home)
    home.launch(away)
    home.report(Unreachable("local", "no answer"))
    home.launch(launched)
    tokens = [home.token(job) for job in (launched, away)]
    assert sorted(attach(home)) == [launched, away]
    assert home.names(launched, away) == ["launching", "launching"]
    assert [home.token(job) for job in (launched, away)] == tokens


def test_p2_what_the_same_runner_has_forgotten_though_it_ran_is_lost() -> None:
    home = Home()
    attach(home)
    running, away = home.submit(spec("a"), spec("b"))
    home.started(away)
    home.report(Unreachable("local", "no answer"))
    home.started(running)
    assert attach(home) == []
    for job in (running, away):
        state = home.state(job)
        assert isinstance(state, Lost)
        assert "does not know it any more" in state.reason
        assert state.started_at == home.now


@pytest.mark.parametrize("journal,boot", [("other", "b"), ("j", "other")])
def test_p2_whatever_was_in_flight_before_another_journal_or_boot_is_lost_and_below_it_skipped(
    journal: str, boot: str
) -> None:
    home = Home()
    attach(home)
    launched, running, away = home.submit(spec("a"), spec("b"), spec("c"))
    (below,) = home.submit(spec("below", after=[launched]))
    home.started(away)
    home.report(Unreachable("local", "no answer"))
    home.launch(launched)
    home.started(running)
    assert attach(home, journal=journal, boot=boot) == []
    assert home.names(launched, running, away, below) == ["lost", "lost", "lost", "skipped"]
    assert isinstance(home.events[0], TargetAttached)
    assert {entry.cause for entry in home.entries if isinstance(entry.event, AttemptEnded)} == {-1}


def test_a_runner_that_was_restarted_on_its_journal_is_recorded_and_loses_nothing() -> None:
    home = Home()
    attach(home)
    (job,) = home.submit(spec("a"))
    home.launch(job)
    assert attach(home, pid=2) == [job]
    assert home.events == [TargetAttached("local", "j", "b", 2)]
    assert attach(home, pid=2) == [job]
    assert home.events == []


def test_a_draft_that_is_dropped_leaves_no_trace() -> None:
    home = Home()
    (job, below) = home.submit(spec("a"), spec("b", after=["a"]))
    home.started(job)
    before = home.base.records.tables()
    used = home.base.used("local")
    draft = home.draft()
    decide_report(draft, Reported("local", (home.status(job, "ended", **ENDED),)))
    assert draft.known_job(below).state != home.state(below)
    assert draft.changed_targets == {"local"}
    assert home.base.records.tables() == before
    assert home.base.used("local") == used
    assert home.base.unmet(below) == 1
