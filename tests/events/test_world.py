"""Everything at once, in any order: after each commit the log, the records and the bounds agree; in the end all ended.

A failure names its seed; `live_through(seed, ACTIONS)` repeats it.
"""

from __future__ import annotations

from typing import get_args

import pytest

from holdfast.events.facts import (
    AttemptBatched,
    AttemptEnded,
    AttemptLaunched,
    AttemptRevoked,
    AttemptStarted,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    JobEvent,
)
from holdfast.events.states import FINAL

from .random_days import ON_THE_CLUSTER, live_through

ACTIONS = 200
SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_p2_p3_p4_whatever_happens_in_any_order_the_promises_hold_and_all_comes_to_its_end(seed: int) -> None:
    live_through(seed, ACTIONS)


@pytest.mark.parametrize("seed", SEEDS)
def test_p2_p3_p4_whatever_happens_to_chains_in_a_clusters_queue_they_run_in_order(seed: int) -> None:
    live_through(seed, ACTIONS, ON_THE_CLUSTER)


def test_the_random_days_see_what_may_become_of_a_chain() -> None:
    log = [event for seed in SEEDS for _, event in live_through(seed, ACTIONS, ON_THE_CLUSTER).home.base.log]
    behind = {(event.job, event.attempt): event for event in log if isinstance(event, AttemptLaunched) and event.after}
    assert {kind for event in behind.values() for kind in event.after.values()} == {"after", "after_any"}
    assert {event.state for event in log if isinstance(event, AttemptRevoked)} == {"ready", "waiting"}
    ran = [event for event in log if isinstance(event, AttemptEnded) and event.outcome.how == "exited"]
    assert sum((event.job, event.attempt) in behind for event in ran) > 3


def test_the_random_days_see_every_event_and_every_end() -> None:
    worlds = [live_through(seed, ACTIONS) for seed in SEEDS[:10]]
    events = {type(event) for world in worlds for _, event in world.home.base.log}
    ends = {type(job.state) for world in worlds for job in world.home.base.records.jobs.values()}
    assert events >= {*get_args(JobEvent), *get_args(BatchEvent)}
    assert ends == set(FINAL)


def test_the_random_days_see_what_a_cluster_may_do_to_an_attempt() -> None:
    logs = [[event for _, event in live_through(seed, ACTIONS).home.base.log] for seed in SEEDS[:20]]
    ends = {event.outcome.how for log in logs for event in log if isinstance(event, AttemptEnded)}
    assert ends == {"exited", "timeout", "stopped", "killed", "not_started", "lost"}
    assert {event.process is None for log in logs for event in log if isinstance(event, AttemptStarted)} == {
        True,
        False,
    }
    assert {event.found for log in logs for event in log if isinstance(event, BatchSubmitted)} == {True, False}
    left_out = [
        sum(event.size for event in log if isinstance(event, BatchPlanned))
        - sum(isinstance(event, AttemptBatched) for event in log)
        for log in logs
    ]
    assert min(left_out) == 0 < max(left_out)


def test_the_same_seed_gives_the_same_day() -> None:
    assert live_through(3, ACTIONS).home.base.log == live_through(3, ACTIONS).home.base.log
