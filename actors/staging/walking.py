"""Finding a job's outputs on the other machine: patterns, folders and links, without leaving the workdir.

A link that is met is followed if it leads to something within the workdir, and refused otherwise; SFTP can't open a
path without following links, so it is the path without links that is read later. Whoever may write to that machine's
folders can still put a link there between the two. `**`, and a folder that goes whole, pass links to folders by, as in
a shell.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import Final

from holdfast.events.staging import PART_SUFFIX, PRIVATE_FOLDER, has_wildcards, parts_of

from .fetching import Found
from .jobfolders import is_within
from .localtree import FILES_MAX, Parts
from .remotefiles import SEEN_MAX, Kind, RemoteFiles, StagingFailed, Status, shown_path

ANY_DEPTH: Final = "**"


class Walk:
    """A search below the job's folder; `base` is its path without links, and `root` that of the workdir."""

    def __init__(self, files: RemoteFiles, base: str, root: str) -> None:
        self._files = files
        self._base = base
        self._root = root
        self._seen = 0

    async def find(self, pattern: str, *, missing_ok: bool = False) -> dict[Parts, Found]:
        """The files that a pattern matches, each by its names below the job's folder.

        Raises StagingFailed where a link leads out, and where a pattern without wildcards finds nothing, unless that is
        `missing_ok`; one with wildcards may.
        """
        names = parts_of(pattern)
        found: dict[Parts, Found] = {}
        waiting: list[tuple[Parts, str, int]] = [((), self._base, 0)]  # names so far, their real path, names matched
        done: set[tuple[Parts, int]] = set()
        while waiting:
            place, path, at = waiting.pop()
            if (place, at) in done:
                continue
            done.add((place, at))
            if at == len(names):
                await self._take_folder(place, path, found)
                continue
            name = names[at]
            if name == ANY_DEPTH:
                waiting.append((place, path, at + 1))
                for below, status in await self._entries(path):
                    if status.kind is Kind.FOLDER and not below.startswith("."):
                        waiting.append(((*place, below), f"{path}/{below}", at))
                continue
            for below, status in await self._matches(path, name):
                there = await self._resolved((*place, below), f"{path}/{below}", status)
                if there.status.kind is Kind.FOLDER:
                    waiting.append(((*place, below), there.path, at + 1))
                elif set(names[at + 1 :]) <= {ANY_DEPTH}:  # which may stand for no folder at all
                    self._take((*place, below), there, found)
        if not (found or missing_ok or has_wildcards(pattern)) and (names, len(names)) not in done:
            raise StagingFailed(f"the job left no output {shown_path(pattern)}; see what it wrote with `holdfast logs`")
        return found

    async def _matches(self, path: str, name: str) -> list[tuple[str, Status]]:
        if not has_wildcards(name):
            status = await self._files.status(f"{path}/{name}")
            return [] if status is None else [(name, status)]
        matches = re.compile(translate(name)).match
        hidden = name.startswith(".")
        entries = await self._entries(path)
        return [(below, status) for below, status in entries if matches(below) and below.startswith(".") <= hidden]

    async def _take_folder(self, place: Parts, path: str, found: dict[Parts, Found]) -> None:
        waiting = [(place, path)]
        while waiting:
            place, path = waiting.pop()
            for below, status in await self._entries(path):
                there = (*place, below)
                if status.kind is Kind.FOLDER:
                    waiting.append((there, f"{path}/{below}"))
                    continue
                resolved = await self._resolved(there, f"{path}/{below}", status)
                if resolved.status.kind is not Kind.FOLDER:
                    self._take(there, resolved, found)

    def _take(self, place: Parts, there: Found, found: dict[Parts, Found]) -> None:
        if there.status.kind is not Kind.FILE:
            message = (
                f"the output {shown_path('/'.join(place))} is neither a file nor a folder; only these are brought back"
            )
            raise StagingFailed(message)
        found[place] = there
        if len(found) > FILES_MAX:
            message = f"the outputs are more than {FILES_MAX} files; let the job pack them into one"
            raise StagingFailed(message)

    async def _resolved(self, place: Parts, path: str, status: Status) -> Found:
        """What a path means; links are followed as long as they stay in the workdir."""
        if status.kind is not Kind.LINK:
            return Found(path, status)
        real = await self._files.real_path(path)
        if real is None or not is_within(real, self._root):
            message = f"the output {shown_path('/'.join(place))} is a link that leads out of the workdir, or nowhere"
            raise StagingFailed(f"{message}; let the job copy what it leads to")
        there = await self._files.status(real)
        if there is None or there.kind is Kind.LINK:
            raise StagingFailed(f"the link {shown_path('/'.join(place))} changes while it is looked at; retry the job")
        return Found(real, there)

    async def _entries(self, path: str) -> list[tuple[str, Status]]:
        entries = await self._files.entries(path)
        self._seen += len(entries)
        if self._seen > SEEN_MAX:
            message = f"the search for outputs met more than {SEEN_MAX} entries below {shown_path(self._base)}"
            raise StagingFailed(f"{message}; give patterns that name their folders")
        kept: list[tuple[str, Status]] = []
        for name, status in sorted(entries, key=lambda each: each[0]):
            if not name or "/" in name or "\0" in name:
                raise StagingFailed(
                    f"the other machine sent {name!r} as a name in {shown_path(path)}; it is not to be trusted"
                )
            if name == PRIVATE_FOLDER or name.endswith(PART_SUFFIX):
                continue
            try:
                name.encode()
            except UnicodeEncodeError as error:
                message = (
                    f"a name in {shown_path(path)} is not UTF-8: {name!r}; let the job rename it: only text is recorded"
                )
                raise StagingFailed(message) from error
            kept.append((name, status))
        return kept
