"""The simulation can fail: each of these defects, planted into the product, is found by some of the seeds."""

from __future__ import annotations

from contextlib import closing
from itertools import islice

import pytest

from . import campaign
from .defects import DEFECTS

# How many seeds are run at most, and how many of them must find the defect; of 200 seeds as many found it as is said.
SEEDS = {
    "launch before commit": (40, 6),  # 186
    "views outside the transaction": (10, 10),  # 200
    "limit counted after the launch": (100, 4),  # 29
    "new token after a lost acknowledgement": (60, 4),  # 60
    "evolve reading a clock": (20, 5),  # 183
    "dependency released on unknown": (200, 2),  # 17
    "calls of an earlier program taken for its own": (100, 3),  # 14
    "relaunch on unknown": (100, 4),  # 23
    "unknown read as failed": (60, 4),  # 32
    "refused host tried again": (150, 3),  # 13
    "one host after the other": (150, 3),  # 15
    # Of clusters, of 60 seeds:
    "sbatch sent again after a time-out": (60, 1),  # 6
    "unclear read as failed": (40, 1),  # 12
    "no grace time": (80, 1),  # 5
    "id taken for the job": (120, 1),  # 2
    "no fence": (80, 1),  # 6
    "dependencies left to Slurm alone": (120, 1),  # 3
    "queue filled without bound": (30, 3),  # 20
    "asked all the time": (10, 5),  # 58
}
# The others are planted with HOLDFAST_FAULTS=all: they show of the checks what these show.
ALWAYS = (
    "launch before commit",
    "new token after a lost acknowledgement",
    "unknown read as failed",
    "relaunch on unknown",
    "sbatch sent again after a time-out",
    "no fence",
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "defect", [each if each in ALWAYS else pytest.param(each, marks=pytest.mark.thorough) for each in DEFECTS]
)
def test_a_planted_defect_is_found(defect: str) -> None:
    seeds, least = SEEDS[defect]
    with closing(campaign.run_seeds(range(seeds), campaign.processors(), defect)) as results:
        found = list(islice((result.seed for result in results if result.broken is not None), least))
    assert len(found) == least, f"'{defect}' was found by {len(found)} of {seeds} seeds only"


def test_without_a_planted_defect_the_same_seeds_find_nothing() -> None:
    assert [campaign.run_seed(seed).broken for seed in range(10)] == [None] * 10
