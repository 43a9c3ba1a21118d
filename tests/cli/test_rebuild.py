"""`rebuild` makes the views afresh from the log, unless a supervisor has the home."""

import os

from holdfast.store.lock import HomeLock
from tests.store.stores import dump, tamper

from .commands import Caller, run
from .staging import Stage, job


def test_views_that_were_changed_are_mended_and_the_events_counted(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"), name="flow")
    stage.ran(1)
    stage.close()
    before = dump(stage.home.log)
    tamper(stage.home.log, "update job set name = 'other'")
    tamper(stage.home.log, "delete from flow")
    said = call("rebuild")
    assert said == (0, "the views were made afresh from 8 events\n", "")
    assert dump(stage.home.log) == before


def test_a_home_in_use_is_refused_with_the_pid_of_its_supervisor(stage: Stage) -> None:
    with HomeLock(stage.home):
        said = run(stage.home, "rebuild")
    assert (said.code, said.out) == (3, "")
    assert f"is in use by process {os.getpid()}" in said.err


def test_a_log_that_can_not_be_folded_leaves_the_views_as_they_were(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    stage.close()
    tamper(stage.home.log, "update events set data = json_set(data, '$.job', 7) where seq = 3")
    tamper(
        stage.home.log,
        "insert into events select 4, time, 'job_held', 1, author, null, 9, '{\"job\":9}' from events where seq = 3",
    )
    before = dump(stage.home.log)
    assert call("rebuild").code == 3
    assert dump(stage.home.log) == before
