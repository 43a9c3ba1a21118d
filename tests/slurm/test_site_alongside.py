"""Slurm's commands on this machine, through a runner beside the jobs: whole answers, or a word on what is not known."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
import trio

from holdfast.actors.connections.bootstrap import RelayRefused
from holdfast.actors.connections.ways import Ways
from holdfast.actors.reply import Reply
from holdfast.actors.slurm.site import Finished, NotRun, Unclear
from holdfast.events.messages import Answer, OutputPiece, ReadOutput, Refusal
from tests.system.processes import alive, carrying, kill

from .reaching import HOME_ID, Reached, Told, cluster, reached, seen_to, ways


@pytest.fixture
def workdir(tmp_path: Path) -> Iterator[Path]:
    """A folder for a cluster's jobs; the runners in it are ended with the test."""
    folder = tmp_path / "work"
    yield folder
    for pid, where in carrying(bytes(folder) + b"/"):
        if where == "cmdline":
            kill(pid, signal.SIGKILL)


@pytest.fixture
async def by() -> AsyncGenerator[Ways]:
    async with ways() as made:
        yield made


@pytest.fixture
async def here(by: Ways, workdir: Path) -> AsyncGenerator[Reached]:
    async with reached(by, cluster(workdir)) as made:
        yield made


async def shell(here: Reached, script: str, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
    return await here.site.run(["/bin/sh", "-c", script], stdin=stdin, timeout_s=timeout_s)


def environ_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def relays(of: int | str = "self") -> set[int]:
    """The processes that are relays and were started by this one, or another."""
    children = {int(pid) for file in Path(f"/proc/{of}/task").glob("*/children") for pid in file.read_text().split()}
    return {pid for pid in children if b"-I\0-S\0-c\0" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_a_command_is_run_in_the_workdir_and_answered_whole(here: Reached, workdir: Path) -> None:
    finished = await shell(here, "pwd; cat; echo wrong >&2; exit 7", b"in\xffput")
    assert finished == Finished(7, bytes(workdir) + b"\nin\xffput", b"wrong\n")
    assert (await shell(here, "kill -9 $$")).exit_code == -signal.SIGKILL


async def test_its_folder_is_private_in_the_workdir_and_has_what_output_is_read_from(
    here: Reached, workdir: Path
) -> None:
    assert here.site.workdir == str(workdir)
    folder = Path(here.site.folder)
    assert folder.parent == workdir / ".holdfast"
    assert folder.name.startswith(HOME_ID + "-")
    assert {stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent, folder / "output")} == {0o700}
    (folder / "output" / "7.1.out").write_bytes(b"printed")
    reply: Reply[Answer] = Reply()
    here.told.conversation.read(ReadOutput("cluster", "7.1.out", 2, 100), reply)
    assert await reply.wait() == OutputPiece(b"inted", running=False)
    outside: Reply[Answer] = Reply()
    here.told.conversation.read(ReadOutput("cluster", "../7.1.out", 2, 100), outside)
    assert isinstance(await outside.wait(), Refusal)


async def test_a_script_of_megabytes_goes_and_a_table_of_megabytes_comes(here: Reached) -> None:
    script = os.urandom(2 << 20)
    finished = await shell(here, "cat; head -c 4194304 /dev/zero", script)
    assert finished.stdout == script + bytes(4 << 20)


async def test_hundreds_at_once_are_each_answered_with_their_own(here: Reached) -> None:
    answers: dict[int, bytes] = {}

    async def ask(number: int) -> None:
        answers[number] = (await shell(here, f"cat; echo {number}", b"%d " % number)).stdout

    async with trio.open_nursery() as nursery:
        for number in range(300):
            nursery.start_soon(ask, number)
    assert answers == {number: b"%d %d\n" % (number, number) for number in range(300)}


async def test_variables_that_outdo_what_is_asked_and_secrets_stay_behind(
    monkeypatch: pytest.MonkeyPatch, by: Ways, workdir: Path
) -> None:
    for name in ("SQUEUE_STATES", "SBATCH_JOB_NAME", "SLURM_CLUSTERS", "SLURM_CONF", "TEST_SECRET", "PLAIN"):
        monkeypatch.setenv(name, f"value of {name}")
    async with reached(by, cluster(workdir)) as here:
        lines = (await here.site.run(["env"])).stdout.decode().splitlines()
    assert {line for line in lines if "value of" in line} == {
        "SLURM_CONF=value of SLURM_CONF",
        "PLAIN=value of PLAIN",
    }


async def test_p10_no_secret_stands_in_the_environment_of_the_runner(
    monkeypatch: pytest.MonkeyPatch, by: Ways, workdir: Path
) -> None:
    monkeypatch.setenv("TEST_SECRET", "its value")
    async with reached(by, cluster(workdir)) as here:
        assert b"its value" not in environ_of(here.told.runner)


async def test_what_is_not_there_was_surely_not_run(here: Reached) -> None:
    with pytest.raises(NotRun, match=r"'sbotch' at cluster was not run: the program 'sbotch' was not found: .* PATH"):
        await here.site.run(["sbotch", "--parsable"])
    with pytest.raises(NotRun, match="NUL"):
        await here.site.run(["true", "a\0b"])
    with pytest.raises(NotRun, match="33554432 is the most"):
        await here.site.run(["cat"], stdin=bytes((32 << 20) + 1))


async def test_what_takes_too_long_is_ended_and_unclear(here: Reached, workdir: Path) -> None:
    with pytest.raises(Unclear, match=r"did not end within 0.2 s and was ended; what it has done is not known"):
        await shell(here, "echo $$ > pid; exec sleep 1000", timeout_s=0.2)
    assert not alive(int((workdir / "pid").read_text()))


async def test_a_cut_answer_is_never_taken_for_whole(here: Reached) -> None:
    with pytest.raises(Unclear, match="printed more than the 16777216 bytes"):
        await shell(here, "head -c 16777217 /dev/zero")


async def test_a_link_that_ends_in_mid_command_leaves_it_unclear_and_the_command_runs_on(
    by: Ways, workdir: Path
) -> None:
    told = Told()
    seen: list[str] = []

    async def ask(here: Reached) -> None:
        with pytest.raises(Unclear, match="whether '/bin/sh' at cluster has run is not known: the connection ended"):
            await shell(here, "touch began; while [ ! -e go ]; do sleep 0.01; done; cat > came", b"x" * 100_000)
        seen.append("unclear")

    async with trio.open_nursery() as nursery, reached(by, cluster(workdir), told) as here:
        nursery.start_soon(ask, here)
        await seen_to((workdir / "began").exists, "it runs")
        here.cut.cancel()
        await here.over.wait()
        with pytest.raises(NotRun, match="cluster is not connected just now"):
            await shell(here, "touch never")
    assert seen == ["unclear"]
    async with reached(by, cluster(workdir), told) as here:
        (workdir / "go").touch()
        came = workdir / "came"
        await seen_to(lambda: came.exists() and came.stat().st_size == 100_000, "it has read all of its input")
        assert (await shell(here, "echo here")).stdout == b"here\n"
    assert not (workdir / "never").exists()


async def test_who_is_cancelled_leaves_nothing_behind(here: Reached) -> None:
    for _ in range(20):
        with trio.move_on_after(0.02):
            await shell(here, "sleep 0.1; echo late")
    assert (await shell(here, "echo in time")).stdout == b"in time\n"


async def test_two_clusters_in_one_workdir_keep_out_of_each_others_way(by: Ways, workdir: Path) -> None:
    async with reached(by, cluster(workdir, "short")) as short, reached(by, cluster(workdir, "long")) as long:
        for _ in range(3):
            assert (await shell(short, "echo short")).stdout == b"short\n"
            assert (await shell(long, "echo long")).stdout == b"long\n"
        assert short.told.runner != long.told.runner
        assert short.site.folder != long.site.folder


async def test_many_connections_leave_no_process_and_nothing_open(by: Ways, workdir: Path) -> None:
    async def once() -> int:
        async with reached(by, cluster(workdir)) as here:
            assert (await shell(here, "echo x")).stdout == b"x\n"
            return here.told.runner

    runner = await once()
    before = open_files()
    for _ in range(20):
        assert await once() == runner, "the runner outlives its connections"
        assert relays() == set()
    assert open_files() == before


async def test_a_relay_that_dies_ends_the_connection(here: Reached) -> None:
    (relay,) = relays()
    kill(relay, signal.SIGKILL)
    with trio.fail_after(30):
        await here.over.wait()


async def test_a_folder_that_is_not_ours_alone_is_refused(by: Ways, workdir: Path) -> None:
    folder = workdir / ".holdfast"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    with pytest.raises(RelayRefused, match="nobody else may write to it"):
        await by.dial(cluster(workdir), None)


# A supervisor of its own: asks what its second argument says, and prints the answer.
ASKING = """
import sys, trio
from tests.slurm.reaching import cluster, reached, ways
async def main():
    async with ways() as by, reached(by, cluster(sys.argv[1])) as here:
        print((await here.site.run(["/bin/sh", "-c", sys.argv[2]])).stdout.decode(), "asyncssh" in sys.modules)
trio.run(main)
"""


async def test_nothing_of_ssh_is_loaded_for_a_cluster_reached_from_here(workdir: Path) -> None:
    ran = await trio.run_process([sys.executable, "-c", ASKING, str(workdir), "echo x"], capture_stdout=True)
    assert ran.stdout == b"x\n False\n"


async def test_p2_a_supervisor_that_is_killed_leaves_its_command_to_its_end_and_the_next_one_waits_for_that(
    by: Ways, workdir: Path
) -> None:
    script = "touch began; while [ ! -e go ]; do sleep 0.01; done; sleep 0.2; echo x >> done"
    killed = await trio.lowlevel.open_process([sys.executable, "-c", ASKING, str(workdir), script])
    await seen_to((workdir / "began").exists, "it runs")
    (relay,) = relays(killed.pid)
    killed.kill()
    await killed.wait()
    await seen_to(lambda: not alive(relay), "its relay ends")
    looked: list[bytes] = []

    async def look(here: Reached) -> None:
        looked.append((await shell(here, "cat done")).stdout)

    async with reached(by, cluster(workdir)) as here, trio.open_nursery() as nursery:
        nursery.start_soon(look, here)
        (workdir / "go").touch()
    assert looked == [b"x\n"]
