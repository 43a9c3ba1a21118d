"""Bytes of a log change on the disk: that is said, with where, and what is shown is the truth (promise P8)."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest

from holdfast.cli.main import main
from holdfast.events.errors import Damaged, HoldfastError
from holdfast.store.checksum import closed_by_another
from holdfast.store.connection import open_reader, open_writer
from holdfast.store.errors import NoChecksums, NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.store.statements import first
from holdfast.store.verify import verify
from tests.store.histories import History
from tests.store.kept_logs import KEPT, load
from tests.store.processes import child
from tests.store.stores import findings, lines_of, open_sqlite, open_unsynced, tamper

from .scope import share

PAGE: Final = 4096
TRIALS: Final = 4_000
PART: Final = 1 / 4
Change = Callable[[bytearray, Random], None]


def flip(content: bytearray, random: Random) -> None:
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(content))
        content[at] ^= random.randint(1, 255)


def zero_a_page(content: bytearray, random: Random) -> None:
    start = random.randrange(len(content) // PAGE) * PAGE
    content[start : start + PAGE] = bytes(PAGE)


def cut_off(content: bytearray, random: Random) -> None:
    del content[random.randrange(len(content)) :]


def tear_a_page(content: bytearray, random: Random) -> None:
    start = random.randrange(len(content) // PAGE) * PAGE
    content[start + PAGE // 2 : start + PAGE] = random.randbytes(PAGE // 2)


CHANGES: Final[tuple[Change, ...]] = (flip, flip, flip, zero_a_page, cut_off, tear_a_page)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of a home with a history."""
    folder = tmp_path_factory.mktemp("original")
    store = open_unsynced(folder)
    History(Random(3), store).run(120)
    store.close()
    return Home(folder).log


def everything(home: Home) -> list[bytes]:
    """All that reading commands show: the log, the jobs, the jobs as the log alone says."""
    with Reader(home) as reader:
        log = [msgspec.json.encode(stored) for stored, _ in reader.events()]
        jobs = [msgspec.json.encode(line) for line in reader.jobs()]
        return [*log, *jobs, *(msgspec.json.encode(line) for line in reader.replay())]


def test_p8_a_changed_byte_is_said_with_where_and_never_shown_as_right(original: Path, home: Home) -> None:
    content = original.read_bytes()
    home.log.write_bytes(content)
    truth = everything(home)
    said = 0
    for number in range(TRIALS):
        if not share(number, PART):
            continue
        random = Random(number)
        changed = bytearray(content)
        random.choice(CHANGES)(changed, random)
        clean(home)
        home.log.write_bytes(changed)
        found = shown_or_said(home)
        if isinstance(found, HoldfastError):
            assert found.exit_code == 3 or isinstance(found, NoHome), number  # none: all of it was cut off
            said += 1
        else:
            assert found == truth, number
    assert said > TRIALS * PART * 0.6, "most changes are of something that is read"


def shown_or_said(home: Home) -> list[bytes] | HoldfastError:
    try:
        return everything(home)
    except HoldfastError as error:
        return error


def clean(home: Home) -> None:
    for name in ("log.db-wal", "log.db-shm", "log.db-open"):
        home.path.joinpath(name).unlink(missing_ok=True)


