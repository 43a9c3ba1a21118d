"""`./dev bench` helps, names what there is, and refuses what it doesn't know with exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import COMMANDS, main
from benchmarks.catalogue import BENCHMARKS
from benchmarks.flames import role_of
from benchmarks.footprint import requirements
from benchmarks.results import FOLDER, load, save
from benchmarks.single import default_path

from .runs import MACHINE, run, slowed


def usage(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The exit code and all that was said."""
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    said = capsys.readouterr()
    return code, said.out + said.err


@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_every_benchmark_and_command_is_listed_with_a_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, said = usage(capsys, *words)
    assert code == 0
    lines = [line.split(maxsplit=1) for line in said.splitlines() if line.startswith("  ")]
    assert {*BENCHMARKS, *COMMANDS} <= {line[0] for line in lines if len(line) > 1}


@pytest.mark.parametrize("name", [*BENCHMARKS, *COMMANDS])
def test_each_has_its_own_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, said = usage(capsys, name, "--help")
    assert code == 0
    assert said.startswith(f"usage: ./dev bench {name}")


@pytest.mark.parametrize(
    "words, why",
    [
        ([], "NAME"),
        (["spwan"], "invalid choice: 'spwan'"),
        (["spawn", "--fast"], "--fast"),
        (["spawn", "--quic"], "--quic"),
        (["load", "--quick"], "load has no quick form"),
        (["all", "--renew"], "--renew is for the baseline of --quick"),
        (["compare", "a.json"], "B.json"),
        (["compare", "none.json", "none.json"], "none.json: No such file"),
        (["profile", "spwan"], "invalid choice: 'spwan'"),
        (["profile", "--seconds", "0"], "--seconds: '0' is no length of time; give seconds above 0"),
        (["spawn", "--output", "{folder}/none/a.json"], "none; make it, or name a file in one that is there"),
        (["all", "--output", "{folder}"], "is a folder; name a file in it"),
        (["limits", "--think", "-5"], "--think: nobody thinks for '-5' ms; give milliseconds from 0"),
        (["limits", "--think", "1,inf"], "--think: nobody thinks for 'inf' ms"),
        (["limits", "--limits", "0,1"], "--limits: '0': no limit is swept there; give whole numbers from 1 to 65536"),
        (["limits", "--limits", "1,99999999"], "--limits: '99999999'"),
        (["limits", "--seconds", "-1"], "--seconds: '-1' is no length of time"),
        (["limits", "--seconds", "0"], "--seconds: '0' is no length of time"),
        (["limits", "--seconds", "soon"], "--seconds: 'soon' is no length of time"),
        (["limits", "--rounds", "0"], "--rounds: '0': nothing can be measured so many times"),
        (["limits", "--picture", "{folder}/none/a.svg"], "there is no folder"),
        (["profile", "--folder", "/proc/none"], "/proc/none can't be made a folder: "),
        (["limits", "--add"], "--add goes on with a file; name it by --output"),
    ],
)
def test_bad_usage_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], why: str
) -> None:
    code, said = usage(capsys, *(word.format(folder=tmp_path) for word in words))
    assert list(tmp_path.iterdir()) == []
    assert code == 2
    assert "usage: ./dev bench" in said
    assert why in said


def test_results_without_a_sweep_are_not_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    save(run(), tmp_path / "a.json")
    code, said = usage(capsys, "limits", "--draw", str(tmp_path / "a.json"))
    assert code == 3
    assert said.endswith("there are other results in it, and no sweep; name a file that ./dev bench limits wrote\n")


def test_a_comparison_tells_its_numbers_and_fails_for_what_is_worse(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    save(run(), before)
    save(run(slowed(0.5)), after)
    code, said = usage(capsys, "compare", str(before), str(after))
    assert code == 1
    assert "spawn: ours  by its limit  x 0.500 (0.500 to 0.500)  WORSE" in said
    assert "95% from 2,000 resamples" in said
    assert usage(capsys, "compare", str(after), str(before))[0] == 0


def test_results_go_where_git_ignores_them_unless_a_file_is_named() -> None:
    assert default_path(MACHINE, "spawn") == FOLDER / "spawn-20260102T030405Z-0123456789ab.json"


def test_the_committed_baseline_can_be_read_and_has_what_all_quick_measures() -> None:
    quick = {each.name for each in BENCHMARKS.values() if each.quick and each.kept}
    kept = load(FOLDER / "baseline.json").results
    assert {each.benchmark for each in kept} == quick
    assert {each.scale for each in kept} == {"quick"}


@pytest.mark.parametrize(
    "words, role",
    [
        ("python -m holdfast --home x serve --slots 2", "supervisor"),
        ("python -m holdfast jobs", "command"),
        ("python -I -S folder/runner.py x", "runner"),
        ("python -m benchmarks spawn", "benchmark"),
        ("python -m benchmarks.load_clients x", "load_clients"),
        ("python -c pass", ""),
    ],
)
def test_a_process_is_known_by_what_it_does(words: str, role: str) -> None:
    assert role_of(words.split()) == role


def test_requirements_count_only_where_their_markers_hold() -> None:
    lines = ["Trio>=0.3", "never; python_version < '3'", "more; extra == 'fast'", "other[a,b]"]
    assert requirements(lines, frozenset()) == [("trio", frozenset()), ("other", frozenset({"a", "b"}))]
    assert ("more", frozenset()) in requirements(lines, frozenset({"fast"}))
