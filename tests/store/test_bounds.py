"""Memory stays bounded whatever the length of the log (promise P9): what is long is read a row at a time."""

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from holdfast.events.decide import decide
from holdfast.events.messages import Cancel, Configure, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.reading import read_facts
from holdfast.store.rebuild import fold_into
from holdfast.store.replaying import replay
from holdfast.store.statements import run, transaction
from holdfast.store.views import clear_views

from .stores import draft_on, dump, open_unsynced

JOBS = 10_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with as many jobs, half of them ended."""
    folder = tmp_path_factory.mktemp("many")
    store = open_unsynced(folder)
    configure = draft_on(store)
    decide(configure, Configure({"local": {"cpus": 1}}))
    store.commit([configure])
    submit = draft_on(store)
    decide(submit, Submit(FlowSpec(tuple(JobSpec(("true", "x" * 100)) for _ in range(JOBS)))))
    store.commit([submit])
    cancel = draft_on(store)
    decide(cancel, Cancel(tuple(range(1, JOBS, 2))))
    store.commit([cancel])
    store.close()
    return Home(folder)


def drain(read: Callable[[], Iterator[object]]) -> None:
    for _ in read():
        pass


def peak_bytes(deed: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        deed()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_p9_long_reads_take_memory_for_one_row(many: Home) -> None:
    with Reader(many) as reader:
        reads: dict[str, Callable[[], Iterator[object]]] = {
            "events": reader.events,
            "jobs": reader.jobs,
            "live jobs": reader.lookups.live_jobs,
            "live edges": reader.lookups.live_edges,
        }
        for name, read in reads.items():
            assert peak_bytes(partial(drain, read)) < 200_000, name


def test_p9_a_fold_keeps_no_more_jobs_than_it_is_told_and_writes_the_same_views(many: Home, tmp_path: Path) -> None:
    def folded(folder: Path, jobs_max: int) -> int:
        store = open_unsynced(folder)
        connection = store.writing

        def fold() -> None:
            with transaction(connection), Reader(many) as reader:
                clear_views(connection)
                assert fold_into(connection, read_facts(reader.connection, many.log), many.log, jobs_max) == reader.seq

        peak = peak_bytes(fold)
        run(connection, "delete from events")
        store.close()
        return peak

    for name in ("few", "all"):
        (tmp_path / name).mkdir()
    few, everything = folded(tmp_path / "few", 100), folded(tmp_path / "all", 10 * JOBS)
    assert few < 500_000 < everything
    assert dump(Home(tmp_path / "few").log) == dump(Home(tmp_path / "all").log)


def test_p9_a_replay_keeps_no_more_jobs_than_it_is_told(many: Home) -> None:
    with Reader(many) as reader:

        def replayed(jobs_max: int) -> int:
            return peak_bytes(partial(drain, lambda: replay(reader.connection, many.log, jobs_max=jobs_max)))

        assert replayed(100) < 500_000 < replayed(10 * JOBS)
