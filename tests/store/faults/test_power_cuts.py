"""The power goes at any moment: all that was acknowledged is there, nothing is half there (promises P1 and P4)."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import apsw
import pytest

from holdfast.events.facts import SupervisorStarted
from holdfast.store.checksum import checksum_vfs
from holdfast.store.connection import open_reader
from holdfast.store.contract import StoredEvent
from holdfast.store.errors import LogFailed, NoHome
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.migrations import load_migrations, migrate, schema_version
from holdfast.store.opening import open_store
from holdfast.store.reading import newest_seq
from holdfast.store.statements import snapshot
from tests.store.histories import START, History
from tests.store.stores import HOME_ID, draft_on, dump, findings, lines_of, open_sqlite, open_unsynced

from .disk import Disk, FailedSync, Promise, Step, Sync
from .power import DROPPED, KEPT, TORN, WAYS, Power
from .scope import memory_folder, share
from .workload import EVERY_KIND, Witness, work

CHANCE: Final = Random(20)
FIRST_OF_WAL: Final = 3  # the two before it are of the journal under which an empty file becomes a log


class Recording:
    """The workload on a disk that works: its steps, the log at its end, and the ends of its commits."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        home.create()
        disk = Disk("recorded")
        begun: dict[str, int] = {}

        def tell(part: str) -> None:
            begun[part] = len(disk.steps)

        try:
            witness = work(home.log, "recorded", tell, disk.promise)
        finally:
            disk.unregister()
        self.steps: Sequence[Step] = disk.steps
        self.syncs = sum(is_sync_of_journal(step) for step in disk.steps[: begun["closing"]])
        self.ends = {0, *witness.ends}
        store = open_sqlite(folder)
        self.lines = lines_of(store)
        store.close()


