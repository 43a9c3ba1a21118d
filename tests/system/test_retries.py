"""Retries with back-off, time-outs, and what the ends of jobs mean for those after them."""

from __future__ import annotations

import pytest

from holdfast.events.facts import AttemptEnded, AttemptLaunched

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, marks
from .place import Place, until


def launch_times(place: Place) -> list[int]:
    """When the attempts were launched, in microseconds."""
    with place.reader() as reader:
        return [stored.time for stored, event in reader.events() if isinstance(event, AttemptLaunched)]


def test_a_job_that_fails_twice_is_tried_three_times_with_growing_delays(place: Place) -> None:
    run = f"{MARK}; test $HOLDFAST_ATTEMPT = 3"
    assert place.run("run", place.flow(f'[jobs.a]\nrun = "{run}"\nretries = 5\nretry_delay = "100ms"\n')).code == 0
    assert (place.job("a").attempt, len(marks(place))) == (3, 3)
    ended = [event for event in place.events() if isinstance(event, AttemptEnded)]
    due = [event.retry_at for event in ended]
    assert due[2] is None
    for number, launched in enumerate(launch_times(place)[1:]):
        wanted = due[number]
        assert wanted is not None
        assert launched >= wanted, "no attempt is launched before its delay is over"
    check_log(place)


@pytest.mark.slow
def test_a_job_fails_when_its_retries_are_used_up(place: Place) -> None:
    done = place.run("run", place.flow('[jobs.a]\nrun = "exit 4"\nretries = 2\nretry_delay = "1ms"\n'))
    assert done.code == 1
    assert (place.job("a").attempt, place.job("a").exit_code) == (3, 4)


@pytest.mark.slow
def test_p2_a_delay_goes_on_over_a_kill_of_the_supervisor(place: Place) -> None:
    text = f'[jobs.a]\nrun = "{MARK}; test $HOLDFAST_ATTEMPT = 2"\nretries = 1\nretry_delay = "1s"\n'
    run = place.start("run", place.flow(text))
    place.until_state("a", "delayed")
    run.kill()
    assert place.run("run").code == 0
    assert (place.job("a").attempt, len(marks(place))) == (2, 2)


@pytest.mark.slow
def test_what_is_retried_on_is_what_the_policy_names(place: Place) -> None:
    text = """
        [defaults]
        retries = 1
        retry_delay = "1ms"
        timeout = "200ms"
        [jobs.timeout]
        run = "exec sleep 600"
        retry_on = ["timeout"]
        [jobs.not_timeout]
        run = "exec sleep 600"
        retry_on = ["failed"]
        [jobs.failed]
        run = "exit 1"
        retry_on = ["failed"]
        [jobs.not_failed]
        run = "exit 1"
        retry_on = ["timeout", "lost"]
    """
    assert place.run("run", place.flow(text)).code == 1
    tried = {job.name: job.attempt for job in place.jobs()}
    assert tried == {"timeout": 2, "not_timeout": 1, "failed": 2, "not_failed": 1}
    assert place.job("timeout").reason == "timed out"


def test_dependencies_go_by_how_the_jobs_before_them_ended(place: Place) -> None:
    text = """
        [jobs.good]
        run = "true"
        [jobs.bad]
        run = "false"
        [jobs.after_good]
        run = "true"
        after = ["good"]
        [jobs.after_bad]
        run = "true"
        after = ["bad"]
        [jobs.any]
        run = "true"
        after_any = ["good", "bad"]
        [jobs.mend]
        run = "true"
        after_failed = ["bad"]
        [jobs.no_call]
        run = "true"
        after_failed = ["good"]
        [jobs.further]
        run = "true"
        after = ["after_bad"]
        [jobs.mixed]
        run = "true"
        after = ["good"]
        after_failed = ["bad"]
    """
    assert place.run("run", place.flow(text)).code == 1
    assert place.states() == {
        "good": "succeeded",
        "bad": "failed",
        "after_good": "succeeded",
        "after_bad": "skipped",
        "any": "succeeded",
        "mend": "succeeded",
        "no_call": "skipped",
        "further": "skipped",
        "mixed": "succeeded",
    }
    check_log(place)


@pytest.mark.slow
def test_a_flow_whose_failures_were_not_called_for_has_succeeded(place: Place) -> None:
    assert place.run("run", place.flow('[jobs.a]\nrun = "true"\n[jobs.b]\nrun = "x"\nafter_failed = ["a"]\n')).code == 0


@pytest.mark.slow
def test_more_urgent_jobs_go_first(place: Place) -> None:
    jobs = "".join(f'[jobs.q{number}]\nrun = "{MARK}"\npriority = {number % 3}\n' for number in range(9))
    run = mid_run(place, gate("a", "priority = 9") + jobs, slots=1)
    open_gate(place, "a")
    assert run.finish().code == 0
    until(lambda: len(marks(place)) == 10, "all have run")
    assert [int(token.split(".")[1]) for token in marks(place)] == [1, 4, 7, 10, 3, 6, 9, 2, 5, 8]


@pytest.mark.slow
def test_a_timeout_goes_on_while_no_supervisor_lives(place: Place) -> None:
    run = place.start("run", place.flow(f'[jobs.a]\nrun = "{MARK}; exec sleep 600"\ntimeout = "800ms"\n'))
    until(lambda: len(marks(place)) == 1, "the job runs")
    run.kill()
    assert place.run("run").code == 1
    assert place.job("a").reason == "timed out"
