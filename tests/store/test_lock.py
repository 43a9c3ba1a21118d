"""The home's lock: one holder, whose pid the others are told, and free as soon as it is dead."""

import os
from pathlib import Path

import pytest

from holdfast.store.errors import HomeLocked, LogFailed, NoPermission
from holdfast.store.home import Home
from holdfast.store.lock import HomeLock, holder

from .processes import as_nobody, child, open_folder


def test_a_second_process_is_refused_with_the_pid_of_the_first(home: Home) -> None:
    with child("lock", home.path) as first:
        assert first.hear() == "locked"
        assert holder(home) == first.pid
        with pytest.raises(HomeLocked, match=f"in use by process {first.pid}: .* --home") as refused, HomeLock(home):
            pass
        assert refused.value.pid == first.pid
        first.finish()
    with HomeLock(home):
        assert holder(home) == os.getpid()


def test_a_holder_that_is_killed_holds_nothing(home: Home) -> None:
    with child("lock", home.path) as first:
        assert first.hear() == "locked"
        first.kill_within(0)
        assert holder(home) is None
        with HomeLock(home):
            assert holder(home) == os.getpid()


def test_a_forked_child_that_outlives_the_holder_holds_nothing(home: Home) -> None:
    told, tell = os.pipe()
    with HomeLock(home):
        child_pid = os.fork()
        if child_pid == 0:
            os.close(tell)
            os.read(told, 1)  # until the test is done with it
            os._exit(0)
    try:
        with HomeLock(home):
            assert holder(home) == os.getpid()
    finally:
        os.close(tell)
        os.close(told)
        os.waitpid(child_pid, 0)


def test_the_lock_is_refused_within_one_process_too(home: Home) -> None:
    with HomeLock(home), pytest.raises(HomeLocked, match=f"process {os.getpid()}"), HomeLock(home):
        pass


def test_after_it_is_left_the_lock_is_free_and_bears_no_name(home: Home) -> None:
    with HomeLock(home):
        assert home.lock.read_text() == f"{os.getpid()}\n"
    assert home.lock.read_text() == ""
    assert holder(home) is None


def test_the_lock_is_left_when_what_is_inside_fails(home: Home) -> None:
    with pytest.raises(ZeroDivisionError), HomeLock(home):
        raise ZeroDivisionError
    assert holder(home) is None


def test_a_holder_that_does_not_say_who_it_is_is_still_respected(home: Home) -> None:
    with HomeLock(home):
        home.lock.write_text("who?")
        assert holder(home) is None
        with pytest.raises(HomeLocked, match="another process") as refused, HomeLock(home):
            pass
        assert refused.value.pid is None


def test_looking_who_holds_the_lock_makes_nobody_be_refused(home: Home) -> None:
    with child("lock", home.path) as other:
        for _ in range(2_000):
            holder(home)
        assert other.hear() == "locked"


def test_a_home_without_a_lock_is_free(tmp_path: Path) -> None:
    assert holder(Home(tmp_path)) is None


def test_a_lock_that_can_not_be_made_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(LogFailed, match=r"nowhere/lock .*No such file"), HomeLock(Home(tmp_path / "nowhere")):
        pass
    with open_folder() as folder:
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(NoPermission, match=r"no permission to write .*lock"), HomeLock(Home(folder)):
            pass
        folder.chmod(0o755)
