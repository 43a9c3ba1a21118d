"""Staging over a real sshd: whole files, cut and resumed, with links and a full disk there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
import trio
from trio_asyncio import aio_as_trio, open_loop

from holdfast.actors.staging.remotefiles import StagingFailed, StagingInterrupted
from holdfast.actors.staging.sftp import SftpFiles, open_sftp
from holdfast.actors.staging.sidebyside import first_error
from tests.hosts.lab import Lab
from tests.hosts.sshd import Host

from .staging_places import LONG_AGO_S, MEGABYTE, Places, file_of, tree


class Reach:
    """Ways to a host of the lab."""

    def __init__(self, lab: Lab, host: Host) -> None:
        self.lab, self.host = lab, host

    @asynccontextmanager
    async def files(self) -> AsyncGenerator[SftpFiles]:
        """Its files, over a connection of their own; needs trio-asyncio's loop."""
        connecting = asyncssh.connect(self.host.name, config=[str(self.lab.config)])
        async with aio_as_trio(connecting) as connection, open_sftp(connection, self.host.name) as files:
            yield files


@pytest.fixture
def lab(tmp_path: Path) -> Generator[Lab, None, None]:
    with Lab(tmp_path / "lab") as made:
        yield made


@pytest.fixture
def reach(lab: Lab) -> Reach:
    return Reach(lab, lab.host("alpha", ForceCommand="none"))


@pytest.fixture
async def places(tmp_path: Path, reach: Reach) -> AsyncGenerator[Places, None]:
    async with open_loop(), reach.files() as files:
        yield Places(tmp_path, files)


async def test_files_of_any_name_go_there_and_come_back(places: Places) -> None:
    names = ["plain", "a b", "-rf", "'\"", "a\nb", "$(touch x)", "`x`", "*", "ünï 漢字", "a\\b"]
    for name in names:
        places.write_here(f"set/{name}", name.encode(), 0o755)
    places.write_here("set/empty", b"")
    sent = await places.send(("set", "in/"))
    assert sent == tuple(
        file_of(f"in/set/{name}", tree(places.here)[f"set/{name}"]) for name in sorted([*names, "empty"])
    )
    assert tree(places.job / "in") == tree(places.here)
    assert (places.job / "in/set/plain").stat().st_mode & 0o777 == 0o755
    assert await places.fetch(("in/set", "back/")) == sent
    assert tree(places.here / "back/set") == tree(places.here / "set")
    assert places.parts() == []


async def test_a_large_file_is_sent_once_and_known_by_its_digest_when_the_notes_are_lost(places: Places) -> None:
    content = places.write_here("it's \n big", 5 * MEGABYTE, modified_s=LONG_AGO_S).read_bytes()
    first = await places.send(("it's \n big", "./"))
    assert first == (file_of("it's \n big", content),)
    inode = (places.job / "it's \n big").stat().st_ino
    places.restart()
    assert await places.send(("it's \n big", "./")) == first
    for path in (places.there / ".holdfast").rglob("*.json"):
        path.unlink()
    places.restart()
    assert await places.send(("it's \n big", "./")) == first
    assert (places.job / "it's \n big").stat().st_ino == inode


async def test_a_transfer_whose_session_is_killed_goes_on_where_it_was_cut(places: Places, reach: Reach) -> None:
    places.write_here("big", 24 * MEGABYTE)

    def kill(done: int, _total: int) -> None:
        if done > 12 * MEGABYTE:
            reach.host.kill_sessions()

    with pytest.raises(StagingInterrupted, match="the link to alpha broke"):
        await places.send(("big", "big"), progress=kill)
    assert list(places.job.iterdir()) == places.parts() != []
    told: list[int] = []
    async with reach.files() as files:
        places.files = files
        await places.send(("big", "big"), progress=lambda done, _: told.append(done))
    assert told[0] >= 6 * MEGABYTE  # what was there and could be trusted, less what had been under way
    assert tree(places.job) == tree(places.here)
    assert places.parts() == []


