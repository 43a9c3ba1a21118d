"""What a second terminal does to a flow in mid-run: it takes effect at once, and `run` sees it to the end."""

from __future__ import annotations

import pytest

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, marks
from .place import Place, until

QUICK = f'run = "{MARK}"'


def order(place: Place) -> list[int]:
    """The ids of jobs in the order in which they ran."""
    return [int(token.split(".")[1]) for token in marks(place)]


def test_cancel_ends_what_runs_and_what_waits_and_skips_what_depends_on_it(place: Place) -> None:
    text = gate("a") + f'[jobs.b]\n{QUICK}\nafter = ["a"]\n[jobs.c]\n{QUICK}\nhold = true\n'
    run = mid_run(place, text)
    done = place.run("cancel", "a", "c")
    assert done.code == 0
    assert run.finish().code == 1
    assert place.states() == {"a": "cancelled", "b": "skipped", "c": "cancelled"}
    assert place.job("b").reason == "after job 1, which was cancelled"
    assert len(marks(place)) == 1
    check_log(place)


@pytest.mark.slow
def test_cancel_of_what_was_launched_ahead_and_not_started_never_runs_it(place: Place) -> None:
    text = gate("a") + "".join(f"[jobs.q{number}]\n{QUICK}\n" for number in range(5))
    run = mid_run(place, text, slots=1)
    assert place.run("cancel", "q0", "q1", "q2", "q3", "q4").code == 0
    open_gate(place, "a")
    assert run.finish().code == 1
    assert order(place) == [1]


def test_pause_starts_nothing_more_and_resume_goes_on(place: Place) -> None:
    text = gate("a") + f'[jobs.b]\n{QUICK}\nafter = ["a"]\n'
    run = mid_run(place, text)
    assert place.run("pause").code == 0
    open_gate(place, "a")
    place.until_state("a", "succeeded")
    place.until_state("b", "ready")
    assert place.run("submit", "--name", "c", "--", "true").code == 0
    assert place.states() == {"a": "succeeded", "b": "ready", "c": "ready"}
    assert run.running
    assert place.run("resume").code == 0
    assert run.finish().code == 0
    assert place.state("b") == "succeeded"


@pytest.mark.slow
def test_priority_moves_a_waiting_job_to_the_front(place: Place) -> None:
    text = gate("a") + "".join(f"[jobs.q{number}]\n{QUICK}\n" for number in range(4))
    run = mid_run(place, text, slots=1)
    assert place.run("priority", "5", "q3").code == 0
    assert place.run("priority", "-5", "q0").code == 0
    open_gate(place, "a")
    assert run.finish().code == 0
    assert order(place) == [1, 5, 3, 4, 2]


@pytest.mark.slow
def test_hold_keeps_a_job_back_and_release_lets_it_go(place: Place) -> None:
    text = gate("a") + f'[jobs.b]\n{QUICK}\nafter = ["a"]\n[jobs.c]\n{QUICK}\nafter = ["b"]\n' + gate("d")
    run = mid_run(place, text)
    assert place.run("hold", "b").code == 0
    open_gate(place, "a")
    place.until_state("a", "succeeded")
    assert (place.state("b"), place.state("c")) == ("held", "waiting")
    assert place.run("release", "b").code == 0
    place.until_state("c", "succeeded")
    open_gate(place, "d")
    assert run.finish().code == 0


@pytest.mark.slow
def test_a_run_of_which_only_held_jobs_are_left_ends_and_says_so(place: Place) -> None:
    run = place.start("run", place.flow(f'[jobs.a]\n{QUICK}\nhold = true\n[jobs.b]\n{QUICK}\nafter = ["a"]\n'))
    done = run.finish()
    assert done.code == 1
    assert "nothing more can start: 2 unfinished, of which 1 held" in done.err


@pytest.mark.slow
def test_retry_runs_a_failed_job_and_what_was_skipped_because_of_it(place: Place) -> None:
    text = gate("a") + '[jobs.b]\nrun = "test -e good"\n' + f'[jobs.c]\n{QUICK}\nafter = ["b"]\n'
    run = mid_run(place, text)
    place.until_state("c", "skipped")
    (place.folder / "good").touch()
    assert place.run("retry", "b").code == 0
    place.until_state("c", "succeeded")
    open_gate(place, "a")
    assert run.finish().code == 0
    check_log(place)


@pytest.mark.slow
def test_a_run_waits_for_a_job_that_was_retried_although_it_had_failed_before_the_run_began(place: Place) -> None:
    text = '[jobs.b]\nrun = "test -e good && sleep 0.5"\n' + gate("a")
    first = mid_run(place, text)
    place.until_state("b", "failed")
    first.kill()
    second = place.start("run", "flow.toml")
    until(lambda: "going on with it" in second.err, "the second goes on")
    (place.folder / "good").touch()
    assert place.run("retry", "b").code == 0
    open_gate(place, "a")
    assert second.finish().code == 0
    assert place.states() == {"a": "succeeded", "b": "succeeded"}


