"""The conversation: hello, one connection that counts, frames that are none, readers that don't read."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from .driving import RUNNER, Home, frame, until


def test_the_welcome_says_who_the_runner_is(home: Home) -> None:
    runner = home.start()
    link = home.open()
    link.send("hello", protocol=1, environ={})
    welcome = link.receive()
    assert welcome.type == "welcome"
    assert (welcome.protocol, welcome.pid, welcome.attempts) == (1, runner.pid, ())
    assert welcome.boot
    assert welcome.journal


def test_a_ping_is_answered(home: Home) -> None:
    link = home.begin()
    link.send("ping", id=42)
    assert link.receive().id == 42


def test_the_journal_keeps_its_name_when_the_runner_is_another(home: Home) -> None:
    first, second = home.start(), None
    one = home.open()
    one.send("hello", protocol=1, environ={})
    name = one.receive().journal
    home.kill_runner()
    second = home.start()
    two = home.open()
    two.send("hello", protocol=1, environ={})
    welcome = two.receive()
    assert (welcome.journal, welcome.pid) == (name, second.pid)
    assert first.pid != second.pid


def test_a_new_hello_supersedes_and_closes_the_older_connection(home: Home) -> None:
    older = home.begin()
    newer = home.connect()
    assert older.is_closed()
    attempt = home.shell("exit 4")
    newer.launch(attempt)
    assert newer.end(attempt).exit_code == 4


def test_a_connection_that_says_something_before_hello_is_closed_and_the_other_lives_on(home: Home) -> None:
    link = home.begin()
    stranger = home.open()
    stranger.send("stop", tokens=[])
    assert stranger.is_closed()
    link.settle()


def test_another_protocol_is_refused_and_does_not_supersede(home: Home) -> None:
    link = home.begin()
    other = home.open()
    other.send("hello", protocol=2, environ={})
    assert other.is_closed()
    link.settle()


@pytest.mark.parametrize(
    "garbage",
    [
        frame(b"no JSON"),
        frame(b"\xff\xfe\x00"),
        frame(b"[]"),
        frame(b"{}"),
        frame(b"[" * 100_000),
        frame({"type": "dance"}),
        frame({"type": "launch", "attempts": [{"token": "x"}]}),
        frame(b'{"type": "launch", "attempts": [{"token": 7, "argv": []}]}'),
        frame({"type": "stop", "tokens": [1]}),
        frame({"type": "capacity", "capacity": {"cpus": "many"}}),
        frame({"type": "hello", "protocol": 1, "environ": {"A": 1}}),
        (65 << 20).to_bytes(4, "big"),
        b"\xff\xff\xff\xff",
    ],
)
def test_garbage_closes_its_connection_and_nothing_else(home: Home, garbage: bytes) -> None:
    link = home.begin()
    attempt = home.shell("exit 5")
    link.launch(attempt)
    link.end(attempt)
    link.connection.sendall(garbage)
    assert link.is_closed()
    again = home.connect()
    assert again.statuses[attempt.token].exit_code == 5
    assert home.runners[0].poll() is None


def test_a_launch_with_one_bad_entry_has_no_effect_at_all(home: Home) -> None:
    link = home.begin()
    good = home.shell("echo ran > proof")
    link.send("launch", attempts=[good, {"token": "bad"}])
    assert link.is_closed()
    again = home.connect()
    again.settle()
    assert good.token not in again.statuses
    assert not (home.work / "proof").exists()


def test_frames_may_come_in_pieces(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exit 6")
    for byte in frame({"type": "launch", "attempts": [attempt]}):
        link.connection.send(bytes([byte]))
    assert link.end(attempt).exit_code == 6


def test_a_reader_that_never_reads_is_cut_off_and_loses_nothing(home: Home) -> None:
    link = home.begin()
    link.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    attempt = home.shell("exit 3")
    link.launch(attempt)
    tokens = [f"{home.prefix}.{'x' * 4000}.{number}" for number in range(200)]

    def ask_and_never_listen() -> None:
        for _ in range(300):  # each answer is as long as the question, 800 kB
            link.send("revoke", tokens=tokens)

    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        ask_and_never_listen()
    again = home.connect()
    assert again.end(attempt).exit_code == 3
    assert sum(status.state == "revoked" for status in again.statuses.values()) == 200


def test_the_home_may_lie_deeper_than_a_socket_address_is_long(tmp_path: Path) -> None:
    folder = tmp_path / ("deep" * 20) / ("deeper" * 20)
    folder.mkdir(parents=True)
    home = Home(folder)
    try:
        link = home.begin()
        attempt = home.shell("echo deep")
        link.launch(attempt)
        assert home.read(link.end(attempt).output[0]) == b"deep\n"
    finally:
        home.close()


def test_what_the_runner_keeps_is_the_users_alone(home: Home) -> None:
    umask = os.umask(0)
    try:
        link = home.begin()
    finally:
        os.umask(umask)
    attempt = home.shell("echo secret")
    link.launch(attempt)
    link.end(attempt)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.path.rglob("*")}
    assert modes.pop("output") == 0o700
    assert set(modes.values()) == {0o600}
    assert set(modes) >= {"runner.journal", "runner.lock", "runner.log", "runner.sock", "000001.out", "000001.err"}


def test_a_runner_with_nothing_to_do_and_nobody_to_talk_to_leaves(home: Home) -> None:
    runner = home.start("--idle-s", "0.2")
    link = home.connect()
    attempt = home.shell("exit 0")
    link.launch(attempt)
    link.end(attempt)
    link.send("acknowledge", tokens=[attempt.token])
    link.settle()
    link.connection.close()
    assert runner.wait(20) == 0
    assert not (home.path / "runner.sock").exists()


def test_a_runner_with_an_outcome_nobody_acknowledged_stays(home: Home) -> None:
    runner = home.start("--idle-s", "0.05")
    link = home.connect()
    attempt = home.shell("exit 0")
    link.launch(attempt)
    link.end(attempt)
    link.connection.close()
    for _ in range(3):  # each connection ends an idle time
        link = home.connect()
        assert link.statuses[attempt.token].state == "ended"
        link.connection.close()
    link = home.connect()
    link.send("acknowledge", tokens=[attempt.token])
    link.settle()
    link.connection.close()
    assert runner.wait(20) == 0


def test_a_runner_told_to_leave_leaves_and_its_jobs_run_on(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exec sleep 1000")
    link.launch(attempt)
    pid = link.until(attempt, "running").pid
    home.runners[0].terminate()
    assert home.runners[0].wait(20) == 0
    home.start()
    assert home.connect().statuses[attempt.token].pid == pid


def test_ends_are_seen_also_where_whoever_started_the_runner_ignored_the_signal(home: Home) -> None:
    script = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, home.python, "-I", "-S", str(RUNNER), str(home.path)]
    home.runners.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))
    link = home.connect()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    assert link.end(attempt).exit_code == 3


def test_without_a_signalfd_ends_and_its_own_sigterm_are_seen_as_well(home: Home) -> None:
    # It is read only where the low byte of a number comes first in memory.
    script = "import runpy, sys; sys.byteorder = 'big'; runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    command = [home.python, "-I", "-S", "-c", script, str(RUNNER), str(home.path)]
    home.runners.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True))
    link = home.connect()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    assert link.end(attempt).exit_code == 3
    if sys.platform == "linux":
        folder = Path("/proc") / str(home.runners[0].pid) / "fd"
        assert not any("[signalfd]" in str(descriptor.readlink()) for descriptor in folder.iterdir())
    home.runners[0].terminate()
    assert home.runners[0].wait(20) == 0


@pytest.mark.slow
def test_a_second_runner_is_refused(home: Home) -> None:
    link = home.begin()
    second = home.start()
    assert second.wait(20) == 3
    link.settle()


def test_a_runner_waits_for_a_predecessor_that_leaves(home: Home) -> None:
    home.begin()
    second = home.start()
    until((home.path / "runner.lock").exists, "the lock")
    home.runners[0].terminate()
    assert home.runners[0].wait(20) == 0
    home.connect()
    assert second.poll() is None
