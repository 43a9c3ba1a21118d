"""Machines that hang delay their own jobs and nothing else: not the others' jobs, not a question, not each other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from .fleet import Fleet

HOSTS = 200
HUNG = 20
SLOWER_MAX = 1.2
TIMEOUT_S = 35.0
"""Of a machine that lets us in and then says nothing: silence for 30 s, looked at every 5 s."""


def p99(waits_s: Sequence[float]) -> float:
    return sorted(waits_s)[len(waits_s) * 99 // 100]


@pytest.mark.slow
def test_p5_hosts_that_hang_delay_neither_questions_nor_starts_on_others() -> None:
    well = Fleet(HOSTS, 0).measure()
    some_hang = Fleet(HOSTS, HUNG).measure()
    assert p99(some_hang.questions_s) <= SLOWER_MAX * p99(well.questions_s)
    assert p99(some_hang.starts_s) <= SLOWER_MAX * p99(well.starts_s)
    assert well.sweep_s < 0.1


@pytest.mark.parametrize("hosts", [2, pytest.param(HOSTS, marks=pytest.mark.slow)])
def test_p5_it_takes_one_time_out_to_know_of_all_hosts_that_none_answers(hosts: int) -> None:
    assert Fleet(hosts, hosts).measure().sweep_s < 1.05 * TIMEOUT_S
