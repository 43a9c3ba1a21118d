"""Ten thousand jobs wait, a hundred run, and fifty clients ask, submit and list at once: nothing that was told is lost.

`python -m benchmarks load` is the same ten times as large, with bounds on time and memory.
"""

from __future__ import annotations

import select
import signal
import socket
from functools import partial

import msgspec
import pytest
import trio

from benchmarks.load_clients import JOBS_A_FLOW, crowd
from holdfast.client import ask, send
from holdfast.events.messages import AskStatus, Status, Submit
from holdfast.events.spec import FlowSpec, JobSpec

from .place import Place, until

WAITING = 10_000
RUNNING = 100
SECONDS = 5.0
CLIENTS = {"status": 24, "submit": 14, "jobs": 8, "deaf": 4}


def fill(place: Place) -> None:
    """As many jobs as the supervisor has room for, and others that wait: half for room, half for another job."""
    run = ("sleep", "300")
    running = tuple(JobSpec(run=run, name=f"r{number}") for number in range(RUNNING))
    send(place.home, Submit(FlowSpec(jobs=running, name="running")))
    ready = [JobSpec(run=run, name=f"j{number}", priority=-1) for number in range(WAITING // 2)]
    after = [JobSpec(run=run, name=f"a{number}", after=(f"j{number}",)) for number in range(WAITING // 2)]
    send(place.home, Submit(FlowSpec(jobs=(*ready, *after), name="waiting")))
    with place.reader() as reader:
        until(lambda: reader.counts().get("running") == RUNNING, "as many run as there is room for")


@pytest.mark.slow
def test_p1_fifty_clients_at_once_lose_nothing_among_ten_thousand_jobs(place: Place) -> None:
    serve = place.serve("--slots", str(RUNNING))
    fill(place)
    with place.reader() as reader:
        start = reader.seq
    follower = place.start("log", "--follow", "--json", "--after", str(start))
    reports = trio.run(partial(crowd, place.home, SECONDS, CLIENTS))
    for role in ("status", "submit", "jobs"):
        report = reports[role]
        assert report.answered == report.sent, role
        assert report.answered >= CLIENTS[role], f"each that would {role} got through"
        assert report.refused == []
        assert max(report.took_ms) < 5000, f"nobody waits for those who do not read ({role})"
    submitted = reports["submit"].answered
    with place.reader() as reader:
        assert len(list(reader.jobs("flow glob 'small*'"))) == submitted * JOBS_A_FLOW
        newest = reader.seq
    until(lambda: heard(follower.out) == list(range(start + 1, newest + 1)), "the follower has heard of all of it")
    follower.signal(signal.SIGINT)
    assert serve.running


@pytest.mark.slow
def test_p5_how_things_stand_is_told_while_fifty_thousand_jobs_are_taken_in(place: Place) -> None:
    serve = place.serve()
    jobs = tuple(JobSpec(run=("true",), name=f"j{number}", hold=True) for number in range(50_000))
    line = msgspec.json.encode(Submit(FlowSpec(jobs=jobs))) + b"\n"
    meanwhile = 0
    with socket.socket(socket.AF_UNIX) as submitter:
        submitter.connect(str(place.home.control))
        submitter.sendall(line)  # which comes back when nearly all of it was taken in
        while not select.select([submitter], [], [], 0)[0]:
            meanwhile += not status(place).counts  # nothing of it is recorded yet
        answer = submitter.recv(1 << 16)
    assert b'"type":"Submitted"' in answer
    assert meanwhile >= 5
    assert status(place).counts == {"held": 50_000}
    assert serve.running


def status(place: Place) -> Status:
    answer = ask(place.home, AskStatus())
    assert isinstance(answer, Status)
    return answer


def heard(text: str) -> list[int]:
    """The positions of the events in whole lines of `log --json`."""
    return [msgspec.json.decode(line, type=_Line).seq for line in text.splitlines(keepends=True) if line.endswith("\n")]


class _Line(msgspec.Struct):
    seq: int
