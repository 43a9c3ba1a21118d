"""Which attempts go to Slurm as one array."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.actors.slurm.arrays import SCRIPT_BYTES_MAX, TASKS_MAX, batches
from holdfast.actors.targets.messages import Order
from holdfast.events.spec import SlurmSpec

from .batchfolder import order

SLURM = SlurmSpec(templates={"t": "", "u": ""})
ALIKE = order(1, run=("a",))
OTHERS = {
    "run": {"run": "a string"},
    "name": {"name": "x"},
    "key": {"key": "x"},
    "env": {"env": {"A": "1"}},
    "cwd": {"cwd": "elsewhere"},
    "limits": {"limits": ("x",)},
    "retries": {"retries": 3},
    "after": {"after": (7,)},
}
APART = {
    "needs": {"needs": {"cpus": 2}},
    "licence": {"needs": {"cpus": 1, "matlab": 1}},
    "timeout": {"timeout_us": 60_000_000},
    "sbatch": {"sbatch": {"qos": "long"}},
    "template": {"template": "t"},
    "variables": {"variables": {"a": "b"}},
    "secrets": {"secrets": ("KEY",)},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_what_a_row_of_the_script_can_hold_may_differ(fields: dict[str, object]) -> None:
    other = order(2, **fields)
    assert batches([ALIKE, other], SLURM, 1000) == [(ALIKE, other)]


@pytest.mark.parametrize("fields", APART.values(), ids=APART)
def test_what_all_tasks_share_may_not_differ(fields: dict[str, object]) -> None:
    other, third = order(2, **fields), order(3, **fields)
    assert batches([ALIKE, other, third], SLURM, 1000) == [(ALIKE,), (other, third)]


def test_the_targets_own_options_count_as_the_jobs() -> None:
    other = order(2, sbatch={"qos": "long"})
    assert batches([ALIKE, other], SlurmSpec(sbatch={"qos": "long"}), 1000) == [(ALIKE, other)]


def test_ten_thousand_jobs_go_in_a_few_calls() -> None:
    orders = [order(number, run=("python3", "train.py", "--seed", str(number))) for number in range(10_000)]
    assert [len(each) for each in batches(orders, SLURM, 10_001)] == [TASKS_MAX] * 20
    assert [len(each) for each in batches(orders, SLURM, 401)] == [401] * 24 + [376]


def test_a_script_does_not_grow_beyond_what_each_task_can_read_soon() -> None:
    orders = [order(number, run=("x", "'" * 30_000)) for number in range(10)]
    made = batches(orders, SLURM, 1_000)
    assert [len(each) for each in made] == [4, 4, 2]
    assert all(4 * len(each) * 30_000 < SCRIPT_BYTES_MAX for each in made)
    alone = order(1, run=("x", "y" * SCRIPT_BYTES_MAX))
    assert batches([alone, *orders[:1]], SLURM, 1_000) == [(alone,), (orders[0],)]


_KINDS = st.sampled_from([{}, {"timeout_us": 60_000_000}, {"secrets": ("A",)}])


@given(kinds=st.lists(_KINDS, max_size=30), most=st.integers(0, 5))
def test_each_order_is_in_one_batch_and_none_overtakes_its_like(kinds: list[dict[str, object]], most: int) -> None:
    orders = [order(number, **kind) for number, kind in enumerate(kinds)]
    made = batches(orders, SLURM, most)
    assert sorted(each.job for batch in made for each in batch) == list(range(len(orders)))
    assert all(1 <= len(batch) <= max(1, most) for batch in made)
    firsts = [batch[0].job for batch in made]
    assert firsts == sorted(firsts)
    for kind in kinds:
        alike = [each.job for batch in made for each in batch if _is(each, kind)]
        assert alike == sorted(alike)


def _is(found: Order, kind: dict[str, object]) -> bool:
    return found.spec == order(found.job, **kind).spec
