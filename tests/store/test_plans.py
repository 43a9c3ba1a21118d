"""What a restart reads is found through small indexes: it costs what is alive, not what ever happened."""

import pytest

from holdfast.store import lookups, reader
from holdfast.store.home import Home
from holdfast.store.log import SqliteStore
from holdfast.store.statements import Value, select

from .stores import open_sqlite, tamper

OF_VIEW = "select * from attempts where job = ?"


def plan(store: SqliteStore, sql: str, *values: Value) -> str:
    rows = select(store.reading, tuple[int, int, int, str], f"explain query plan {sql}", values)
    return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize(
    "sql,values,expected",
    [
        (lookups.LIVE_JOBS, (), "MERGE (UNION ALL)"),
        (lookups.LIVE_JOBS, (), "SEARCH job USING INDEX job_live (activity=?)"),
        (lookups.JOBS_IN_FLIGHT, (), "SEARCH job USING INDEX job_live (activity=?)"),
        (lookups.LIVE_EDGES, (), "SEARCH n USING COVERING INDEX job_live (activity>?)"),
        (lookups.LIVE_EDGES, (), "SEARCH d USING COVERING INDEX dependency_needed (needed=?)"),
        (lookups.UNFINISHED_FLOW, ("d",), "SEARCH flow USING INDEX flow_digest (digest=?)"),
        (lookups.UNFINISHED_FLOW, ("d",), "SEARCH job EXISTS USING INDEX job_flow (flow=?)"),
        (lookups.OPEN_BATCHES, ("cluster",), "SEARCH batch USING INDEX batch_open (target=?)"),
        (lookups.SCRIPT, ("home.1.1",), "SEARCH b USING PRIMARY KEY (name=?)"),
        (lookups.SCRIPT, ("home.1.1",), "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"),
        (lookups.NEWEST_BATCHED, (1,), "SEARCH events USING INDEX events_job (job=?)"),
        (lookups.EVENTS_OF_ATTEMPT, (1, 1), "SEARCH events USING INDEX events_job (job=?)"),
        (lookups.EVENTS_OF_ATTEMPTS, (1,), "SEARCH events USING INDEX events_job (job=?)"),
        (OF_VIEW, (1,), "SEARCH l USING INDEX events_job (job=?)"),
        (OF_VIEW, (1,), "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)"),
        (OF_VIEW, (1,), "SEARCH n USING INDEX events_job (job=? AND rowid>? AND rowid<?)"),
        (OF_VIEW, (1,), "SEARCH o USING INDEX events_job (job=? AND rowid>?)"),
        (reader.EVENTS_OF_JOB, (1, 0), "SEARCH events USING INDEX events_job (job=? AND rowid>?)"),
        ("select max(number) from flow", (), "SEARCH flow USING COVERING INDEX flow_number"),
        ("select count(*) from job where activity > 0", (), "SEARCH job USING COVERING INDEX job_live (activity>?)"),
        (
            "select id, state from job where flow = ? and activity > 0",
            ("f",),
            "SEARCH job USING INDEX job_flow (flow=?)",
        ),
        ("select key, id from job where key in (?, ?)", ("a", "b"), "SEARCH job USING COVERING INDEX job_key (key=?)"),
    ],
)
def test_a_query_goes_through_its_index(
    sqlite_store: SqliteStore, sql: str, values: tuple[Value, ...], expected: str
) -> None:
    found = plan(sqlite_store, sql, *values)
    assert expected in found
    assert "TEMP B-TREE" not in found or sql in {lookups.LIVE_EDGES, lookups.UNFINISHED_FLOW}


def test_the_plans_hold_with_statistics_that_somebody_has_gathered(long_home: Home) -> None:
    tamper(long_home.log, "analyze")
    store = open_sqlite(long_home.path)
    try:
        assert "INDEX job_live" in plan(store, lookups.LIVE_JOBS)
        assert "INDEX job_live" in plan(store, lookups.JOBS_IN_FLIGHT)
        assert "INDEX job_live" in plan(store, lookups.LIVE_EDGES)
        assert "INDEX batch_open" in plan(store, lookups.OPEN_BATCHES, "cluster")
    finally:
        store.close()
