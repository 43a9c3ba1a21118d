"""What the benchmarks with a cluster make of their samples, and what they say where there is no Slurm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.__main__ import main
from benchmarks.benchmark import Benchmark
from benchmarks.catalogue import BENCHMARKS
from benchmarks.everything import measure_all
from benchmarks.results import Measurement, Result
from benchmarks.slurm_latency import Waits, told
from benchmarks.slurm_pilot import HAND, PEER, by_all

from .runs import measurement


def test_jobs_in_an_allocation_are_held_against_the_local_target_and_against_one_sbatch_for_each() -> None:
    hand, peer = measurement(HAND, [40.0, 44.0], limit=None), measurement(PEER, [500.0, 550.0], limit=None)
    local, ours = measurement("local", [1000.0, 1100.0], limit=None), measurement("pilot", [750.0, 825.0])
    found = Result("slurm-pilot", "full", tuple(by_all([hand, peer, local, _limited(ours, "local", 0.7)])))
    pilots = [each for each in found.measurements if each.limit is not None]
    assert [each.name for each in pilots] == ["pilot", f"pilot, by {HAND}", f"pilot, by {PEER}"]
    assert [found.ratios(each)[0] for each in pilots] == pytest.approx([0.75, 18.75, 1.5])
    assert [found.met(each) for each in pilots] == [True, False, None]


def _limited(found: Measurement, limit: str, budget: float) -> Measurement:
    return replace(found, limit=limit, budget=budget)


def test_a_first_command_may_come_a_fifth_of_a_second_later_than_by_hand() -> None:
    waits = Waits()
    waits.bare, waits.first, waits.end = [0.4, 0.5, 0.6], [0.55, 0.65, 0.75], [1.0, 1.1, 1.2]
    found = Result("slurm-latency", "full", tuple(told(waits)))
    assert found.met(found.measurements[1])
    waits.first = [each + 0.1 for each in waits.first]
    found = Result("slurm-latency", "full", tuple(told(waits)))
    assert found.met(found.measurements[1]) is False


def test_where_there_is_no_slurm_it_is_said_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def nowhere(tool: str, path: str | None = None) -> None:
        del tool, path

    monkeypatch.setattr(shutil, "which", nowhere)
    for no_skip in ("0", "1"):
        monkeypatch.setenv("HOLDFAST_NO_SKIP", no_skip)
        with pytest.raises(SystemExit) as leaving:
            main(["slurm-arrays", "--quick", "--output", str(tmp_path / "results.json")])
        assert "not measured: the command 'munged' is missing" in str(leaving.value)
        assert "slurmctld" in str(leaving.value)
    assert list(tmp_path.iterdir()) == []
    assert "slurm" not in capsys.readouterr().out


def test_what_needs_slurm_has_a_quick_form_and_no_part_in_the_quick_run_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    measured: list[str] = []

    def note(benchmark: Benchmark, scale: str) -> Result:
        measured.append(f"{benchmark.name} {scale}")
        return Result(benchmark.name, "quick", ())

    monkeypatch.setattr("benchmarks.everything.measure_apart", note)
    measure_all("quick")
    quick, measured[:] = list(measured), []
    measure_all("full")
    slurm = [name for name in BENCHMARKS if name.startswith("slurm-")]
    assert all(BENCHMARKS[name].quick for name in slurm)
    assert [each for each in quick if each.startswith("slurm-")] == []
    assert [each for each in measured if each.startswith("slurm-")] == [f"{name} full" for name in slurm]
