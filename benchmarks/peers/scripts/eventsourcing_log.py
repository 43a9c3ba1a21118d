"""The `eventsourcing` library on SQLite: append with 100 events a commit, then replay. Prints the seconds of each.

VARIANT: `recorder` is given events that are encoded already, and reads them back without decoding. `application`
triggers them on aggregates in memory, encodes and saves them; its replay decodes all and mutates the aggregates.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol
from uuid import NAMESPACE_URL, uuid5

TYPES: Final = (
    "Submitted",
    "Accepted",
    "Ready",
    "Assigned",
    "Launching",
    "Started",
    "Heartbeat",
    "Output",
    "Exited",
    "Kept",
)
A_COMMIT: Final = 100
A_PAGE: Final = 1_000
NOTE: Final = "x" * 120  # so that an event is encoded to some 180 bytes
STATE: Final = b"x" * 182
SYNCHRONOUS_FULL: Final = 2


class _Notification(Protocol):
    id: int
    originator_id: object
    topic: str


class _Event(Protocol):
    originator_id: object

    def mutate(self, aggregate: object) -> object: ...


class _Mapper(Protocol):
    def to_domain_event(self, stored: _Notification) -> _Event: ...


class _Recorder(Protocol):
    def insert_events(self, stored_events: Sequence[object]) -> object: ...
    def select_notifications(self, start: int, limit: int) -> Sequence[_Notification]: ...


class _Application(Protocol):
    recorder: _Recorder
    mapper: _Mapper

    def save(self, *aggregates: object) -> object: ...


def main(variant: str, count: int) -> None:
    """Append so many events, of a tenth as many aggregates, and replay them."""
    settings = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(Path.cwd() / "log.db")}
    application = import_module("eventsourcing.application").Application(env=settings)
    with application.recorder.datastore.transaction(commit=False) as cursor:
        cursor.execute("pragma synchronous")
        assert tuple(cursor.fetchone()) == (SYNCHRONOUS_FULL,)
    states: dict[object, object] = {}
    if variant == "recorder":
        append = _seconds(partial(_insert, application.recorder, _stored(count)))
        replay = _seconds(partial(_read, application.recorder, partial(_keep_topic, states)))
    else:
        append = _append_to_aggregates(application, count)
        replay = _seconds(partial(_read, application.recorder, partial(_mutate, application.mapper, states)))
        assert {vars(each)["status"] for each in states.values()} == {TYPES[-1]}
    assert len(states) == count // len(TYPES)
    print(json.dumps({"append": append, "replay": replay}))


def _stored(count: int) -> list[object]:
    make = import_module("eventsourcing.persistence").StoredEvent
    jobs = count // len(TYPES)
    ids = [uuid5(NAMESPACE_URL, str(job)) for job in range(jobs)]
    return [
        make(ids[each % jobs], 1 + each // jobs, f"__main__:Job.{TYPES[each // jobs]}", STATE) for each in range(count)
    ]


def _insert(recorder: _Recorder, events: list[object]) -> None:
    for start in range(0, len(events), A_COMMIT):
        recorder.insert_events(events[start : start + A_COMMIT])


def _append_to_aggregates(application: _Application, count: int) -> float:
    job_class = _job_class()
    values = [
        {"at": 1.7e9 + each / 1_000, "by": f"worker-{each % 16:02}", "attempt": 1, "note": NOTE}
        for each in range(count)
    ]
    total = count // len(TYPES)
    jobs: list[object] = []

    def append() -> None:
        for start in range(0, count, A_COMMIT):
            changed: list[object] = []
            for each in range(start, start + A_COMMIT):
                if each < total:
                    jobs.append(job_class(job=each, **values[each]))
                else:
                    getattr(jobs[each % total], TYPES[each // total].lower())(**values[each])
                changed.append(jobs[each % total])
            application.save(*changed)

    return _seconds(append)


def _job_class() -> Callable[..., object]:
    """`class Job(Aggregate)`, made when its base is there: an event for each of TYPES, which sets the status."""
    domain = import_module("eventsourcing.domain")

    def create(self: dict[str, object], job: int, at: float, by: str, attempt: int, note: str) -> None:
        del at, by, attempt, note
        vars(self).update(job=job, status=TYPES[0])

    def change(status: str) -> Callable[..., None]:
        def method(self: object, at: float, by: str, attempt: int, note: str) -> None:
            del at, by, attempt, note
            vars(self).update(status=status)

        method.__name__ = status.lower()
        return method

    create.__name__ = "__init__"
    methods = {kind.lower(): domain.event(kind)(change(kind)) for kind in TYPES[1:]}
    content = {"__module__": __name__, "__qualname__": "Job", "__init__": domain.event(TYPES[0])(create), **methods}
    made: Callable[..., object] = type(domain.Aggregate)("Job", (domain.Aggregate,), content)
    globals()["Job"] = made  # where the library looks for what the log names
    return made


def _read(recorder: _Recorder, take: Callable[[_Notification], None]) -> None:
    start = 1
    while page := recorder.select_notifications(start=start, limit=A_PAGE):
        for each in page:
            take(each)
        start = page[-1].id + 1


def _mutate(mapper: _Mapper, states: dict[object, object], stored: _Notification) -> None:
    event = mapper.to_domain_event(stored)
    states[event.originator_id] = event.mutate(states.get(event.originator_id))


def _keep_topic(states: dict[object, object], stored: _Notification) -> None:
    states[stored.originator_id] = stored.topic


def _seconds(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
