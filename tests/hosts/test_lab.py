"""The lab's hosts are real: they do what OpenSSH does, hang and die as they are told, and leave nothing behind."""

from __future__ import annotations

import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.place import until
from tests.system.processes import alive

from .lab import Lab
from .sshd import Host


@pytest.fixture
def host(lab: Lab) -> Host:
    return lab.host("one")


@pytest.fixture
def session(lab: Lab, host: Host) -> Iterator[subprocess.Popen[str]]:
    """An open connection on which a shell waits for lines."""
    command = [
        "ssh",
        "-F",
        str(lab.config),
        host.name,
        "echo up; while read -r line; do echo $line; done; exec sleep 600",
    ]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == "up\n"
        yield client
        client.kill()


def echoed(client: subprocess.Popen[str], line: str) -> str:
    assert client.stdin is not None
    assert client.stdout is not None
    client.stdin.write(line + "\n")
    client.stdin.flush()
    return client.stdout.readline().strip()


def test_each_host_has_a_home_of_its_own_where_its_commands_start(lab: Lab) -> None:
    for name in ("one", "two"):
        home = lab.host(name).home
        ran = lab.ssh(name, 'pwd; echo "$HOME"; exit 7')
        assert (ran.returncode, ran.stdout.split()) == (7, [str(home), str(home)]), ran.stderr


def test_its_options_are_those_of_sshd(lab: Lab) -> None:
    lab.host("one", ForceCommand="echo forced")
    assert lab.ssh("one", "echo mine").stdout == "forced\n"


def test_a_host_with_another_key_is_refused_until_it_is_trusted(lab: Lab, host: Host) -> None:
    host.swap_host_key()
    ran = lab.ssh("one", "true")
    assert ran.returncode == 255
    assert "HOST IDENTIFICATION HAS CHANGED" in ran.stderr
    lab.trust(host)
    assert lab.ssh("one", "true").returncode == 0


def test_a_stopped_listener_accepts_nobody_and_open_sessions_go_on(
    lab: Lab, host: Host, session: subprocess.Popen[str]
) -> None:
    host.stop_listener()
    assert "timed out" in lab.ssh("one", "true", ConnectTimeout=1).stderr
    assert echoed(session, "still here") == "still here"
    host.continue_()
    assert lab.ssh("one", "true").returncode == 0


def test_a_killed_session_is_closed_and_what_it_started_runs_on(host: Host, session: subprocess.Popen[str]) -> None:
    commands = host.commands()
    assert commands
    host.kill_sessions()
    assert session.wait(timeout=60) == 255
    assert host.sessions() == []
    assert host.commands() == commands


def test_a_killed_listener_refuses_and_its_sessions_go_on(lab: Lab, host: Host, session: subprocess.Popen[str]) -> None:
    host.kill_listener()
    assert "refused" in lab.ssh("one", "true").stderr
    assert echoed(session, "still here") == "still here"
    host.listen_again()
    assert lab.ssh("one", "true").returncode == 0
    assert len(host.sessions()) >= 1


def test_a_host_that_hangs_says_nothing_until_it_goes_on(host: Host, session: subprocess.Popen[str]) -> None:
    host.hang()
    assert session.stdin is not None
    session.stdin.write("anybody there?\n")
    session.stdin.flush()
    assert session.stdout is not None
    assert select.select([session.stdout], [], [], 0.3) == ([], [], [])
    host.continue_()
    assert session.stdout.readline() == "anybody there?\n"


def test_the_end_of_a_host_ends_listener_sessions_and_what_they_left_behind(lab: Lab, host: Host) -> None:
    started = lab.ssh("one", "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!")
    pid = int(started.stdout)
    until(lambda: pid in host.commands(), "what was left behind is found")
    lab.end()
    assert not alive(pid)
    assert not alive(host.pid)
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", host.port)):
        pass


def test_a_path_with_spaces_is_no_trouble(tmp_path: Path) -> None:
    with Lab(tmp_path / "a lab with spaces") as lab:
        home = lab.host("one").home
        assert lab.ssh("one", "pwd").stdout.strip() == str(home)
