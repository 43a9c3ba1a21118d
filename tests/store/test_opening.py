"""What is checked before a log is believed: the SQLite library, the file system, and where the views are."""

from pathlib import Path
from random import Random

import apsw
import pytest

from holdfast.store.connection import ALLOW_NETWORK, check_filesystem, check_sqlite, open_reader, open_writer
from holdfast.store.errors import LogFailed, NetworkFilesystem, NoHome, OldSQLite, ReadOnly
from holdfast.store.filesystem import NETWORK_MAGIC, network_filesystem
from holdfast.store.home import Home
from holdfast.store.opening import new_home_id, open_store
from holdfast.store.reader import Reader
from holdfast.store.statements import first, run

from .histories import START, History
from .stores import dump, findings, open_sqlite, tamper


@pytest.mark.parametrize(
    "version", ["3.44.6", "3.44.7", "3.50.7", "3.50.8", "3.51.3", "3.51.4", "3.52.0", "3.54.1", "4.0.0"]
)
def test_a_fixed_sqlite_is_taken(version: str) -> None:
    check_sqlite(version)


@pytest.mark.parametrize(
    "version",
    ["3.7.0", "3.22.0", "3.44.0", "3.44.5", "3.45.0", "3.45.9", "3.49.2", "3.50.0", "3.50.6", "3.51.0", "3.51.2"],
)
def test_an_sqlite_that_can_lose_committed_rows_is_refused(version: str) -> None:
    with pytest.raises(OldSQLite, match=f"SQLite {version} can lose committed rows .* newer apsw"):
        check_sqlite(version)


def test_the_sqlite_that_is_linked_is_a_fixed_one() -> None:
    check_sqlite(apsw.sqlite_lib_version())


@pytest.mark.parametrize("kind", sorted(NETWORK_MAGIC.values()))
def test_a_network_file_system_is_refused_by_name_unless_the_user_takes_the_risk(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ALLOW_NETWORK, raising=False)
    with pytest.raises(NetworkFilesystem, match=f"on a {kind} file system.*--home.*{ALLOW_NETWORK}=1"):
        check_filesystem(tmp_path, lambda _: kind)
    monkeypatch.setenv(ALLOW_NETWORK, "yes")
    with pytest.raises(NetworkFilesystem):
        check_filesystem(tmp_path, lambda _: kind)
    monkeypatch.setenv(ALLOW_NETWORK, "1")
    check_filesystem(tmp_path, lambda _: kind)


def test_a_local_file_system_is_taken(tmp_path: Path) -> None:
    assert network_filesystem(tmp_path) is None
    check_filesystem(tmp_path)


def test_a_file_system_that_can_not_be_asked_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        network_filesystem(tmp_path / "nowhere")
    with pytest.raises(LogFailed, match="No such file"):
        open_writer(tmp_path / "nowhere" / "log.db")


def test_the_writer_waits_for_the_disk_and_the_reader_can_not_write(home: Home) -> None:
    writer = open_writer(home.log)
    reader = open_reader(home.log)
    try:
        assert first(writer, tuple[str], "pragma journal_mode") == ("wal",)
        assert first(writer, tuple[int], "pragma synchronous") == (2,)
        with pytest.raises(ReadOnly):
            run(reader, "create table a (b)")
    finally:
        reader.close()
        writer.close()


def test_what_is_made_is_for_its_user_alone(home: Home) -> None:
    store = open_sqlite(home.path)
    try:
        assert home.path.stat().st_mode & 0o777 == 0o700
        for path in (home.log, *(home.path / f"log.db-{part}" for part in ("wal", "shm"))):
            assert path.stat().st_mode & 0o777 == 0o600
    finally:
        store.close()


def test_a_home_keeps_its_id_for_ever(home: Home) -> None:
    for _ in range(3):
        store = open_sqlite(home.path)
        assert (store.base.home, store.seq) == ("0badcafe", 1)
        assert store.path == home.log
        store.close()


def test_new_ids_are_eight_hexadecimal_digits_and_differ() -> None:
    made = {new_home_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) == 8 and int(each, 16) >= 0 for each in made)


def test_views_that_are_behind_the_log_are_brought_up_at_opening(home: Home) -> None:
    store = open_sqlite(home.path)
    History(Random(5), store).run(40)
    store.close()
    right = dump(home.log)
    tamper(home.log, "update meta set value = value - 3")
    tamper(home.log, "delete from job where id = 1")
    tamper(home.log, "update job set state = 'lost', activity = 0")
    assert findings(home.path)
    open_sqlite(home.path).close()
    assert dump(home.log) == right
    assert findings(home.path) == []


class Noting(apsw.VFS):
    """The system's own file system, which notes what is opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        super().__init__("noting", "")

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - the library's
        self.opened.append(str(name.filename() if isinstance(name, apsw.URIFilename) else name).rpartition("/")[2])
        return super().xOpen(name, flags)


def test_the_virtual_file_system_to_use_can_be_named(home: Home) -> None:
    noting = Noting()
    try:
        open_store(home.log, START, "ada", vfs="noting").close()
    finally:
        noting.unregister()
    assert {"log.db", "log.db-wal"} <= set(noting.opened)
    assert noting.opened.count("log.db") == 2


def test_reading_makes_no_home(tmp_path: Path) -> None:
    with pytest.raises(NoHome, match="there is no home at"):
        Reader(Home(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a b", "a?b#c", "ä%41", "a'b"])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    open_sqlite_in(tmp_path / name)
    with Reader(Home(tmp_path / name)) as reader:
        assert reader.seq == 1


def open_sqlite_in(folder: Path) -> None:
    Home(folder).create()
    open_sqlite(folder).close()
