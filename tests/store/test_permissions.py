"""What may not be read or written is refused as such, with the path: never shown as empty, never a traceback."""

import os
import sys
from pathlib import Path
from random import Random

import pytest

from holdfast.store.errors import NoHome, NoPermission, NotAFolder, ReadOnly
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.tools import refuse

from .histories import History
from .processes import as_nobody, child, open_folder, with_mounts
from .stores import open_sqlite


def filled(folder: Path) -> Home:
    """A home with a history that everybody may read."""
    store = open_sqlite(folder)
    History(Random(3), store).run(60)
    store.close()
    Home(folder).log.chmod(0o644)
    return Home(folder)


def test_a_folder_that_may_not_be_entered_is_no_empty_home() -> None:
    with open_folder() as folder:
        home = filled(folder)
        folder.chmod(0o000)
        with as_nobody():
            with pytest.raises(NoPermission, match=r"no permission to read .*log\.db"):
                Reader(home)
            with pytest.raises(NoPermission):
                open_sqlite(folder)
        folder.chmod(0o700)


@pytest.mark.parametrize("mode", [0o000, 0o200])
def test_a_log_that_may_not_be_read_is_no_empty_log(mode: int) -> None:
    with open_folder() as folder:
        home = filled(folder)
        home.log.chmod(mode)
        with as_nobody():
            with pytest.raises(NoPermission):
                Reader(home)
            with pytest.raises(NoPermission):
                open_sqlite(folder)


def test_a_log_that_may_only_be_read_is_read_and_not_opened_for_writing() -> None:
    with open_folder() as folder:
        home = filled(folder)
        home.log.chmod(0o444)
        with as_nobody():
            with Reader(home) as reader:
                assert reader.seq > 20
            with pytest.raises(NoPermission):
                open_sqlite(folder)


def test_a_home_in_a_folder_that_may_only_be_read_is_read() -> None:
    with open_folder() as folder:
        home = filled(folder)
        folder.chmod(0o555)
        with as_nobody(), Reader(home) as reader:
            assert reader.seq == sum(1 for _ in reader.events()) > 20
        assert sorted(path.name for path in folder.iterdir()) == ["log.db"]


def test_beside_a_writer_a_folder_that_may_only_be_read_is_read_up_to_the_newest_event() -> None:
    with open_folder() as folder:
        home = filled(folder)
        store = open_sqlite(folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        history = History(Random(4), store)
        folder.chmod(0o555)
        with as_nobody(), Reader(home) as reader:
            before = reader.seq
        history.run(5)
        with as_nobody(), Reader(home) as reader:
            assert before < reader.seq == store.seq
        folder.chmod(0o755)
        store.close()


def test_a_killed_writers_log_is_not_read_short_where_nothing_can_be_written() -> None:
    with open_folder() as folder:
        home = filled(folder)
        with child("commit", folder) as process:
            said = [process.hear() for _ in range(3)]
            said += process.kill_within(0)
        Home(folder).log.with_name("log.db-shm").unlink()
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(ReadOnly, match="read-only"):
            Reader(home)
        folder.chmod(0o755)
        with Reader(home) as reader:
            assert reader.seq >= int(said[-1])


def test_a_home_that_can_not_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for below in ("", "home", "deeper/home"):
        with pytest.raises(NotAFolder, match=r"file.* is a file, but a home .* --home"):
            Home(tmp_path / "file" / below).create()
    with open_folder() as folder:
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(NoPermission, match="no permission to make"):
            Home(folder / "home").create()
        folder.chmod(0o755)


def test_what_is_not_ours_to_see_is_not_called_missing() -> None:
    with open_folder() as folder:
        folder.chmod(0o000)
        with as_nobody(), pytest.raises(NoPermission):
            Home(folder / "home").must_exist()
        folder.chmod(0o755)
        with as_nobody(), pytest.raises(NoHome):
            Home(folder / "home").must_exist()


_READ_ONLY = """
mount --bind "$2" "$2"
mount -o remount,ro,bind "$2"
"$1" -m tests.store.child read "$2"
"$1" -m tests.store.child write "$2"
"""


def test_a_home_on_a_read_only_mount_is_read_and_refused_for_writing(tmp_path: Path) -> None:
    home = filled(tmp_path)
    with Reader(home) as reader:
        expected = f"{reader.seq} {len(list(reader.jobs()))} {reader.seq}"
    for leftover in ("lock", "log.db-wal", "log.db-shm"):
        (tmp_path / leftover).unlink(missing_ok=True)
    read, written = with_mounts(_READ_ONLY, sys.executable, str(tmp_path)).splitlines()
    assert read == expected
    assert written.startswith("ReadOnly: ")


_FUSE = """
"$1" - "$2" <<'END'
import ctypes, os, sys
fuse = os.open("/dev/fuse", os.O_RDWR)
os.set_inheritable(fuse, True)
# Nobody's mount: the kernel answers statfs for it by itself, so no server is needed.
options = f"fd={fuse},rootmode=40000,user_id=65534,group_id=65534".encode()
if ctypes.CDLL(None, use_errno=True).mount(b"test", sys.argv[1].encode(), b"fuse", 0, options):
    raise OSError(ctypes.get_errno(), "mount")
os.execv(sys.executable, [sys.executable, "-m", "tests.store.child", "filesystem", sys.argv[1]])
END
"""


def test_a_real_mount_of_a_kind_that_crosses_machines_is_recognised(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not Path("/dev/fuse").exists():
        refuse("mounting a file system for another user needs root and /dev/fuse")
    assert with_mounts(_FUSE, sys.executable, str(tmp_path)) == "FUSE"
