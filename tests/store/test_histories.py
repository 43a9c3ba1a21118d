"""Over random histories: views are the fold of the log after every commit (promise P4), whatever keeps them."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.events.capacity import take
from holdfast.events.draft import Dependency
from holdfast.events.facts import (
    AllocationEvent,
    AttemptBatched,
    AttemptEnded,
    AttemptLaunched,
    BatchEvent,
    BatchPlanned,
    Event,
)
from holdfast.events.graph import Kind
from holdfast.events.records import ClosedBatch, Job
from holdfast.events.states import IN_FLIGHT, LIVE
from holdfast.store.contract import LiveBase, Store
from holdfast.store.fold import Fold
from holdfast.store.home import Home
from holdfast.store.listing import JobLine
from holdfast.store.log import SqliteStore
from holdfast.store.memory import MemoryStore
from holdfast.store.reader import Reader
from holdfast.store.reading import read_facts
from holdfast.store.rebuild import fold_into
from holdfast.store.replaying import replay
from holdfast.store.statements import transaction
from holdfast.store.views import clear_views

from .batch_steps import CLUSTER
from .histories import History
from .stores import dump, events_of, findings, fold_of, lines_of, open_memory, open_sqlite, open_unsynced, tamper

SEEDS = st.integers(0, 2**32)


@contextmanager
def both_stores() -> Generator[tuple[SqliteStore, MemoryStore, Path]]:
    with TemporaryDirectory(prefix="holdfast-test-") as folder:
        sqlite = open_unsynced(Path(folder))
        try:
            yield sqlite, open_memory(), Path(folder)
        finally:
            sqlite.close()


def jobs_of(fold: Fold) -> list[Job]:
    return [fold.jobs.changed[number] for number in sorted(fold.jobs.changed)]


def expect_records(base: LiveBase, fold: Fold) -> None:
    for number, job in fold.jobs.changed.items():
        assert base.job(number) == job
    for key, attempt in fold.attempts.changed.items():
        assert base.attempt(key) == attempt
    for name, flow in fold.flows.changed.items():
        assert base.flow(name) == flow
    for name, batch in fold.batches.changed.items():
        assert base.batch(name) == batch
    assert {each.name: each for each in base.targets()} == fold.targets.changed
    assert {each.name: each for each in base.limits()} == fold.limits.changed
    assert {each.key: each for each in base.marks()} == fold.marks.changed


def expect_lists(base: LiveBase, fold: Fold) -> None:
    jobs = jobs_of(fold)
    for target in fold.targets.changed:
        in_flight = [job for job in jobs if isinstance(job.state, IN_FLIGHT) and job.place == target]
        used: dict[str, int] = {}
        for job in in_flight:
            take(used, job.policy.needs)
        assert list(base.in_flight(target)) == in_flight
        assert base.used(target) == used
    assert list(base.live_jobs()) == [job for job in jobs if isinstance(job.state, LIVE)]
    assert base.next_job() == len(jobs) + 1
    assert base.next_flow() == len(fold.flows.changed) + 1


def expect_edges(base: LiveBase, fold: Fold) -> None:
    edges = sorted({Dependency(*row[:2], Kind(row[2])) for row in fold.numbered.dependencies}, key=as_in_lists)
    live = {job.id for job in jobs_of(fold) if isinstance(job.state, LIVE)}
    assert list(base.live_edges()) == [edge for edge in edges if edge.needed in live]
    for number in fold.jobs.changed:
        assert list(base.dependents(number)) == [edge for edge in edges if edge.needed == number]
        needed = [(edge.needed, edge.kind) for edge in edges if edge.job == number]
        assert [(edge.needed, edge.kind) for edge in base.dependencies(number)] == sorted(needed)


def expect_batches(store: Store, fold: Fold) -> None:
    base, batches = store.base, fold.batches.changed
    still_open = [batches[name] for name in sorted(batches) if not isinstance(batches[name].state, ClosedBatch)]
    assert base.open_batches(CLUSTER) == still_open
    assert base.open_batches("local") == []
    events = [event for _, event in store.events()]
    assert {name: base.script(name) for name in batches} == {
        event.batch: event.script for event in events if isinstance(event, BatchPlanned)
    }
    newest = {event.job: event for event in events if isinstance(event, AttemptBatched)}
    assert base.batched(list(fold.jobs.changed)) == newest


def as_in_lists(edge: Dependency) -> tuple[int, int, int]:
    return edge.needed, edge.job, edge.kind


@settings(max_examples=25)
@given(SEEDS)
def test_p4_after_every_commit_the_views_equal_the_fold_and_both_stores_the_same_events(seed: int) -> None:
    with both_stores() as (sqlite, memory, folder):
        stores: Sequence[Store] = (sqlite, memory)
        history = History(Random(seed), *stores)
        for _ in range(30):
            history.step()
            fold = fold_of(sqlite)
            for store in stores:
                expect_records(store.base, fold)
                expect_lists(store.base, fold)
                expect_edges(store.base, fold)
                expect_batches(store, fold)
        assert lines_of(sqlite) == lines_of(memory)
        for digest in ("d1", "d2"):
            assert sqlite.base.unfinished_flow(digest) == memory.base.unfinished_flow(digest)
        keys = [f"key {number}" for number in range(50)]
        assert sqlite.base.jobs_by_key(keys) == memory.base.jobs_by_key(keys)
        assert findings(folder) == []


def encoded(lines: Iterable[JobLine]) -> list[bytes]:
    return [msgspec.json.encode(line) for line in lines]


@settings(max_examples=15)
@given(SEEDS)
def test_replay_at_any_position_gives_byte_for_byte_what_jobs_gave_then(seed: int) -> None:
    with both_stores() as (sqlite, _, folder):
        history = History(Random(seed), sqlite)
        with Reader(Home(folder)) as reader:
            said: dict[int, list[bytes]] = {}
            for _ in range(25):
                history.step()
                said[sqlite.seq] = encoded(reader.jobs())
            for seq, lines in said.items():
                assert encoded(reader.replay(seq)) == lines
                assert encoded(replay(reader.connection, sqlite.path, seq, jobs_max=2)) == lines
            assert encoded(reader.replay()) == said[sqlite.seq]


@settings(max_examples=15)
@given(SEEDS)
def test_p4_a_rebuild_writes_the_very_rows_that_commits_wrote(seed: int) -> None:
    with both_stores() as (sqlite, _, folder):
        History(Random(seed), sqlite).run(40)
        sqlite.close()
        log = Home(folder).log
        before = dump(log)
        tamper(log, "update meta set value = 0 where name = 'views_seq'")
        open_sqlite(folder).close()
        assert dump(log) == before


@settings(max_examples=15)
@given(SEEDS, st.sampled_from((1, 2, 7)))
def test_p4_a_fold_that_lets_go_of_what_it_has_written_writes_the_very_rows_that_commits_wrote(
    seed: int, jobs_max: int
) -> None:
    with both_stores() as (sqlite, _, folder):
        History(Random(seed), sqlite).run(80)
        log = Home(folder).log
        before = dump(log)
        with transaction(sqlite.writing):
            clear_views(sqlite.writing)
            fold_into(sqlite.writing, read_facts(sqlite.reading, log), log, jobs_max)
        assert dump(log) == before


def test_the_random_histories_make_every_event_of_batches_and_allocations_and_of_attempts_in_them() -> None:
    events: list[Event] = []
    for seed in range(6):
        store = open_memory()
        History(Random(seed), store).run(400)
        events += events_of(store)
    assert {type(event) for event in events} >= {*get_args(BatchEvent), *get_args(AllocationEvent)}
    launched = {event.target.partition("/")[0] for event in events if isinstance(event, AttemptLaunched)}
    assert launched == {"local", CLUSTER}
    assert any("/" in event.target for event in events if isinstance(event, AttemptLaunched))
    assert {event.index is None for event in events if isinstance(event, AttemptBatched)} == {True, False}
    ends = {event.outcome.how for event in events if isinstance(event, AttemptEnded)}
    assert ends == {"exited", "timeout", "killed", "stopped", "not_started", "lost"}


@settings(max_examples=10)
@given(SEEDS, st.sampled_from(range(1, 40)))
def test_a_home_that_is_closed_and_opened_again_goes_on_as_if_it_had_not_been(seed: int, at: int) -> None:
    with both_stores() as (sqlite, memory, folder):
        history = History(Random(seed), sqlite, memory)
        history.run(at)
        sqlite.close()
        again = open_sqlite(folder)
        try:
            history.stores, history.base = (again, memory), again.base
            history.run(20)
            assert lines_of(again) == lines_of(memory)
            expect_lists(again.base, fold_of(memory))
        finally:
            again.close()
