"""The relay in an allocation of a cluster: it joins the runner that is there, and starts none."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.actors.connections.bootstrap import RelayRefused, remote_command
from tests.runner.driving import RUNNER, until

from .logins import Login

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Slurm runs on Linux")


class Pilot:
    """What an allocation's script does: a runner with its socket on the node, and where that is, in the folder."""

    def __init__(self, login: Login, folder: Path) -> None:
        self.here = login.private / "pilots" / "3"
        self.sockets = folder / "sockets"
        self.sockets.mkdir(mode=0o700)
        self.here.mkdir(parents=True)
        for path in (login.workdir / ".holdfast", login.private, self.here):
            path.chmod(0o700)
        self.login = login
        self.runner: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        words = ("--sockets", str(self.sockets), "--number", "3", "--until", str(time.time() + 600), str(self.here))
        environ = {**self.login.environ, "SLURM_CPUS_ON_NODE": "4", "PATH": self.login.path}
        self.runner = subprocess.Popen(
            [sys.executable, "-I", "-S", str(RUNNER), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environ,
            start_new_session=True,
        )

    def close(self) -> None:
        """End it."""
        if self.runner is not None:
            self.runner.kill()
            self.runner.wait(20)

    def say_where(self, sockets: Path) -> None:
        """Write down where the socket is."""
        (self.here / "where").write_text(f"{sockets}\n")


@pytest.fixture
def pilot(login: Login, tmp_path: Path) -> Iterator[Pilot]:
    """An allocation in which nothing runs yet."""
    made = Pilot(login, tmp_path)
    yield made
    made.close()


async def test_it_joins_the_runner_and_says_what_its_jobs_find_around_them(login: Login, pilot: Pilot) -> None:
    pilot.start()
    pilot.say_where(pilot.sockets)
    login.environ["SLURM_STEP_ID"] = "7"  # of the step that the relay is in
    until((pilot.sockets / "runner.sock").exists, "it has its socket")
    opened = await login.open(join=3)
    welcome = await opened.greet()
    assert pilot.runner is not None
    assert welcome.pid == pilot.runner.pid
    assert opened.ready.folder == str(login.private)
    assert opened.ready.environ["SLURM_CPUS_ON_NODE"] == "4"
    assert "SLURM_STEP_ID" not in opened.ready.environ
    await opened.run("0123456789abcdef.1.1", "exit 3")
    assert (await opened.state("0123456789abcdef.1.1", "ended")).exit_code == 3


async def test_it_starts_none_where_none_answers(login: Login, pilot: Pilot) -> None:
    pilot.say_where(pilot.sockets)
    with pytest.raises(RelayRefused, match="does not answer"):
        await login.open(join=3)
    assert list(pilot.sockets.iterdir()) == []
    assert not list((login.workdir / ".holdfast").glob("runner-*.py"))


async def test_it_says_so_where_the_allocation_has_not_said_yet_where_it_is(login: Login, pilot: Pilot) -> None:
    with pytest.raises(RelayRefused, match="where"):
        await login.open(join=3)
    del pilot


@pytest.mark.parametrize("kind", ["open to others", "a link", "a file", "gone"])
async def test_it_enters_no_folder_that_others_could_have_put_there(
    login: Login, pilot: Pilot, tmp_path: Path, kind: str
) -> None:
    sockets = tmp_path / "other"
    if kind == "open to others":
        sockets.mkdir(mode=0o755)
    elif kind == "a link":
        sockets.symlink_to(pilot.sockets)
    elif kind == "a file":
        sockets.touch(mode=0o700)
    pilot.say_where(sockets)
    with pytest.raises(RelayRefused):
        await login.open(join=3)


def test_the_command_goes_through_another_one_as_it_is() -> None:
    step = ("srun", "--jobid=17", "--overlap", "--export=HOME,PATH,USER")
    command = remote_command(None, step)
    assert command.startswith("exec srun --jobid=17 --overlap --export=HOME,PATH,USER /bin/sh -c '")
    assert command.removeprefix("exec " + " ".join(step)) == remote_command().removeprefix("exec")
