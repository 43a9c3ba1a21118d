"""Promises P1 and P2 against kill -9 of the program that Holdfast is embedded in, at random, again and again.

A share of the rounds in the suite, two hundred on each loop with HOLDFAST_KILLS=all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from holdfast.events.facts import StepRecorded
from tests.system.marks import check_log, marks, new_seed
from tests.system.place import Place, wait_s
from tests.tree import ROOT

from .killed_program import STEPS

ROUNDS: Final = 200 if os.environ.get("HOLDFAST_KILLS") == "all" else 20


class Told:
    """What the program was told, in all its lives: what was said once is said ever after."""

    def __init__(self) -> None:
        self.facts: dict[tuple[str, str], str] = {}

    def take(self, said: str) -> None:
        """Take in the lines of one life; the last one may be cut off by the kill."""
        for line in said.split("\n")[:-1]:
            if line == "ready":
                continue
            kind, key, *rest = line.split(" ")
            if kind == "doing":
                assert ("step", key) not in self.facts, f"{key} is recorded, and done again"
            else:
                fact = " ".join(rest)
                assert self.facts.setdefault((kind, key), fact) == fact, f"{kind} {key} has changed"

    def all(self, kind: str) -> dict[str, str]:
        """What was told of this kind, by key."""
        return {key: fact for (each, key), fact in self.facts.items() if each == kind}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_p1_p2_a_program_that_is_killed_loses_nothing_and_does_nothing_twice(tmp_path: Path, backend: str) -> None:
    place = Place(tmp_path)
    random = Random(new_seed())
    told = Told()

    def start(count: int) -> subprocess.Popen[str]:
        program = [sys.executable, "-W", "error", "-m", "tests.api.killed_program"]
        given = [str(place.home.path), str(place.folder), str(count), backend]
        return subprocess.Popen([*program, *given], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    try:
        for number in range(ROUNDS):
            program = start(number + 1)
            if random.random() < 0.8:  # else it is killed while it starts, or opens the home
                assert program.stdout is not None
                assert program.stdout.readline() == "ready\n"
            wait_s(random.uniform(0, 0.4))
            program.kill()
            told.take(program.communicate()[0])
        last = start(ROUNDS)
        told.take(last.communicate(timeout=120)[0])
        assert last.returncode == 0
        _check(place, told)
        check_log(place)
    finally:
        place.close()


def _check(place: Place, told: Told) -> None:
    """What was told is recorded; each attempt ran at most once, each job as often as its policy allows."""
    tokens = Counter(marks(place))
    assert [token for token, times in tokens.items() if times > 1] == []
    ran = Counter(int(token.split(".")[1]) for token in tokens)
    jobs = {job.name: job for job in place.jobs()}
    assert told.all("job") == {name: str(job.id) for name, job in jobs.items()}
    assert set(jobs) == {f"{kind}{number}" for kind in ("command", "once", "order") for number in range(ROUNDS)}
    ends = {name: fact.split(" ")[0] for name, fact in told.all("end").items()}
    assert ends == {name: job.state for name, job in jobs.items()}
    for name, job in jobs.items():
        if name.startswith("once"):
            assert job.state in {"succeeded", "lost"}, job
            assert ran[job.id] <= 1, job
            assert ran[job.id] == 1 or job.state == "lost", job
        else:
            assert job.state == "succeeded", job
            assert 1 <= ran[job.id] <= job.attempt, job
            assert job.attempt == 1 or name.startswith("order"), job
    steps = [event for event in place.events() if isinstance(event, StepRecorded)]
    assert len({event.key for event in steps}) == len(steps) == STEPS * ROUNDS
    assert told.all("step") == {event.key: msgspec.json.decode(event.result) for event in steps}
    lost = sum(job.state == "lost" for job in jobs.values())
    again = sum(job.attempt - 1 for job in jobs.values())
    sys.stdout.write(f"{ROUNDS} kills: {len(jobs)} jobs, {lost} lost, {again} calls made again, {len(steps)} steps\n")
    assert lost + again > 0, "no kill came while anything was called: nothing is shown"
