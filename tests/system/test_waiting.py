"""Those who wait for jobs inside a Python program: many at once, each told of its own jobs and of no others."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Cancel
from holdfast.store import home as store
from holdfast.supervisor import Events, Waiter
from tests.events.home import Home, spec


def cancelled(home: Home, job: int) -> Draft:
    draft = home.draft()
    decide(draft, Cancel((job,)))
    home.commit(draft)
    return draft


def test_everybody_who_waits_hears_of_their_own_jobs_and_is_forgotten_afterwards(tmp_path: Path) -> None:
    home = Home()
    one, two, three = home.submit(spec("one"), spec("two"), spec("three"))
    passed_on: list[int] = []
    events = Events(store.Home(tmp_path), lambda draft, start: passed_on.append(start + len(draft.entries)))
    first, both, other = Waiter({one}), Waiter({one, two}), Waiter({three})
    with ExitStack() as waiting:
        for waiter in (first, both, other):
            waiting.enter_context(events.told(waiter))
        events.note(cancelled(home, one), 10)
        assert [set(each.ended) for each in (first, both, other)] == [{one}, {one}, set()]
        assert [each.done.is_set() for each in (first, both, other)] == [True, False, False]
        events.note(cancelled(home, two), 20)
        assert both.done.is_set()
    assert passed_on == [11, 21]
    assert events._waiters == {}
