"""Politeness to the controller, counted at the commands: few questions whatever the number of jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from holdfast.actors.slurm.polling import BUSY_SHARE
from holdfast.client import send
from holdfast.events.messages import Cancel
from tests.system.place import until

from .cluster import Cluster
from .commands import Call, slow, times_out
from .submitting import Submitting, jobs, numbered

MANY: Final = 1000
POLLS: Final = 5
LATER: Final = 'sbatch = { begin = "now+1hour" }'
SLOW_S: Final = 0.4
PROCESS_S: Final = 0.02  # between the moments in which two commands that are a poll apart write down theirs


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Submitting]:
    made = Submitting(tmp_path, cluster)
    yield made
    made.close()


def gaps_s(calls: Sequence[Call]) -> list[float]:
    """The times between each call and the next."""
    return [after.up_s - before.up_s for before, after in pairwise(calls)]


def test_a_thousand_jobs_are_a_few_submissions_one_question_a_poll_and_no_accounting_until_one_has_ended(
    place: Submitting,
) -> None:
    cluster = place.cluster
    place.serve_impatiently()
    run = place.hand_over(place.target(f"max_queued = {MANY}") + jobs(numbered("j", MANY), "true", LATER))
    until(lambda: len(cluster.jobs(place.home_id)) == MANY, "all are in the queue")
    asked = len(cluster.calls("squeue"))
    until(lambda: len(cluster.calls("squeue")) >= asked + POLLS, "they are polled")
    assert len(cluster.calls("sbatch")) <= 3
    assert min(gaps_s(cluster.calls("squeue"))) >= 1.0 - PROCESS_S
    assert cluster.calls("sacct") == []
    assert cluster.calls("scancel") == []
    assert len(cluster.calls("scontrol")) <= 1  # how the cluster is configured
    send(place.home, Cancel(tuple(range(1, MANY + 1))))
    assert run.finish(60).code == 1
    assert set(place.states().values()) == {"cancelled"}
    assert len(cluster.calls("scancel")) <= 3
    assert len(cluster.calls("sacct")) <= 6
    assert min(gaps_s(cluster.calls("squeue"))) >= 1.0 - PROCESS_S
    place.check_submitted(MANY)


def test_a_slow_controller_is_asked_less_often(place: Submitting) -> None:
    cluster = place.cluster
    cluster.commands.misbehave("squeue", slow(SLOW_S))
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"], "true", LATER))
    until(lambda: len(cluster.calls("squeue")) >= 4, "it is polled")
    # It is left alone for several times as long as it took, which is longer than a second and its jitter.
    assert min(gaps_s(cluster.calls("squeue"))[1:]) >= (1 + BUSY_SHARE) * SLOW_S - 0.02 > 1.1 + SLOW_S
    assert place.run("cancel", "a").code == 0


def test_a_controller_that_does_not_answer_is_asked_less_often(place: Submitting) -> None:
    cluster = place.cluster
    place.serve_impatiently()
    place.hand_over(place.target() + jobs(["a"], "until [ -e go ]; do sleep 0.1; done"))
    place.until_state("a", "running")
    cluster.commands.behave()
    cluster.commands.misbehave("squeue", times_out("squeue", works=False))
    cluster.commands.forget_calls()
    place.until_state("a", "unknown")
    until(lambda: len(cluster.calls("squeue")) >= 4, "it is asked again and again")
    assert min(gaps_s(cluster.calls("squeue"))) >= 1.0 - PROCESS_S
    cluster.commands.behave()
    place.touch("go")
    place.until_done()
    assert place.states() == {"a": "succeeded"}


def test_no_more_than_max_queued_are_in_the_queue(place: Submitting) -> None:
    cluster = place.cluster
    gated = "echo $HOLDFAST_TOKEN >> marks; until [ -e go ]; do sleep 0.1; done"
    place.serve_impatiently()
    run = place.hand_over(place.target("max_queued = 3") + jobs(numbered("j", 8), gated))
    until(lambda: len(place.marks()) == 3, "three run")
    asked = len(cluster.calls("squeue"))
    until(lambda: len(cluster.calls("squeue")) >= asked + 3, "it is polled")
    assert cluster.submitted_count(place.home_id) == 3
    assert "max_queued" in place.explained("j7")
    place.touch("go")
    assert run.finish(90).code == 0
    assert place.check_ran_once() == {"succeeded": 8}
    place.check_submitted(8)
