"""What the comparison with peers does around its measurements: which, how often, how they are shown and judged."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.machine import this_machine
from benchmarks.peers.cases import CASES, Case
from benchmarks.peers.command import chosen, main
from benchmarks.peers.environments import Missing, check_tool, python_of, requirements_of, version
from benchmarks.peers.measuring import Failed, measure, read_seconds
from benchmarks.peers.outcome import results_of, table_of
from benchmarks.peers.pages import BLOCKS, comparison, marks, written
from benchmarks.peers.samples import Sample, Samples
from benchmarks.peers.verdicts import verdicts
from benchmarks.peers.works import BEST_SYNCED, FIGURES, MARKS, Mark, graph_of
from benchmarks.results import FOLDER, Run, load, save
from tests.tree import ROOT

NONSENSE = [
    ["--rounds", "0"],
    ["--rounds", "-1"],
    ["--rounds", "many"],
    ["--seconds", "0"],
    ["--seconds", "nan"],
    ["--output", "{file}/x.json"],
]
PINNED = [each for each in CASES if each.environment]


def case(name: str) -> Case:
    """The case of this name."""
    (found,) = (each for each in CASES if each.name == name)
    return found


def scripted(folder: Path, text: str) -> Case:
    """A case whose script is this text."""
    module = ModuleType("script")
    module.__file__ = str(folder / "script.py")
    (folder / "script.py").write_text(text)
    return Case(name="ours", works=("calls", "dag"), script=module, variant="some", durable="")


def measured(rates: dict[str, float], path: Path | None = None) -> Samples:
    """As if each of these had been measured twice, the second time at a rate that is higher by 2 calls a second."""
    samples = Samples(path)
    for number in range(2):
        for name, rate in rates.items():
            count = case(name).count("calls")
            samples.add(Sample(number, name, "calls", count, "1.0", {"calls": count / (rate + 2 * number)}))
    return samples


def test_no_two_cases_have_one_name() -> None:
    assert len({each.name for each in CASES}) == len(CASES)


@pytest.mark.parametrize("each", PINNED, ids=lambda each: each.name)
def test_all_that_is_in_an_environment_is_pinned_the_peer_among_it(each: Case) -> None:
    lines = requirements_of(each.environment or "").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[\w.]+", line)] == []
    assert f"{each.package}=={version(each)}" in lines


@pytest.mark.parametrize("mark", MARKS, ids=lambda mark: f"{mark.figure} of {mark.case} by {mark.peer}")
def test_a_mark_names_cases_that_do_its_work(mark: Mark) -> None:
    for name in {mark.case, mark.peer or mark.case} - {BEST_SYNCED}:
        assert any(mark.figure in FIGURES[work] for work in case(name).works)


def test_a_job_of_the_graph_comes_after_two_of_the_layer_before() -> None:
    graph = graph_of("dag", 1_000)
    assert graph[:100] == [[]] * 100
    assert all(len(set(needed)) == 2 for needed in graph[100:])
    assert all(each // 100 == number // 100 - 1 for number, needed in enumerate(graph) for each in needed)


def test_jobs_without_an_order_come_after_none() -> None:
    assert graph_of("processes", 3) == [[], [], []]


def test_cases_are_chosen_by_how_their_names_begin_and_by_work() -> None:
    assert [each.name for each in chosen(["NINJA", "gnu"], ["dag", "processes"])] == ["ninja", "GNU parallel"]
    assert [each.name for each in chosen(["ninja", "gnu"], ["dag"])] == ["ninja"]
    assert chosen(["inja"], ["dag"]) == []


def test_a_script_is_run_in_a_folder_of_its_own_that_says_what_to_do(tmp_path: Path) -> None:
    each = scripted(
        tmp_path,
        "import json, os, sys\n"
        "graph = json.load(open('graph.json'))\n"
        "assert sys.argv[1:] == ['some', '1000'] and len(graph) == 1000 and os.listdir() == ['graph.json']\n"
        "print('noise')\n"
        "print(json.dumps({'seconds': 0.5}))\n",
    )
    assert measure(each, "dag", python_of(each, tmp_path)) == {"dag": 0.5}


def test_a_script_that_stops_with_an_error_is_a_failure_in_its_own_words(tmp_path: Path) -> None:
    each = scripted(tmp_path, "print('{\"seconds\": 1}')\nraise SystemExit('two were lost')\n")
    with pytest.raises(Failed, match="two were lost"):
        measure(each, "calls", python_of(each, tmp_path))


@pytest.mark.parametrize("said", ["", "done", '{"append": 1.0}', '{"seconds": "1"}'])
def test_no_figure_is_made_of_a_script_that_says_none(said: str) -> None:
    with pytest.raises(Failed):
        read_seconds(said, "log")


def test_a_command_that_the_system_lacks_is_missed_with_the_package_that_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match="apt-get install ninja-build"):
        check_tool(case("ninja"))


def test_rounds_go_on_where_the_file_ends(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    measured({"persist-queue": 100}, path)
    again = Samples(path)
    assert [again.has(number, case("persist-queue"), "calls") for number in range(3)] == [True, True, False]
    assert again.rates(case("persist-queue"), "calls") == pytest.approx((100, 102))


def test_what_was_measured_of_another_amount_is_left_alone() -> None:
    samples = Samples(None)
    samples.add(Sample(0, "persist-queue", "calls", 7, "1.0", {"calls": 1.0}))
    assert not samples.has(0, case("persist-queue"), "calls")
    assert samples.rates(case("persist-queue"), "calls") == ()


def test_the_table_is_by_rate_and_ends_with_who_is_missing_and_why() -> None:
    samples = measured({"persist-queue": 1_000, "holdfast, submitted together": 9_999, "huey, 2 threads": 1_499})
    (result,) = results_of(samples, CASES)
    _, _, *lines = table_of(result, {"DBOS on SQLite, its queue": "no package index"}).splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "holdfast, submitted together",
        "huey, 2 threads",
        "persist-queue",
        "DBOS on SQLite, its queue",
    ]
    assert lines[1].split()[5:10] == ["1,500", "(1,499", "to", "1,501)", "0.15"]
    assert "synced: WAL" in lines[1]
    assert lines[-1].endswith("no package index")


def test_marks_are_judged_by_the_fastest_peer_that_syncs() -> None:
    rates = {"holdfast, submitted together": 9_000.0, "persist-queue": 1_000, "huey, 2 threads": 1_499}
    least, times = (each.line for each in verdicts(results_of(measured(rates), CASES)))
    assert least == ("calls: holdfast, submitted together: at least 10,000 calls/s: 9,001 calls/s, MISSED, 0.90 of it")
    assert times.endswith("at least 6 times huey, 2 threads (1,500 calls/s): 6.00 times, met")


def test_results_are_a_file_that_the_harness_reads(tmp_path: Path) -> None:
    results = results_of(measured({"persist-queue": 1_000}), CASES)
    save(Run(this_machine(), results), tmp_path / "peers.json")
    assert load(tmp_path / "peers.json").results == results


@pytest.mark.parametrize("page", BLOCKS)
def test_the_tables_of_the_docs_say_what_the_committed_results_say(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == written(page, text, load(FOLDER / "peers.json")), "`./dev bench peers --readme` writes it anew"


def test_the_table_of_the_docs_names_each_case_once_and_says_where_rounds_are_missing() -> None:
    samples = measured({"persist-queue": 1_000, "holdfast, submitted together": 9_999, "huey, 2 threads": 1_499})
    slow = case("DBOS on SQLite, its queue")
    samples.add(Sample(0, slow.name, "calls", slow.count("calls"), "1.0", {"calls": slow.count("calls") / 200.4}))
    run = Run(this_machine(), results_of(samples, CASES))
    caption, _, _, _, row = comparison(run).splitlines()
    assert "medians of 2 rounds, interleaved; where there were more or fewer" in caption
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:] == [
        "submitted together: 10,000",
        "huey, 2 threads: 1,500; persist-queue: 1,000; DBOS on SQLite, its queue: 200 (1)",
        "",
    ]
    assert [line.split("|")[-2].strip() for line in marks(run).splitlines()[4:]] == ["reached", "reached"]


@pytest.mark.parametrize("words", [["--only", "nobody"], ["--works", "play"], ["--resume", "{file}"], *NONSENSE])
def test_words_that_make_no_sense_are_refused_before_anything_is_done(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("{}\n")
    assert main([*(word.format(file=tmp_path / "file") for word in words), "--environments", str(tmp_path)]) == 2
    assert capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
