"""Dependencies given to Slurm (`native_dependencies`): chains go on while nobody looks, and nothing comes too early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.events import facts
from tests.slurm.commands import fails, times_out
from tests.system.marks import MARK
from tests.system.place import Started, until

from .cluster import Cluster
from .submitting import Submitting

NATIVE = "native_dependencies = true"
# Says when it begins and ends, beside that it ran.
WORK = f"{MARK}; echo {{name}} begins >> days; {{command}}; code=$?; echo {{name}} ends >> days; exit $code"


@pytest.fixture
def place(tmp_path: Path, cluster: Cluster) -> Iterator[Submitting]:
    made = Submitting(tmp_path, cluster)
    yield made
    made.close()


def job(name: str, command: str = "true", *more: str) -> str:
    """A job of the flow that is the cluster's."""
    run = WORK.format(name=name, command=command)
    return "\n".join((f"[jobs.{name}]", 'target = "cluster"', f"run = '''{run}'''", *more)) + "\n"


def after(*names: str, key: str = "after") -> str:
    """The line that makes a job depend on these."""
    return f"{key} = [{', '.join(repr(name) for name in names)}]"


def chain(*names: str, first: str = "true") -> str:
    """Jobs, each after the one before it."""
    links = [job(names[0], first)]
    links += [job(name, "true", after(before)) for before, name in pairwise(names)]
    return "".join(links)


def begin(place: Submitting, text: str) -> Started:
    """Have a supervisor, and hand it a flow."""
    place.serve_impatiently()
    return place.hand_over(text)


def days(place: Submitting) -> list[str]:
    """What began and ended, in this order."""
    path = place.workdir / "days"
    return path.read_text().splitlines() if path.exists() else []


def one_by_one(names: Sequence[str]) -> list[str]:
    """The days of jobs that come after each other."""
    return [f"{name} {what}" for name in names for what in ("begins", "ends")]


def submitted(place: Submitting) -> int:
    """How many batches the log says are in the cluster's queue, or were."""
    return sum(isinstance(event, facts.BatchSubmitted) for event in place.events())


def launched_behind(place: Submitting) -> list[int]:
    """The jobs that were launched to wait in the cluster's queue, as often as they were."""
    events = place.events()
    return [event.job for event in events if isinstance(event, facts.AttemptLaunched) and event.after]


def test_a_chain_goes_on_while_no_supervisor_is_there(place: Submitting) -> None:
    names = ("a", "b", "c", "d")
    supervisor = place.serve_impatiently()
    flow = place.target(NATIVE) + chain(*names, first="until [ -e go ]; do sleep 0.1; done")
    run = place.hand_over(flow)
    until(lambda: submitted(place) == len(names), "all are in the queue")
    run.kill()
    supervisor.kill()
    place.touch("go")
    until(lambda: days(place) == one_by_one(names), "all have run, and nobody looked")
    place.run("run", place.flow(flow))
    assert place.states() == dict.fromkeys(names, "succeeded")
    assert [each.attempt for each in place.jobs()] == [1] * len(names)
    place.check_ran_once()
    place.check_submitted(len(names))


WAIT = "until [ -e go ]; do sleep 0.1; done"


def test_what_fails_in_the_middle_skips_the_rest_and_a_retry_runs_it(place: Submitting) -> None:
    flow = place.target(NATIVE) + job("a", WAIT) + job("b", "[ -e mended ]", after("a"))
    flow += job("c", "true", after("b")) + job("d", "true", after("b")) + job("e", "true", after("c", "d"))
    flow += job("any", "true", after("b", key="after_any")) + job("failed", "true", after("b", key="after_failed"))
    run = begin(place, flow)
    until(lambda: submitted(place) == 5, "all but one are in the queue, two of them as an array")
    place.touch("go")
    assert run.finish(60).code == 1
    states = {**dict.fromkeys(("a", "any", "failed"), "succeeded"), **dict.fromkeys("cde", "skipped"), "b": "failed"}
    assert place.states() == states
    assert place.job("c").reason == place.job("d").reason == "after job 2, which failed"
    assert sorted(launched_behind(place)) == [2, 3, 4, 5, 6]
    place.touch("mended")
    assert place.run("retry", "b").code == 0
    assert place.run("run").code == 0
    assert set(place.states().values()) == {"succeeded"}
    assert days(place)[-8:-6] == one_by_one("b")
    assert days(place)[-2:] == one_by_one("e")
    place.check_ran_once()


@pytest.mark.thorough
def test_an_array_waits_for_an_array_and_one_job_for_all_of_it(place: Submitting) -> None:
    first, second = [f"a{number}" for number in range(3)], [f"b{number}" for number in range(3)]
    flow = place.target(NATIVE) + "".join(job(name, WAIT) for name in first)
    flow += "".join(job(name, "true", after(*first)) for name in second) + job("last", "true", after(*second))
    run = begin(place, flow)
    until(lambda: submitted(place) == 3, "all are in the queue, as two arrays and a job")
    said = " ".join(place.run("explain", "last").out.split())
    assert "told to wait for job 4 (b0) to succeed, job 5 (b1) to succeed and job 6 (b2) to succeed" in said
    place.touch("go")
    assert run.finish(60).code == 0
    assert set(days(place)[:6]) == {f"{name} {what}" for name in first for what in ("begins", "ends")}
    assert days(place)[-2:] == one_by_one(["last"])
    assert len(place.cluster.calls("sbatch")) == 3
    place.check_ran_once()