async def test_an_output_whose_session_is_killed_goes_on_where_it_was_cut(places: Places, reach: Reach) -> None:
    places.write_there("big", 24 * MEGABYTE)
    async with first_error() as nursery:
        nursery.start_soon(kill_when, reach.host, places.here, 8 * MEGABYTE)
        with pytest.raises(StagingInterrupted, match="the link to alpha broke"):
            await places.fetch("big")
    part = places.parts()[0].stat()
    assert part.st_size >= 8 * MEGABYTE
    async with reach.files() as files:
        places.files = files
        await places.fetch("big")
    assert tree(places.here) == tree(places.job)
    assert (places.here / "big").stat().st_ino == part.st_ino


async def kill_when(host: Host, folder: Path, size_bytes: int) -> None:
    """Kill the host's sessions as soon as a file in the folder is so large."""
    while not any(path.stat().st_size >= size_bytes for path in tuple(folder.iterdir())):  # noqa: ASYNC240
        await trio.lowlevel.checkpoint()
    host.kill_sessions()


async def test_cancellation_ends_at_once_and_the_same_session_goes_on(places: Places) -> None:
    places.write_here("big", 24 * MEGABYTE)
    with trio.CancelScope() as scope:
        await places.send(("big", "big"), progress=lambda done, _: scope.cancel() if done > 5 * MEGABYTE else None)
    assert scope.cancelled_caught
    assert list(places.job.iterdir()) == places.parts() != []
    await places.send(("big", "big"))
    assert tree(places.job) == tree(places.here)


async def test_links_there_that_lead_out_are_neither_written_through_nor_read(places: Places, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    places.job.mkdir()
    (places.job / "data").symlink_to(tmp_path / "outside")
    (places.job / "link").symlink_to(tmp_path / "outside" / "secret")
    places.write_here("a", b"a")
    for refused in (
        places.send(("a", "data/a")),
        places.fetch("link"),
        places.fetch("data/secret"),
        places.fetch("**/l*"),
    ):
        with pytest.raises(StagingFailed, match="leads out of the workdir"):
            await refused
    await places.send(("a", "link"))
    assert tree(places.job) == {"link": b"a"}
    assert tree(tmp_path / "outside") == {"secret": b"secret"}


async def test_a_session_more_than_the_host_allows_is_no_failure(tmp_path: Path, lab: Lab) -> None:
    reach = Reach(lab, lab.host("narrow", ForceCommand="none", MaxSessions=1))
    async with open_loop(), reach.files() as files:
        places = Places(tmp_path, files)
        content = places.write_here("big", 2 * MEGABYTE, modified_s=LONG_AGO_S).read_bytes()
        for _ in range(2):
            places.restart()
            assert await places.send(("big", "big")) == (file_of("big", content),)
            for path in (places.there / ".holdfast").rglob("*.json"):
                path.unlink()  # so that a digest is asked for, which needs a second session
        with pytest.raises(StagingInterrupted, match="opens no session for files"):
            async with open_sftp(files._connection, "narrow"):
                pass


@pytest.mark.parametrize("modified_s,there_s", [(-5, 0), (2**33, 2**32 - 1), (LONG_AGO_S, LONG_AGO_S)])
async def test_a_file_keeps_its_time_as_far_as_sftp_can_say_it(places: Places, modified_s: int, there_s: int) -> None:
    places.write_here("a", b"a", modified_s=modified_s)
    await places.send(("a", "a"))
    assert int((places.job / "a").stat().st_mtime) == there_s


async def test_what_the_host_refuses_is_told_with_the_path_and_the_host(places: Places) -> None:
    places.write_here("a", b"a")
    places.job.mkdir()
    (places.job / "x").write_bytes(b"a file")
    with pytest.raises(StagingFailed, match=r"job/x' is no folder"):
        await places.send(("a", "x/a"))
    (places.job / "y").mkdir()
    with pytest.raises(StagingFailed, match=r"a folder stands at .*job/y'"):
        await places.send(("a", "y"))
