"""The runner in an allocation of a cluster, which ends: in good order when it is told, and with nothing made up."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.actors.runner import recall

from .driving import Home, Link, until

NUMBER = 3
LONG_S = 600.0


class Allocation(Home):
    """A home whose runners have their sockets elsewhere, and an end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sockets = path.parent / "sockets"
        self.sockets.mkdir(mode=0o700)

    def begin_until(self, lasts_s: float = LONG_S, *options: str, cpus: int = 2) -> Link:
        """Start a runner that ends what runs after so long, and connect to it."""
        number, until_s = str(NUMBER), str(time.time() + lasts_s)
        self.start("--sockets", str(self.sockets), "--number", number, "--until", until_s, *options)
        home, self.path = self.path, self.sockets
        try:
            return self.connect({"cpus": cpus})
        finally:
            self.path = home

    def tell(self, number: int = signal.SIGTERM) -> None:
        """What Slurm does: a signal for every process of the allocation."""
        for pid in [self.runners[-1].pid, *self.carriers()]:
            os.kill(pid, number)

    def left(self) -> int:
        """The runner's exit code, once it has left."""
        return self.runners[-1].wait(20)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Allocation]:
    """A home in an allocation."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    made = Allocation(folder)
    yield made
    made.close()


def test_socket_and_lock_are_on_the_node_and_the_rest_where_all_nodes_see_it(home: Allocation) -> None:
    link = home.begin_until()
    job = home.shell("echo out; echo err >&2")
    link.launch(job)
    ended = link.end(job)
    assert sorted(path.name for path in home.sockets.iterdir()) == ["runner.lock", "runner.sock"]
    assert sorted(path.name for path in home.path.iterdir()) == ["output", "runner.journal", "runner.log"]
    assert [each.segment for each in ended.output] == ["3000001.out", "3000001.err"]
    assert [home.read(each) for each in ended.output] == [b"out\n", b"err\n"]


def test_segments_of_others_in_the_same_folder_are_left_alone(home: Allocation) -> None:
    output = home.path / "output"
    output.mkdir(mode=0o700)
    for name in ("000007.out", "3000004.out", "4000001.out", "12.1.out"):
        (output / name).write_bytes(b"others")
    link = home.begin_until()
    job = home.shell("echo mine")
    link.launch(job)
    assert [each.segment for each in link.end(job).output] == ["3000005.out", "3000005.err"]


def test_what_slurm_ends_is_lost_what_waits_is_given_back_and_the_journal_is_closed(home: Allocation) -> None:
    link = home.begin_until(cpus=1)
    runs, waits = home.shell("echo $$ > begun; sleep 600"), home.shell("echo never > never")
    link.launch(runs, waits)
    until((home.work / "begun").exists, "it has begun")
    home.tell()
    ended, given_back = link.end(runs), link.until(waits, "revoked")
    assert (ended.how, ended.exit_code, ended.signal) == ("lost", None, None)
    assert "allocation" in (ended.error or "")
    assert "allocation" in (given_back.error or "")
    assert home.left() == 0
    past = recall((home.path / "runner.journal").read_bytes())
    assert past.closed
    assert set(past.ended) == {runs.token, waits.token}
    assert not past.claims
    assert not (home.work / "never").exists()


def test_an_end_by_sigterm_just_before_the_runner_is_told_is_the_allocation_s(home: Allocation) -> None:
    link = home.begin_until()
    job, other = home.shell("echo $$ > begun; sleep 600"), home.shell("kill -TERM $$")
    link.launch(job, other)
    until((home.work / "begun").exists, "it has begun")
    os.killpg(int((home.work / "begun").read_text()), signal.SIGTERM)
    home.runners[-1].terminate()
    assert link.end(job).how == "lost"
    assert link.end(other).how == "lost"


def test_one_that_ends_by_sigterm_on_its_own_is_told_as_such_after_a_moment(home: Allocation) -> None:
    link = home.begin_until()
    job, other = home.shell("kill -TERM $$"), home.shell("exit 143")
    link.launch(job, other)
    assert (link.end(job).how, link.end(job).signal) == ("exited", signal.SIGTERM)
    assert (link.end(other).how, link.end(other).exit_code) == ("exited", 143)


def test_what_succeeds_although_it_was_told_has_succeeded(home: Allocation) -> None:
    link = home.begin_until()
    job = home.shell("trap 'exit 0' TERM; echo > begun; while :; do sleep 0.02; done")
    fails = home.shell("trap 'exit 3' TERM; echo > begun2; while :; do sleep 0.02; done")
    link.launch(job, fails)
    until(lambda: (home.work / "begun").exists() and (home.work / "begun2").exists(), "they have begun")
    home.tell()
    assert (link.end(job).how, link.end(job).exit_code) == ("exited", 0)
    assert link.end(fails).how == "lost"
    assert home.left() == 0


def test_it_ends_what_runs_itself_when_its_time_is_over(home: Allocation) -> None:
    link = home.begin_until(1.5)
    job, stubborn = home.shell("sleep 600"), home.shell("trap '' TERM; while :; do sleep 0.02; done", grace_us=100_000)
    link.launch(job, stubborn)
    assert link.end(job).how == "lost"
    assert link.end(stubborn).how == "lost"
    assert home.left() == 0
    assert recall((home.path / "runner.journal").read_bytes()).closed


def test_what_is_launched_while_it_ends_is_given_back(home: Allocation) -> None:
    link = home.begin_until()
    job = home.shell("trap 'echo > told' TERM; echo > begun; until [ -e go ]; do sleep 0.02; done")
    link.launch(job)
    until((home.work / "begun").exists, "it has begun")
    home.tell()
    until((home.work / "told").exists, "it was told")
    late = home.shell("true")
    link.launch(late)
    link.until(late, "revoked")
    (home.work / "go").touch()
    assert link.end(job).how == "exited"
    assert home.left() == 0


def test_it_leaves_when_it_has_had_nothing_to_do_for_long_enough_also_with_ends_that_nobody_heard(
    home: Allocation,
) -> None:
    link = home.begin_until(LONG_S, "--idle-s", "0.5")
    job = home.shell("sleep 1")
    link.launch(job)
    link.end(job)
    assert home.left() == 0  # although the connection stands
    past = recall((home.path / "runner.journal").read_bytes())
    assert past.closed
    assert set(past.ended) == {job.token}


def test_one_that_was_killed_has_not_closed_its_journal_and_the_next_finds_what_runs(home: Allocation) -> None:
    link = home.begin_until()
    job = home.shell("echo > begun; until [ -e go ]; do sleep 0.02; done")
    link.launch(job)
    until((home.work / "begun").exists, "it has begun")
    home.kill_runner()
    past = recall((home.path / "runner.journal").read_bytes())
    assert not past.closed
    assert set(past.claims) == {job.token}
    again = home.begin_until()
    again.launch(job)
    again.until(job, "running")
    (home.work / "go").touch()
    assert again.end(job).how == "lost"  # as with any runner that died: its exit status is gone
    home.runners[-1].terminate()
    assert home.left() == 0
    assert recall((home.path / "runner.journal").read_bytes()).closed
