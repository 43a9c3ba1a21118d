"""`holdfast rebuild`: the views made afresh from the log, in one transaction, while no supervisor has the home."""

from __future__ import annotations

from argparse import Namespace

from holdfast.store.checksum import closed_by_another, mark_closed
from holdfast.store.connection import open_writer
from holdfast.store.errors import NoHome
from holdfast.store.home import Home, check_unused
from holdfast.store.lock import HomeLock
from holdfast.store.migrations import migrate
from holdfast.store.rebuild import rebuild
from holdfast.store.renewal import check_log, renew_checksums

from ..screen.amounts import count_text


def execute(arguments: Namespace, home: Home) -> int:
    """Rebuild, and say from how many events. Raises HomeLocked, Damaged or Unavailable, with nothing changed."""
    home.must_exist()
    if not home.log.stat().st_size:
        check_unused(home.log)
        raise NoHome(home.path)
    with HomeLock(home):
        trusted = arguments.trust_pages or closed_by_another(home.log)
        connection = open_writer(home.log, unchecked=True)
        try:
            if not trusted:
                check_log(connection, home.log)
            migrate(connection, home.log)
            events = rebuild(connection, home.log)
            renewed = renew_checksums(connection, home.log)
        finally:
            connection.close()
        mark_closed(home.log)
    if not events:
        check_unused(home.log)
        raise NoHome(home.path)
    if renewed:
        print(f"the checksum was wrong of {renewed}, and is right again; all that can be checked agrees")
    print(f"the views were made afresh from {count_text(events, 'event')}")
    return 0
