"""What patterns find in any tree is what their rules, written down once more and slowly, say."""

from __future__ import annotations

from fnmatch import fnmatchcase

import trio
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.actors.staging.remotefiles import Kind, Status
from holdfast.actors.staging.walking import Walk
from holdfast.events.staging import parts_of

from .folder_files import FolderFiles

NAMES = st.sampled_from(["a", "b", "ab", ".a", "a.csv", "[", "*", "-", "é", "a\nb"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
PIECES = st.one_of(NAMES, st.sampled_from(["*", "?", "**", ".*", "[ab]", "*b", "[!a]*", "[]", "*.csv"]))
PATTERNS = st.lists(PIECES, min_size=1, max_size=4)


class TreeFiles(FolderFiles):
    """A machine with empty files at these paths below /w, and the folders that they need."""

    def __init__(self, paths: set[tuple[str, ...]]) -> None:
        super().__init__()
        folders = {path[:end] for path in paths for end in range(len(path))} | {()}
        self.kinds = dict.fromkeys(paths, Kind.FILE) | dict.fromkeys(folders, Kind.FOLDER)

    async def status(self, path: str) -> Status | None:
        await trio.lowlevel.checkpoint()
        kind = self.kinds.get(parts_of(path)[1:])
        return None if kind is None else Status(kind=kind, bytes=0, modified_s=0, mode=0o644)

    async def entries(self, path: str) -> list[tuple[str, Status]]:
        await trio.lowlevel.checkpoint()
        folder = parts_of(path)[1:]
        below = {each: kind for each, kind in self.kinds.items() if each and each[:-1] == folder}
        return [(each[-1], Status(kind=kind, bytes=0, modified_s=0, mode=0o644)) for each, kind in below.items()]


@example({("a", "ab")}, ["a", "ab", "**"])
@given(st.sets(PATHS, max_size=12), PATTERNS)
def test_a_pattern_finds_what_its_rules_say(paths: set[tuple[str, ...]], pattern: list[str]) -> None:
    tree = TreeFiles(paths)
    files = {path for path, kind in tree.kinds.items() if kind is Kind.FILE}

    async def find() -> set[tuple[str, ...]]:
        return set(await Walk(tree, "/w", "/w").find("/".join(pattern), missing_ok=True))

    expected = {path for path in files if any(matches(path[:end], pattern) for end in range(len(path) + 1))}
    assert trio.run(find) == expected


def matches(path: tuple[str, ...], pattern: list[str]) -> bool:
    """Whether the whole pattern matches the whole path, which is a file or a folder that comes whole."""
    if not pattern:
        return not path
    first, rest = pattern[0], pattern[1:]
    if first == "**":
        below = bool(path) and not path[0].startswith(".") and matches(path[1:], pattern)
        return matches(path, rest) or below
    if not path:
        return False
    if not set(first) & set("*?["):
        return path[0] == first and matches(path[1:], rest)
    shown = not path[0].startswith(".") or first.startswith(".")
    return shown and fnmatchcase(path[0], first) and matches(path[1:], rest)
