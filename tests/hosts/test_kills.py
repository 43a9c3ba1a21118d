"""Promise P2 over other machines: kill -9 of sshd, of the supervisor, of the relay and of the runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.store.faults.scope import ALL
from tests.system.marks import check_log, new_seed
from tests.system.place import until, wait_s
from tests.system.processes import kill

from .elsewhere import WAITING, Elsewhere, check_ran_once, jobs, marks_on, numbered, target
from .lab import Lab
from .sshd import Host

ROUNDS: Final = 100 if ALL else 8
WORK: Final = "echo $HOLDFAST_TOKEN >> marks; sleep 0.1"
FEW, MANY = 12, ROUNDS * 8


def kill_relay(host: Host) -> None:
    """The far end of the channel."""
    for pid in host.commands():
        if b"FileIO(0" in command_line(pid):
            kill(pid)


def kill_runner(host: Host) -> None:
    """What started the jobs: nobody knows any more how those end that run."""
    for pid in host.runners():
        kill(pid)


def restart_listener(host: Host) -> None:
    """The listener alone, and then all connections with it."""
    host.kill_listener()
    host.kill_sessions()
    host.listen_again()


def command_line(pid: int) -> bytes:
    """Nothing of a process that has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def flow_for_both(place: Elsewhere, number: int) -> str:
    """The name of a flow with jobs for both hosts, none of which was in another."""
    text = target("one") + target("two")
    for name in ("one", "two"):
        text += jobs(name, numbered(f"{name}-{number}-", MANY), WORK)
    return place.flow(text, f"flow{number}.toml")


KILLS: Final[dict[str, Callable[[Host], None]]] = {
    "sessions": Host.kill_sessions,
    "listener and sessions": restart_listener,
    "relay": kill_relay,
    "runner": kill_runner,
}


@pytest.mark.parametrize("what", KILLS)
def test_p2_each_job_runs_once_over_a_kill_of_the(place: Elsewhere, lab: Lab, what: str) -> None:
    one = lab.host("one")
    run = place.start("run", place.flow(target("one") + jobs("one", numbered("a", FEW), WAITING)))
    until(lambda: len(marks_on(one)) > 3, "jobs run there")
    KILLS[what](one)
    (one.home / "holdfast" / "go").touch()
    lost_allowed = what == "runner"
    assert run.finish().code == (1 if lost_allowed else 0)
    ended = check_ran_once(place, one, lost_allowed=lost_allowed)
    assert set(ended) == ({"succeeded", "lost"} if lost_allowed else {"succeeded"})
    check_log(place)


def test_p2_each_job_runs_once_over_kills_of_anything_at_random_times(place: Elsewhere, lab: Lab) -> None:
    random = Random(new_seed())
    one, two = lab.host("one"), lab.host("two")
    flow = flow_for_both(place, 0)
    run = place.start("run", flow)
    for number in range(ROUNDS):
        done = len(marks_on(one, two))
        until(lambda done=done, run=run: len(marks_on(one, two)) > done or not run.running, "jobs run")  # type: ignore[misc]
        if not run.running:  # all was done before the rounds were
            flow = flow_for_both(place, number + 1)
            run = place.start("run", flow)
            until(lambda done=done: len(marks_on(one, two)) > done, "jobs run")  # type: ignore[misc]
        wait_s(random.uniform(0.0, 0.4))
        what = random.choice(["supervisor", *KILLS])
        if what == "supervisor":
            run.kill()
            run = place.start("run", flow)
        else:
            KILLS[what](random.choice([one, two]))
    assert run.finish(600).code in {0, 1}
    check_ran_once(place, one, two, lost_allowed=True)
    check_log(place)
