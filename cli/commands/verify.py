"""`holdfast verify`: whether the log is whole and the views say what it says. Changes nothing, disturbs nobody."""

from __future__ import annotations

from argparse import Namespace

from holdfast.store.connection import open_reader
from holdfast.store.errors import NoHome
from holdfast.store.home import Home, check_unused
from holdfast.store.migrations import check_readable
from holdfast.store.verify import verify

from ..screen.amounts import count_text
from ..screen.terminal import printable


def execute(arguments: Namespace, home: Home) -> int:
    """Say what was checked; 0 if all is well, 1 with findings. Raises Unavailable for a log without events."""
    del arguments
    home.must_exist()
    # Not through a Reader: it refuses a log whose first event is damaged, which here is a finding.
    connection = open_reader(home.log)
    try:
        check_readable(connection, home.log)
        verified = verify(connection, home.log)
    finally:
        connection.close()
    if not (verified.events or verified.findings):
        check_unused(home.log)
        raise NoHome(home.path)
    for finding in verified.findings:
        print(f"wrong: {printable(finding)}")
    if verified.findings:
        print(f"{count_text(len(verified.findings), 'finding')} in {home.log}")
        return 1
    print(f"ok: the file {home.log} is sound")
    print(f"ok: {count_text(verified.events, 'event')} without a gap, each readable and possible after those before it")
    print(f"ok: the views of {count_text(verified.jobs, 'job')} say what the log says")
    return 0
