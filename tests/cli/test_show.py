"""`show` tells everything about one job, and nothing that is secret."""

import json

from holdfast.cli.reading.detail import detail_of
from holdfast.events.spec import LimitSpec
from holdfast.store.reader import Reader
from holdfast.store.statements import Value, select
from tests.store.stores import steps_of

from .commands import Caller
from .staging import SECOND_US, Stage, job


def busy(stage: Stage) -> None:
    """A job with about everything that a job can have."""
    stage.submit(
        job("fetch"),
        job(
            "align",
            ("bwa", "a file", "--x"),
            after=["fetch"],
            cwd="/data",
            env={"THREADS": "4"},
            secrets=["API_KEY"],
            needs={"cpus": 2, "memory": 8_000_000_000},
            limits=["licence"],
            retries=2,
            timeout_us=7200 * SECOND_US,
            key="align-a",
            priority=5,
        ),
        job("report", after=["align"]),
        name="flow",
        limits={"licence": LimitSpec(2, 100_000, 5)},
    )
    stage.ran(1)
    stage.started(2)
    stage.now += 2 * SECOND_US
    output = [
        {"segment": "000001.out", "start": 0, "end": 9_400_000_000, "dropped_start": 10, "dropped_end": 9_300_000_010},
        {"segment": "000001.err", "start": 0, "end": 17, "dropped_start": 17, "dropped_end": 17},
    ]
    stage.ended(
        2, exit_code=3, cpu_us=1_900_000, memory_bytes=12_000_000, output=output, started_at=stage.now - 2_000_000
    )
    stage.wake(2)


def test_people_see_all_that_was_asked_for_and_all_that_came_of_it(stage: Stage, call: Caller) -> None:
    busy(stage)
    said = call("show", "align")
    assert said.code == 0
    for words in (
        "job 2 (align) of flow flow-1: delayed, exit code 3",
        "bwa 'a file' --x",
        "/data",
        "cpus 2, memory 8 GB",
        "licence (2 at once, 10/s with a burst of 5)",
        "up to 2, on failed or timeout, after up to 1.0 s doubling to 5 min (1 try failed)",
        "2 h, then 10 s to end by itself",
        "64 MiB of each stream",
        "THREADS=4",
        "API_KEY (names only",
        "align-a",
        "job 3",
        "job 1 (fetch), succeeded",
        "failed: exit code 3",
        "took 2.0 s",
        "CPU time 1.9 s, peak memory 12 MB, stdout 9.4 GB (9.3 GB left out), stderr 17 B",
    ):
        assert words in said.out, words


def test_programs_get_one_object_that_begins_with_the_fields_of_jobs(stage: Stage, call: Caller) -> None:
    busy(stage)
    shown = json.loads(call("show", "2", "--json").out)
    (line,) = [json.loads(each) for each in call("jobs", "2", "--json").out.splitlines()]
    assert {key: shown[key] for key in line} == line
    assert list(shown)[: len(line)] == list(line)
    assert shown["run"] == ["bwa", "a file", "--x"]
    assert shown["dependencies"] == [{"job": 1, "name": "fetch", "kind": "after", "state": "succeeded"}]
    assert shown["secrets"] == ["API_KEY"]
    (attempt,) = shown["attempts"]
    assert (attempt["phase"], attempt["how"], attempt["exit_code"], attempt["cpu_us"]) == (
        "ended",
        "exited",
        3,
        1_900_000,
    )
    assert [each["stream"] for each in attempt["output"]] == ["stdout", "stderr"]


def test_each_phase_of_an_attempt_is_told(stage: Stage, call: Caller) -> None:
    stage.submit(job())
    assert "no attempts yet" in call("show", "1").out
    stage.launch(1)
    assert "launched; its runner has not said yet that it runs" in call("show", "1").out
    stage.says(1, "revoked", error="the target was paused")
    assert "never started: the target was paused" in call("show", "1").out
    stage.started(1)
    assert "running as process 101" in call("show", "1").out
    stage.ended(1)
    assert "2   succeeded" in call("show", "1").out


def test_a_flow_of_several_jobs_is_no_one_job(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"), name="flow")
    said = call("show", "flow-1")
    assert said.code == 2
    assert "'flow-1' is a flow of 2 jobs; name one of them" in said.err


def test_what_a_job_costs_to_read_grows_with_its_attempts_and_not_with_their_square(stage: Stage) -> None:
    """Twice the attempts are to cost twice the steps; if each read all events of its job, it would be four times."""
    stage.submit(job("align", retries=1000))
    shown, viewed = steps_with_more_tries(stage, 20)
    shown_of_twice, viewed_of_twice = steps_with_more_tries(stage, 20)
    assert shown_of_twice < 2.2 * shown
    assert viewed_of_twice < 2.2 * viewed


def steps_with_more_tries(stage: Stage, tries: int) -> tuple[int, int]:
    """What it then costs to read job 1 for `show`, and in the view for people."""
    for _ in range(tries):
        stage.ran(1, exit_code=3)
        stage.now += 3600 * SECOND_US
        stage.wake(1)
    with Reader(stage.home) as reader:
        rows = select(reader.connection, tuple[Value, ...], "select * from attempts where job = 1")
        shown = steps_of(reader.connection, lambda: detail_of(reader, 1))
        viewed = steps_of(reader.connection, lambda: list(rows))
    return shown, viewed
