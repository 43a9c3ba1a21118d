"""Two machines side by side for tests of staging: folders of this one, with a job's folder on the other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from holdfast.actors.staging.inward import Progress
from holdfast.actors.staging.jobfolders import JobFolder
from holdfast.actors.staging.memory import Memory
from holdfast.actors.staging.moving import no_progress, stage_in, stage_out
from holdfast.actors.staging.remotefiles import RemoteFiles
from holdfast.events.staging import PART_SUFFIX, InputFile, OutputFile, StagedFile

HOME_ID: Final = "h0123456789"
MEGABYTE: Final = 1024 * 1024
LONG_AGO_S: Final = 1_700_000_000


class Places:
    """`here` is the flow's folder, `there` the workdir of the other machine; jobs work in `job` below it."""

    def __init__(self, folder: Path, files: RemoteFiles) -> None:
        self.here, self.there = folder / "here", folder / "there"
        self.here.mkdir()
        private = self.there / ".holdfast" / HOME_ID
        private.mkdir(parents=True)
        self.files = files
        self.folder = JobFolder(str(self.there), "job", str(private))
        self.job = self.there / "job"
        self.memory = Memory(HOME_ID)

    def write_here(self, name: str, content: bytes | int, mode: int = 0o644, modified_s: int | None = None) -> Path:
        """A file of this machine; a number asks for as many random bytes."""
        return _write(self.here / name, content, mode, modified_s)

    def write_there(self, name: str, content: bytes | int, mode: int = 0o644) -> Path:
        """A file in the job's folder."""
        return _write(self.job / name, content, mode, None)

    async def send(self, *inputs: tuple[str, str], progress: Progress = no_progress) -> tuple[StagedFile, ...]:
        """Stage these in: what, below `here`, and where to."""
        asked = [InputFile(str(self.here / source), to) for source, to in inputs]
        return await stage_in(self.files, self.memory, self.folder, asked, progress)

    async def fetch(self, *outputs: str | tuple[str, str], missing_ok: bool = False) -> tuple[StagedFile, ...]:
        """Stage these out: patterns, or patterns and where to."""
        pairs = [(each, "") if isinstance(each, str) else each for each in outputs]
        asked = [OutputFile(pattern, str(self.here), to) for pattern, to in pairs]
        return await stage_out(self.files, self.memory, self.folder, asked, missing_ok=missing_ok)

    def restart(self) -> None:
        """Be a new supervisor, which remembers nothing."""
        self.memory = Memory(HOME_ID)

    def parts(self) -> list[Path]:
        """What is under way, on either machine."""
        return [path for folder in (self.here, self.there) for path in folder.rglob(f"*{PART_SUFFIX}")]


def staged(**contents: bytes) -> tuple[StagedFile, ...]:
    """What staging files of these contents says; in names, two underscores stand for a slash and one for a dot."""
    named = {name.replace("__", "/").replace("_", "."): content for name, content in contents.items()}
    return tuple(file_of(name, content) for name, content in sorted(named.items()))


def file_of(path: str, content: bytes) -> StagedFile:
    """What is recorded of a file with this content."""
    return StagedFile(path, len(content), hashlib.sha256(content).hexdigest())


def tree(folder: Path, leave_out: Sequence[str] = (".holdfast",)) -> dict[str, bytes]:
    """The files below a folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    names = ((path.relative_to(folder), path) for path in found)
    return {str(name): path.read_bytes() for name, path in names if name.parts[0] not in leave_out}


def _write(path: Path, content: bytes | int, mode: int, modified_s: int | None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Random(content).randbytes(content) if isinstance(content, int) else content)
    path.chmod(mode)
    if modified_s is not None:
        os.utime(path, (modified_s, modified_s))
    return path
