"""The files of another machine, as staging sees them: the few things it asks for, and the ways in which they fail.

`sftp` does them over a connection; a local folder stands in for it in tests. Paths are absolute there. Nothing here
promises that what was seen is still so at the next call: whoever may write to that machine's folders may change them
between.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Protocol

from msgspec import Struct

from holdfast.events.errors import Unavailable

SEEN_MAX: Final = 200_000
"""How many entries of folders a search may look at."""

_SHOWN_CHARACTERS: Final = 300


class StagingInterrupted(Unavailable):
    """The link broke, or the machine takes no session just now; the same call goes on where this one was cut."""


class StagingFailed(Unavailable):
    """Files could not be moved for a reason that will not pass by itself; `str(error)` says what, and the remedy."""


def shown_path(path: str) -> str:
    """A path as messages quote it: escaped, and where it is very long, its end."""
    return repr(path) if len(path) <= _SHOWN_CHARACTERS else f"...{path[-_SHOWN_CHARACTERS:]!r}"


class Kind(Enum):
    """What stands at a path; a link is not followed to find out."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


class Status(Struct, frozen=True):
    """What is known of a path. `modified_s`: by that machine's clock, in whole seconds; SFTP has no finer ones."""

    kind: Kind
    bytes: int
    modified_s: int
    mode: int

    @property
    def runs(self) -> bool:
        """Whether its owner may execute it."""
        return bool(self.mode & 0o100)


class RemoteFile(Protocol):
    """An open file; several reads or writes may be under way."""

    async def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from there on, fewer only where the file ends; at most `block_bytes` at a time."""
        ...

    async def write(self, offset: int, data: bytes) -> None:
        """Write at most `block_bytes` there."""
        ...

    async def status(self) -> Status:
        """Its status now."""
        ...

    async def cut(self, count: int) -> None:
        """Let it have this many bytes and no more."""
        ...

    async def finish(self, mode: int, modified_s: int) -> None:
        """Set mode and time, and sync it where the server can."""
        ...

    async def close(self) -> None:
        """Close it; never fails, and works within a cancelled scope."""
        ...


class RemoteFiles(Protocol):
    """What is asked of the other machine. Each call raises StagingInterrupted or StagingFailed."""

    @property
    def block_bytes(self) -> int:
        """How much one read or write may carry."""
        ...

    async def real_path(self, path: str) -> str | None:
        """The path with all links followed, None if it leads nowhere."""
        ...

    async def status(self, path: str) -> Status | None:
        """What stands there, None if nothing does."""
        ...

    async def entries(self, path: str) -> list[tuple[str, Status]]:
        """What a folder holds, or SEEN_MAX + 1 of it and maybe more; names are as the other machine sent them."""
        ...

    async def make_folder(self, path: str) -> None:
        """Make a folder, unless something stands there already."""
        ...

    async def create(self, path: str, mode: int) -> RemoteFile:
        """Make a file where nothing may stand, and open it for writing."""
        ...

    async def open(self, path: str, *, write: bool = False) -> RemoteFile:
        """Open a file that exists; with `write`, to go on with it."""
        ...

    async def replace(self, path: str, by: str) -> None:
        """Put the file `by` in the place of `path`, at once; a link at `path` is replaced, not followed."""
        ...

    async def set_mode(self, path: str, mode: int) -> None:
        """Set a file's permissions."""
        ...

    async def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        ...

    async def digest(self, path: str, count: int) -> str | None:
        """The SHA-256 of a file's first bytes, computed there; None where that machine can't."""
        ...
