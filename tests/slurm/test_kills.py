"""Promise P2 against kill -9 around sbatch: of the supervisor, of sbatch itself, of the runner that started it.

A share of the rounds in the suite, two hundred each way with HOLDFAST_KILLS=all. Each round submits jobs, and kills
some milliseconds later; what was in doubt is looked up meanwhile. At the end Slurm was given as many as were asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from holdfast.client import send
from holdfast.events.facts import BatchSubmitted, BatchUnclear
from holdfast.events.messages import Submit
from holdfast.events.spec import FlowSpec, JobSpec, SlurmSpec, SshSpec, TargetSpec
from tests.hosts.lab import Lab
from tests.system.marks import MARK, new_seed
from tests.system.place import Started, until, wait_s
from tests.system.processes import alive, kill

from .cluster import Cluster
from .commands import slow
from .submitting import Submitting

ALL: Final = os.environ.get("HOLDFAST_KILLS") == "all"
PARTS: Final = range(20 if ALL else 1)
ROUNDS: Final = 10  # of each part
TASKS: Final = 3
BEFORE_S: Final = 0.06  # from a submission's acknowledgement to its sbatch, where the cluster is connected
SLOW_S: Final = 0.05


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Submitting]:
    made = Submitting(tmp_path, cluster)
    yield made
    made.close()


class Round:
    """One after the other, each with its own jobs, its own victim, and its own moment."""

    def __init__(self, place: Submitting, target: TargetSpec) -> None:
        self.place, self.target = place, target
        self.random = Random(new_seed())
        self.jobs = self.calls = 0
        self.serving: Started = place.serve_impatiently()

    def submit(self, number: int) -> None:
        """Have jobs recorded: one, or some that make an array."""
        self.calls = len(self.place.cluster.calls("sbatch"))
        count = TASKS if number % 2 else 1
        jobs = tuple(JobSpec(run=MARK, name=f"r{number}-{each}", cwd="", target="cluster") for each in range(count))
        send(self.place.home, Submit(FlowSpec(jobs=jobs, targets={"cluster": self.target})))
        self.jobs += count

    def wait(self, number: int) -> None:
        """Wait for the moment of a round: before its sbatch begins, or some time after."""
        if number % 4 == 0:
            wait_s(self.random.uniform(0, BEFORE_S))
        else:
            calls = self.place.cluster.calls
            until(lambda: len(calls("sbatch")) > self.calls, "sbatch is called")
            wait_s(self.random.uniform(0, 2 * SLOW_S))

    def kill_supervisor(self) -> None:
        """The client itself; what it started on the cluster's side goes on."""
        self.serving.kill()
        self.serving = self.place.serve_impatiently()

    def kill_sbatch(self) -> None:
        """Every sbatch that runs just now."""
        for call in self.place.cluster.calls("sbatch"):
            if alive(call.pid):
                kill(call.pid)

    def kill_runner(self) -> None:
        """What started sbatch, which goes on."""
        for pid in self.place.runners():
            kill(pid)

    def finish(self) -> None:
        """Wait for the end of all jobs, however often they were in doubt."""
        until(lambda: self.place.unfinished() == 0, f"all jobs end\n{self.serving.err[-3000:]}", 300)


def slurm(workdir: Path) -> SlurmSpec:
    """The cluster, polled as often as is allowed."""
    return SlurmSpec(workdir=str(workdir), poll_us=1_000_000)


VICTIMS: Final[dict[str, Callable[[Round], None]]] = {
    "supervisor": Round.kill_supervisor,
    "sbatch": Round.kill_sbatch,
    "runner": Round.kill_runner,
}


def kill_again_and_again(place: Submitting, target: TargetSpec) -> None:
    """As many rounds as there are; afterwards each job ran once, and Slurm was given each once."""
    rounds = Round(place, target)
    for number in range(ROUNDS):
        victim = VICTIMS[list(VICTIMS)[number % len(VICTIMS)]]
        if rounds.random.random() < 0.5:  # else it takes the 5 ms that it takes
            place.cluster.commands.misbehave("sbatch", slow(SLOW_S, SLOW_S), times=1)
        rounds.submit(number)
        rounds.wait(number)
        victim(rounds)
    place.cluster.commands.behave()
    rounds.finish()
    assert place.check_ran_once() == {"succeeded": rounds.jobs}
    place.check_submitted(rounds.jobs)
    events = place.events()
    unclear = sum(isinstance(event, BatchUnclear) for event in events)
    found = sum(isinstance(event, BatchSubmitted) and event.found for event in events)
    sys.stdout.write(f"{ROUNDS} kills: {rounds.jobs} jobs, {unclear} submissions in doubt, {found} of them found\n")
    assert unclear > 0, "no kill came while anything was submitted: nothing is shown"


@pytest.mark.parametrize("part", PARTS)
def test_p2_kills_around_sbatch_submit_nothing_twice(place: Submitting, part: int) -> None:
    del part
    kill_again_and_again(place, TargetSpec({}, slurm=slurm(place.workdir)))


@pytest.mark.parametrize("part", PARTS)
def test_p2_kills_around_sbatch_submit_nothing_twice_over_ssh(place: Submitting, lab: Lab, part: int) -> None:
    del part
    place.log_in(lab)
    target = TargetSpec({}, ssh=SshSpec("login", workdir=str(place.workdir)), slurm=slurm(place.workdir))
    kill_again_and_again(place, target)
