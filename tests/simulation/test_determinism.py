"""A seed decides everything: the order of tasks, each step, the log byte for byte; what it needs of Trio is there."""

from __future__ import annotations

import os
import subprocess
import sys
from random import Random

import outcome
import pytest
import trio

from tests.actors.stepping import pause
from tests.tree import ROOT

from .determinism import Crash, Steps, awaited, make_raise, now_us, run
from .simulation import Simulation

SEEDS = range(15)
DIGESTS = """
from tests.simulation.simulation import Simulation
print(*(Simulation(seed).run().digest for seed in range(15)))
"""


def order_of_tasks(seed: int) -> list[int]:
    order: list[int] = []

    async def note(number: int) -> None:
        for _ in range(3):
            await pause(1.0)
            order.append(number)

    async def scenario() -> list[int]:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                nursery.start_soon(note, number)
        return order

    return run(scenario, seed, Steps())


def test_the_same_seed_runs_tasks_in_the_same_order_and_others_in_others() -> None:
    orders = [order_of_tasks(seed) for seed in range(20)]
    assert [order_of_tasks(seed) for seed in range(20)] == orders
    assert len({tuple(order) for order in orders}) == 20


def test_time_is_virtual_and_starts_at_zero() -> None:
    async def scenario() -> tuple[int, int]:
        begun = now_us()
        await pause(86_400.0)
        return begun, now_us()

    assert run(scenario, 1, Steps()) == (0, 86_400_000_000)


def test_trios_own_source_of_order_is_left_as_it_was() -> None:
    source = vars(trio._core._run)["_r"]
    assert isinstance(source, Random)
    before = source.getstate(), vars(trio._core._run)["_ALLOW_DETERMINISTIC_SCHEDULING"]
    order_of_tasks(1)
    assert (source.getstate(), vars(trio._core._run)["_ALLOW_DETERMINISTIC_SCHEDULING"]) == before


def test_an_await_can_be_made_to_raise_in_the_task_that_is_named_or_below_it() -> None:
    steps = Steps()
    crashed: list[str] = []

    async def work(name: str) -> None:
        try:
            await pause(10.0)
        except Crash:
            crashed.append(name)

    async def parent() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work, "below", name="child")

    async def scenario() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(parent, name="victim")
            nursery.start_soon(work, "other", name="other")
            await pause(5.0)
            steps.arm_crash(0, "victim")

    run(scenario, 1, steps)
    assert crashed == ["below"]


def test_nothing_is_raised_where_a_nursery_waits_or_before_a_task_has_begun() -> None:
    async def scenario() -> tuple[bool, bool]:
        async def forever() -> None:
            await trio.sleep_forever()

        async def parent(task_status: trio.TaskStatus[trio.lowlevel.Task]) -> None:
            async with trio.open_nursery() as inner:
                inner.start_soon(forever)
                task_status.started(trio.lowlevel.current_task())

        async with trio.open_nursery() as nursery:
            waiting = await nursery.start(parent)
            await pause(1.0)
            assert "_nested_child_finished" in awaited(waiting)
            waiting._next_send = outcome.Value(None)  # as if something had woken it
            in_nursery = make_raise(waiting, Crash())
            waiting._next_send = None
            fresh = trio.lowlevel.spawn_system_task(forever)
            at_first_step = make_raise(fresh, Crash())
            nursery.cancel_scope.cancel()
        return in_nursery, at_first_step

    assert run(scenario, 1, Steps()) == (False, False)


def test_the_same_seed_gives_the_same_log_byte_for_byte_twice_in_a_row() -> None:
    first = [Simulation(seed).run() for seed in SEEDS]
    assert [Simulation(seed).run() for seed in SEEDS] == first
    assert len({result.digest for result in first}) == len(SEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", pytest.param("2", marks=pytest.mark.thorough)])
def test_the_same_seed_gives_the_same_log_in_another_process_whatever_order_its_sets_have(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    told = subprocess.check_output([sys.executable, "-c", DIGESTS], cwd=ROOT, env=environment, text=True)
    assert told.split() == [Simulation(seed).run().digest for seed in SEEDS]
