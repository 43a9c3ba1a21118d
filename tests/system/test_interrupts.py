"""Ctrl-C once and twice, SIGTERM, and a terminal that closes: what runs goes on, and nothing runs twice (P2)."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, check_ran_once, marks
from .place import Place, until

AFTER = f'[jobs.b]\nrun = "{MARK}"\nafter = ["a"]\n'


def test_the_first_ctrl_c_starts_nothing_more_and_waits_for_what_runs(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER)
    run.signal(signal.SIGINT)
    until(lambda: "nothing more is started; waiting for 1 running job" in run.err, "it says so")
    open_gate(place, "a")
    done = run.finish()
    assert done.code == 130
    assert "1 unfinished" in done.err
    assert place.states() == {"a": "succeeded", "b": "ready"}
    assert place.run("run").code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}
    check_log(place)


def test_p2_the_second_ctrl_c_leaves_at_once_and_the_next_run_picks_up_what_goes_on(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER)
    run.signal(signal.SIGINT)
    until(lambda: "nothing more is started" in run.err, "it waits")
    run.signal(signal.SIGINT)
    assert run.finish().code == 130
    assert place.state("a") == "running"
    again = place.start("run")
    open_gate(place, "a")
    assert again.finish().code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}
    check_log(place)


@pytest.mark.slow
def test_p2_what_ends_while_no_supervisor_lives_is_known_to_the_next(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER)
    run.kill()
    open_gate(place, "a")
    until(lambda: (place.folder / "open-a").exists() and len(marks(place)) == 1, "the job has marked itself")
    assert place.run("run").code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}


@pytest.mark.slow
def test_what_was_launched_ahead_is_taken_back_at_the_first_ctrl_c(place: Place) -> None:
    # Short jobs first, so that launches are queued ahead in the runner.
    jobs = "".join(f'[jobs.q{number}]\nrun = "{MARK}"\n' for number in range(3000))
    run = place.start("run", place.flow(jobs), "--slots", "2")
    until(lambda: len(marks(place)) > 100, "the flow is under way")
    run.signal(signal.SIGINT)
    assert run.finish().code == 130
    with place.reader() as reader:
        assert set(reader.counts()) <= {"ready", "succeeded"}
    check_log(place)


def test_p2_sigterm_ends_a_run_at_once_and_what_runs_goes_on(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER)
    run.signal(signal.SIGTERM)
    done = run.finish()
    assert done.code == 130
    assert "interrupted; 2 unfinished, of which 1 goes on running: `holdfast run` goes on with them" in done.err
    assert place.state("a") == "running"
    open_gate(place, "a")
    assert place.run("run").code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}
    check_log(place)


@pytest.mark.slow
def test_sigterm_after_ctrl_c_leaves_at_once(place: Place) -> None:
    run = mid_run(place, gate("a") + AFTER)
    run.signal(signal.SIGINT)
    until(lambda: "nothing more is started" in run.err, "it waits")
    run.signal(signal.SIGTERM)
    assert run.finish().code == 130
    assert place.state("a") == "running"
    open_gate(place, "a")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_only_watches_is_interrupted_alone(place: Place, number: signal.Signals) -> None:
    run = mid_run(place, gate("a"))
    watching = place.start("run")
    until(lambda: "watching" in watching.err and "1 running" in watching.err, "it watches")
    watching.signal(number)
    done = watching.finish()
    assert done.code == 130
    assert "no longer watching; the supervisor goes on" in done.err
    assert run.running
    open_gate(place, "a")
    assert run.finish().code == 0


def test_ctrl_c_while_modules_are_imported_ends_with_130_and_without_a_word(place: Place) -> None:
    assert place.run("submit", "--", "true").code == 0
    # Each import is told as it is done; a command that never ends by itself is not missed by a slow signal.
    command = [sys.executable, "-X", "importtime", "-m", "holdfast", "log", "--follow"]
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        assert any("argparse" in line for line in child.stderr), "imports are under way"
        child.send_signal(signal.SIGINT)
        said = child.stderr.read()
        assert child.wait(60) == 130
    assert [line for line in said.splitlines() if not line.startswith("import time:")] == []


def test_sigterm_ends_serve_with_0_and_what_runs_goes_on(place: Place) -> None:
    serve = place.serve()
    assert (
        place.run(
            "submit", "--name", "a", "--", "sh", "-c", f"{MARK}; while ! test -e open-a; do sleep 0.02; done"
        ).code
        == 0
    )
    place.until_state("a", "running")
    serve.signal(signal.SIGTERM)
    done = serve.finish()
    assert done.code == 0
    assert "1 running" in done.err
    open_gate(place, "a")
    assert place.run("run").code == 0
    assert check_ran_once(place, {"a"}) == {"succeeded": 1}


@pytest.mark.slow
def test_ctrl_c_ends_serve_with_130(place: Place) -> None:
    serve = place.serve()
    serve.signal(signal.SIGINT)
    assert serve.finish().code == 130


@pytest.mark.slow
def test_a_closed_terminal_ends_the_supervisor_and_not_its_jobs(place: Place) -> None:
    run = mid_run(place, gate("a"))
    run.signal(signal.SIGHUP)
    until(lambda: not run.running, "the supervisor ends with its terminal")
    open_gate(place, "a")
    assert place.run("run").code == 0
    assert check_ran_once(place, {"a"}) == {"succeeded": 1}
    check_log(place)
