"""A disk that is full, on either side: told in words, with nothing half there, and room again for the next try."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Final

import asyncssh
import pytest
from trio_asyncio import aio_as_trio, open_loop

from holdfast.actors.staging.remotefiles import StagingFailed
from holdfast.actors.staging.sftp import open_sftp
from tests.hosts.lab import Lab
from tests.tools import refuse

from .staging_places import MEGABYTE, Places, tree

SIZE: Final = "8m"


@pytest.fixture
def lab(tmp_path: Path) -> Generator[Lab, None, None]:
    with Lab(tmp_path / "lab") as made:
        yield made


@pytest.fixture
async def places(tmp_path: Path, lab: Lab) -> AsyncGenerator[Places, None]:
    host = lab.host("alpha", ForceCommand="none")
    connecting = asyncssh.connect(host.name, config=[str(lab.config)])
    async with open_loop(), aio_as_trio(connecting) as connection, open_sftp(connection, host.name) as files:
        yield Places(tmp_path, files)


@pytest.fixture
def small(places: Places) -> Generator[tuple[Path, Path], None, None]:
    """Small disks at the job's folder there and at a folder here."""
    if os.geteuid() != 0:
        refuse("small disks of their own can be mounted by root on Linux only")
    folders = (places.job, places.here / "back")
    for folder in folders:
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", str(folder)]
        mounted = subprocess.run(words, check=False, capture_output=True, text=True)
        if mounted.returncode:
            refuse(f"a small disk can't be mounted here: {mounted.stderr.strip()}")
    yield folders
    for folder in folders:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_there_is_told_and_has_its_room_back(places: Places, small: tuple[Path, Path]) -> None:
    there, _ = small
    places.write_here("fits", 4 * MEGABYTE)
    places.write_here("large", 6 * MEGABYTE)
    places.write_here("large too", 6 * MEGABYTE)  # under way when the disk is full
    with pytest.raises(StagingFailed, match=r"there is no room for .* on alpha: the disk or your quota is full"):
        await places.send(("fits", "fits"), ("large", "large"), ("large too", "large too"))
    assert list(there.iterdir()) == []
    await places.send(("fits", "fits"))
    assert (there / "fits").stat().st_size == 4 * MEGABYTE


async def test_a_full_disk_here_is_told_and_has_its_room_back(places: Places, small: tuple[Path, Path]) -> None:
    there, here = small
    places.write_there("fits", 4 * MEGABYTE)
    for name in ("large", "large too"):
        (there / name).symlink_to(places.there / name)
        places.write_there(f"../{name}", 6 * MEGABYTE)
    with pytest.raises(StagingFailed, match=r"there is no room for .* on this machine: the disk or your quota is full"):
        await places.fetch(("*", "back/"))
    assert list(here.iterdir()) == []
    await places.fetch(("fits", "back/"))
    assert tree(here) == {"fits": (there / "fits").read_bytes()}
