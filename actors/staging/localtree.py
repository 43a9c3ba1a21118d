"""What a job takes along, as it stands on this machine: files found, opened, read with their SHA-256, known unchanged.

A folder goes whole. A link in it is followed only to a file inside it; the path that was asked for itself may be a
link.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from holdfast.events.staging import InputFile, input_place

from .remotefiles import StagingFailed, shown_path

Parts = tuple[str, ...]

FILES_MAX: Final = 10_000  # each is in the events of each attempt that takes it along
_PIECE_BYTES: Final = 8 * 1024 * 1024  # hashed within 10 ms, so that a cancellation need not wait


class LocalStatus(Struct, frozen=True):
    """What tells a changed file from an unchanged one: nothing can set the time of the last change of an inode."""

    bytes: int
    mode: int
    modified_ns: int
    changed_ns: int
    inode: int


class LocalFile(Struct, frozen=True):
    """A file of this machine and its place, as names below the job's folder on the target."""

    path: str
    place: Parts
    status: LocalStatus


class Inputs(Struct):
    """All that goes along: files and folders, each by its place."""

    files: dict[Parts, LocalFile]
    folders: set[Parts]


def find_inputs(asked: Iterable[InputFile]) -> Inputs:
    """Find what was asked for. Raises StagingFailed where something is missing, or two have the same place."""
    inputs = Inputs({}, set())
    for file in asked:
        place = input_place(file)
        try:
            found = os.stat(file.source)  # noqa: PTH116 - the path as it was recorded
            if stat.S_ISDIR(found.st_mode):
                inputs.folders.add(place)
                _find_below(file.source, os.path.realpath(file.source), place, inputs)
            else:
                _add(inputs, file.source, place, found)
        except OSError as error:
            message = (
                f"the input {shown_path(file.source)} can't be read: {error.strerror}; put it there and retry the job"
            )
            raise StagingFailed(message) from error
    for place in inputs.files:
        inputs.folders.update(place[:end] for end in range(1, len(place)))
    both = next((place for place in inputs.files if place in inputs.folders), None)
    if both is not None:
        message = f"{shown_path('/'.join(both))} would be a file and a folder among the inputs; give one another place"
        raise StagingFailed(message)
    return inputs


def _find_below(folder: str, root: str, place: Parts, inputs: Inputs) -> None:
    waiting = [(folder, place)]
    while waiting:
        folder, place = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                there = (*place, _text(entry.name, folder))
                if entry.is_symlink():
                    _check_link(entry.path, root)
                if entry.is_dir():
                    inputs.folders.add(there)
                    _check_count(inputs)
                    waiting.append((entry.path, there))
                else:
                    _add(inputs, entry.path, there, entry.stat())


def _check_link(path: str, root: str) -> None:
    real = os.path.realpath(path)
    if not real.startswith(root + "/") or not os.path.isfile(real):  # noqa: PTH113 - beside realpath
        message = (
            f"the link {shown_path(path)} leads to no file within the folder that goes along; name what it leads to"
        )
        raise StagingFailed(message)


def _add(inputs: Inputs, path: str, place: Parts, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise StagingFailed(
            f"{shown_path(path)} is neither a file nor a folder, and nothing else goes along; leave it out"
        )
    if place in inputs.files:
        message = f"{shown_path(path)} and {shown_path(inputs.files[place].path)} have the same place; give one another"
        raise StagingFailed(message)
    inputs.files[place] = LocalFile(path, place, _status(found))
    _check_count(inputs)


def _check_count(inputs: Inputs) -> None:
    if max(len(inputs.files), len(inputs.folders)) > FILES_MAX:
        message = f"the inputs are more than {FILES_MAX} files or folders; pack them into one and unpack it in the job"
        raise StagingFailed(message)


def _text(name: str, folder: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        message = f"a name in {shown_path(folder)} is not UTF-8: {name!r}; rename it, because only text can be recorded"
        raise StagingFailed(message) from error
    return name


def _status(found: os.stat_result) -> LocalStatus:
    return LocalStatus(
        bytes=found.st_size,
        mode=found.st_mode & 0o777,
        modified_ns=found.st_mtime_ns,
        changed_ns=found.st_ctime_ns,
        inode=found.st_ino,
    )


class Source:
    """A local file that is read from its beginning to its end, and hashed as it is read. Its calls block."""

    def __init__(self, file: LocalFile) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._offset = 0
        try:
            # Not blocking, because the opening of a pipe that took the file's place would wait for its writer.
            self._descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise StagingFailed(f"the input {shown_path(file.path)} can't be read: {error.strerror}") from error

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def rewind(self) -> None:
        """Begin anew."""
        self._offset = 0
        self._hash = hashlib.sha256()

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer only at the end. Raises StagingFailed if the file is shorter than it was."""
        pieces: list[bytes] = []
        missing = min(count, self._file.status.bytes - self._offset)
        while missing:
            try:
                data = os.pread(self._descriptor, missing, self._offset)
            except OSError as error:
                raise StagingFailed(
                    f"the input {shown_path(self._file.path)} can't be read: {error.strerror}"
                ) from error
            if not data:
                raise self._changed()
            self._offset += len(data)
            self._hash.update(data)
            missing -= len(data)
            pieces.append(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_blocks(self, block_bytes: int, times: int) -> list[bytes]:
        """The next so many blocks, at the end fewer, and the last one shorter. Raises as `read` does."""
        return [data for _ in range(times) if (data := self.read(block_bytes))]

    def hash_on(self, count: int) -> str | None:
        """Read on to the first `count` bytes, a piece in each call; their SHA-256, when it has them all."""
        if self._offset < count:
            self.read(min(_PIECE_BYTES, count - self._offset))
        return self._hash.hexdigest() if self._offset == count else None

    def finish(self) -> str:
        """The SHA-256 of the whole file. Raises StagingFailed if it changed since it was found."""
        if _status(os.fstat(self._descriptor)) != self._file.status:
            raise self._changed()
        return self._hash.hexdigest()

    def _changed(self) -> StagingFailed:
        message = (
            f"the input {shown_path(self._file.path)} changed while it was read; retry the job when it is complete"
        )
        return StagingFailed(message)
