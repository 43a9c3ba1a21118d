"""What a draft may ask of the committed state, answered alike by every store."""

from random import Random

import pytest

from holdfast.events.decide import decide
from holdfast.events.draft import Dependency
from holdfast.events.errors import Damaged
from holdfast.events.graph import Kind
from holdfast.events.launches import launch
from holdfast.events.limits import Grant
from holdfast.events.messages import AttemptStatus, Cancel, Configure, Reported, Submit
from holdfast.events.outcomes import decide_report
from holdfast.events.records import Ended, Flow, Launched, Limit, Policy, RateMark, Revoked, Started
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec
from holdfast.store.contract import Store
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.reader import Reader
from holdfast.store.statements import Value, run, select

from .histories import START, History
from .stores import HOME_ID, draft_on, open_unsynced

LICENCE = LimitSpec(concurrent=2)
FLOW = FlowSpec(
    (
        JobSpec(("true",), name="a", key="ka", needs={"cpus": 2}, limits=("licence",)),
        JobSpec(("true",), name="b", after=("a",), after_any=("a",)),
        JobSpec(("true",), name="c", after=("b",), after_failed=("a",), needs={"cpus": 3}),
    ),
    "nightly",
    "digest",
    limits={"licence": LICENCE},
)


def fill(store: Store) -> None:
    draft = draft_on(store)
    decide(draft, Configure({"local": {"cpus": 4}}))
    decide(draft, Submit(FLOW))
    store.commit([draft])


def launch_first(store: Store) -> None:
    job = store.base.job(1)
    assert job is not None
    draft = draft_on(store)
    launch(draft, job, Grant({"licence": START + 5}))
    store.commit([draft])


def end_first(store: Store, exit_code: int) -> None:
    status = AttemptStatus(
        f"{HOME_ID}.1.1", "ended", ended_at=START, started_at=START, how="exited", exit_code=exit_code
    )
    draft = draft_on(store)
    decide_report(draft, Reported("local", (status,)))
    store.commit([draft])


def test_an_empty_home_has_nothing_and_counts_from_one(store: Store) -> None:
    base = store.base
    assert (base.next_job(), base.next_flow()) == (1, 1)
    records = (base.job(1), base.attempt((1, 1)), base.target("local"), base.limit("x"), base.mark("x"), base.flow("x"))
    assert set(records) == {None}
    assert base.unfinished_flow("x") is None
    lists = (base.live_jobs(), base.live_edges(), base.targets(), base.limits(), base.marks())
    assert [each for listed in lists for each in listed] == []
    assert [*base.in_flight("local"), *base.dependents(1), *base.dependencies(1)] == []
    assert (base.jobs_by_key(["x"]), base.specs([1]), base.used("local")) == ({}, {}, {})


def test_ids_follow_those_that_were_given(store: Store) -> None:
    fill(store)
    assert (store.base.next_job(), store.base.next_flow()) == (4, 2)
    assert store.base.flow("nightly-1") == Flow("nightly-1", 1, 3, "digest")


def test_dependencies_are_known_from_both_ends_in_a_fixed_order(store: Store) -> None:
    fill(store)
    assert list(store.base.dependents(1)) == [
        Dependency(2, 1, Kind.AFTER),
        Dependency(2, 1, Kind.AFTER_ANY),
        Dependency(3, 1, Kind.AFTER_FAILED),
    ]
    assert list(store.base.dependencies(3)) == [Dependency(3, 1, Kind.AFTER_FAILED), Dependency(3, 2, Kind.AFTER)]
    assert store.base.unmet(3) is None


def test_what_is_in_flight_is_counted_as_used_until_it_ends(store: Store) -> None:
    fill(store)
    launch_first(store)
    assert [job.id for job in store.base.in_flight("local")] == [1]
    assert list(store.base.in_flight("elsewhere")) == []
    assert store.base.used("local") == {"cpus": 2}
    used = store.base.used("local")
    used["cpus"] = 99
    assert store.base.used("local") == {"cpus": 2}
    end_first(store, 0)
    assert store.base.used("local") == {}


def test_a_job_in_flight_on_another_target_is_not_counted_here(store: Store) -> None:
    fill(store)
    launch_first(store)
    assert store.base.used("cluster") == {}


def test_grants_are_remembered_as_marks(store: Store) -> None:
    fill(store)
    launch_first(store)
    assert store.base.marks() == [RateMark("licence", START + 5)]
    assert store.base.mark("licence") == RateMark("licence", START + 5)
    assert store.base.limits() == [Limit("licence", LICENCE)]