def test_submit_and_map_in_mid_run_are_picked_up_at_once(place: Place) -> None:
    run = mid_run(place, gate("a"))
    submitted = place.run("submit", "--name", "b", "--", "sh", "-c", MARK)
    mapped = place.run("map", "sh", "-c", f'echo "$1" >> arguments; {MARK}', "sh", "{}", ":::", "x y", "$(z)")
    assert (submitted.code, submitted.out) == (0, "2\n")
    assert (mapped.code, mapped.out) == (0, "3\n4\n")
    until(lambda: len(marks(place)) == 4, "all four have run beside the flow")
    assert place.state("a") == "running"
    assert sorted((place.folder / "arguments").read_text().splitlines()) == ["$(z)", "x y"]
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_what_is_recorded_without_a_supervisor_takes_effect_at_the_next_run(place: Place) -> None:
    run = mid_run(place, gate("a") + f'[jobs.b]\n{QUICK}\nafter = ["a"]\n' + gate("c"))
    run.kill()
    cancelled = place.run("cancel", "a")
    assert cancelled.code == 0
    assert "takes effect at the next" in cancelled.err
    assert place.run("submit", "--name", "d", "--", "sh", "-c", MARK).out == "4\n"
    open_gate(place, "c")
    assert place.run("run").code == 1
    assert place.states() == {"a": "cancelled", "b": "skipped", "c": "succeeded", "d": "succeeded"}
    check_log(place)


def test_a_run_of_a_flow_leaves_what_others_submitted_and_says_so(place: Place) -> None:
    run = mid_run(place, gate("a"))
    assert place.run("submit", "--name", "other", "--hold", "--", "true").code == 0
    open_gate(place, "a")
    done = run.finish()
    assert done.code == 0
    assert done.err.splitlines()[-2:] == [
        "1 succeeded",
        "1 other job here is unfinished: `holdfast run` goes on with what is, `holdfast jobs` lists it",
    ]


@pytest.mark.slow
def test_a_hold_survives_a_retry_and_a_skip(place: Place) -> None:
    assert place.run(
        "run", place.flow(f'[jobs.a]\nrun = "exit 1"\n[jobs.b]\n{QUICK}\nafter = ["a"]\nhold = true\n')
    ).code
    assert place.states() == {"a": "failed", "b": "skipped"}
    (place.folder / "flow.toml").unlink()
    assert place.run("retry", "a", "b").code == 0
    assert place.state("b") == "held"
    assert place.run("release", "b").code == 0
    assert place.state("b") == "waiting"
    assert len(marks(place)) == 0


@pytest.mark.slow
def test_cancel_of_what_has_just_ended_is_no_failure_and_changes_nothing(place: Place) -> None:
    run = mid_run(place, gate("a") + gate("b"))
    open_gate(place, "a")
    place.until_state("a", "succeeded")
    done = place.run("cancel", "a", "b")
    assert done.code == 0
    assert done.out == "job 2: to be cancelled, or cancelled already\n"
    assert done.err == "job 1 has ended already (succeeded)\n"
    assert run.finish().code == 1
    assert place.states() == {"a": "succeeded", "b": "cancelled"}


@pytest.mark.slow
def test_a_flow_of_known_keys_ends_as_the_jobs_that_they_stand_for(place: Place) -> None:
    keyed = '[jobs.a]\nrun = "test -e good"\nkey = "k"\n'
    assert place.run("run", place.flow(keyed)).code == 1
    other = place.flow(keyed + f"[jobs.b]\n{QUICK}\n", "other.toml")
    done = place.run("run", other)
    assert done.code == 1
    assert "2 jobs submitted, 1 of them known by their keys" in done.err
    assert place.states() == {"a": "failed", "b": "succeeded"}
    (place.folder / "good").touch()
    assert place.run("retry", "a").code == 0
    assert place.run("run", other).code == 0
    assert place.state("a") == "succeeded"


@pytest.mark.slow
def test_a_run_with_nothing_to_go_on_with_says_so(place: Place) -> None:
    nothing = place.run("run")
    assert nothing.code == 2
    assert "so there is nothing to go on with; give a flow" in nothing.err
    assert place.run("run", place.flow(f"[jobs.a]\n{QUICK}\n")).code == 0
    done = place.run("run")
    assert (done.code, done.out) == (0, "")
    assert done.err == "nothing is unfinished here: give a flow, as in `holdfast run flow.toml`\n"


@pytest.mark.slow
def test_a_program_that_is_not_there_was_never_started(place: Place) -> None:
    assert place.run("submit", "--name", "a", "--", "/no/such/program").code == 0
    assert place.run("submit", "--name", "b", "--cwd", "/no/such/folder", "--", "true").code == 0
    assert place.run("run").code == 1
    for name in "ab":
        assert (place.state(name), place.job(name).started_at) == ("failed", None)
        explained = place.run("explain", name).out
        assert "`holdfast logs" not in explained
        assert "`holdfast retry" in explained
        assert "could not be started" in place.run("logs", name).err


@pytest.mark.slow
def test_a_command_that_changes_nothing_says_why_and_ends_with_1(place: Place) -> None:
    run = mid_run(place, gate("a"))
    done = place.run("hold", "a")
    assert done.code == 1
    assert "too late to hold it" in done.err
    unknown = place.run("cancel", "nobody")
    assert unknown.code == 2
    assert "there is no job or flow 'nobody'" in unknown.err
    open_gate(place, "a")
    assert run.finish().code == 0