@pytest.mark.parametrize("command", ["jobs", "log", "replay", "verify", "rebuild", "run", "doctor"])
def test_p8_each_command_says_that_the_log_is_damaged_and_where(
    original: Path, home: Home, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(original.read_bytes())
    for start in range(PAGE, len(content), PAGE):
        content[start + 2000] ^= 1
    home.log.write_bytes(content)
    code = main(["--home", str(home.path), command])
    said = capsys.readouterr()
    assert code == (1 if command == "doctor" else 3)
    # A rebuild looks past the checksums of views, and here it finds what is wrong before it comes to those of the log.
    assert ("page 2 (byte 4096)" if command != "rebuild" else "log.db is damaged") in said.err + said.out
    assert "Traceback" not in said.err


def test_p8_a_letter_of_a_jobs_name_that_changed_is_found_though_all_else_fits(original: Path, home: Home) -> None:
    content = original.read_bytes()
    at = content.index("job 1 é".encode())
    home.log.write_bytes(content[:at] + b"J" + content[at + 1 :])
    with pytest.raises(Damaged, match=r"the checksum is wrong of page \d+ \(byte \d+\)"):
        everything(home)


def test_p8_a_header_that_denies_the_checksums_is_not_believed(original: Path, home: Home) -> None:
    content = bytearray(original.read_bytes())
    assert content[20] == 8
    content[20] = 0
    home.log.write_bytes(content)
    with pytest.raises(Damaged, match="no checksums, but they have"):
        everything(home)
    with pytest.raises(Damaged, match="no checksums, but they have"):
        open_sqlite(home.path)


def test_two_pages_that_changed_places_are_found_by_what_they_say(original: Path, home: Home) -> None:
    """Their checksums fit; so this shows what finds them, and that a list alone may not."""
    content = original.read_bytes()
    pages = len(content) // PAGE
    home.log.write_bytes(content)
    truth = everything(home)
    shown = 0
    for number in range(60):
        one, other = sorted(Random(number).sample(range(1, pages), 2))
        changed = bytearray(content)
        changed[one * PAGE : (one + 1) * PAGE] = content[other * PAGE : (other + 1) * PAGE]
        changed[other * PAGE : (other + 1) * PAGE] = content[one * PAGE : (one + 1) * PAGE]
        clean(home)
        home.log.write_bytes(changed)
        try:
            assert findings(home.path), number
            shown += everything(home) != truth
        except Damaged:
            continue
    assert shown < 60


def test_a_byte_that_changes_in_the_wal_of_a_killed_writer_ends_the_log_there_and_shows_nothing_wrong(
    home: Home, tmp_path: Path
) -> None:
    """SQLite can't tell it from a commit that the crash cut off: this much is not noticed, and it is known."""
    killed_while_committing(home)
    log, wal = home.log.read_bytes(), home.path.joinpath("log.db-wal").read_bytes()
    whole = beginning(Home(tmp_path / "whole"), log, wal)
    shorter = 0
    for number in range(25):
        random = Random(number)
        changed = bytearray(wal)
        flip(changed, random)
        found = beginning(Home(tmp_path / str(number)), log, bytes(changed))
        assert found == whole[: len(found)]
        shorter += len(found) < len(whole)
    assert shorter > 15


def beginning(home: Home, log: bytes, wal: bytes) -> list[bytes]:
    """The log as a writer finds it, which is whole as far as it goes."""
    home.create()
    home.log.write_bytes(log)
    home.path.joinpath("log.db-wal").write_bytes(wal)
    store = open_sqlite(home.path)
    lines = lines_of(store)
    store.close()
    assert findings(home.path) == []
    return [msgspec.json.encode(line) for line in lines]


def test_p1_after_a_kill_another_program_may_look_into_the_log_and_close_it(home: Home) -> None:
    """It brings the WAL into the log, without checksums; that is no damage, and the next start makes them right."""
    said = killed_while_committing(home)
    look(home)
    assert not home.path.joinpath("log.db-wal").exists()
    shown = everything(home)
    store = open_sqlite(home.path)
    assert store.seq >= said
    assert len(lines_of(store)) == store.seq
    store.close()
    assert everything(home) == shown
    assert findings(home.path) == []
    content = bytearray(home.log.read_bytes())
    content[-2000] ^= 1
    home.log.write_bytes(content)
    with pytest.raises(Damaged, match="the checksum is wrong of page"):  # from then on, everything is checked again
        everything(home)


def killed_while_committing(home: Home) -> int:
    with child("commit", home.path) as process:
        said = [process.hear() for _ in range(60)]
        said += process.kill_within(0)
    return int(said[-1])


def test_p8_after_a_kill_whoever_writes_next_checks_what_it_reads(home: Home) -> None:
    """The mark of the one that was killed does not call what we do to its WAL another program's doing."""
    killed_while_committing(home)
    with closing(open_sqlite(home.path)) as store:
        for connection in (store.reading, store.writing):
            assert first(connection, tuple[str], "pragma checksum_verification") == ("1",)
    content = bytearray(home.log.read_bytes())
    content[-2000] ^= 1
    home.log.write_bytes(content)
    with pytest.raises(Damaged, match="the checksum is wrong of page"):
        everything(home)


def test_p8_a_rebuild_after_a_kill_leaves_nothing_unchecked(home: Home) -> None:
    killed_while_committing(home)
    assert main(["--home", str(home.path), "rebuild"]) == 0
    assert not closed_by_another(home.log)
    content = bytearray(home.log.read_bytes())
    content[-2000] ^= 1
    home.log.write_bytes(content)
    with pytest.raises(Damaged, match="the checksum is wrong of page"):
        everything(home)


def test_a_checkpoint_by_another_program_is_refused_and_can_be_taken_as_it_is(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(open_sqlite(home.path)) as store:
        History(Random(5), store).run(20)
        truth = lines_of(store)
        tamper_unseen(home, "pragma wal_checkpoint(truncate)")
    command = ["--home", str(home.path)]
    assert main([*command, "rebuild"]) == 3
    assert "rebuild --trust-pages" in capsys.readouterr().err
    assert main([*command, "rebuild", "--trust-pages"]) == 0
    with closing(open_sqlite(home.path)) as store:
        assert lines_of(store) == truth
    assert findings(home.path) == []


def look(home: Home) -> None:
    """Look into the log with another SQLite program, which then closes it."""
    with child("look", home.path) as program:
        program.finish()


def test_p8_a_log_that_another_program_closed_is_still_checked_as_far_as_it_can_be(home: Home) -> None:
    killed_while_committing(home)
    look(home)
    with closing(open_reader(home.log)) as connection:
        assert verify(connection, home.log).findings == []
    tamper_unseen(home, "update job set state = 'lost' where id = 1")
    with pytest.raises(Damaged, match="view job"):
        open_sqlite(home.path)


def tamper_unseen(home: Home, sql: str) -> None:
    """Change a log as any SQLite program can, which keeps no checksums."""
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit(); c.close()"
    subprocess.run([sys.executable, "-c", code, str(home.log), sql], check=True, capture_output=True)


def test_views_that_another_program_changed_are_refused_and_mended_by_a_rebuild(
    original: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.log.write_bytes(original.read_bytes())
    truth = everything(home)
    tamper_unseen(home, "update job set name = 'other' where id = 2")
    with pytest.raises(Damaged, match="the checksum is wrong of page"):
        everything(home)
    assert main(["--home", str(home.path), "rebuild"]) == 0
    assert "is right again" in capsys.readouterr().out
    assert everything(home) == truth


def test_a_copy_that_sqlite_makes_keeps_the_checksums(original: Path, home: Home, tmp_path: Path) -> None:
    home.log.write_bytes(original.read_bytes())
    tamper(home.log, f"vacuum into '{tmp_path / 'copy.db'}'")
    assert (tmp_path / "copy.db").read_bytes()[20] == 8


def test_a_log_without_checksums_is_read_and_written_as_it_is(home: Home) -> None:
    load(KEPT[-1], home.log)
    store = open_sqlite(home.path)
    History(Random(2), store).run(5)
    store.close()
    assert home.log.read_bytes()[20] == 0
    assert findings(home.path) == []


def test_where_sums_can_not_be_kept_a_log_that_has_them_is_not_written(original: Path, home: Home) -> None:
    home.log.write_bytes(original.read_bytes())
    with pytest.raises(NoChecksums, match="built without SQLite's cksumvfs"):
        open_writer(home.log, vfs="unix")
    open_reader(home.log, vfs="unix").close()
