"""`jobs` lists what there is, for programs as JSON, for people as a table that fits, or says that there is nothing."""

import json
import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from holdfast.cli.main import main
from holdfast.events.messages import Hold
from tests.store.histories import History
from tests.store.processes import as_nobody, open_folder
from tests.store.stores import open_unsynced

from .commands import COMMAND, Caller, environment, on_terminal, run
from .staging import START, Stage, job, staged

FIELDS = [
    "id",
    "name",
    "flow",
    "state",
    "target",
    "attempt",
    "exit_code",
    "submitted_at",
    "started_at",
    "ended_at",
    "reason",
]


def test_each_job_is_one_json_object_with_the_fields_of_the_contract_in_order(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch"), job("align", after=["fetch"]), name="flow")
    stage.ran(1, exit_code=3)
    first, second = [json.loads(line) for line in call("jobs", "--json").out.splitlines()]
    assert list(first) == list(second) == FIELDS
    assert first == {
        "id": 1,
        "name": "fetch",
        "flow": "flow-1",
        "state": "failed",
        "target": "local",
        "attempt": 1,
        "exit_code": 3,
        "submitted_at": "2024-11-20T13:52:00.000000Z",
        "started_at": "2024-11-20T13:52:00.000000Z",
        "ended_at": "2024-11-20T13:52:01.000000Z",
        "reason": "exit code 3",
    }
    assert (second["state"], second["started_at"]) == ("skipped", None)


@pytest.mark.parametrize("seed", range(5))
def test_p4_jobs_equals_replay_byte_for_byte(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], seed: int
) -> None:
    store = open_unsynced(tmp_path)
    history = History(Random(seed), store)
    while store.seq < 300:
        history.step()
    store.close()
    assert main(["jobs", "--home", str(tmp_path), "--json"]) == 0
    jobs = capfdbinary.readouterr().out
    assert main(["replay", "--home", str(tmp_path), "--json"]) == 0
    assert capfdbinary.readouterr().out == jobs
    assert jobs.count(b"\n") > 10


def test_an_empty_home_says_so_on_standard_error_and_succeeds(stage: Stage, call: Caller) -> None:
    assert call("jobs") == (0, "", f"holdfast: no jobs yet in {stage.home.path}\n")
    assert call("jobs", "--json").out == ""


def test_a_missing_home_is_bad_input(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for command in ("jobs", "replay", "log", "verify", "rebuild"):
        assert main([command, "--home", str(tmp_path / "nowhere")]) == 2
        assert "there is no home at" in capfd.readouterr().err


def test_a_home_of_somebody_else_is_refused_and_not_shown_as_empty() -> None:
    with open_folder() as folder, staged(folder) as stage:
        stage.submit(job())
        stage.home.path.chmod(0o700)
        with as_nobody():
            child = os.fork()
            if child == 0:
                os._exit(main(["jobs", "--home", str(stage.home.path)]))
            _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 3


def test_jobs_can_be_chosen_by_id_name_and_flow(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"), name="one")
    stage.submit(job("c"), job("d"), name="two")

    def chosen(*words: str) -> list[int]:
        return [json.loads(line)["id"] for line in call("jobs", "--json", *words).out.splitlines()]

    assert chosen("3", "a") == [1, 3]
    assert chosen("two-2") == [3, 4]
    assert chosen("two-2", "--limit", "1") == [4]
    assert chosen("--limit", "3") == [2, 3, 4]


def test_states_choose_jobs_and_a_wrong_one_is_refused_with_the_nearest(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"), job("c"))
    stage.do(Hold((2,)))
    stage.ran(1)
    found = call("jobs", "--json", "--state", "held", "--state", "succeeded").out
    assert [json.loads(line)["name"] for line in found.splitlines()] == ["a", "b"]
    assert call("jobs", "--state", "lost") == (0, "", "holdfast: no job is like that\n")
    said = call("jobs", "--state", "runing")
    assert said == (2, "", "holdfast: --state: there is no state 'runing'; did you mean running?\n")
    assert "the states are: waiting, held" in call("jobs", "--state", "xyzzy").err


@pytest.mark.parametrize("text", ["x", "0", "-1", "1.5", "", "9" * 30])
def test_a_limit_that_is_no_number_is_refused(call: Caller, text: str) -> None:
    said = call("jobs", f"--limit={text}")
    assert said.code == 2
    assert "--limit: " in said.err


def test_an_unknown_job_is_refused(call: Caller) -> None:
    assert call("jobs", "7") == (2, "", "holdfast: there is no job 7 in this home; `holdfast jobs` lists them\n")


def test_a_pipe_gets_whole_cells_and_no_colours(stage: Stage) -> None:
    stage.submit(job("n" * 150))
    said = run(stage.home, "jobs")
    assert said.code == 0
    assert "n" * 150 in said.out
    assert "\x1b" not in said.out


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 200])
def test_a_table_is_no_wider_than_the_terminal(stage: Stage, columns: int) -> None:
    stage.submit(job("a long name for a job"), job("b" * 100), job("日本語" * 30), name="flow")
    stage.ran(1, exit_code=3)
    said = on_terminal(stage.home, "jobs", columns=columns, NO_COLOR="1")
    assert said.code == 0
    widths = [sum(2 if ord(each) > 0x2E80 else 1 for each in line) for line in said.out.splitlines()]
    assert len(widths) == 4
    assert max(widths) <= columns
    assert all(state in said.out for state in ("failed", "ready"))


def test_a_terminal_gets_colours_unless_no_color_is_set(stage: Stage) -> None:
    stage.submit(job("a"))
    stage.ran(1)
    coloured = on_terminal(stage.home, "jobs", columns=80).out
    assert "\x1b[32msucceeded\x1b[0m" in coloured
    plain = on_terminal(stage.home, "jobs", columns=80, NO_COLOR="1").out
    assert "\x1b" not in plain
    assert plain == coloured.replace("\x1b[32m", "").replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\x1b" not in on_terminal(stage.home, "jobs", columns=80, TERM="dumb").out


def test_the_states_stand_in_one_column(stage: Stage, call: Caller) -> None:
    stage.submit(*(job("x" * length) for length in (1, 20, 3)))
    header, *lines = call("jobs").out.splitlines()
    assert {line.index("ready") for line in lines} == {header.index("STATE")}


def test_a_name_can_not_act_on_the_terminal(stage: Stage, call: Caller) -> None:
    stage.submit(job("a\x1b[2Jb\nc"))
    said = call("jobs").out
    assert "a\\x1b[2Jb\\nc" in said
    assert "\x1b" not in said


def test_a_reader_that_goes_away_early_is_no_error(tmp_path: Path) -> None:
    with staged(tmp_path, START) as stage:
        stage.submit(*(job(f"job-{number}") for number in range(5_000)))
        for words in (["jobs"], ["jobs", "--json"], ["log"], ["log", "--json"], ["replay", "--json"]):
            child = subprocess.Popen(
                [*COMMAND, "--home", str(stage.home.path), *words],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            assert child.stdout is not None
            assert child.stderr is not None
            assert child.stdout.readline()
            child.stdout.close()
            assert (child.wait(60), child.stderr.read()) == (0, b"")
            child.stderr.close()