def test_p2_a_dependency_that_slurm_forgot_starts_nothing_before_its_time(place: Submitting) -> None:
    run = begin(place, place.target(NATIVE) + chain("a", "b", first=WAIT))
    until(lambda: submitted(place) == 2, "both are in the queue")
    (row,) = place.cluster.jobs(f"{place.home_id}.2.")
    assert place.cluster.run("scontrol", "update", f"JobId={row.id}", "Dependency=").returncode == 0
    until(lambda: place.job("b").state == "waiting", "it was started, ran nothing, and waits as any other")
    assert days(place) == ["a begins"]
    place.touch("go")
    assert run.finish(60).code == 0
    assert days(place) == one_by_one("ab")
    assert place.job("b").attempt == 2
    place.check_ran_once()


def test_what_would_not_wait_any_more_is_not_submitted(place: Submitting) -> None:
    first = begin(place, place.target(NATIVE) + job("a", f"{WAIT}; false"))
    until(lambda: submitted(place) == 1, "it is in the queue")
    full = fails("sbatch: error: Batch job submission failed: Resource temporarily unavailable\n")
    place.cluster.commands.misbehave("sbatch", full)
    command = ("--target", "cluster", "--cwd", ".", "--", "sh", "-c", "echo $HOLDFAST_TOKEN >> marks")
    assert place.run("submit", "--after", "a", "--name", "b", *command).code == 0
    until(lambda: len(place.cluster.calls("sbatch")) == 2, "it was tried")
    assert launched_behind(place) == [2]
    place.touch("go")
    assert first.finish(60).code == 1
    until(lambda: place.job("b").state == "skipped", "it was taken back")
    place.check_submitted(1)


@pytest.mark.parametrize("works", [True, False], ids=["it-took-effect", "it-did-not"])
def test_p2_an_answer_lost_in_the_middle_of_a_chain_is_looked_up(place: Submitting, *, works: bool) -> None:
    begin(place, place.target(NATIVE) + job("a", WAIT))
    until(lambda: submitted(place) == 1, "it is in the queue")
    place.cluster.commands.misbehave("sbatch", times_out("sbatch", works=works), times=1)
    run = place.hand_over(job("b", "true", "after = [1]") + job("c", "true", after("b")))
    until(lambda: submitted(place) == 3, "all are in the queue")
    place.touch("go")
    assert run.finish(60).code == 0
    assert days(place) == one_by_one("abc")
    assert sorted(launched_behind(place)) == [2, 3]
    place.check_ran_once()
    place.check_submitted(3)


@pytest.mark.thorough
def test_one_that_waits_in_the_queue_is_cancelled_there(place: Submitting) -> None:
    run = begin(place, place.target(NATIVE) + chain("a", "b", "c", first=WAIT))
    until(lambda: submitted(place) == 3, "all are in the queue")
    assert "too late to hold it" in place.run("hold", "b").err
    assert place.run("cancel", "b").code == 0
    until(lambda: place.states()["c"] == "skipped", "what depends on it is over as well")
    place.touch("go")
    assert run.finish(60).code == 1
    assert place.states() == {"a": "succeeded", "b": "cancelled", "c": "skipped"}
    place.check_ran_once(states=("succeeded", "cancelled", "skipped"))


def test_a_second_try_has_those_that_wait_for_it_wait_again(place: Submitting) -> None:
    again = "retries = 1\nretry_delay = '0.1s'"
    flow = place.target(NATIVE) + job("a", f"{WAIT}; [ $HOLDFAST_ATTEMPT = 2 ]", again) + job("b", "true", after("a"))
    run = begin(place, flow)
    until(lambda: submitted(place) == 2, "both are in the queue")
    place.touch("go")
    assert run.finish(60).code == 0
    assert days(place)[-4:] == one_by_one("ab")
    assert place.job("a").attempt == 2
    assert launched_behind(place)[0] == 2
    place.check_ran_once()


@pytest.mark.thorough
def test_p2_what_was_not_answered_is_not_sent_again_behind_what_failed_meanwhile(place: Submitting) -> None:
    first = begin(place, place.target(NATIVE) + job("a", f"{WAIT}; false"))
    until(lambda: submitted(place) == 1, "it is in the queue")
    place.cluster.commands.misbehave("sbatch", times_out("sbatch", works=False), times=1)
    run = place.hand_over(job("b", "true", "after = [1]"))
    until(lambda: place.job("b").state == "unknown", "its answer got lost")
    place.touch("go")
    assert first.finish(60).code == run.finish(60).code == 1
    assert place.states() == {"a": "failed", "b": "skipped"}
    assert launched_behind(place) == [2]
    assert days(place) == one_by_one("a")
    place.check_submitted(1)


@pytest.mark.thorough
def test_the_end_of_what_ended_first_is_kept_for_those_that_still_wait_for_more(place: Submitting) -> None:
    flow = (
        place.target(NATIVE)
        + job("a", "until [ -e first ]; do sleep 0.1; done")
        + job("b", WAIT, "needs = { cpus = 2 }")
        + job("c", "true", after("a", "b"))
    )
    run = begin(place, flow)
    until(lambda: submitted(place) == 3, "all are in the queue")
    place.touch("first")
    assert launched_behind(place) == [3]
    (folder,) = place.workdir.glob(".holdfast/*/attempts")
    until(lambda: any(isinstance(each, facts.BatchClosed) for each in place.events()), "the log has done with it")
    place.touch("go")
    assert run.finish(60).code == 0
    assert [each.attempt for each in place.jobs()] == [1, 1, 1]
    until(lambda: not (folder / "1.1" / "exit").exists(), "nobody waits for it any more")
