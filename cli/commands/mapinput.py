"""The arguments that `map` reads from standard input: a line each, or each ended by a NUL; wrong ones by their line."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from holdfast.events.errors import BadInput
from holdfast.events.quoting import SHOWN_CHARACTERS

from ..flows.flowinput import FILE_MAX_BYTES
from ..flows.names import check_text
from ..flows.places import Misfit
from ..screen.remarks import remark


def read_standard_input() -> bytes:
    """All of it. Raises BadInput for more than a flow may have."""
    if sys.stdin.isatty():
        remark("holdfast: reading arguments from the terminal, a line each; end with Ctrl-D")
    data = sys.stdin.buffer.read(FILE_MAX_BYTES + 1)
    if len(data) > FILE_MAX_BYTES:
        raise BadInput(f"more than {FILE_MAX_BYTES} bytes of arguments", where="standard input", remedy="divide them")
    return data


def arguments_of(data: bytes, *, by_nul: bool) -> Iterator[str]:
    """The arguments in it; `by_nul`: each ends in NUL, and else in a line feed, or a carriage return and one.

    Raises BadInput, at the line, for one that is no text or holds what no argument may.
    """
    end = b"\0" if by_nul else b"\n"
    for number, piece in enumerate(data.removesuffix(end).split(end) if data else (), 1):
        where = f"standard input: argument {number}" if by_nul else f"standard input:{number}"
        line = piece if by_nul else piece.removesuffix(b"\r")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            shown = repr(line[:SHOWN_CHARACTERS])[1:] + ("..." if len(line) > SHOWN_CHARACTERS else "")
            problem = f"the argument {shown} is not UTF-8"
            raise BadInput(problem, where=where, remedy="rename it, or submit it in a script") from None
        check_argument(text, where)
        yield text


def check_argument(text: str, where: str) -> None:
    """Raise BadInput at `where` for an argument that holds what none may."""
    try:
        check_text(text, "the argument")
    except Misfit as error:
        raise BadInput(error.problem, where=where, remedy=error.remedy) from None
