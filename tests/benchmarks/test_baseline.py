"""A run fails when a ratio falls by a third below the baseline, twice; and not for less, nor for noise."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from benchmarks.baseline import figure, left, standings, together, unlike
from benchmarks.benchmark import Benchmark
from benchmarks.everything import BrokenOff, check, fallen, measure_all
from benchmarks.results import Result, Scale

from .runs import measurement, result, run, slowed


def never(_: str) -> Result:
    raise AssertionError("nothing is suspicious, so nothing is measured again")


def test_a_planted_slow_down_fails_the_run() -> None:
    found = fallen(run(), run(slowed(0.6)), again=lambda _: slowed(0.6))
    assert [(each.benchmark, each.name) for each in found] == [("spawn", "ours")]
    assert str(found[0]) == "spawn: ours: 0.48, the baseline has 0.8: 0.60 of the baseline is left"


def test_a_slow_down_that_is_not_seen_again_was_noise() -> None:
    assert fallen(run(), run(slowed(0.3)), again=lambda _: slowed(0.95)) == []


def test_less_than_a_third_is_not_measured_again() -> None:
    assert fallen(run(), run(slowed(0.67)), again=never) == []


def test_a_faster_machine_is_no_change() -> None:
    twice = result(measurement(samples=[sample * 2 for sample in measurement().samples]))
    both = Result(
        twice.benchmark,
        twice.scale,
        (measurement("bare", [200.0, 220.0, 180.0, 210.0, 190.0], limit=None), *twice.measurements[1:]),
    )
    assert [each.left for each in standings(run(), run(both))] == pytest.approx([1.0])


def test_only_the_suspicious_benchmark_is_measured_again_and_twice_at_most() -> None:
    asked: list[str] = []

    def again(name: str) -> Result:
        asked.append(name)
        return slowed(0.5, name)

    baseline = run(result(), result(benchmark="other"))
    two = result(*(measurement(name, [sample / 2 for sample in measurement().samples]) for name in ("ours", "more")))
    before = run(result(measurement(), measurement("more")), result(benchmark="other"))
    assert len(fallen(before, run(two, result(benchmark="other")), again)) == 1  # the second run had only one of them
    assert asked == ["spawn", "spawn"]
    assert fallen(baseline, run(result(), slowed(0.5, "other")), again) != []
    assert asked == ["spawn", "spawn", "other", "other"]
    assert fallen(baseline, run(result(), slowed(0.5, "other")), lambda name: result(benchmark=name)) == []


def test_what_falls_elsewhere_at_the_repetition_is_not_held_against_it() -> None:
    first = result(measurement("a", [40.0] * 5), measurement("b"))
    second = result(measurement("a"), measurement("b", [40.0] * 5))
    baseline = run(result(measurement("a"), measurement("b")))
    assert fallen(baseline, run(first), again=lambda _: second) == []


@pytest.mark.parametrize(
    "better, before, now, fell",
    [("higher", 0.9, 0.5, True), ("higher", 0.5, 0.9, False), ("lower", 1.0, 1.6, True), ("lower", 1.0, 0.5, False)],
)
def test_worse_is_less_of_a_rate_and_more_of_a_cost(better: str, before: float, now: float, fell: bool) -> None:  # noqa: FBT001
    each = measurement(better="higher" if better == "higher" else "lower")
    assert (left(before, now, each) < 2 / 3) is fell


def test_only_what_doesn_t_hang_on_the_machine_is_kept() -> None:
    assert figure(result(), measurement()) == pytest.approx(0.8)
    assert figure(result(), measurement(limit=None)) is None
    assert figure(result(), replace(measurement(limit=None), portable=True)) == 80
    assert figure(result(), replace(measurement(), loose=True)) is None


def test_a_baseline_of_other_measurements_fails_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    other = run(result(measurement("new")))
    assert unlike(run(), other) == [
        "spawn: new is new, and not in the baseline",
        "spawn: ours is in the baseline, and was not measured",
    ]
    assert check(run(), other) == 1
    assert "./dev bench all --quick --renew" in capsys.readouterr().out


def test_a_run_like_its_baseline_passes_and_tells_the_lowest(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(run(), run(slowed(0.9))) == 0
    assert "1 ratios, none more than a third below the baseline; the lowest: spawn: ours" in capsys.readouterr().out


def test_a_baseline_has_the_rounds_of_all_its_runs() -> None:
    joined = together([run(slowed(0.5)), run(), run(slowed(1.0))])
    assert [len(each.samples) for each in joined.results[0].measurements] == [15, 15]
    assert [each.before for each in standings(joined, run())] == pytest.approx([0.8])


def test_a_benchmark_that_breaks_off_keeps_no_other_from_being_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def apart(benchmark: Benchmark, _: Scale) -> Result:
        if benchmark.name == "spawn":
            raise BrokenOff("spawn broke off")
        return result(benchmark=benchmark.name)

    monkeypatch.setattr("benchmarks.everything.measure_apart", apart)
    found, broken = measure_all("quick")
    assert broken == ["spawn broke off"]
    names = [each.benchmark for each in found.results]
    assert "spawn" not in names
    assert "footprint" in names
