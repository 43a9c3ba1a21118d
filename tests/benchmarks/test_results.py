"""Results are kept as they are, refused where they can't be right, and say whether a budget is met."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from benchmarks.machine import this_machine
from benchmarks.results import BadResults, Measurement, load, save
from benchmarks.tables import budget_text, number, table_of

from .runs import measurement, result, run


@pytest.mark.parametrize("compact", [False, True])
def test_what_is_saved_is_loaded_again(tmp_path: Path, *, compact: bool) -> None:
    written = run(result(measurement(budget=0.8)), result(benchmark="other"))
    save(written, tmp_path / "run.json", compact=compact)
    assert load(tmp_path / "run.json") == written
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_ratios_are_taken_round_by_round_so_that_a_drift_of_the_machine_is_none() -> None:
    assert result().ratios(measurement()) == pytest.approx((0.8,) * 5)


def test_other_numbers_of_rounds_are_compared_by_their_medians() -> None:
    assert result().ratios(measurement(samples=(50.0,))) == (0.5,)


@pytest.mark.parametrize(
    "each, reached, met",
    [
        (measurement(budget=0.8), 0.8, True),
        (measurement(budget=0.81), 0.8, False),
        (measurement(budget=0.8, better="lower"), 0.8, True),
        (measurement(budget=0.79, better="lower"), 0.8, False),
        (measurement(budget=80, budget_on="median"), 80, True),
        (measurement(budget=80.5, budget_on="median", limit=None), 80, False),
        (measurement(budget=-20, budget_on="difference"), -20, True),
        (measurement(budget=-21, budget_on="difference", better="lower"), -20, False),
        (measurement(), None, None),
    ],
)
def test_a_budget_is_met_or_missed(each: Measurement, reached: float | None, met: bool | None) -> None:  # noqa: FBT001
    found = result(each)
    assert found.reached(each) == (None if reached is None else pytest.approx(reached))
    assert found.met(each) is met


@pytest.mark.parametrize(
    "bad, why",
    [
        (measurement(limit="nothing"), "has the limit 'nothing', which was not measured"),
        (measurement("bare", limit=None), "stands there 2 times"),
        (measurement(samples=()), "has no samples"),
        (measurement(limit=None, budget=0.5), "has a budget on a ratio and no limit"),
    ],
)
def test_what_can_t_be_right_is_refused_with_its_place(tmp_path: Path, bad: Measurement, why: str) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(BadResults, match=why):
        save(run(result(bad)), path)
    assert not path.exists()
    path.write_bytes(msgspec.json.encode(run(result(bad))))
    with pytest.raises(BadResults, match=f"{path}: spawn: .*{why}"):
        load(path)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 1, "results": []}', "null"])
def test_a_file_that_is_none_of_ours_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BadResults, match=r"other\.json: .*; name a file that \./dev bench NAME --output FILE wrote"):
        load(path)


def test_a_missing_file_and_a_later_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadResults, match="No such file"):
        load(tmp_path / "none.json")
    later = tmp_path / "later.json"
    later.write_bytes(msgspec.json.encode(msgspec.structs.replace(run(), format=2)))
    with pytest.raises(BadResults, match="format 2, this version reads 1; measure anew"):
        load(later)


def test_a_machine_says_nothing_of_whose_it_is() -> None:
    text = msgspec.json.encode(this_machine()).decode()
    assert set(json.loads(text)) == {"cores", "processor", "kernel", "python", "sqlite", "packages", "commit", "date"}
    assert str(Path.cwd()) not in text


def test_the_table_tells_limit_ratio_budget_and_verdict() -> None:
    met, missed = measurement("4 slots", budget=0.8), measurement("2 slots", budget=0.9)
    lines = table_of(result(met, missed)).splitlines()
    assert lines[0].split() == ["limit", "measured", "unit", "by", "limit", "budget"]
    assert lines[1].split("  ")[0] == "4 slots"
    assert lines[1].endswith("0.80      at least 0.8  met")
    assert lines[2].endswith("0.80      at least 0.9  MISSED")
    assert "bare" not in "".join(lines)
    assert "100 (90 to 110)" in lines[1]


def test_a_budget_reads_as_what_it_is_on() -> None:
    assert budget_text(measurement(budget=0.5)) == "at least 0.5"
    assert budget_text(measurement(budget=50_000, budget_on="median")) == "at least 50,000 jobs/s"
    assert budget_text(measurement(budget=100, budget_on="difference", better="lower")) == "at most 100 jobs/s more"


@pytest.mark.parametrize(
    "value, text",
    [(0, "0"), (0.01234, "0.0123"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1_234_567, "1,234,567")],
)
def test_numbers_have_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
