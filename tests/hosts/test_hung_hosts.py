"""A host that hangs is suspect, then down, and delays its own jobs alone (P5); what runs there is picked up (P2)."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.system.marks import MARK
from tests.system.place import until

from .elsewhere import Elsewhere, check_ran_once, jobs, marks_on, numbered, target
from .lab import Lab
from .sshd import Host


def stop_sshd(host: Host) -> None:
    """Listener and sessions, but nothing that runs there."""
    host.stop_listener()
    host.stop_sessions()


HANGS: dict[str, Callable[[Host], None]] = {
    "sessions": Host.stop_sessions,
    "listener and sessions": stop_sshd,
    "all of it": Host.hang,
}
SLOW = "echo $HOLDFAST_TOKEN >> marks; sleep 0.5"
ANSWER_S = 5.0  # of a command of its own process, on a machine that does other things as well


@pytest.mark.parametrize("how", HANGS)
def test_p5_a_host_that_hangs_delays_its_own_jobs_alone_and_p2_each_runs_once(
    place: Elsewhere, lab: Lab, how: str
) -> None:
    one, two = lab.host("one"), lab.host("two")
    place.serve_impatiently()
    run = place.hand_over(
        target("one")
        + target("two")
        + jobs("one", numbered("a", 8), SLOW)
        + jobs("two", numbered("b", 8), "echo $HOLDFAST_TOKEN >> marks; sleep 0.1")
    )
    until(lambda: marks_on(one), "a job runs there")
    HANGS[how](one)
    place.until_host("one", "suspect")
    place.until_host("one", "down")
    until(lambda: "unknown" in place.states().values(), "what runs there can't be known")
    until(lambda: all(place.state(name) == "succeeded" for name in numbered("b", 8)), "the other host's jobs end")
    for words in (("jobs",), ("hosts",), ("explain", "a0"), ("submit", "--target", "two", "--", "sh", "-c", MARK)):
        began = time.monotonic()
        assert place.run(*words).code == 0
        assert time.monotonic() - began < ANSWER_S
    if how != "sessions":  # then a new connection has been made by now
        assert place.host_state("one") in {"down", "connecting"}
    one.continue_()
    assert run.finish().code == 0
    until(lambda: not place.unfinished(), "all jobs end")
    assert check_ran_once(place, one, two) == {"succeeded": 17}


def test_a_stopped_listener_is_no_matter_for_a_connection_that_stands(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve_impatiently()
    run = place.hand_over(target("one") + jobs("one", numbered("a", 8), SLOW))
    until(lambda: marks_on(one), "a job runs there")
    one.stop_listener()
    assert run.finish().code == 0
    assert check_ran_once(place, one) == {"succeeded": 8}
