"""Plain lines of JSON Lines, which most of a big flow are: a name, a list to run, and names of jobs to come after.

The decoder itself checks and converts them, in half the time. Any other line is left to the rules of `jobfields`, which
also say what is wrong with it; whatever is taken here they take as well, and make the same of it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from holdfast.events.spec import JobSpec
from holdfast.labels import PLAIN_NAME


class _Line(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=rf"\A{PLAIN_NAME}\Z")]
    run: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    after: tuple[str, ...] = ()


PLAIN_KEYS: Final = frozenset(_Line.__struct_fields__)

_decode: Final = msgspec.json.Decoder(_Line).decode


def plain_job(line: bytes, folder: str) -> JobSpec | None:
    """The job of a plain line, None for any other line; `folder` is the absolute path of its `cwd`."""
    try:
        found = _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    run, after = found.run, found.after
    # Each member has a colon, so a line that repeats a key has more; one in a text does no harm but that of a detour.
    if line.count(b":") != (3 if after else 2) or not run[0] or not "".join(run).isprintable():
        return None
    return JobSpec(run, found.name, folder, after)
