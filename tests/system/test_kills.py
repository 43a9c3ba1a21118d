"""Promises P1 and P2 against kill -9 of the supervisor, of the runner, and of both, at random times through a flow."""

from __future__ import annotations

from random import Random

import pytest

from .marks import MARK, check_log, check_ran_once, marks, new_seed
from .place import Place, Started, until, wait_s
from .processes import kill

JOBS = 400
KILLS = 16


def chains(jobs: int, length: int, command: str) -> str:
    """A flow of chains: every job but the first of each waits for the one before it."""
    lines: list[str] = []
    for number in range(jobs):
        lines.append(f'[jobs.j{number}]\nrun = "{command}"')
        if number % length:
            lines.append(f'after = ["j{number - 1}"]')
    return "\n".join(lines) + "\n"


def names(jobs: int) -> set[str]:
    return {f"j{number}" for number in range(jobs)}


def check_quiet(started: Started) -> None:
    """A killed supervisor has not complained before."""
    assert "Traceback" not in started.err, started.err
    assert "started anew" not in started.err, started.err


@pytest.mark.slow
def test_p2_each_job_runs_once_over_many_kills_of_the_supervisor(place: Place) -> None:
    random = Random(new_seed())
    flow = place.flow(chains(JOBS, 8, f"{MARK}; sleep 0.04"))
    for number in range(KILLS):
        # The text of the flow is known: giving it again goes on with it, as giving none does.
        words = (flow,) if number == 0 or random.random() < 0.3 or not place.jobs() else ()
        run = place.start("run", *words, "--slots", "4")
        wait_s(random.uniform(0.0, 0.7))
        assert run.running, f"the flow was over after {number} kills\n{run.err}"
        run.kill()
        check_quiet(run)
    assert place.run("run", flow).code == 0
    assert check_ran_once(place, names(JOBS)) == {"succeeded": JOBS}
    check_log(place)


@pytest.mark.slow
def test_p2_a_job_runs_once_or_is_lost_over_kills_of_the_runner(place: Place) -> None:
    random = Random(new_seed())
    # Chains of after_any: what is lost must not take the rest along.
    text = chains(200, 5, f"{MARK}; sleep 0.04").replace("after =", "after_any =")
    run = place.start("run", place.flow(text), "--slots", "4")
    killed: set[int] = set()
    while len(killed) < 6:
        pid = place.until_runner()
        assert pid not in killed
        done = len(marks(place))
        until(lambda done=done: len(marks(place)) > done, "the runner starts jobs")  # type: ignore[misc]
        wait_s(random.uniform(0.0, 0.15))
        assert run.running, run.err
        kill(pid)
        killed.add(pid)
    assert run.finish().code == 1
    ended = check_ran_once(place, names(200), lost_allowed=True)
    assert set(ended) == {"succeeded", "lost"}
    assert ended["lost"] <= 6 * (4 + 32)
    check_log(place)


@pytest.mark.slow
def test_p2_a_job_runs_once_or_is_lost_over_kills_of_supervisor_and_runner_together(place: Place) -> None:
    random = Random(new_seed())
    text = chains(200, 5, f"{MARK}; sleep 0.04").replace("after =", "after_any =")
    flow = place.flow(text)
    for _ in range(6):
        run = place.start("run", flow, "--slots", "4")
        done = len(marks(place))
        until(lambda done=done: len(marks(place)) > done, "jobs start")  # type: ignore[misc]
        wait_s(random.uniform(0.0, 0.15))
        victims = [run.pid, place.until_runner()]
        random.shuffle(victims)
        for pid in victims:
            kill(pid)
        run.kill()
        check_quiet(run)
    assert place.run("run", flow).code == 1
    check_ran_once(place, names(200), lost_allowed=True)
    check_log(place)


def test_p2_a_lost_job_says_that_its_runner_died_and_runs_again_only_where_its_policy_says_so(place: Place) -> None:
    flow = place.flow(f"""
        [jobs.once]
        run = "{MARK}; sleep 0.3"
        [jobs.again]
        run = "{MARK}; sleep 0.3"
        retries = 1
        retry_on = ["lost"]
        retry_delay = "10ms"
    """)
    run = place.start("run", flow, "--slots", "2")
    until(lambda: len(marks(place)) == 2, "both jobs run")
    kill(place.until_runner())
    assert run.finish().code == 1
    assert place.states() == {"once": "lost", "again": "succeeded"}
    assert place.job("once").reason == "its runner died; the exit status can't be known"
    assert place.job("again").attempt == 2
    assert len(marks(place)) == 3
    check_log(place)
