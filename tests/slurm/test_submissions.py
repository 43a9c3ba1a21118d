"""Jobs on a real cluster are submitted once (P2), whatever sbatch says or does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.events.facts import BatchUnclear
from tests.slurm.commands import Whim, babbles, dies, fails, slow, times_out

from .cluster import Cluster
from .submitting import Submitting, jobs, numbered

FULL = (
    "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n"
    "sbatch: error: Batch job submission failed: Resource temporarily unavailable\n"
)


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Submitting]:
    made = Submitting(tmp_path, cluster)
    yield made
    made.close()


def test_jobs_run_as_an_array_and_say_how_they_ended(place: Submitting) -> None:
    flow = place.target() + jobs(numbered("a", 5)) + jobs(["bad"], "exit 7") + jobs(["b"], "echo b", 'after = ["a0"]')
    run = place.run("run", place.flow(flow))
    assert run.code == 1
    assert place.states() == {**dict.fromkeys(numbered("a", 5), "succeeded"), "bad": "failed", "b": "succeeded"}
    assert place.job("bad").exit_code == 7
    assert len(place.cluster.calls("sbatch")) == 2
    assert place.output("b") == b"b\n"
    place.check_submitted(7)


@pytest.mark.parametrize(
    "whim",
    [
        times_out("sbatch", works=True),
        times_out("sbatch", works=False),
        times_out("sbatch", works=True, after_s=1.0),
        dies(after=True),
        dies(after=False),
        babbles("Submitted batch job\n"),
        slow(0.0, 1.0),
    ],
    ids=["it-took-effect", "it-did-not", "it-took-effect-late", "killed-after", "killed-before", "garbled", "slow"],
)
def test_p2_what_sbatch_leaves_open_is_looked_up_and_submitted_once(place: Submitting, whim: Whim) -> None:
    place.cluster.commands.misbehave("sbatch", whim, times=1)
    place.serve_impatiently()
    run = place.hand_over(place.target() + jobs(numbered("a", 4)))
    assert run.finish(120).code == 0
    assert place.check_ran_once() == {"succeeded": 4}
    place.check_submitted(4)


def test_what_slurm_will_never_take_fails_with_its_sentence(place: Submitting) -> None:
    flow = place.target('partition = "nowhere"') + jobs(["a"])
    run = place.run("run", place.flow(flow))
    assert run.code == 1
    assert "partition" in (place.job("a").reason or "")
    place.check_submitted(0)


def test_what_slurm_does_not_take_just_now_is_tried_again(place: Submitting) -> None:
    whim = fails(FULL)
    place.cluster.commands.misbehave("sbatch", whim, times=1)
    run = place.start("run", place.flow(place.target() + jobs(["a"])))
    assert run.finish(60).code == 0
    place.check_submitted(1)
    assert not any(isinstance(event, BatchUnclear) for event in place.events())
    assert len(place.cluster.calls("sbatch")) == 2
