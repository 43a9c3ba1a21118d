"""Logs that older versions wrote are brought up, read and rebuilt."""

from pathlib import Path
from random import Random
from typing import get_args

import msgspec
import pytest

from holdfast.events.facts import AllocationEvent, AttemptBatched, BatchEvent
from holdfast.events.records import PlannedBatch, SubmittedBatch, UnclearBatch
from holdfast.store.home import Home
from holdfast.store.migrations import load_migrations
from holdfast.store.reader import Reader

from .batch_steps import CLUSTER
from .histories import History
from .kept_logs import KEPT, load, shown
from .stores import dump, events_of, findings, open_sqlite, tamper


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def kept(request: pytest.FixtureRequest, home: Home) -> Path:
    """An old log, put into the home; the path of its script."""
    script: Path = request.param
    load(script, home.log)
    return script


def test_a_log_of_every_schema_is_kept() -> None:
    assert [path.name for path in KEPT] == [f"log_schema_{number + 1}.sql" for number in range(len(load_migrations()))]


def test_an_old_log_is_brought_up_and_shows_the_jobs_that_it_showed_then(kept: Path, home: Home) -> None:
    open_sqlite(home.path).close()
    assert findings(home.path) == []
    expected = kept.with_suffix(".jsonl").read_bytes()
    assert shown(home) == expected
    with Reader(home) as reader:
        assert b"".join(msgspec.json.encode(line) + b"\n" for line in reader.replay()) == expected


def test_an_old_log_is_rebuilt_to_what_it_was(kept: Path, home: Home) -> None:
    open_sqlite(home.path).close()
    before = dump(home.log)
    tamper(home.log, "update meta set value = 0")
    tamper(home.log, "delete from job")
    open_sqlite(home.path).close()
    assert dump(home.log) == before


def test_the_log_that_is_kept_of_the_present_schema_has_batches_in_every_state_and_allocations(home: Home) -> None:
    load(KEPT[-1], home.log)
    store = open_sqlite(home.path)
    states = {type(batch.state) for batch in store.base.open_batches(CLUSTER)}
    scripts = [store.base.script(batch.name) for batch in store.base.open_batches(CLUSTER)]
    kinds = {type(event) for event in events_of(store)}
    store.close()
    assert states == {PlannedBatch, UnclearBatch, SubmittedBatch}
    assert kinds >= {*get_args(BatchEvent), *get_args(AllocationEvent), AttemptBatched}
    assert all(scripts)


def test_a_log_without_batches_gets_the_view_of_them_and_then_batches(home: Home) -> None:
    load(KEPT[0], home.log)
    store = open_sqlite(home.path)
    assert store.base.open_batches(CLUSTER) == []
    history = History(Random(1), store)
    while not store.base.open_batches(CLUSTER):
        history.step()
    store.close()
    assert findings(home.path) == []


def test_an_old_home_goes_on(kept: Path, home: Home) -> None:
    store = open_sqlite(home.path)
    before = store.seq
    History(Random(1), store).run(20)
    assert store.seq > before
    store.close()
    assert findings(home.path) == []
