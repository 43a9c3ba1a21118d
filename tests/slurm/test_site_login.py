"""Slurm's commands over a real sshd: one channel is enough, and a link that is cut leaves nothing half known."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from holdfast.actors.connections.ways import Ways
from holdfast.actors.slurm.site import NotRun, Unclear
from holdfast.events.errors import Unavailable
from tests.hosts.lab import Lab
from tests.hosts.proxy import Proxy, cuts_of
from tests.hosts.sshd import Host
from tests.store.faults.scope import ALL
from tests.system.marks import new_seed

from .reaching import Reached, Told, cluster, reached, seen_to, ways

WORKDIR = "~/holdfast"
CUTS = 60 if ALL else 12


@pytest.fixture
async def by(tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Ways]:
    """A dialler for a person whose ~/.ssh/config is that of the lab."""
    person = tmp_path / "person"
    (person / ".ssh").mkdir(parents=True)
    (person / ".ssh" / "config").symlink_to(lab.config)
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.setenv("SSH_AUTH_SOCK", "")
    async with ways() as made:
        yield made


@asynccontextmanager
async def on(by: Ways, host: Host, told: Told | None = None) -> AsyncGenerator[Reached]:
    async with reached(by, cluster(WORKDIR, host=host.name), told) as made:
        yield made


@pytest.mark.parametrize("sessions", [1, 10])
async def test_many_commands_go_over_the_one_channel_that_a_site_allows(by: Ways, lab: Lab, sessions: int) -> None:
    host = lab.host("login", {"SQUEUE_STATES": "RUNNING", "SLURM_CONF": "/etc/here"}, MaxSessions=sessions)
    answers: dict[int, bytes] = {}
    async with on(by, host) as there:

        async def ask(number: int) -> None:
            script = f"cat; echo {number} $SQUEUE_STATES $SLURM_CONF"
            finished = await there.site.run(["/bin/sh", "-c", script], stdin=bytes(100_000))
            answers[number] = finished.stdout[100_000:]

        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(ask, number)
        assert there.site.workdir == str(host.home / "holdfast")
        assert (await there.site.run(["pwd"])).stdout.decode() == f"{host.home}/holdfast\n"
    assert answers == {number: b"%d /etc/here\n" % number for number in range(50)}
    assert "refused" not in host.said


async def test_what_a_login_does_not_find_was_surely_not_run(by: Ways, lab: Lab) -> None:
    async with on(by, lab.host("login")) as there:
        with pytest.raises(NotRun, match=r"the program 'sbatch-of-no-site' was not found: it must be .* PATH there"):
            await there.site.run(["sbatch-of-no-site"])


async def test_a_connection_that_is_cut_in_mid_command_leaves_it_unclear_and_it_runs_on(by: Ways, lab: Lab) -> None:
    host = lab.host("login")
    told, work = Told(), host.home / "holdfast"
    script = "touch began; while [ ! -e go ]; do sleep 0.01; done; cat > came; touch end"

    async def cut() -> None:
        await seen_to((work / "began").exists, "it runs")
        host.kill_sessions()

    async with on(by, host, told) as there:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cut)
            with pytest.raises(Unclear, match="the connection ended first"):
                await there.site.run(["/bin/sh", "-c", script], stdin=bytes(2 << 20))
        await there.over.wait()
        with pytest.raises(NotRun, match="not connected"):
            await there.site.run(["touch", "never"])
    async with on(by, host, told) as there:
        (work / "go").touch()
        await seen_to((work / "end").exists, "it ends")
        assert (await there.site.run(["wc", "-c", "came"])).stdout == b"2097152 came\n"
    assert not (work / "never").exists()


async def test_p2_over_a_link_that_is_cut_at_any_byte_each_answer_is_true(by: Ways, lab: Lab) -> None:
    host = lab.host("login")
    work = host.home / "holdfast"
    script = "cat > $1.new; mv $1.new $1; cat $1"
    content = bytes(range(256)) * 200
    seen = {"finished": 0, "unclear": 0, "not run": 0}
    number = 0
    near = cuts_of(new_seed(), 400_000)

    def enough() -> bool:
        """Where the seed has cuts for logins alone, there are more."""
        return proxy.taken_count > CUTS and seen["finished"] > 0 and seen["unclear"] > 0

    with Proxy(host.port, near) as proxy:
        lab.route(host, proxy.port)
        while not enough():
            assert proxy.taken_count < 20 * CUTS, seen
            try:
                async with on(by, host) as there:
                    while not there.over.is_set():
                        number += 1
                        name = str(number)
                        try:
                            finished = await there.site.run(["/bin/sh", "-c", script, "sh", name], stdin=content)
                        except NotRun:
                            seen["not run"] += 1
                            assert not (work / name).exists()
                        except Unclear:
                            seen["unclear"] += 1
                        else:
                            seen["finished"] += 1
                            assert (finished.exit_code, finished.stdout) == (0, content)
            except* Unavailable:  # it was cut before anybody was welcomed
                pass
    assert all((work / str(each)).read_bytes() == content for each in range(number + 1) if (work / str(each)).exists())
