"""Hundreds of seeds of the whole tree keep every promise, and a failure comes with its seed and its shortest run."""

from __future__ import annotations

import pytest

from tests.store.faults.scope import ALL

from . import campaign
from .commands import moments
from .simulation import Simulation

SEEDS = 300
# A fifth of the 300 have a cluster beside other machines; these have nothing else.
SLURM_SEEDS = 300 if ALL else 40
CALM_SEEDS = 30


@pytest.mark.slow
def test_every_promise_holds_in_three_hundred_simulated_days_full_of_faults() -> None:
    results = list(campaign.run_seeds(range(SEEDS), campaign.processors()))
    broken = [
        f"seed {result.seed} (./dev sim --seed {result.seed}): {result.broken}" for result in results if result.broken
    ]
    assert not broken, "\n".join(broken)
    # A simulation in which nothing happens would hold every promise too.
    assert sum(result.processes for result in results) > 5 * SEEDS
    assert sum(result.calls for result in results) > SEEDS
    assert sum(result.dialled for result in results) > 3 * SEEDS
    assert sum(result.supervisors for result in results) > 3 * SEEDS
    assert sum(result.submitted > 0 for result in results) > SEEDS / 10


def test_every_promise_holds_when_nothing_goes_wrong() -> None:
    for seed in range(CALM_SEEDS):
        result = Simulation(seed, calm=True).run()
        assert result.broken is None, f"seed {seed}: {result.broken}"
        assert result.supervisors == 1


def test_every_promise_holds_on_a_cluster_when_nothing_goes_wrong() -> None:
    submitted = 0
    for seed in range(CALM_SEEDS // 6):
        result = Simulation(seed, calm=True, slurm=True).run()
        assert result.broken is None, f"seed {seed}: {result.broken}"
        submitted += result.submitted
    assert submitted > CALM_SEEDS // 2


@pytest.mark.slow
def test_every_promise_holds_on_a_cluster_of_which_everything_goes_wrong() -> None:
    results = list(campaign.run_seeds(range(SLURM_SEEDS), campaign.processors(), slurm=True))
    broken = [
        f"seed {result.seed} (./dev sim --slurm --seed {result.seed}): {result.broken}"
        for result in results
        if result.broken
    ]
    assert not broken, "\n".join(broken)
    assert sum(result.submitted for result in results) > 3 * SLURM_SEEDS


def test_a_run_of_the_first_commands_is_a_run_of_its_own() -> None:
    whole = moments(7)
    assert Simulation(7, 3).moments == whole[:3]
    assert Simulation(7, 0).run().jobs == 0


def test_a_failure_is_shrunk_to_the_shortest_run_that_still_fails() -> None:
    defect = "limit counted after the launch"
    seed = next(seed for seed in range(SEEDS) if campaign.run_seed(seed, None, defect).broken)
    shortest = campaign.shrink(seed, defect)
    assert shortest.broken is not None
    assert shortest.story, "a failure tells its story"
    assert 0 < shortest.commands <= len(moments(seed))
    assert campaign.run_seed(seed, shortest.commands - 1, defect).broken is None
