"""`holdfast rebuild`: the views made afresh from the log, in one transaction, while no supervisor has the home."""

from __future__ import annotations

from argparse import Namespace

from holdfast.store.connection import open_writer
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock
from holdfast.store.migrations import migrate
from holdfast.store.rebuild import rebuild

from ..screen.amounts import count_text


def execute(arguments: Namespace, home: Home) -> int:
    """Rebuild, and say from how many events. Raises HomeLocked, Damaged or Unavailable, with nothing changed."""
    del arguments
    home.must_exist()
    with HomeLock(home):
        connection = open_writer(home.log)
        try:
            migrate(connection, home.log)
            events = rebuild(connection, home.log)
        finally:
            connection.close()
    print(f"the views were made afresh from {count_text(events, 'event')}")
    return 0
