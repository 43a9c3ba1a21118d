"""`holdfast replay`: the jobs as they stood after some event or at some time, folded from the log alone."""

from __future__ import annotations

from argparse import Namespace

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.reading import ALL
from holdfast.store.statements import number

from ..reading.joblist import print_jobs
from ..screen.moments import moment_text, parse_moment
from ..screen.remarks import remark

_TIME_OF = "select time from events where seq = ?"
_NEWEST_UNTIL = "select max(seq) from events where time <= ?"


def execute(arguments: Namespace, home: Home) -> int:
    """Print them as `jobs` does. Raises BadInput for a position or a time that there is not."""
    with Reader(home) as reader:
        at = ALL if arguments.at is None else _position(reader, arguments.at)
        then = None if arguments.at is None else number(reader.connection, _TIME_OF, (at,))
        printed = print_jobs(reader.replay(at), as_json=arguments.json, then=then)
    if not printed:
        remark(f"holdfast: {'there were no jobs then' if arguments.at else f'no jobs yet in {home.path}'}")
    return 0


def _position(reader: Reader, text: str) -> int:
    newest = reader.seq
    if text.isdecimal():
        if not (text.isascii() and 0 < int(text[:19]) <= newest):
            problem = f"there is no event {shown(text)}"
            raise BadInput(problem, where="--at", remedy=f"give a position from 1 to {newest}, the newest")
        return int(text)
    at = parse_moment(text, "--at")
    position = number(reader.connection, _NEWEST_UNTIL, (at,))
    if not position:
        (first, _) = next(reader.events())
        remedy = f"it begins at {moment_text(first.time)}, local time"
        raise BadInput(f"the log has nothing from before {shown(text)}", where="--at", remedy=remedy)
    return position
