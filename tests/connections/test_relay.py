"""The relay: it reaches a runner, or starts it, passes on what both say, and nothing is lost or done twice with it."""

import array
import fcntl
import os
import platform
import signal
import stat
import sys
import termios
import time
from pathlib import Path

import pytest
import trio

from holdfast.actors.connections.bootstrap import remote_command
from tests.runner.driving import until

from .logins import HOME_ID, Login, Relayed, is_alive

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of processes on Linux alone")


async def test_a_host_that_was_never_seen_gets_the_runner_and_says_who_it_is(login: Login) -> None:
    login.environ |= {"ODD": os.fsdecode(b"a\xff'\n"), "SSH_CLIENT": "::1 2 3", "SSH_CONNECTION": "::1 2 ::1 3"}
    before_us = int(time.time() * 1_000_000)
    ready = (await login.begin()).ready
    assert (ready.workdir, ready.folder) == (str(login.workdir), str(login.private))
    assert ready.python == sys.version_info[:3]
    assert (ready.system, ready.node) == (platform.system(), platform.node())
    assert before_us <= ready.wall_us <= int(time.time() * 1_000_000)
    assert (ready.environ["HOME"], ready.environ["ODD"]) == (str(login.home), "a\udcff'\n")
    assert not {"SSH_CLIENT", "SSH_CONNECTION", "PWD", "SHLVL", "_"} & ready.environ.keys()
    assert "LC_CTYPE" not in ready.environ or sys.platform != "linux"  # which Python sets for itself
    files = {path.name: path for path in (login.workdir / ".holdfast").iterdir()}
    (runner,) = [path for name, path in files.items() if name.startswith("runner-")]
    assert sorted(files) == sorted([HOME_ID, runner.name])
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (login.workdir, *files.values())]
    assert modes == [0o700 if path.is_dir() else 0o600 for path in (login.workdir, *files.values())]


async def test_a_runner_that_is_there_is_neither_sent_nor_started_again(login: Login) -> None:
    first = await login.begin()
    (runner,) = (login.workdir / ".holdfast").glob("runner-*.py")
    known = runner.stat()
    second = await login.begin()
    assert first.welcome is not None
    assert second.welcome is not None
    assert first.welcome.pid == second.welcome.pid
    assert (runner.stat().st_ino, runner.stat().st_mtime_ns) == (known.st_ino, known.st_mtime_ns)
    assert await first.ended() == 0  # superseded


async def test_two_connections_at_once_find_one_runner(login: Login) -> None:
    opened: list[Relayed] = []

    async def connect() -> None:
        opened.append(await login.open())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(connect)
        nursery.start_soon(connect)
    welcomes = [await each.greet() for each in opened]
    login.runners |= {welcome.pid for welcome in welcomes}
    assert len({(welcome.pid, welcome.journal) for welcome in welcomes}) == 1


async def test_p2_a_killed_relay_takes_no_job_along_and_none_runs_twice(login: Login) -> None:
    first = await login.begin()
    script = 'echo "$HOLDFAST_TOKEN" >> marks; while [ ! -e go ]; do sleep 0.01; done; exit 3'
    tokens = [f"{HOME_ID}.{number}.1" for number in range(1, 9)]
    for token in tokens:
        await first.run(token, script)
    for token in tokens:
        await first.state(token, "running")
    first.process.send_signal(signal.SIGKILL)
    await first.ended()
    second = await login.begin()
    assert {token: status.state for token, status in second.statuses.items()} == dict.fromkeys(tokens, "running")
    for token in tokens:
        await second.run(token, script)  # as a supervisor that isn't sure would
    (login.workdir / "go").touch()
    for token in tokens:
        assert (await second.state(token, "ended")).exit_code == 3
    assert sorted((login.workdir / "marks").read_text().split()) == sorted(tokens)


async def test_p2_a_killed_runner_ends_the_connection_and_the_next_one_knows_what_ran(login: Login) -> None:
    first = await login.begin()
    token = f"{HOME_ID}.1.1"
    await first.run(token, "echo x >> marks; while [ ! -e go ]; do sleep 0.01; done")
    pid = (await first.state(token, "running")).pid
    assert first.welcome is not None
    os.kill(first.welcome.pid, signal.SIGKILL)
    assert await first.ended() == 0
    second = await login.begin()
    assert second.welcome is not None
    assert second.welcome.pid != first.welcome.pid
    assert second.welcome.journal == first.welcome.journal
    assert (second.statuses[token].state, second.statuses[token].pid) == ("running", pid)
    await second.run(token, "echo x >> marks")
    (login.workdir / "go").touch()
    assert (await second.state(token, "ended")).how == "lost"  # nobody could wait for it
    assert (login.workdir / "marks").read_text() == "x\n"


