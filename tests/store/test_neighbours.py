"""Other SQLite programs at the log: one that writes makes a commit wait and then be refused; readers disturb nobody."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Thread

import apsw
import pytest

from holdfast.events.draft import Entry
from holdfast.events.facts import SupervisorStarted
from holdfast.store import connection
from holdfast.store.connection import open_writer
from holdfast.store.errors import DiskFull, LogBusy, LogFailed
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader
from holdfast.store.statements import number, run

from .histories import History
from .processes import child
from .stores import draft_on, findings, lines_of, open_sqlite


def record(store: SqliteStore, pid: int = 1) -> list[int]:
    draft = draft_on(store)
    draft.record(SupervisorStarted(pid, "host", "1"))
    return store.commit([draft])


def test_a_commit_is_refused_while_another_program_writes_and_works_afterwards(
    home: Home, sqlite_store: SqliteStore
) -> None:
    sqlite_store.writing.set_busy_timeout(50)
    with child("hold-write-lock", home.path) as program:
        assert program.hear() == "writing"
        for _ in range(3):
            with pytest.raises(LogBusy, match=r"log\.db is locked by another SQLite program; close that program"):
                record(sqlite_store)
        assert sqlite_store.seq == 1
        assert len(lines_of(sqlite_store)) == 1
        assert program.finish() == ["done"]
    assert record(sqlite_store) == [1]
    assert findings(home.path) == []


@pytest.mark.parametrize("more", ["nothing", "a reader", "a second opening"])
def test_p1_a_program_that_looks_and_leaves_does_not_take_the_log_away_from_its_writer(home: Home, more: str) -> None:
    """It would delete the WAL if it took itself for the last one, and all that is recorded from then on with it."""
    store = open_sqlite(home.path)
    history = History(Random(6), store)
    history.run(10)
    if more == "a reader":
        with Reader(home) as reader:
            assert reader.seq == store.seq
    elif more == "a second opening":
        open_writer(home.log).close()
    with child("look", home.path) as program:
        assert int(program.hear()) == store.seq
        program.finish()
    history.run(10)
    with child("read", home.path) as program:
        assert int(program.hear().split()[0]) == store.seq
    store.close()
    assert findings(home.path) == []


def test_a_commit_waits_a_moment_for_another_program_but_not_for_long() -> None:
    assert 100 <= connection.BUSY_MS <= 2_000


def test_a_reader_of_an_old_snapshot_blocks_nobody_and_sees_one_moment(home: Home, sqlite_store: SqliteStore) -> None:
    history = History(Random(2), sqlite_store)
    history.run(10)
    with Reader(home) as reader:
        events = reader.events()
        first, _ = next(events)
        before = sqlite_store.seq
        history.run(20)
        assert sqlite_store.seq > before
        rest = [stored.seq for stored, _ in events]
        assert [first.seq, *rest] == list(range(1, before + 1))
        assert reader.seq == sqlite_store.seq


def test_what_is_read_during_a_commit_is_what_was_committed_before(sqlite_store: SqliteStore) -> None:
    history = History(Random(2), sqlite_store)
    history.run(10)
    known, seq = sqlite_store.base.next_job(), sqlite_store.seq
    run(sqlite_store.writing, "begin immediate")
    run(sqlite_store.writing, "delete from job")
    run(sqlite_store.writing, "delete from events")
    assert sqlite_store.base.next_job() == known
    assert len(lines_of(sqlite_store)) == seq
    run(sqlite_store.writing, "rollback")


def test_the_store_can_be_read_in_one_thread_while_another_commits(sqlite_store: SqliteStore) -> None:
    drafts = [draft_on(sqlite_store) for _ in range(200)]
    for draft in drafts:
        for pid in range(20):
            draft.record(SupervisorStarted(pid, "host", "1"))
    thread = Thread(target=lambda: [sqlite_store.commit([draft]) for draft in drafts])
    thread.start()
    while thread.is_alive():
        assert sqlite_store.base.next_job() == 1
    thread.join()
    assert sqlite_store.seq == 4_001


def test_a_full_disk_refuses_the_commit_records_nothing_of_it_and_goes_on_when_there_is_room(
    home: Home, sqlite_store: SqliteStore
) -> None:
    record(sqlite_store)
    pages = number(sqlite_store.writing, "pragma page_count")
    run(sqlite_store.writing, f"pragma max_page_count = {pages}")
    draft = draft_on(sqlite_store)
    for _ in range(1_000):
        draft.record(SupervisorStarted(1, "a host with quite a long name", "1"))
    for _ in range(2):
        with pytest.raises(DiskFull, match="no space left"):
            sqlite_store.commit([draft])
        assert (sqlite_store.seq, len(lines_of(sqlite_store))) == (2, 2)
    run(sqlite_store.writing, "pragma max_page_count = 1000000")
    assert sqlite_store.commit([draft]) == [2]
    assert findings(home.path) == []


class BadDisk(apsw.VFS):
    """The system's file system, with a sync that fails when it is told to."""

    def __init__(self) -> None:
        self.broken = False
        super().__init__("bad disk", "")

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - the library's
        return _BadFile(self, name, flags)


class _BadFile(apsw.VFSFile):
    def __init__(self, disk: BadDisk, name: apsw.URIFilename | str | None, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802 - the library's
        if self._disk.broken:
            raise apsw.IOError
        super().xSync(flags)


def test_p1_after_a_failed_sync_the_log_is_not_written_again_before_it_was_read_again(tmp_path: Path) -> None:
    disk = BadDisk()
    log = Home(tmp_path).log
    try:
        store = open_store(log, 0, "ada", vfs="bad disk")
        record(store)
        disk.broken = True
        with pytest.raises(LogFailed, match="may or may not be recorded"):
            record(store)
        disk.broken = False
        with pytest.raises(LogFailed, match="must be opened again first"):
            record(store)
        store.close()
        again = open_store(log, 0, "ada", vfs="bad disk")
        assert again.seq in {2, 3}
        assert record(again) == [again.seq - 1]
        again.close()
    finally:
        disk.unregister()
    assert findings(tmp_path) == []


class Interrupted(list[Entry]):
    """A draft's entries, during whose writing somebody presses Ctrl-C."""

    def __iter__(self) -> Iterator[Entry]:
        yield self[0]
        raise KeyboardInterrupt


def test_an_interrupt_in_the_middle_of_a_commit_leaves_nothing_and_asks_for_a_new_start(
    home: Home, sqlite_store: SqliteStore
) -> None:
    draft = draft_on(sqlite_store)
    draft.record(SupervisorStarted(1, "host", "1"))
    draft.entries = Interrupted(draft.entries)
    with pytest.raises(KeyboardInterrupt):
        sqlite_store.commit([draft])
    assert len(lines_of(sqlite_store)) == 1
    with pytest.raises(LogFailed):
        record(sqlite_store)
    assert findings(home.path) == []
