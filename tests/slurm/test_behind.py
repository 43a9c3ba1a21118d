"""What waits in Slurm's queue behind something else: in which words, while that is there, and what scripts look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from holdfast.actors.slurm.arrays import batches
from holdfast.actors.slurm.attempt_folders import AttemptFolder, Claim, Exit
from holdfast.actors.slurm.behind import MANY, are_there, fresh_s, options
from holdfast.actors.slurm.book import FENCE_S, RUNNING, UNCLEAR, Book, Entry, Member
from holdfast.actors.slurm.ending import Evidence, conclude
from holdfast.actors.slurm.sacct import Account
from holdfast.actors.slurm.scontrol import Config
from holdfast.actors.slurm.script import NOT_DUE
from holdfast.actors.slurm.squeue import Row
from holdfast.events.messages import AttemptStatus
from holdfast.events.spec import SlurmSpec

from .batchfolder import DASH, HOME, SHELLS, BatchFolder, order

every_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
AFTER = {f"{HOME}.3.1": "after", f"{HOME}.4.2": "after_any"}
ENDED = "status {}\nbegan 1.000000\nended 2.000000\n"


def config(min_job_age_s: int) -> Config:
    return Config("lab", (22, 5), min_job_age_s, 1001, 10_000, 10, 10, 30, has_accounts=True, settings={})


def batch(book: Book, name: str, number: str | None, count: int = 1, after: Sequence[str] = ()) -> Entry:
    """A batch of so many attempts, of jobs with the numbers from that in its name on, all seen at 100."""
    first = int(name.split(".")[1])
    members = [
        Member(f"{HOME}.{first + place}.1", first + place, 1, name, place if count > 1 else None)
        for place in range(count)
    ]
    entry = Entry(name, 0, members)
    entry.id, entry.sent, entry.after = number, True, tuple(after)
    for member in members:
        member.seen_at, member.told = 100.0, "queued"
    book.add(entry)
    return entry


def row(name: str, state: str, reason: str = "None", number: int = 7) -> Row:
    return Row(number, None, None, state, reason, 0, None, None, "", name, "")


@pytest.fixture
def book() -> Book:
    return Book(HOME)


# Which words.


def test_tasks_are_named_one_by_one_and_jobs_by_their_numbers(book: Book) -> None:
    batch(book, f"{HOME}.1.1", "25", 3)
    batch(book, f"{HOME}.5.1", "26")
    batch(book, f"{HOME}.6.1", "27")
    after = {f"{HOME}.3.1": "after", f"{HOME}.1.1": "after", f"{HOME}.5.1": "after_any", f"{HOME}.6.1": "after"}
    dependency = ("dependency", "afterany:26,afterok:25_2:25_0:27")
    assert options(book, after) == (dependency, ("kill-on-invalid-dep", "yes"))
    assert options(book, {}) == ()


@pytest.mark.parametrize("left_out,shown", [(0, "afterok:25"), (1, "afterok:25_1:25_2")])
def test_a_large_array_of_which_all_is_needed_is_named_as_one(book: Book, left_out: int, shown: str) -> None:
    entry = batch(book, f"{HOME}.1.1", "25", MANY + 1)
    after = dict.fromkeys([member.token for member in entry.members.values()][left_out:], "after")
    assert options(book, after)[0][1].startswith(shown)
    assert options(book, after)[0][1].count(":") == (1 if left_out == 0 else MANY)


def test_attempts_that_wait_for_different_things_go_apart() -> None:
    plain, first, second = order(1), replace(order(2), after=AFTER), replace(order(3), after=AFTER)
    other = replace(order(4), after={f"{HOME}.3.1": "after"})
    assert batches([plain, first, other, second], SlurmSpec(), 1000) == [(plain,), (first, second), (other,)]


# While it is there.


@pytest.mark.parametrize(
    "poll_us,age_s,expected",
    [(10_000_000, 300, 30.0), (60_000_000, 300, 120.0), (60_000_000, 60, 40.0), (1_000_000, 3, 2.0)],
)
def test_what_was_seen_counts_for_less_than_slurm_remembers_it(poll_us: int, age_s: int, expected: float) -> None:
    assert fresh_s(config(age_s), poll_us) == expected


def test_a_cluster_that_does_not_say_how_long_it_remembers_is_trusted_for_a_moment() -> None:
    assert 0 < fresh_s(None, 60_000_000) == fresh_s(config(0), 60_000_000) < 10


def test_what_was_seen_a_moment_ago_under_a_known_id_is_there(book: Book) -> None:
    entry = batch(book, f"{HOME}.1.1", "25", 2)
    token = f"{HOME}.2.1"
    member = book.members[token]
    assert are_there(book, [token], 105.0, 5.0)
    assert are_there(book, (), 1e9, 0.0)
    assert not are_there(book, [token], 105.1, 5.0)
    assert not are_there(book, [token, f"{HOME}.9.1"], 105.0, 5.0)
    for name, value, before in [
        ("left_at", 104.0, None),
        ("told", UNCLEAR, "queued"),
        ("over", True, False),
        ("stopping", True, False),
        ("seen_at", None, 100.0),
    ]:
        setattr(member, name, value)
        assert not are_there(book, [token], 105.0, 5.0)
        setattr(member, name, before)
    entry.id = None
    assert not are_there(book, [token], 105.0, 5.0)


def test_the_queue_says_what_is_there_and_when_it_was_asked(book: Book) -> None:
    entry = batch(book, f"{HOME}.1.1", "7")
    book.see([row(entry.name, "PENDING", "Priority")], 200.0, 201.0)
    assert entry.members[0].seen_at == 200.0
    book.see([row(entry.name, "COMPLETED")], 210.0, 211.0)
    assert entry.members[0].seen_at == 200.0
    assert not are_there(book, [f"{HOME}.1.1"], 211.0, 60.0)


def test_the_notes_of_what_is_waited_for_are_needed_as_long_as_that_waits(book: Book) -> None:
    entry = batch(book, f"{HOME}.2.1", "8", after=[f"{HOME}.1.1"])
    assert book.needed == {"1.1"}
    book.close(entry)
    assert book.needed == set()


# What becomes of it.


def test_it_counts_as_running_only_once_its_script_has_looked(book: Book) -> None:
    entry = batch(book, f"{HOME}.2.1", "7", after=[f"{HOME}.1.1"])
    assert book.see([row(entry.name, "RUNNING")], 200.0, 200.0).statuses == []
    assert book.see([row(entry.name, "RUNNING")], 209.0, 199.9 + FENCE_S).statuses == []
    (status,) = book.see([row(entry.name, "RUNNING")], 211.0, 200.0 + FENCE_S).statuses
    assert status.state == "running"


def concluded(
    account: Account,
    *,
    ended: Row | None = None,
    folder: AttemptFolder | None = None,
    told: str = "queued",
    **as_: bool,
) -> AttemptStatus | None:
    """What is told of an attempt that was to wait for another, by this account."""
    member = Member(f"{HOME}.2.1", 2, 1, f"{HOME}.2.1", None)
    member.is_behind, member.left_at, member.ended, member.told = as_.get("is_behind", True), 0.0, ended, told
    folders = {"2.1": AttemptFolder(claimed=False) if folder is None else folder}
    evidence = Evidence(folders, {(member.batch, None): [account]}, accounting=as_.get("accounting", True))
    return conclude(member, evidence, 1.0, 5.0, 60.0)


def account(state: str, exit_code: int = 0, *, by: int | None = None, reason: str = "") -> Account:
    return Account(7, None, None, state, exit_code, 0, 0, None, 5, "", f"{HOME}.2.1", by=by, reason=reason)


NEVER = "DependencyNeverSatisfied"


@pytest.mark.parametrize(
    "seen,ended,accounting,state",
    [
        (account("CANCELLED"), None, True, "revoked"),
        (account("CANCELLED", by=0), None, True, "ended"),
        (account("CANCELLED", reason=NEVER), None, False, "revoked"),
        (account("CANCELLED", reason="Dependency"), None, False, "ended"),
        (account("CANCELLED"), row("", "CANCELLED", NEVER), True, "revoked"),
        (account("CANCELLED"), row("", "CANCELLED", "Dependency"), True, "ended"),
        (account("FAILED", NOT_DUE), None, True, "revoked"),
        (account("FAILED", 1), None, True, "ended"),
        (account("NODE_FAIL"), None, True, "ended"),
    ],
)
def test_what_slurm_takes_out_of_its_queue_for_what_it_waited_for_is_given_back(
    seen: Account, ended: Row | None, *, accounting: bool, state: str
) -> None:
    status = concluded(seen, ended=ended, accounting=accounting)
    assert status is not None
    assert status.state == state
    voided = concluded(seen, ended=ended, accounting=accounting, folder=AttemptFolder(claimed=True, void=True))
    assert voided is not None
    assert voided.state == state


def test_one_that_began_or_waited_for_nothing_ends_by_its_own_word() -> None:
    began = AttemptFolder(claimed=True, claim=Claim(7, None, None, 0, "n1", 1, 1), exit=Exit(NOT_DUE, 1, 2))
    for status in (
        concluded(account("FAILED", NOT_DUE), folder=began),
        concluded(account("CANCELLED"), is_behind=False),
        concluded(account("FAILED", NOT_DUE), told=RUNNING),
    ):
        assert status is not None
        assert status.state == "ended"


# What its script looks at.


@pytest.fixture
def place(tmp_path: Path) -> BatchFolder:
    return BatchFolder(tmp_path / "work dir")


def ends(place: BatchFolder, work: str, text: str) -> None:
    """An attempt is claimed, and writes down how it ended."""
    (place.folder / "attempts" / work).write_text(f"slurm 5\n{text}")


def waiting(place: BatchFolder, after: Mapping[str, str]) -> str:
    """The script of one that waits for these."""
    return place.script(replace(order(run="echo ran"), after=dict(after)))


@every_shell
@pytest.mark.parametrize("status", [0, 7])
def test_an_attempt_runs_when_all_that_it_waits_for_has_ended_so(
    place: BatchFolder, shell: Sequence[str], status: int
) -> None:
    ends(place, "3.1", ENDED.format(0))
    ends(place, "4.2", ENDED.format(status))
    assert place.end(waiting(place, AFTER), shell=shell) == (0, "")
    assert place.output() == b"ran\n"


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Time in which scripts sleep passes at once."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sleep").write_text('#!/bin/sh\necho slept $1 >>"${0%/*}/slept"\n')
    (tmp_path / "bin" / "sleep").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin", prepend=None)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("shell", [DASH, ("bash", "--posix")], ids=" ".join)
@pytest.mark.parametrize(
    "notes",
    [{}, {"3.1": ENDED.format(0)}, {"4.2": ENDED.format(0)}, {"3.1": "status 0\nbegan 1.0\n", "4.2": ENDED.format(0)},
     {"3.1": ENDED.format(1), "4.2": ENDED.format(0)},
     {"3.1": "refused no folder x\n" + ENDED.format(0), "4.2": ENDED.format(0)}],
    ids=["none", "one", "the-other", "half-written", "failed", "refused-with-such-words"],
)  # fmt: skip
def test_p2_an_attempt_is_not_claimed_before_what_it_waits_for_has_ended_so(
    place: BatchFolder, shell: Sequence[str], notes: Mapping[str, str], tmp_path: Path
) -> None:
    for work, text in notes.items():
        ends(place, work, text)
    code, log = place.end(waiting(place, AFTER), shell=shell)
    assert code == NOT_DUE
    assert "nobody sees that it has" in log
    assert not place.read("7.1")["7.1"].claimed
    assert (tmp_path / "bin" / "slept").read_text() == "slept 1\n" * 4
    # Nothing stands in the way of the copy that comes in time.
    ends(place, "3.1", ENDED.format(0))
    ends(place, "4.2", ENDED.format(3))
    assert place.end(waiting(place, AFTER), shell=shell)[0] == 0


def test_every_task_of_an_array_looks(place: BatchFolder) -> None:
    orders = [replace(order(number, run="echo ran"), after={f"{HOME}.3.1": "after"}) for number in (7, 8)]
    ends(place, "3.1", ENDED.format(0))
    script = place.script(*orders)
    assert [place.end(script, task=task) for task in (0, 1)] == [(0, ""), (0, "")]
    assert place.output("8.1") == b"ran\n"
