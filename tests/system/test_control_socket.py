"""What comes over the control socket harms nobody: nonsense, half requests, crowds, and clients that do not read."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from holdfast.client import send
from holdfast.events.errors import BadInput, Unavailable
from holdfast.events.messages import Cancel, Changed, Pause, Submit
from holdfast.events.spec import FlowSpec, JobSpec

from .gates import gate, mid_run, open_gate
from .place import Place, until, wait_s


def connect(place: Place) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(place.home.control))
    connection.settimeout(20)
    return connection


def memory_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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
    crowd = [connect(place) for _ in range(300)]
    served: list[bool] = []
    for each in crowd:
        with suppress(BrokenPipeError):  # by one that is not let in
            each.sendall(b'{"type":"AskStatus"}\n')
        answer = each.recv(1 << 16)
        served.append(b'"type":"Status"' in answer)
        assert served[-1] or (b"256 clients are being served" in answer)
    assert served == [True] * 256 + [False] * 44
    with pytest.raises(Unavailable, match="256 clients are being served"):
        send(place.home, Pause())
    for each in crowd:
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


@pytest.mark.slow
def test_p9_a_request_of_300_mb_is_refused_with_a_sentence_and_forgotten(place: Place) -> None:
    serve = place.serve()
    huge = JobSpec(run=("true", "x" * 300_000_000))
    with pytest.raises(BadInput, match="longer than 256 MiB"):
        send(place.home, Submit(FlowSpec(jobs=(huge,))))
    assert place.jobs() == []
    assert serve.running
    until(lambda: memory_bytes(serve.pid) < 150_000_000, "what was refused is let go")


@pytest.mark.slow
def test_p1_an_answer_that_names_50_000_jobs_arrives_although_the_run_ends_with_them(place: Place) -> None:
    count = 50_000
    lines = "".join(f'{{"name":"j{number}","run":["true"],"after":["gate"]}}\n' for number in range(count))
    run = place.start("run", place.flow('{"name":"gate","run":["sleep","600"]}\n' + lines, "flow.jsonl"))
    place.until_state("gate", "running")
    jobs = tuple(range(1, count + 2))
    with connect(place) as slow, place.reader() as reader:
        slow.sendall(msgspec.json.encode(Cancel(jobs)) + b"\n")
        until(lambda: reader.counts() == {"cancelled": len(jobs)}, "all are cancelled")
        wait_s(0.5)  # in which it would have left
        answer = b"".join(iter(lambda: slow.recv(1 << 16), b""))
    assert msgspec.json.decode(answer, type=Changed).jobs == jobs
    assert run.finish().code == 1


@pytest.mark.slow
def test_a_command_that_took_effect_does_not_say_that_no_supervisor_runs_because_it_ended_with_it(place: Place) -> None:
    run = mid_run(place, gate("a"))
    cancelled = place.run("cancel", "a")
    assert (cancelled.code, cancelled.err) == (0, "")
    assert run.finish().code == 1


def test_p8_a_folder_where_the_control_socket_shall_be_is_refused_at_once_and_said_once(place: Place) -> None:
    assert place.run("submit", "--hold", "--", "true").code == 0
    place.home.control.mkdir()
    for words in ("run", "serve"):
        done = place.run(words)
        assert done.code == 3
        (said,) = done.err.splitlines()
        assert f"{place.home.control} is a folder" in said
        assert said.endswith("remove the folder")
    place.home.control.rmdir()
    assert place.run("release", "1").code == 0
    assert place.run("run").code == 0
