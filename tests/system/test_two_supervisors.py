"""One home, one supervisor: the next one hands its flow over and watches, is refused, or takes over."""

from __future__ import annotations

import signal

import pytest

from .gates import gate, mid_run, open_gate
from .marks import MARK, check_log, check_ran_once, marks
from .place import Place, until


def test_a_second_run_hands_its_flow_over_and_both_end_with_their_own_exit_codes(place: Place) -> None:
    first = mid_run(place, gate("a"))
    second = place.start("run", place.flow('[jobs.b]\nrun = "exit 7"\n', "second.toml"))
    assert second.finish().code == 1
    assert f"supervisor {first.pid} has the home: watching" in second.err
    assert place.states() == {"a": "running", "b": "failed"}
    open_gate(place, "a")
    assert first.finish().code == 0
    check_log(place)


@pytest.mark.slow
def test_a_second_run_without_a_flow_watches_what_is_unfinished(place: Place) -> None:
    first = mid_run(place, gate("a") + '[jobs.b]\nrun = "exit 1"\nafter = ["a"]\n')
    second = place.start("run")
    until(lambda: "watching" in second.err, "the second watches")
    open_gate(place, "a")
    assert (first.finish().code, second.finish().code) == (1, 1)


@pytest.mark.slow
def test_p2_a_watcher_takes_over_when_the_supervisor_is_killed(place: Place) -> None:
    first = mid_run(place, gate("a") + f'[jobs.c]\nrun = "{MARK}"\nafter = ["a"]\n')
    second = place.start("run", place.flow(gate("b"), "second.toml"))
    place.until_state("b", "running")
    first.kill()
    until(lambda: "going on here" in second.err, "the second takes over")
    open_gate(place, "a")
    place.until_state("c", "succeeded")
    open_gate(place, "b")
    assert second.finish().code == 0
    assert check_ran_once(place, {"a", "b", "c"}) == {"succeeded": 3}
    check_log(place)


@pytest.mark.slow
def test_a_watcher_takes_over_when_the_supervisor_has_seen_its_own_flow_to_the_end(place: Place) -> None:
    first = mid_run(place, gate("a"))
    second = place.start("run", place.flow(gate("b"), "second.toml"))
    place.until_state("b", "running")
    open_gate(place, "a")
    assert first.finish().code == 0
    until(lambda: "going on here" in second.err, "the second takes over")
    open_gate(place, "b")
    assert second.finish().code == 0
    assert check_ran_once(place, {"a", "b"}) == {"succeeded": 2}


@pytest.mark.slow
def test_one_of_several_watchers_takes_over_and_the_others_watch_on(place: Place) -> None:
    first = mid_run(place, gate("a"))
    others = [place.start("run") for _ in range(3)]
    for each in others:
        until(lambda each=each: "watching" in each.err, "all watch")  # type: ignore[misc]
    first.kill()
    until(lambda: any("going on here" in each.err for each in others), "one takes over")
    open_gate(place, "a")
    assert [each.finish().code for each in others] == [0, 0, 0]
    # Nobody says again and again that the other has left while that one is just starting.
    assert max(each.err.count("going on here") for each in others) <= 2
    assert len(marks(place)) == 1
    check_log(place)


@pytest.mark.slow
def test_the_same_flow_given_twice_is_one_flow(place: Place) -> None:
    text = gate("a")
    first = mid_run(place, text)
    second = place.start("run", "flow.toml")
    until(lambda: "watching" in second.err, "the second watches")
    assert "is here already and unfinished" in second.err
    open_gate(place, "a")
    assert (first.finish().code, second.finish().code) == (0, 0)
    assert len(marks(place)) == 1


def test_a_second_serve_is_refused_and_names_the_process_that_has_the_home(place: Place) -> None:
    first = place.serve()
    second = place.run("serve")
    assert second.code == 3
    assert f"is in use by process {first.pid}" in second.err
    assert first.running


@pytest.mark.slow
def test_ctrl_c_ends_only_the_watching(place: Place) -> None:
    first = mid_run(place, gate("a"))
    second = place.start("run")
    until(lambda: "watching" in second.err, "the second watches")
    second.signal(signal.SIGINT)
    assert second.finish().code == 130
    assert "the supervisor goes on" in second.err
    open_gate(place, "a")
    assert first.finish().code == 0


@pytest.mark.slow
def test_p2_of_two_supervisors_started_at_once_each_sees_its_own_flow_to_the_end(place: Place) -> None:
    flows = [place.flow(f'[jobs.{name}]\nrun = "{MARK}; sleep 0.2"\n', f"{name}.toml") for name in "abcd"]
    runs = [place.start("run", flow) for flow in flows]
    assert [run.finish().code for run in runs] == [0, 0, 0, 0]
    assert check_ran_once(place, set("abcd")) == {"succeeded": 4}
    check_log(place)
