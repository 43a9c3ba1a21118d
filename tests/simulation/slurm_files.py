"""The file system that a cluster's nodes share with its login node: what is made in one place shows elsewhere later.

To make a file that must not be there yet is decided by its server at once, so of two that do only one succeeds.
"""

from __future__ import annotations

import errno
import os
from random import Random
from typing import Final

from msgspec import Struct

from .determinism import now_us

LOGIN: Final = "login"
"""The place of the login node; the others are the names of nodes."""


class _Entry(Struct):
    """A folder (`content` None) or a file; `seen_us`: from when on it is seen elsewhere, and `before` until then."""

    content: bytes | None
    place: str
    seen_us: int
    before: _Entry | None = None

    def seen(self, place: str) -> _Entry | None:
        """What is seen of it from `place`."""
        if self.place == place or now_us() >= self.seen_us:
            return self
        return None if self.before is None else self.before.seen(place)


class SharedFiles:
    """Folders and files by their absolute paths. `lag_us`: after how long at most others see what was made."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._entries: dict[str, _Entry] = {}
        self.lag_us = 0
        self.torn = 0.0
        """How often (0 to 1) a part of a file is read that is not seen as a whole yet."""
        self.full_until_us = 0

    def make_folder(self, path: str, place: str) -> None:
        """Make a folder if it is not there. Raises OSError if there is no room."""
        self._refuse_if_full()
        self._entries.setdefault(path, _Entry(None, place, self._seen_us()))

    def create(self, path: str, content: bytes, place: str) -> bool:
        """Make a file; False if there is something of that name already. Raises OSError if there is no room."""
        self._refuse_if_full()
        if path in self._entries:
            return False
        self._entries[path] = _Entry(content, place, self._seen_us())
        return True

    def append(self, path: str, content: bytes, place: str) -> None:
        """Put more into a file, or begin it. Raises OSError if there is no room."""
        self._refuse_if_full()
        before = self._entries.get(path)
        whole = (before.content or b"" if before is not None else b"") + content
        self._entries[path] = _Entry(whole, place, self._seen_us(), before)

    def write(self, path: str, content: bytes, place: str) -> None:
        """Put a file there, whole. Raises OSError if there is no room."""
        self._refuse_if_full()
        self._entries[path] = _Entry(content, place, self._seen_us())

    def remove(self, path: str) -> None:
        """Remove a file or a folder with all that is in it, if it is there."""
        for each in [each for each in self._entries if each == path or each.startswith(f"{path}/")]:
            del self._entries[each]

    def read(self, path: str, place: str) -> bytes | None:
        """What is in the file as it is seen from `place`; None if it is not there. It may be half written elsewhere."""
        entry = self._entries.get(path)
        seen = None if entry is None else entry.seen(place)
        if entry is not None and seen is not entry and entry.content and self._random.random() < self.torn:
            known = 0 if seen is None else len(seen.content or b"")
            return entry.content[: self._random.randrange(known, len(entry.content))]
        return None if seen is None else seen.content

    def has(self, path: str, place: str) -> bool:
        """Whether a file or folder is seen from `place`."""
        return self._sees(path, place)

    def names(self, folder: str, place: str) -> list[str]:
        """The names of what is seen in a folder."""
        below = [each for each in self._entries if each.startswith(f"{folder}/") and self._sees(each, place)]
        return sorted({each[len(folder) + 1 :].partition("/")[0] for each in below})

    def _sees(self, path: str, place: str) -> bool:
        entry = self._entries.get(path)
        return entry is not None and entry.seen(place) is not None

    def _seen_us(self) -> int:
        return now_us() + (self._random.randrange(self.lag_us) if self.lag_us else 0)

    def _refuse_if_full(self) -> None:
        if now_us() < self.full_until_us:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
