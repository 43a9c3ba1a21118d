"""Kill -9 at any moment: what was acknowledged is there, and the views are the fold of the log (promises P1, P4)."""

import select
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from holdfast.store.home import Home
from holdfast.store.reader import Reader

from .processes import Child, child
from .stores import dump, findings, open_sqlite, tamper

CHANCE = Random()


def killed_while_committing(folder: Path, heard: int) -> int:
    """Kill a process that commits after it has said so much; the last seq that it acknowledged."""
    with child("commit", folder) as process:
        said = [process.hear() for _ in range(heard)]
        said += process.kill_within(CHANCE.random() * 0.01)
        return int(said[-1])


def expect_whole(folder: Path, acknowledged: int) -> None:
    with Reader(Home(folder)) as reader:
        assert reader.seq >= acknowledged
        assert sum(1 for _ in reader.events()) == reader.seq
    assert findings(folder) == []


def test_p1_p4_a_writer_killed_at_any_moment_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    for _ in range(6):
        expect_whole(tmp_path, killed_while_committing(tmp_path, CHANCE.randrange(1, 30)))


@pytest.mark.slow
def test_p1_p4_a_writer_killed_many_times_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    for _ in range(25):
        expect_whole(tmp_path, killed_while_committing(tmp_path, CHANCE.randrange(1, 100)))


def test_p4_a_rebuild_killed_at_any_moment_leaves_the_views_as_before_or_after_it(long_home: Home) -> None:
    right = dump(long_home.log)
    for _ in range(8):
        with child("rebuild", long_home.path) as process:
            assert process.hear() == "open"
            process.kill_within(CHANCE.random() * 0.2)
        with Reader(long_home):
            assert dump(long_home.log) == right
    assert findings(long_home.path) == []


def test_p4_beside_a_rebuild_a_reader_sees_the_views_before_it_or_after_it(long_home: Home) -> None:
    right = read_all(long_home.path)
    tamper(long_home.log, "update job set name = 'wrong'")
    wrong = read_all(long_home.path)
    assert wrong != right
    seen = [wrong]
    with child("rebuild", long_home.path) as process:
        assert process.hear() == "open"
        rounds = 0
        while rounds < 3:
            seen.append(read_all(long_home.path))
            if said_something(process):
                assert int(process.hear()) > 0
                rounds += 1
    changes = [after for before, after in pairwise(seen) if after != before]
    assert changes == [right]


def read_all(folder: Path) -> list[object]:
    with Reader(Home(folder)) as reader:
        return list(reader.jobs())


def said_something(process: Child) -> bool:
    return bool(select.select([process.stdout], [], [], 0)[0])


def test_p4_a_rebuild_cut_off_at_opening_is_done_at_the_next_one(long_home: Home) -> None:
    log = long_home.log
    right = dump(log)
    for _ in range(4):
        tamper(log, "update meta set value = 5 where name = 'views_seq'")
        tamper(log, "delete from job")
        with child("rebuild", long_home.path) as process:
            process.kill_within(0.15 + CHANCE.random() * 0.2)
        open_sqlite(long_home.path).close()
        assert dump(log) == right
