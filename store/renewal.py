"""Checksums given anew to a log whose pages another SQLite program wrote, once all that can be checked was checked.

A program that closes the log in its writer's place may have written any page: `renew_checksums`. One that changed views
has left the events as they were, and their pages still fit: `check_log`, and a rebuild mends the views.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from .checksum import has_checksums, wrong_pages
from .connection import settle
from .errors import DamagedLog
from .reading import read_events
from .statements import run
from .verify import verify


def check_log(connection: apsw.Connection, path: Path) -> None:
    """Read every event with the checksums of its pages checked, whatever the views are like. Raises DamagedLog."""
    run(connection, "pragma checksum_verification = on")
    for _ in read_events(connection, path, 0):
        pass
    run(connection, "pragma checksum_verification = off")


def renew_checksums(connection: apsw.Connection, path: Path) -> str:
    """Give every page its checksum, if any is wrong; which ones were, for people. From then on all is checked.

    `connection` was opened unchecked. Raises DamagedLog, with nothing changed, if what the log says does not agree.
    """
    if not has_checksums(connection):
        return ""
    wrong = wrong_pages(path)
    if wrong:
        findings = verify(connection, path).findings
        if findings:
            raise DamagedLog(path, f"the checksum is wrong of {wrong}, and {findings[0]}")
        run(connection, "vacuum")
        settle(connection)
    run(connection, "pragma checksum_verification = on")
    return wrong
