"""A comparison claims what is beyond the noise, claims nothing else, and refuses what is not of one shape."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from benchmarks.bootstrap import ratio_of_medians
from benchmarks.comparison import compare
from benchmarks.results import BadResults, Measurement, Result, Run

from .runs import measurement, result, run, slowed


def verdicts(before: Run, after: Run) -> list[str]:
    """Of what has a limit."""
    return [row[-1] for row in compare(before, after) if row[1] == "by its limit"]


def test_a_clear_change_is_claimed_in_its_direction() -> None:
    assert verdicts(run(), run(slowed(0.8))) == ["WORSE"]
    assert verdicts(run(), run(slowed(1.2))) == ["better"]


def test_of_a_cost_less_is_better() -> None:
    cheap, dear = (run(result(measurement(better="lower", samples=[amount] * 5))) for amount in (10.0, 20.0))
    assert verdicts(dear, cheap) == ["better"]
    assert verdicts(cheap, dear) == ["WORSE"]


def test_noise_is_no_change() -> None:
    random = Random(7)
    for _ in range(20):
        runs = [run(result(measurement(samples=[random.gauss(80, 8) for _ in range(9)], limit=None))) for _ in range(2)]
        found = [row[-1] for row in compare(*runs) if row[0] == "spawn: ours"]
        assert found == ["no change seen"] or abs(_ratio(runs) - 1) > 0.05


def _ratio(runs: list[Run]) -> float:
    before, after = (each.results[0].measurements[1].samples for each in runs)
    return ratio_of_medians(after, before).ratio


def test_one_sample_claims_nothing() -> None:
    runs = [run(result(measurement(samples=[amount], limit=None))) for amount in (10.0, 99.0)]
    assert "not compared: fewer than 3 samples: their noise isn't known" in [row[-1] for row in compare(*runs)]


def test_a_size_needs_no_rounds_to_have_changed() -> None:
    small, more = (
        run(result(replace(measurement(samples=[amount], limit=None, better="lower"), portable=True)))
        for amount in (50.0, 50.6)
    )
    assert [row[-1] for row in compare(small, more)][-1] == "WORSE"
    assert [row[-1] for row in compare(more, small)][-1] == "better"
    assert [row[-1] for row in compare(small, small)][-1] == "no change seen"


def test_a_slower_machine_is_told_and_not_held_against_the_project() -> None:
    slow = replace(result(), measurements=tuple(_halved(each) for each in result().measurements))
    found = {row[0]: row[1:] for row in compare(run(), run(slow))}
    assert found["spawn: bare"][0] == "the machine"
    assert found["spawn: bare"][-1] == "it differs"
    assert found["spawn: ours"][-1] == "no change seen"


def _halved(each: Measurement) -> Measurement:
    return replace(each, samples=tuple(sample / 2 for sample in each.samples))


def test_zeros_have_no_ratio_and_are_equal_to_zeros() -> None:
    zero, some = (run(result(measurement(samples=[amount] * 5, limit=None))) for amount in (0.0, 1.0))
    assert [row[-1] for row in compare(zero, zero)] == ["no change seen"] * 2
    assert [row[-1] for row in compare(zero, some)][-1].startswith("not compared: samples that are not above 0")


def test_the_interval_holds_the_ratio_says_the_same_twice_and_narrows_with_more_samples() -> None:
    random = Random(3)
    before, after = ([random.gauss(mean, 5) for _ in range(40)] for mean in (100, 110))
    found = ratio_of_medians(after, before)
    assert found.low < found.ratio < found.high
    assert found.low > 1
    assert found == ratio_of_medians(after, before)
    few = ratio_of_medians(after[:5], before[:5])
    assert few.high - few.low > found.high - found.low


def test_about_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    random = Random(11)
    held = 0
    for _ in range(100):
        before, after = ([random.gauss(100, 10) for _ in range(15)] for _ in range(2))
        found = ratio_of_medians(after, before, resamples=200)
        held += found.low <= 1 <= found.high
    assert 88 <= held <= 100


@pytest.mark.parametrize(
    "other, why",
    [
        (result(benchmark="load"), r"benchmarks: 'spawn' only in the first, 'load' only in the second"),
        (result(scale="full"), r"spawn: scale: 'quick' in the first, 'full' in the second"),
        (result(measurement("theirs")), r"spawn: measurements: 'ours' only in the first, 'theirs' only in the second"),
        (result(measurement(better="lower")), r"spawn: ours: better: 'higher' in the first, 'lower' in the second"),
        (result(measurement(limit=None)), r"spawn: ours: limit: 'bare' in the first, None in the second"),
    ],
)
def test_files_of_different_shapes_are_refused_with_place_rule_and_remedy(other: Result, why: str) -> None:
    remedy = "; only runs of the same benchmarks can be compared; measure both with one version of them, at one scale"
    with pytest.raises(BadResults, match=why + remedy):
        list(compare(run(), run(other)))
