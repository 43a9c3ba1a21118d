"""A runner that hangs and comes back: nothing is claimed of its jobs, nothing stalls (P5), nothing runs twice (P2)."""

from __future__ import annotations

import signal

import pytest

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, check_ran_once, marks
from .place import Place, until
from .processes import kill

SILENCE_S = 20.0


@pytest.mark.slow
def test_p2_a_runner_that_hangs_makes_its_jobs_unknown_and_they_go_on_when_it_is_back(place: Place) -> None:
    text = gate("a") + gate("c") + f'[jobs.b]\nrun = "{MARK}"\nafter = ["a"]\n'
    run = mid_run(place, text, slots=3)
    place.until_state("c", "running")
    runner = place.until_runner()
    kill(runner, signal.SIGSTOP)
    try:
        until(lambda: place.state("a") == "unknown", "the jobs are unknown", within_s=4 * SILENCE_S)
        assert "trouble: its runner has not answered" in run.err
        # P5: everything else goes on; nothing is launched where nobody answers.
        assert place.run("submit", "--name", "d", "--", "sh", "-c", MARK).code == 0
        assert place.run("cancel", "c").code == 0
        assert place.states() == {"a": "unknown", "c": "unknown", "b": "waiting", "d": "ready"}
        open_gate(place, "a")
    finally:
        kill(runner, signal.SIGCONT)
    until(lambda: place.state("b") == "succeeded", "the runner tells what happened")
    assert run.finish().code == 1
    until(lambda: place.state("d") == "succeeded" or not run.running, "the other job has run or is left for later")
    assert place.state("c") == "cancelled"
    assert place.runner_pid() == runner
    assert len(marks(place)) in {3, 4}
    assert place.run("run").code == 0
    assert sorted(marks(place)) == sorted(set(marks(place)))
    check_log(place)


@pytest.mark.slow
def test_p2_a_supervisor_that_hangs_and_comes_back_goes_on_with_its_runner(place: Place) -> None:
    run = mid_run(place, gate("a") + f'[jobs.b]\nrun = "{MARK}"\nafter = ["a"]\n')
    run.signal(signal.SIGSTOP)
    open_gate(place, "a")
    refused = place.run("serve")
    assert refused.code == 3
    # Readers do not depend on it.
    assert "running" in place.run("jobs").out
    run.signal(signal.SIGCONT)
    assert run.finish().code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}


@pytest.mark.slow
def test_a_runner_that_is_missing_at_the_start_and_can_not_be_started_is_said(place: Place) -> None:
    # A folder where its socket should be: it can't be listened at, nor connected to.
    (place.home.path / "runner.sock").mkdir(parents=True)
    place.home.path.chmod(0o700)
    run = place.start("run", place.flow(f'[jobs.a]\nrun = "{MARK}"\n'))
    until(lambda: "trouble: " in run.err, "it says what is wrong")
    assert place.state("a") == "ready"
    (place.home.path / "runner.sock").rmdir()
    assert run.finish().code == 0
    assert "the trouble is over" in run.err


@pytest.mark.slow
def test_p2_a_runner_ended_by_sigterm_leaves_its_jobs_alone(place: Place) -> None:
    run = mid_run(place, gate("a"))
    runner = place.until_runner()
    kill(runner, signal.SIGTERM)
    until(lambda: place.runner_pid() not in {None, runner}, "another runner is started")
    open_gate(place, "a")
    assert run.finish().code == 1
    assert place.states() == {"a": "lost"}
    assert len(marks(place)) == 1


@pytest.mark.slow
def test_p2_a_runner_that_leaves_when_it_is_idle_is_started_again_when_there_is_work(place: Place) -> None:
    assert place.run("run", place.flow(f'[jobs.a]\nrun = "{MARK}"\n')).code == 0
    first = place.until_runner()
    kill(first)
    assert place.run("run", place.flow(f'[jobs.b]\nrun = "{MARK}"\n', "b.toml")).code == 0
    assert place.runner_pid() not in {None, first}
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}


@pytest.mark.slow
def test_p2_where_the_runners_journal_is_gone_jobs_are_lost_and_not_run_again(place: Place) -> None:
    run = mid_run(place, gate("a") + gate("c"))
    place.until_state("c", "running")
    run.kill()
    kill(place.until_runner())
    (place.home.path / "runner.journal").unlink()
    assert place.run("run").code == 1
    assert place.states() == {"a": "lost", "c": "lost"}
    assert "whether it ran can't be known" in (place.job("a").reason or "")
    assert len(marks(place)) == 2
    open_gate(place, "a", "c")
    check_log(place)
