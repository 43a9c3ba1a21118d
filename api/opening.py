"""Opening a home to write: what a supervisor, and a command that none hears, do alike.

A command to a home that is not there yet is judged before anything is made: one that is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from holdfast.actors.world import Clock, SystemClock, machine_capacity, system_random, user_name
from holdfast.events.decide import decide
from holdfast.events.draft import Base, Draft
from holdfast.events.messages import Changed, Command, Configure, Submit, Submitted
from holdfast.events.spec import FUNCTIONS, LOCAL
from holdfast.events.submission import check_flow
from holdfast.store.contract import Store
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock
from holdfast.store.memory import MemoryBase
from holdfast.store.opening import open_store

_SYSTEM_CLOCK: Final = SystemClock()


@contextmanager
def locked(home: Home) -> Generator[None]:
    """Hold the home's lock, the folder made if it is missing. Raises HomeLocked or Unavailable."""
    home.create()
    with HomeLock(home):
        yield


def record(home: Home, command: Command) -> Submitted | Changed:
    """Record a command, and what the local target offers, where that is not so already; the caller holds the lock.

    Raises BadInput, with nothing recorded, or Unavailable.
    """
    store: Store = open_store(home.log, SystemClock().now(), user_name())
    try:
        draft, answer = _drafted(store.base, command, None)
        if draft.entries:
            store.commit([draft])
    finally:
        store.close()
    assert answer is not None, "a command is answered"
    return answer


def prepare(home: Home, slots: int | None, calls: int | None, clock: Clock) -> bool:
    """Record what the targets offer under the supervisor that is about to start; the caller holds the lock.

    `calls`: how many functions it may call at once, None if it has none. Returns whether any were ever called in this
    home, by it or by one before it. Raises BadInput or Unavailable.
    """
    store: Store = open_store(home.log, clock.now(), user_name())
    try:
        draft, _ = _drafted(store.base, None, slots, clock)
        known = calls is not None or store.base.target(FUNCTIONS) is not None
        if known:
            decide(draft, Configure({FUNCTIONS: {"calls": calls or 0}}))
        if draft.entries:
            store.commit([draft])
    finally:
        store.close()
    return known


def judge(home: Home, command: Command, slots: int | None = None) -> None:
    """Raise BadInput for a command that a home must refuse which is not there yet; others are judged when recorded.

    Raises what `Home.must_exist` raises, but for NoHome.
    """
    try:
        home.must_exist()
    except NoHome:
        if isinstance(command, Submit):  # to be recorded in a moment: big flows are not to be decided twice
            draft, _ = _drafted(MemoryBase(home=""), None, slots)
            check_flow(draft, command.flow)
        else:
            _drafted(MemoryBase(home=""), command, slots)


def _drafted(
    base: Base, command: Command | None, slots: int | None, clock: Clock = _SYSTEM_CLOCK
) -> tuple[Draft, Submitted | Changed | None]:
    draft = Draft(base, clock.now(), system_random(), user_name())
    target = base.target(LOCAL)
    capacity = dict(machine_capacity() if target is None else target.capacity)
    if slots is not None:
        capacity["cpus"] = slots
    decide(draft, Configure({LOCAL: capacity}))
    return draft, None if command is None else decide(draft, command)
