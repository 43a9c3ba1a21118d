"""Real input: recorded scientific workflows run in the recorded order, each job once, and log and views agree."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .marks import check_log
from .place import Place
from .recorded import SAMPLE, Workflow, as_flow, read, recorded_files, say_if_missing


def check_order(workflow: Workflow, marks: list[str]) -> None:
    """Each job began once, after the end of every job that it depends on."""
    place = {tuple(line.split()[:2]): number for number, line in enumerate(marks)}
    tasks = workflow.specification.tasks
    assert Counter(line.split()[1] for line in marks) == {task.id: 2 for task in tasks}
    for task in tasks:
        for parent in task.parents:
            assert place["end", parent] < place["start", task.id]


def run_workflow(place: Place, path: Path) -> None:
    workflow = read(path)
    done = place.run("run", place.flow(as_flow(workflow), "flow.jsonl"), "--slots", "8")
    assert done.code == 0
    check_order(workflow, (place.folder / "marks").read_text().splitlines())
    assert set(place.states().values()) == {"succeeded"}
    check_log(place)
    jobs, replay = place.run("jobs", "--json"), place.run("replay", "--json")
    assert (jobs.code, replay.code) == (0, 0)
    assert jobs.out == replay.out
    assert jobs.out.count("\n") == len(workflow.specification.tasks)
    assert place.run("verify").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("path", recorded_files(), ids=lambda path: path.stem)
def test_a_recorded_workflow_runs_in_its_order_and_each_job_once(place: Place, path: Path) -> None:
    say_if_missing()
    run_workflow(place, path)


def test_the_sample_of_a_recorded_workflow_runs_in_its_order_and_each_job_once(place: Place) -> None:
    run_workflow(place, SAMPLE)
