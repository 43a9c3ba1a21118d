"""Sites that limit what one may open: one session a connection, and few connections that begin at a time."""

from __future__ import annotations

from holdfast.events.facts import HostChanged
from holdfast.events.hosts import name_of

from .elsewhere import Elsewhere, check_ran_once, jobs, numbered, target
from .lab import Lab


def states_of(place: Elsewhere) -> set[str]:
    """All states that hosts were in."""
    return {name_of(event.host) for event in place.events() if isinstance(event, HostChanged)}


def test_one_session_is_enough_for_many_jobs_and_their_output(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one", MaxSessions=1)
    place.serve_impatiently()
    run = place.hand_over(
        target("one") + jobs("one", numbered("a", 40), "echo $HOLDFAST_TOKEN >> marks; echo out of $HOLDFAST_JOB")
    )
    assert run.finish().code == 0
    assert check_ran_once(place, one) == {"succeeded": 40}
    assert place.run("logs", "a7").out == "out of 8\n"
    assert "refused" not in one.said
    assert states_of(place) <= {"connecting", "up", "idle"}


def test_connections_begin_so_few_at_a_time_that_a_login_node_drops_none(place: Elsewhere, lab: Lab) -> None:
    login = lab.host("login", MaxStartups="2:50:4")
    names = numbered("n", 8)
    block = f'  HostName 127.0.0.1\n  Port {login.port}\n  IdentityFile "{lab.identity}"\n'
    place.config.unlink()
    place.config.write_text(
        "".join(f"Host {name}\n{block}" for name in names) + f'Host *\n  UserKnownHostsFile "{lab.known_hosts}"\n'
    )
    flow = "".join(
        target(name, f'workdir = "~/{name}"') + jobs(name, [f"j{name}"], "echo $HOLDFAST_TOKEN >> ../holdfast/marks")
        for name in names
    )
    (login.home / "holdfast").mkdir()
    run = place.start("run", place.flow(flow))
    assert run.finish().code == 0
    assert check_ran_once(place, login) == {"succeeded": 8}
    assert "drop connection" not in login.said
    assert "down" not in states_of(place)
