"""What comes over the control socket harms nobody: nonsense, half requests, crowds, and clients that do not read."""

from __future__ import annotations

import socket

import pytest

from holdfast.client import send
from holdfast.events.messages import Submit
from holdfast.events.spec import FlowSpec, JobSpec

from .gates import gate, mid_run, open_gate
from .place import Place, until


def connect(place: Place) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(place.home.control))
    connection.settimeout(20)
    return connection


def answer_to(place: Place, data: bytes) -> bytes:
    with connect(place) as connection:
        connection.sendall(data)
        return connection.recv(1 << 16)


def test_p7_nonsense_is_refused_with_a_sentence_and_the_flow_goes_on(place: Place) -> None:
    run = mid_run(place, gate("a"))
    endless = b'{"type":"Cancel","jobs":[' + b"9" * 5000 + b"]}"
    for data in (b"", b"{}", b'{"type":"Submit"}', b"\xff\xfe", b'{"type":"Explode"}', b"[" * 100_000, endless):
        assert b'"exit_code":2' in answer_to(place, data + b"\n"), data[:20]
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_p5_clients_that_leave_in_mid_request_or_never_speak_keep_nobody_waiting(place: Place) -> None:
    run = mid_run(place, gate("a"))
    for _ in range(50):
        with connect(place) as connection:
            connection.sendall(b'{"type":"Pau')
    silent = [connect(place) for _ in range(100)]
    assert place.run("submit", "--", "true").code == 0
    for each in silent:
        each.close()
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_p9_more_clients_than_are_served_are_told_so_and_the_supervisor_lives_on(place: Place) -> None:
    run = mid_run(place, gate("a"))
    crowd: list[socket.socket] = []
    for _ in range(300):
        each = connect(place)
        crowd.append(each)
    # Those that were not served have been told, or can't be told any more because they left.
    for each in crowd[::2]:
        each.close()
    for each in crowd[1::2]:
        each.close()
    until(lambda: place.run("submit", "--", "true").code == 0, "others are served again")
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_p9_a_client_that_does_not_read_its_answers_is_cut_off(place: Place) -> None:
    run = mid_run(place, gate("a"))
    with connect(place) as deaf:
        deaf.settimeout(1)
        try:
            for _ in range(100_000):
                deaf.sendall(b'{"type":"AskStatus"}\n' * 50)
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        assert place.run("submit", "--", "true").code == 0
    open_gate(place, "a")
    assert run.finish().code == 0


@pytest.mark.slow
def test_jobs_of_megabytes_are_recorded_and_fail_with_a_sentence_where_the_system_takes_no_such_arguments(
    place: Place,
) -> None:
    jobs = tuple(JobSpec(run=("true", "x" * 9_000_000), cwd=str(place.folder)) for _ in range(8))
    send(place.home, Submit(FlowSpec(jobs=jobs)))
    run = place.start("run", "--slots", "8")
    assert run.finish().code == 1
    assert {job.state for job in place.jobs()} == {"failed"}
    assert "longer than the system allows" in (place.job("1").reason or "")
