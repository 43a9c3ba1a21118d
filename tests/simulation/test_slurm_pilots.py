"""Days of a cluster with a pilot: jobs run once in allocations that come and go, and what is called lost is no more."""

from __future__ import annotations

from unittest.mock import patch

from holdfast.actors.launching import Launching
from holdfast.events import outcomes
from holdfast.events.draft import Draft
from holdfast.events.messages import Settled
from tests.store.faults.scope import ALL

from .slurm_pilots import PilotDay, pilot_day

SEEDS = 300 if ALL else 6


def days(seeds: range) -> list[PilotDay]:
    return [pilot_day(seed) for seed in seeds]


def test_every_job_ends_as_it_did_when_nothing_goes_wrong() -> None:
    day = pilot_day(0, calm=True)
    assert (day.broken, set(day.ends)) == (None, {"exited"})
    assert day.processes > 20
    assert 1 <= day.allocations <= 3


def test_p2_jobs_run_once_whatever_becomes_of_their_allocations() -> None:
    found = days(range(SEEDS))
    broken = [f"seed {seed}: {day.broken}" for seed, day in enumerate(found) if day.broken]
    assert not broken, "\n".join(broken)
    # A simulation in which nothing happens would hold every promise too.
    assert sum(day.allocations for day in found) > 2 * SEEDS
    assert sum(day.ends.get("lost", 0) for day in found) > SEEDS / 2
    assert sum(day.processes for day in found) > 20 * SEEDS


def test_an_allocation_that_is_sent_what_it_gives_back_is_found() -> None:
    def note(self: Launching, draft: Draft) -> None:
        del self, draft

    with patch.object(Launching, "_note_closing", note):
        assert any("P9" in (day.broken or "") for day in map(pilot_day, range(20)))  # 2 of 8 find it


def test_what_is_taken_back_of_an_allocation_that_may_still_run_it_is_found() -> None:
    settle = outcomes._settled

    def settled(draft: Draft, report: Settled) -> None:
        settle(draft, Settled(report.target, report.attempts, closed=True))

    with patch.object(outcomes, "_settled", settled):
        assert any("P2" in (day.broken or "") for day in map(pilot_day, range(60)))  # 1 of 30 finds it