def test_what_lives_is_listed_by_id_with_the_edges_that_still_matter(store: Store) -> None:
    fill(store)
    assert [job.id for job in store.base.live_jobs()] == [1, 2, 3]
    assert [(edge.needed, edge.job, edge.kind) for edge in store.base.live_edges()] == [
        (1, 2, Kind.AFTER),
        (1, 2, Kind.AFTER_ANY),
        (1, 3, Kind.AFTER_FAILED),
        (2, 3, Kind.AFTER),
    ]
    launch_first(store)
    end_first(store, 1)
    assert list(store.base.live_jobs()) == []
    assert list(store.base.live_edges()) == []


def test_keys_are_found_however_many_are_asked_for(store: Store) -> None:
    fill(store)
    assert store.base.jobs_by_key([*(f"no {n}" for n in range(1_200)), "ka"]) == {"ka": 1}


def test_a_flow_is_unfinished_while_one_of_its_jobs_lives_and_the_newest_counts(store: Store) -> None:
    fill(store)
    assert store.base.unfinished_flow("digest") == "nightly-1"
    assert store.base.unfinished_flow("other") is None
    draft = draft_on(store)
    decide(draft, Submit(FlowSpec((JobSpec(("true",)),), "nightly", "digest", again=True)))
    store.commit([draft])
    assert store.base.unfinished_flow("digest") == "nightly-2"
    draft = draft_on(store)
    decide(draft, Cancel((4,)))
    store.commit([draft])
    assert store.base.unfinished_flow("digest") == "nightly-1"
    draft = draft_on(store)
    decide(draft, Cancel((1, 2, 3)))
    store.commit([draft])
    assert store.base.unfinished_flow("digest") is None


def test_equal_policies_are_one_object(store: Store) -> None:
    fill(store)
    assert store.base.shared(Policy()) is store.base.shared(Policy())


def test_people_find_every_attempt_in_a_view_with_what_became_of_it(sqlite_store: SqliteStore) -> None:
    sql = "select job, number, token, target, newest, started_at, ended_at, how, exit_code from attempts"
    fill(sqlite_store)
    launch_first(sqlite_store)
    launched = (1, 1, f"{HOME_ID}.1.1", "local", "attempt_launched", None, None, None, None)
    assert list(select(sqlite_store.reading, tuple[Value, ...], sql)) == [launched]
    end_first(sqlite_store, 3)
    ended = (*launched[:4], "attempt_ended", START, START, "exited", 3)
    assert list(select(sqlite_store.reading, tuple[Value, ...], sql)) == [ended]


def test_the_attempts_of_a_job_are_those_that_are_found_one_by_one_and_the_view_shows_them(home: Home) -> None:
    store = open_unsynced(home.path)
    try:
        History(Random(3), store).run(200)
        with Reader(home) as reader:
            for job in range(1, store.base.next_job()):
                known = store.base.job(job)
                found = [] if known is None else [reader.lookups.attempt((job, n + 1)) for n in range(known.attempt)]
                assert list(reader.lookups.attempts(job)) == found
                sql = "select number, token, target, launched_at, newest from attempts where job = ? order by number"
                rows = select(reader.connection, tuple[int, str, str, int, str], sql, (job,))
                attempts = [each for each in found if each is not None]
                names = {phase: f"attempt_{phase.__name__.lower()}" for phase in (Launched, Started, Ended, Revoked)}
                shown = [(a.number, a.token, a.target, a.launched_at, names[type(a.phase)]) for a in attempts]
                assert list(rows) == shown
    finally:
        store.close()


def test_of_a_job_only_what_is_said_of_attempts_is_asked_which_one_it_is_about(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    launch_first(sqlite_store)
    run(sqlite_store.writing, "update events set data = '{' where job = 1 and type not like 'attempt%'")
    assert sqlite_store.base.attempt((1, 1)) is not None


def test_an_attempt_that_was_never_launched_and_yet_ended_is_damage(sqlite_store: SqliteStore) -> None:
    fill(sqlite_store)
    launch_first(sqlite_store)
    end_first(sqlite_store, 0)
    run(sqlite_store.writing, "delete from events where type = 'attempt_launched'")
    with pytest.raises(Damaged, match="what became of attempt 1 of job 1, and not that it was launched"):
        sqlite_store.base.attempt((1, 1))