@linux_only
async def test_a_relay_leaves_at_once_when_its_client_does_and_the_job_runs_on(login: Login) -> None:
    opened = await login.begin()
    token = f"{HOME_ID}.1.1"
    await opened.run(token, "while [ ! -e go ]; do sleep 0.01; done; exit 5")
    pid = (await opened.state(token, "running")).pid
    await opened.stream.aclose()
    with trio.fail_after(5):
        assert await opened.process.wait() == 0
    assert pid is not None
    assert is_alive(pid)
    (login.workdir / "go").touch()
    assert (await (await login.begin()).state(token, "ended")).exit_code == 5


@linux_only
async def test_p9_a_runner_that_takes_nothing_holds_back_the_client_and_a_relay_waits_without_work(
    login: Login,
) -> None:
    opened = await login.begin()
    assert opened.welcome is not None
    os.kill(opened.welcome.pid, signal.SIGSTOP)
    ping = b"\0\0\0\x1a" + b'{"type":"ping","id":12345}'
    sent_bytes = 0
    with trio.move_on_after(0.5):
        while True:
            await opened.stream.send_all(ping * 100)
            sent_bytes += len(ping) * 100
    assert sent_bytes < 2 << 20
    assert await ticks_in_a_while(opened) < 3
    assert memory_bytes(opened.process.pid) < 64 << 20
    await opened.stream.aclose()
    with trio.fail_after(5):
        assert await opened.process.wait() == 0  # though the runner still hangs
    os.kill(opened.welcome.pid, signal.SIGCONT)


@linux_only
async def test_p9_a_client_that_reads_nothing_is_waited_for_without_work(login: Login) -> None:
    opened = await login.begin()
    await opened.send("launch", attempts=[impossible(opened.ready.workdir, number) for number in range(3000)])
    until(lambda: unread_bytes(opened) > 60_000, "a report of some 600 KB fills the pipe")
    assert await ticks_in_a_while(opened) < 3
    await opened.state(f"{HOME_ID}.2999.1", "revoked")
    assert len(opened.statuses) == 3000
    await opened.settle()


@linux_only
async def test_a_runner_that_ends_while_the_client_reads_nothing_leaves_the_relay_without_work(login: Login) -> None:
    opened = await login.begin()
    await opened.send("launch", attempts=[impossible(opened.ready.workdir, number) for number in range(3000)])
    until(lambda: unread_bytes(opened) > 60_000, "a report of some 600 KB fills the pipe")
    assert opened.welcome is not None
    os.kill(opened.welcome.pid, signal.SIGKILL)
    assert await ticks_in_a_while(opened) < 3
    assert await opened.ended() == 0


async def test_frames_of_megabytes_pass_whole(login: Login) -> None:
    opened = await login.begin()
    await opened.launch(f"{HOME_ID}.1.1", "/bin/sh", "-c", 'echo "$0" | wc -c', "x" * 100_000)
    assert login.read(await opened.state(f"{HOME_ID}.1.1", "ended")) == b"100001\n"
    many = [impossible(opened.ready.workdir, number, "y" * 500) for number in range(5000)]
    await opened.send("launch", attempts=many)
    await opened.state(f"{HOME_ID}.4999.1", "revoked")
    await opened.settle()


async def test_jobs_have_the_umask_of_the_login(login: Login) -> None:
    opened = await login.begin(command=f"umask 027; {remote_command()}")
    await opened.run(f"{HOME_ID}.1.1", "umask")
    assert login.read(await opened.state(f"{HOME_ID}.1.1", "ended")) == b"0027\n"


def impossible(cwd: str, number: int, argument: str = "") -> dict[str, object]:
    """An attempt that needs more than there is: it is answered at once, with a long sentence."""
    return {
        "token": f"{HOME_ID}.{number}.1", "argv": ["/bin/true", argument], "cwd": cwd, "env": {},
        "needs": {"cpus": 1001}, "rates": [], "timeout_us": None, "grace_us": 0, "max_output_bytes": 1,
    }  # fmt: skip


async def ticks_in_a_while(opened: Relayed) -> int:
    """The processor time, in ticks, of a relay in 0.3 s: some 30 if it asks again and again, and none if it waits."""
    before = processor_ticks(opened.process.pid)
    with trio.move_on_after(0.3):
        await trio.sleep_forever()
    return processor_ticks(opened.process.pid) - before


def unread_bytes(opened: Relayed) -> int:
    """How much the relay has written that nobody has read."""
    assert isinstance(opened.process.stdout, trio.lowlevel.FdStream)
    count = array.array("i", [0])
    fcntl.ioctl(opened.process.stdout.fileno(), termios.FIONREAD, count)
    return count[0]


def processor_ticks(pid: int) -> int:
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def memory_bytes(pid: int) -> int:
    return int((Path("/proc") / str(pid) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_relay_may_find_its_runner_leaving(login: Login) -> None:
    first = await login.begin()
    assert first.welcome is not None
    os.kill(first.welcome.pid, signal.SIGTERM)
    second = await login.begin()
    assert second.welcome is not None
    until(lambda: first.welcome is not None and not is_alive(first.welcome.pid), "the first runner leaves")
    await second.settle()
