"""`log` tells what happened in order, from any position, of all or of one job, and goes on as the log grows."""

import json
import signal
import subprocess

import pytest

from holdfast.store.reader import Reader

from .commands import COMMAND, Caller, environment
from .staging import SECOND_US, Stage, job

FIELDS = ["seq", "time", "type", "author", "cause", "data"]


def test_each_event_is_one_json_object_with_its_data_as_stored(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch", run="echo 'ü'"))
    lines = call("log", "--json").out.splitlines()
    with Reader(stage.home) as reader:
        stored = [each for each, _ in reader.events()]
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
    for line, event in zip(lines, stored, strict=True):
        assert list(json.loads(line)) == FIELDS
        assert line.endswith(f',"data":{event.data}}}')
    assert json.loads(lines[2])["time"] == "2024-11-20T13:52:00.000000Z"


def test_each_kind_of_event_has_a_sentence(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch", retries=1), job("next", after=["fetch"]), name="flow")
    stage.supervisor_started()
    stage.started(1)
    stage.lose_sight()
    stage.says(1, "running", pid=101, process_start=7, started_at=stage.now)
    stage.ended(1, exit_code=3)
    stage.now += SECOND_US
    stage.wake(1)
    stage.launch(1)
    stage.says(1, "revoked")
    told = call("log").out
    for words in (
        "home 0badcafe created",
        "target local offers cpus 2, memory 8 GB",
        "flow flow-1 submitted: 2 jobs",
        "job 1: submitted, ready to start",
        "job 2: submitted, waiting for job 1",
        "supervisor 0.1.0 started as process 4711 on lab",
        "job 1: attempt 1 launched on local",
        "job 1: attempt 1 started as process 101",
        "job 1: attempt 1 is out of reach: its runner does not answer",
        "job 1: attempt 1 is within reach again",
        "job 1: attempt 1 failed: exit code 3",
        "the next try is due at ",
        "job 1: ready to start",
        "job 1: attempt 2 never started: taken back before it started",
    ):
        assert words in told


def test_after_gives_only_what_comes_later(stage: Stage, call: Caller) -> None:
    stage.submit(job(), job())
    assert [json.loads(line)["seq"] for line in call("log", "--json", "--after", "2").out.splitlines()] == [3, 4]
    assert call("log", "--after", "4") == (0, "", "")


def test_a_position_beyond_the_end_is_refused_for_the_log_may_have_lost_its_end(call: Caller) -> None:
    said = call("log", "--after", "3")
    assert said.code == 2
    assert "the log ends with event 2, before 3" in said.err


@pytest.mark.parametrize("text", ["x", "-1", "1.0", ""])
def test_a_position_that_is_no_number_is_refused(call: Caller, text: str) -> None:
    assert call("log", f"--after={text}").code == 2


def test_a_job_gives_only_its_own_events_and_a_flow_those_of_all_its_jobs(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"), name="flow")
    stage.submit(job("c"))
    stage.ran(1)

    def jobs(*words: str) -> list[int]:
        return [json.loads(line)["data"]["job"] for line in call("log", "--json", *words).out.splitlines()]

    assert jobs("--job", "a") == [1, 1, 1, 1]
    assert jobs("--job", "flow-1") == [1, 2, 1, 1, 1]
    assert jobs("--job", "a", "--after", "6") == [1, 1, 1]
    assert call("log", "--job", "nobody").code == 2


@pytest.mark.parametrize("words", [[], ["--job", "1"]])
def test_following_sees_each_event_once_and_in_order(stage: Stage, words: list[str]) -> None:
    stage.submit(job())
    command = [*COMMAND, "--home", str(stage.home.path), "log", "--json", "--follow", *words]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert follower.stdout is not None
    seen = [json.loads(follower.stdout.readline())["seq"]]
    for _ in range(50):
        stage.launch(1)
        stage.says(1, "revoked")
        if len(seen) % 7 == 0:
            seen.append(json.loads(follower.stdout.readline())["seq"])
    wanted = list(range(3 if words else 1, stage.store.seq + 1))
    while len(seen) < len(wanted):
        seen.append(json.loads(follower.stdout.readline())["seq"])
    follower.send_signal(signal.SIGINT)
    rest, err = follower.communicate(timeout=60)
    assert seen == wanted
    assert (rest, err, follower.returncode) == ("", "", 130)


def test_following_ends_when_nobody_reads_any_more(stage: Stage) -> None:
    command = [*COMMAND, "--home", str(stage.home.path), "log", "--follow"]
    follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
    assert follower.stdout is not None
    assert follower.stderr is not None
    assert follower.stdout.readline()
    follower.stdout.close()
    assert (follower.wait(60), follower.stderr.read()) == (0, b"")
    follower.stderr.close()