def is_sync_of_journal(step: Step) -> bool:
    return isinstance(step, Sync) and step.file != "log.db"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return Recording(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing: what is tested here is what stands in the files."""
    with TemporaryDirectory(prefix="holdfast-test-", dir=memory_folder()) as path:
        yield Path(path)


def record(store: SqliteStore) -> None:
    draft = draft_on(store)
    draft.record(SupervisorStarted(1, "host", "1"))
    store.commit([draft])


def expect_whole(folder: Path, truth: Sequence[StoredEvent], acknowledged: int, ends: set[int]) -> None:
    """What a power cut left is a beginning of the log, to the end of a commit, with its views; and it goes on."""
    with suppress(NoHome):
        assert findings(folder) == []
    store = open_sqlite(folder)
    try:
        found = lines_of(store)
        assert len(found) >= acknowledged
        # A log that was not even begun is begun anew at opening, with its first event.
        assert len(found) in ends
        assert found == truth[: len(found)]
        record(store)
    finally:
        store.close()
    assert findings(folder) == []


def test_the_workload_makes_every_kind_of_event_and_syncs_and_checkpoints_now_and_then(recording: Recording) -> None:
    assert {line.type for line in recording.lines} == EVERY_KIND
    synced = [step.file for step in recording.steps if isinstance(step, Sync)]
    assert synced.count("log.db-wal") > 30
    assert synced.count("log.db") > 5
    assert sum(isinstance(step, Promise) for step in recording.steps) > 30


@pytest.mark.parametrize("way", WAYS)
def test_p1_p4_a_power_cut_at_any_write_loses_nothing_acknowledged_and_leaves_nothing_half_done(
    recording: Recording, folder: Path, way: str
) -> None:
    power = Power()
    for number, step in enumerate(recording.steps):
        power.take(step)
        if share(number, 1 / 4 if way == TORN else 1 / 8):
            place = folder / str(number)
            place.mkdir()
            power.cut(place, way, Random(number))
            expect_whole(place, recording.lines, power.acknowledged, recording.ends)


@pytest.mark.parametrize("read_meanwhile", [False, True], ids=["alone", "beside a reader"])
def test_p1_a_commit_whose_sync_failed_takes_nothing_along_that_is_acknowledged_after_the_next_start(
    folder: Path, *, read_meanwhile: bool
) -> None:
    """After a failed sync the system forgets that there is something to write, though it can still be read."""
    for number in (10, 15, 23, 34):
        before, after = folder / f"{number}.before", folder / f"{number}.after"
        power = Power()
        for step in steps_up_to_a_failed_sync(before, number):
            power.take(step)
        after.mkdir()
        power.cut(after, KEPT, CHANCE)
        disk = Disk("again")
        readers = ExitStack()
        try:
            if read_meanwhile:
                reader = readers.enter_context(closing(open_reader(Home(after).log)))
                readers.enter_context(snapshot(reader))
                assert newest_seq(reader)
            store = open_store(Home(after).log, START, "ada", vfs="again")
            for _ in range(3):
                record(store)
            truth = lines_of(store)
            steps = list(disk.steps)
            store.close()
        finally:
            readers.close()
            disk.unregister()
        for step in steps:
            power.take(step)
        place = folder / f"{number}.cut"
        place.mkdir()
        power.cut(place, DROPPED, CHANCE)
        expect_whole(place, truth, len(truth), {len(truth)})


def steps_up_to_a_failed_sync(folder: Path, number: int) -> list[Step]:
    Home(folder).create()
    disk = Disk("failing")
    disk.failing_sync = number
    try:
        store = open_store(Home(folder).log, START, "ada", vfs="failing", make_id=lambda: HOME_ID)
        with pytest.raises(LogFailed, match="may or may not be recorded"):
            History(Random(5), store).run(200)
        steps = list(disk.steps)
        store.close()
    finally:
        disk.unregister()
    assert isinstance(steps[-1], FailedSync)
    return steps


def test_p1_a_sync_that_fails_is_never_tried_again_as_if_nothing_had_happened(
    recording: Recording, folder: Path
) -> None:
    for number in range(FIRST_OF_WAL, recording.syncs + 1):
        place = folder / str(number)
        Home(place).create()
        disk = Disk("failing")
        disk.failing_sync = number
        try:
            witness = work(Home(place).log, "failing", lambda _: None, disk.promise)
        finally:
            disk.unregister()
        assert [type(error) for error in witness.errors] == [LogFailed]
        expect_acknowledged(place, witness)


def expect_acknowledged(folder: Path, witness: Witness) -> None:
    store = open_sqlite(folder)
    found = {line.seq: line.data for line in lines_of(store)}
    store.close()
    assert {seq: found.get(seq) for seq in witness.acknowledged} == witness.acknowledged
    assert findings(folder) == []


NEXT_SCHEMA: Final = (
    "create table fresh (seq integer primary key, type text not null) strict; "
    "insert into fresh select seq, type from events; "
    "alter table job add column more integer not null default 0"
)


def migrated(log: Path, vfs: str | None) -> None:
    store = open_store(log, START, "ada", vfs=vfs)
    migrate(store.writing, log, [*load_migrations(), NEXT_SCHEMA])
    store.close()


@pytest.mark.parametrize("way", WAYS)
def test_p1_a_power_cut_in_a_migration_leaves_the_log_as_before_or_after_it(folder: Path, way: str) -> None:
    home = Home(folder / "home")
    home.create()
    store = open_unsynced(home.path)
    History(Random(9), store).run(30)
    store.close()
    content, before = home.log.read_bytes(), dump(home.log)
    disk = Disk("migrated")
    try:
        migrated(home.log, "migrated")
    finally:
        disk.unregister()
    after = dump(home.log)
    power = Power(content)
    seen: list[int] = []
    for number, step in enumerate(disk.steps):
        power.take(step)
        place = folder / str(number)
        place.mkdir()
        power.cut(place, way, Random(number))
        schema = settled_schema(place / "log.db")
        seen.append(schema)
        assert dump(place / "log.db") == (after if schema == len(load_migrations()) + 1 else before)
    assert set(seen) == {len(load_migrations()), len(load_migrations()) + 1}


def settled_schema(log: Path) -> int:
    """The schema of a log after SQLite has brought it to order."""
    with closing(apsw.Connection(str(log), vfs=checksum_vfs())) as connection:
        return schema_version(connection)


@pytest.mark.parametrize("way", WAYS)
def test_p1_a_power_cut_while_a_log_is_made_leaves_none_that_looks_like_one_of_an_older_version(
    folder: Path, way: str
) -> None:
    home = Home(folder / "home")
    home.create()
    disk = Disk("made")
    try:
        open_store(home.log, START, "ada", vfs="made", make_id=lambda: HOME_ID).close()
    finally:
        disk.unregister()
    power = Power()
    seen: set[int] = set()
    for number, step in enumerate(disk.steps):
        power.take(step)
        place = folder / str(number)
        place.mkdir()
        power.cut(place, way, Random(number))
        seen.add(settled_schema(place / "log.db"))
    assert seen == {0, len(load_migrations())}
