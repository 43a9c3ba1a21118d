"""Reading beside a supervisor: jobs, counts, what a user's word means, events of one job, and a tail that follows."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from holdfast.events.decide import decide
from holdfast.events.errors import BadInput
from holdfast.events.messages import Cancel, Configure, Submit
from holdfast.events.spec import FlowSpec, JobSpec
from holdfast.events.states import LIVE, NAMES
from holdfast.store import connection
from holdfast.store.checksum import hides_checksums
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.reader import Reader

from .histories import History
from .processes import child
from .stores import HOME_ID, draft_on

LIVE_NAMES = {NAMES[state] for state in LIVE}


@pytest.fixture
def filled(home: Home, sqlite_store: SqliteStore) -> Home:
    """A home with two flows of jobs (1 to 4), a lone job a (5), one named like a path (6), one unnamed (7)."""
    draft = draft_on(sqlite_store)
    decide(draft, Configure({"local": {"cpus": 4}}))
    sqlite_store.commit([draft])
    true = ("true",)
    for flow in (
        FlowSpec((JobSpec(true, "a"), JobSpec(true, "b")), "nightly"),
        FlowSpec((JobSpec(true, "a"), JobSpec(true, "c")), "nightly"),
        FlowSpec((JobSpec(true, "a"), JobSpec(true, "x/y"), JobSpec(true))),
    ):
        draft = draft_on(sqlite_store)
        decide(draft, Submit(flow))
        sqlite_store.commit([draft])
    draft = draft_on(sqlite_store)
    decide(draft, Cancel((4,)))
    sqlite_store.commit([draft])
    return home


@pytest.mark.parametrize(
    "text,ids",
    [
        ("1", [1]),
        ("07", [7]),
        ("b", [2]),
        ("nightly-1", [1, 2]),
        ("nightly-2", [3, 4]),
        ("nightly-1/a", [1]),
        ("nightly-2/a", [3]),
        ("x/y", [6]),
    ],
)
def test_a_users_word_for_jobs_is_an_id_a_name_a_flow_or_a_name_in_a_flow(
    filled: Home, text: str, ids: list[int]
) -> None:
    with Reader(filled) as reader:
        assert reader.find_jobs(text) == ids


@pytest.mark.parametrize(
    "text", ["0", "99", "9" * 30, "z", "nightly", "nightly-1/", "nightly-9/a", "/a", "", "/", "²", "-1"]
)
def test_a_word_that_means_no_job_is_refused(filled: Home, text: str) -> None:
    with Reader(filled) as reader, pytest.raises(BadInput, match=r"there is no job .*`holdfast jobs` lists them"):
        reader.find_jobs(text)


def test_a_name_that_means_several_jobs_is_refused_with_their_ids(filled: Home) -> None:
    with Reader(filled) as reader, pytest.raises(BadInput, match="3 jobs are called 'a': 1, 3, 5; name one by its id"):
        reader.find_jobs("a")


def test_jobs_are_counted_by_state_of_one_flow_or_of_all(filled: Home) -> None:
    with Reader(filled) as reader:
        assert reader.counts() == {"ready": 6, "cancelled": 1}
        assert reader.counts("nightly-2") == {"ready": 1, "cancelled": 1}
        assert reader.counts("none") == {}
        assert (reader.unfinished(), reader.unfinished("nightly-2"), reader.unfinished("none")) == (6, 1, 0)


def test_counts_agree_with_the_list_of_jobs_and_lists_can_be_narrowed(long_home: Home) -> None:
    with Reader(long_home) as reader:
        lines = list(reader.jobs())
        assert reader.counts() == Counter(line.state for line in lines)
        assert reader.unfinished() == sum(line.state in LIVE_NAMES for line in lines)
        for flow in {line.flow for line in lines} - {None}:
            mine = [line for line in lines if line.flow == flow]
            assert list(reader.jobs("flow = ?", (str(flow),))) == mine
            assert reader.counts(flow) == Counter(line.state for line in mine)
            assert reader.unfinished(flow) == sum(line.state in LIVE_NAMES for line in mine)


def test_the_events_of_one_job_are_those_that_name_it_as_their_subject(long_home: Home) -> None:
    with Reader(long_home) as reader:
        everything = list(reader.events())
        for job in (1, 2, 40):
            mine = [stored for stored, event in everything if getattr(event, "job", None) == job]
            assert mine
            assert reader.events_of(job) == mine
            assert reader.events_of(job, mine[0].seq) == mine[1:]
        assert reader.events_of(10**9) == []


def test_events_are_read_from_any_position(long_home: Home) -> None:
    with Reader(long_home) as reader:
        everything = [stored for stored, _ in reader.events()]
        for after in (0, 1, 17, reader.seq - 1, reader.seq, reader.seq + 5):
            assert [stored for stored, _ in reader.events(after)] == everything[after:]


def test_a_reader_knows_the_home_and_can_look_things_up(filled: Home) -> None:
    with Reader(filled) as reader:
        assert reader.lookups.home == HOME_ID
        assert reader.lookups.specs([1])[1].name == "a"


def test_a_replay_up_to_an_event_leaves_out_what_came_after_it(long_home: Home) -> None:
    with Reader(long_home) as reader:
        lines = list(reader.replay(1_000))
        submitted = sum(stored.type == "job_submitted" and stored.seq <= 1_000 for stored, _ in reader.events())
        assert len(lines) == submitted


class Enough(Exception):
    """The test has seen enough."""


def follow(reader: Reader, after: int, wait: Callable[[list[int]], None]) -> list[int]:
    """The positions that a tail gives until `wait`, which is told of them each time, raises Enough."""
    seen: list[int] = []

    def look(seconds: float) -> None:
        assert 0 < seconds < 1
        wait(seen)

    tail = reader.follow(after, look)
    with suppress(Enough):
        while True:
            seen.append(next(tail)[0].seq)
    return seen


def test_a_tail_sees_each_event_once_and_in_order_while_another_process_commits(home: Home) -> None:
    with child("commit", home.path) as process:
        start = int(process.hear())

        def wait(seen: list[int]) -> None:
            if len(seen) > 300:
                raise Enough
            assert process.hear()

        with Reader(home) as reader:
            seen = follow(reader, start, wait)
            assert seen == list(range(start + 1, start + 1 + len(seen)))
            process.finish()
            rest = [stored.seq for stored, _ in reader.events(seen[-1])]
            assert [*seen, *rest] == list(range(start + 1, reader.seq + 1))


def test_a_tail_holds_no_snapshot_while_it_waits(home: Home, sqlite_store: SqliteStore) -> None:
    history = History(Random(1), sqlite_store)
    looks: list[int] = []

    def wait(seen: list[int]) -> None:
        assert seen == list(range(1, sqlite_store.seq + 1))
        looks.append(sqlite_store.seq)
        if len(looks) == 4:
            raise Enough
        history.run(5)

    with Reader(home) as reader:
        seen = follow(reader, 0, wait)
    assert seen == list(range(1, looks[-1] + 1))
    assert len(set(looks)) > 1


def test_a_reader_that_comes_while_the_log_is_made_does_not_take_it_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    home.log.touch(0o600)

    def made_meanwhile(path: Path) -> bool:
        open_store(path, 1, "somebody").close()
        return hides_checksums(path)

    monkeypatch.setattr(connection, "hides_checksums", made_meanwhile)
    with Reader(home) as reader:
        assert reader.seq == 1
