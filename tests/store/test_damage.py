"""Files that are no log, or are no longer what was written: refused with the reason, never taken for empty."""

import shutil
from pathlib import Path
from random import Random

import pytest

from holdfast.events.errors import Damaged
from holdfast.store.errors import DamagedLog, DamagedView, NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.rebuild import rebuild
from holdfast.store.verify import verify

from .histories import History
from .stores import dump, findings, open_sqlite, open_unsynced, tamper

DELETE = "delete from events where seq = ?"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a home with a history."""
    folder = tmp_path_factory.mktemp("original")
    store = open_unsynced(folder)
    History(Random(11), store).run(60)
    store.close()
    return Home(folder).log


@pytest.fixture
def full(home: Home, original: Path) -> Home:
    """A home with a history, to be damaged."""
    shutil.copyfile(original, home.log)
    return home


def drained(home: Home) -> None:
    with Reader(home) as reader:
        for _ in reader.events():
            pass


def test_an_empty_file_is_no_home_for_a_reader_and_a_new_one_for_a_writer(home: Home) -> None:
    home.log.touch()
    with pytest.raises(NoHome):
        Reader(home)
    store = open_sqlite(home.path)
    assert store.seq == 1
    store.close()


def test_a_log_that_is_just_being_made_is_no_home_yet(home: Home) -> None:
    open_sqlite(home.path).close()
    tamper(home.log, "delete from events")
    with pytest.raises(NoHome):
        Reader(home)


def test_a_folder_in_the_logs_place_is_refused(home: Home) -> None:
    home.log.mkdir()
    with pytest.raises(DamagedLog, match="it is a folder"):
        open_sqlite(home.path)
    with pytest.raises(DamagedLog, match="it is a folder"):
        Reader(home)


@pytest.mark.parametrize("content", [b"not a database, just a text\n" * 100, b"x", bytes(8192)])
def test_a_file_of_something_else_is_refused_and_left_alone(home: Home, content: bytes) -> None:
    home.log.write_bytes(content)
    with pytest.raises(DamagedLog):
        open_sqlite(home.path)
    with pytest.raises(DamagedLog):
        Reader(home)
    assert home.log.read_bytes() == content


@pytest.mark.parametrize("parts", range(1, 10))
def test_a_log_that_was_cut_off_anywhere_is_found_damaged(full: Home, parts: int) -> None:
    content = full.log.read_bytes()
    full.log.write_bytes(content[: len(content) * parts // 10])
    try:
        found = findings(full.path)
    except DamagedLog:
        return
    assert found


@pytest.mark.parametrize("kept", range(1, 4))
def test_pages_that_were_overwritten_are_found(full: Home, kept: int) -> None:
    content = bytearray(full.log.read_bytes())
    start = len(content) // 4 * kept // 4096 * 4096
    content[start : start + 4096] = bytes(range(256)) * 16
    full.log.write_bytes(content)
    try:
        found = findings(full.path)
    except DamagedLog:
        return
    assert found


def test_an_event_removed_from_the_middle_is_named(full: Home) -> None:
    tamper(full.log, DELETE, (17,))
    with pytest.raises(DamagedLog, match="event 17 is missing"):
        drained(full)
    assert "event 17 is missing" in findings(full.path)[0]


def test_a_first_event_removed_is_refused_at_once(full: Home) -> None:
    tamper(full.log, DELETE, (1,))
    with pytest.raises(DamagedLog, match="event 1 is missing"):
        Reader(full)
    with pytest.raises(DamagedLog, match="event 1 is missing"):
        open_sqlite(full.path)


def test_an_end_cut_off_is_refused_and_not_made_to_look_whole(full: Home) -> None:
    with Reader(full) as reader:
        newest = reader.seq
    tamper(full.log, "delete from events where seq > ?", (newest - 2,))
    before = dump(full.log)
    with pytest.raises(DamagedLog, match=f"ends with event {newest - 2}, but there were {newest}"):
        open_sqlite(full.path)
    assert dump(full.log) == before
    assert f"ends with event {newest - 2}, but the views have followed it to {newest}" in findings(full.path)[0]


def test_a_changed_event_is_found_by_what_it_does_to_the_views(full: Home) -> None:
    tamper(full.log, "update events set data = replace(data, '\"true\"', '\"evil\"') where type = 'job_submitted'")
    tamper(full.log, "update events set time = time + 1 where seq = (select seq from job where id = 1)")
    assert any("view job" in text for text in findings(full.path))


def test_a_changed_event_that_makes_no_sense_is_named(full: Home) -> None:
    tamper(
        full.log,
        'update events set type = \'job_retried\', data = \'{"job":1,"state":"ready"}\' '
        "where seq = (select min(seq) from events where type = 'attempt_launched')",
    )
    (found,) = findings(full.path)
    assert "can't follow those before it" in found


@pytest.mark.parametrize(
    "change,said",
    [
        ("type = 'job_vanished'", "unknown type 'job_vanished'"),
        ("version = 9", "version 9, newer than this Holdfast reads"),
        ("data = '{\"job\":'", "can't be read"),
        ("data = '{}'", "can't be read"),
        ("data = '[1]'", "can't be read"),
        ("data = ''", "can't be read"),
    ],
)
def test_an_event_that_nothing_here_can_read_is_named_with_its_position(full: Home, change: str, said: str) -> None:
    seq = 20
    tamper(full.log, f"update events set {change} where seq = {seq}")  # noqa: S608 - our own words
    with pytest.raises(Damaged, match=f"event {seq}: .*{said}"):
        drained(full)
    with Reader(full) as reader, pytest.raises(Damaged, match=said):
        reader.replay()
    assert any(said in text for text in findings(full.path))


def test_a_rebuild_of_a_damaged_log_is_refused_and_changes_nothing(full: Home) -> None:
    store = open_sqlite(full.path)
    tamper(full.log, DELETE, (17,))
    before = dump(full.log)
    with pytest.raises(DamagedLog, match="event 17 is missing"):
        rebuild(store.writing, full.log)
    assert dump(full.log) == before
    store.close()


@pytest.mark.parametrize("data", ["", "{}", "[]", '{"id":1}', "\ud83d"])
def test_a_view_that_holds_no_record_is_called_damaged_with_the_remedy(full: Home, data: str) -> None:
    if data == "\ud83d":
        tamper(full.log, "update job set data = cast(x'7bff' as text) where id = 1")
    else:
        tamper(full.log, "update job set data = ? where id = 1", (data,))
    with Reader(full) as reader:
        with pytest.raises(Damaged, match=r"rebuild|damaged"):
            list(reader.jobs())
        with pytest.raises(Damaged, match=r"rebuild|damaged"):
            reader.lookups.job(1)


def test_the_message_about_a_damaged_view_says_what_mends_it(full: Home) -> None:
    tamper(full.log, "update job set data = '{}' where id = 1")
    with Reader(full) as reader, pytest.raises(DamagedView, match="`holdfast rebuild` makes the views afresh"):
        reader.lookups.job(1)
    assert any("view job" in text for text in findings(full.path))


@pytest.mark.parametrize("table", ["job", "events", "meta"])
def test_a_missing_table_is_damage_and_not_a_crash(full: Home, table: str) -> None:
    tamper(full.log, f"drop table {table}")
    with pytest.raises(DamagedLog, match=f"no such table: {table}"):
        read_everything(full)


def read_everything(home: Home) -> None:
    with Reader(home) as reader:
        reader.lookups.next_job()
        verify(reader.connection, home.log)


def test_a_home_below_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoHome):
        Reader(Home(tmp_path / "file" / "home"))
