"""A real sshd with a workdir, a large file, and the ways to move it there and back; see `benchmarks.staging`."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import asyncssh
import trio
from trio_asyncio import aio_as_trio, open_loop

from holdfast.actors.connections.login import CIPHERS
from holdfast.actors.staging.jobfolders import JobFolder
from holdfast.actors.staging.memory import Memory
from holdfast.actors.staging.moving import stage_in, stage_out
from holdfast.actors.staging.sftp import open_sftp
from holdfast.events.staging import InputFile, OutputFile
from tests.hosts.lab import Lab
from tests.tools import need

MEGABYTE: Final = 1_000_000
HOST: Final = "alpha"
NAME: Final = "large"


class Track:
    """A host with a workdir, a large file here, and the ways to move it there and back."""

    def __init__(self, folder: Path, size_mb: int) -> None:
        """A host in `folder`, and a file of `size_mb` here."""
        self._size_mb = size_mb
        self._here, self._there = folder / "here", folder / "there"
        self._private = self._there / ".holdfast"
        self._here.mkdir()
        self._private.mkdir(parents=True)
        self._lab = Lab(folder / "lab")
        self._lab.host(HOST, ForceCommand="none", Subsystem="sftp internal-sftp")
        with (self._here / NAME).open("wb") as file:
            for _ in range(size_mb):
                file.write(os.urandom(MEGABYTE))

    def end(self) -> None:
        """End the host."""
        self._lab.end()

    def sftp(self, command: str, *options: str) -> float:
        """MB/s of OpenSSH's client; `put` or `get`."""
        put = command == "put"
        names = (self._here / NAME, self._fresh(self._there)) if put else (self._there / NAME, self._back())
        words = [need("sftp", "it is part of openssh-client"), "-q", "-F", str(self._lab.config)]
        words += [*options, "-b", "-", HOST]
        line = f'{command} "{names[0]}" "{names[1]}"\n'
        return self._rate(lambda: subprocess.run(words, input=line, text=True, check=True, capture_output=True))

    def holdfast(self, command: str) -> float:
        """MB/s of Holdfast; `put` or `get`."""
        if command == "put":
            self._fresh(self._there)
        else:
            self._back()
        return self._rate(lambda: trio.run(self._stage, command))

    async def _stage(self, command: str) -> None:
        folder = JobFolder(str(self._there), "", str(self._private))
        config = [str(self._lab.config)]
        connecting = asyncssh.connect(HOST, config=config, encryption_algs=CIPHERS, compression_algs=None)
        async with open_loop(), aio_as_trio(connecting) as connection, open_sftp(connection, HOST) as files:
            if command == "put":
                await stage_in(files, Memory("h"), folder, [InputFile(str(self._here / NAME), NAME)])
            else:
                await stage_out(files, Memory("h"), folder, [OutputFile(NAME, str(self._here / "back"))])

    def _fresh(self, folder: Path) -> Path:
        (folder / NAME).unlink(missing_ok=True)
        shutil.rmtree(self._private / "staged", ignore_errors=True)
        return folder / NAME

    def _back(self) -> Path:
        if not (self._there / NAME).exists():
            shutil.copyfile(self._here / NAME, self._there / NAME)
        (self._here / "back").mkdir(exist_ok=True)
        return self._fresh(self._here / "back")

    def _rate(self, deed: Callable[[], object]) -> float:
        began = time.perf_counter()
        deed()
        return self._size_mb / (time.perf_counter() - began)
