"""Checksums on the pages of the log, so that a byte that changed on the disk is an error and never an answer.

They are those of SQLite's own `cksumvfs`, a C extension that comes with apsw: eight bytes at the end of each page,
written when a page goes into the file and checked when it comes out. So they cover events, views and indexes alike,
at no cost that could be measured. The WAL has checksums of its own. What a page holds is not bound to its place: two
pages that changed places are found by what they say, not by their sums.

Other SQLite programs read such a log as any other, but don't keep the sums when they write. Whoever only looks into it
writes nothing, with one exception: the last one to close a log brings the WAL into it. That is the writer, unless it
was killed. So it leaves a mark while it has the log open. The mark without a WAL, or with an empty one, says: another
program closed the log, and its pages may be right without fitting their sums. Then readers don't check, and the next
writer checks all that is recorded, as `verify` does, and gives the pages their sums again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Final, cast

import apsw

VFS: Final = "cksmvfs"
RESERVED_BYTES: Final = 8
# `apsw.sqlite_extra` finds it too, and takes fifty times as long.
_EXTENSION: Final = Path("sqlite_extra_binaries", "cksumvfs")
PAGE_BYTES: Final = 4096
_RESERVED_AT: Final = 20  # in the header: how many bytes at the end of each page are not SQLite's
_NAMED_MAX: Final = 5


def checksum_vfs() -> str | None:
    """The VFS that keeps and checks the sums, or None if this apsw came without it (where it was built from source)."""
    if VFS not in apsw.vfs_names():
        _load()
    return VFS if VFS in apsw.vfs_names() else None


def _load() -> None:
    with closing(apsw.Connection(":memory:")) as scratch:
        scratch.enable_load_extension(enable=True)
        try:
            scratch.load_extension(str(Path(apsw.__file__).parent / _EXTENSION))
        except apsw.ExtensionLoadingError:
            return
    # It makes itself the default, also for programs that have us for a library; that is not ours to decide.
    apsw.set_default_vfs(next(name for name in apsw.vfs_names() if name != VFS))


def can_check(connection: apsw.Connection) -> bool:
    """Whether a connection goes through the VFS that checks, however deep below."""
    answer = connection.execute("pragma checksum_verification").fetchone()  # pyright: ignore[reportUnknownMemberType]
    return answer is not None


def keep_checksums(connection: apsw.Connection) -> None:
    """Let a log into which nothing was written yet have checksums."""
    connection.reserve_bytes("main", RESERVED_BYTES)


def has_checksums(connection: apsw.Connection) -> bool:
    """Whether the pages of a log have checksums, as its header says."""
    return connection.reserve_bytes("main") == RESERVED_BYTES


def hides_checksums(path: Path) -> bool:
    """Whether the first page has a right checksum once its header is made to say that there are any.

    Then a byte of the header changed, and with it all checking would have ended.
    """
    with closing(apsw.Connection(":memory:")) as judge:
        for page in islice(_pages(path), 1):
            mended = page[:_RESERVED_AT] + bytes((RESERVED_BYTES,)) + page[_RESERVED_AT + 1 :]
            return _fits(judge, mended)
    return False


def wrong_pages(path: Path) -> str:
    """Which pages of a log do not fit their checksums, for people: `page 7 (byte 24576)`, and so on."""
    with closing(apsw.Connection(":memory:")) as judge:
        numbers = (number for number, page in enumerate(_pages(path), start=1) if not _fits(judge, page))
        named = [f"page {number} (byte {(number - 1) * PAGE_BYTES})" for number in islice(numbers, _NAMED_MAX + 1)]
    return ", ".join(named[:_NAMED_MAX]) + (", ..." if len(named) > _NAMED_MAX else "")


def mark_open(path: Path) -> None:
    """Leave the mark that a writer has the log open. Raises OSError."""
    _mark(path).touch(0o600)


def mark_closed(path: Path) -> None:
    """Take the mark away, unless somebody else still uses the WAL: then that one will close the log for us."""
    with suppress(OSError):  # a mark that stays costs a look at every page at the next opening, and nothing else
        if is_settled(path):
            unmark(path)


def unmark(path: Path) -> None:
    """Take the mark away: what is in the log from now on is our own doing. Raises OSError."""
    _mark(path).unlink(missing_ok=True)


def closed_by_another(path: Path) -> bool:
    """Whether another program has closed the log in its writer's place."""
    return os.access(_mark(path), os.F_OK) and is_settled(path)


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}-open")


def is_settled(path: Path) -> bool:
    """Whether the WAL is gone, or empty as a reader leaves it: nothing is to be brought into the log any more."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size == 0
    except FileNotFoundError:
        return True


def _fits(judge: apsw.Connection, page: bytes) -> bool:
    row = cast("tuple[int | None]", judge.execute("select verify_checksum(?)", (page,)).fetchone())  # pyright: ignore[reportUnknownMemberType]
    return row[0] == 1


def _pages(path: Path) -> Iterator[bytes]:
    """The pages of the file, read through SQLite's own VFS: to open it ourselves would drop the locks on it."""
    flags = [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0]
    file = apsw.VFSFile("", str(path), flags)
    try:
        for start in range(0, file.xFileSize() - PAGE_BYTES + 1, PAGE_BYTES):
            yield file.xRead(PAGE_BYTES, start)
    finally:
        file.xClose()
