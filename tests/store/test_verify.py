"""What `verify` finds: everything that is not as the log says, and nothing in a home that is whole."""

from pathlib import Path

import pytest

from holdfast.events.facts import OfJob
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.reader import Reader
from holdfast.store.rebuild import rebuild
from holdfast.store.verify import Verified, verify

from .stores import dump, findings, open_sqlite, tamper


def verified(home: Home) -> Verified:
    with Reader(home) as reader:
        return verify(reader.connection, home.log)


def test_a_whole_home_has_no_findings_and_is_counted(long_home: Home) -> None:
    found = verified(long_home)
    with Reader(long_home) as reader:
        assert found == Verified(reader.seq, len(list(reader.jobs())), [])


def test_a_new_home_is_whole(home: Home, sqlite_store: SqliteStore) -> None:
    assert verified(home) == Verified(1, 0, [])


@pytest.mark.parametrize(
    "change",
    [
        "update job set state = 'lost' where id = 3",
        "update job set activity = 1 - activity where id = 3",
        "update job set data = replace(data, 'state', 'stage') where id = 3",
        "update job set last = last + 1 where id = 3",
        "update job set name = 'other' where id = 3",
        "delete from job where id = 3",
        "delete from job where id = (select max(id) from job)",
        "insert into job values (9999, 1, 1, 1, '', null, null, 'lost', 0, '{}')",
        "delete from dependency where job = (select max(job) from dependency)",
        "insert into dependency values (1, 9, 0)",
        "update flow set seq = seq + 1",
        "update target set data = replace(data, 'cpus', 'gpus')",
        "delete from limit_",
        "insert into rate_mark values ('none', '{}')",
        "update batch set open = 1 - open where name = (select min(name) from batch)",
        "update batch set planned = planned + 1 where name = (select min(name) from batch)",
        "update batch set data = replace(data, 'planned_at', 'seen_at')",
        "delete from batch where name = (select max(name) from batch)",
    ],
)
def test_p4_any_change_of_a_view_is_found_and_mended_by_a_rebuild(long_home: Home, change: str) -> None:
    right = dump(long_home.log)
    tamper(long_home.log, change)
    (found,) = verified(long_home).findings
    assert found.startswith("view ")
    assert "`holdfast rebuild` mends views" in found
    store = open_sqlite(long_home.path)
    assert rebuild(store.writing, long_home.log) == store.seq
    store.close()
    assert dump(long_home.log) == right


@pytest.mark.parametrize("job", [None, 1, 9_999])
def test_an_event_that_stands_under_another_job_than_its_own_is_found(long_home: Home, job: int | None) -> None:
    with Reader(long_home) as reader:
        events = (stored.seq for stored, event in reader.events() if isinstance(event, OfJob) and event.job == 7)
        seq = next(events)
    tamper(long_home.log, "update events set job = ? where seq = ?", (job, seq))
    (found,) = verified(long_home).findings
    assert found == f"event {seq}: it stands under {f'job {job}' if job else 'no job'}, but is about job 7"


@pytest.mark.parametrize("cause", [0, -1, 100, 5_000])
def test_a_cause_that_is_not_before_its_event_is_found(long_home: Home, cause: int) -> None:
    tamper(long_home.log, "update events set cause = ? where seq = 100", (cause,))
    assert verified(long_home).findings == [f"event 100: its cause {cause} is not before it"]


def test_views_that_are_behind_are_found(long_home: Home) -> None:
    tamper(long_home.log, "update meta set value = 7")
    assert "views have followed the log to event 7 of" in findings(long_home.path)[0]


def test_an_index_that_does_not_fit_its_table_is_found(long_home: Home, tmp_path: Path) -> None:
    tamper(
        long_home.log,
        "pragma writable_schema = on; "
        "update sqlite_schema set sql = 'CREATE INDEX job_flow on job (name)' where name = 'job_flow'",
    )
    assert any(text.startswith("the file: ") for text in findings(long_home.path))


def test_no_more_is_reported_than_anybody_would_read(long_home: Home) -> None:
    tamper(long_home.log, "update events set cause = seq")
    assert len(verified(long_home).findings) == 20


def test_verifying_changes_nothing_and_leaves_no_files(long_home: Home) -> None:
    before = long_home.log.read_bytes()
    verified(long_home)
    assert long_home.log.read_bytes() == before
    assert {path.name for path in long_home.path.iterdir()} <= {"log.db", "log.db-wal", "log.db-shm"}
