"""Recorded scientific workflows (WfFormat 1.5) as flows: their dependencies, and sleeps of their run times, scaled."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

import msgspec

ROOT: Final = Path(__file__).resolve().parents[2]
SHARED: Final = ROOT.parent / "shared" / "data"
SAMPLE: Final = ROOT / "tests" / "data" / "recorded-workflow.json"
JOB_S_MAX: Final = 0.2  # what the longest task of a workflow becomes


class Task(msgspec.Struct, frozen=True):
    """A task's place in the graph."""

    id: str
    parents: tuple[str, ...]


class Execution(msgspec.Struct, frozen=True, rename="camel"):
    """How long a task ran when it was recorded, in seconds."""

    id: str
    runtime_in_seconds: float


class _Specification(msgspec.Struct, frozen=True):
    tasks: tuple[Task, ...]


class _Executions(msgspec.Struct, frozen=True):
    tasks: tuple[Execution, ...]


class Workflow(msgspec.Struct, frozen=True):
    """The graph, and the run that was recorded."""

    specification: _Specification
    execution: _Executions


class _Recorded(msgspec.Struct, frozen=True):
    workflow: Workflow


def recorded_files() -> list[Path]:
    """The recorded workflows beside the checkout; the project's own small sample where they are missing."""
    found = sorted(path for path in SHARED.glob("*.json") if "schema" not in path.name)
    return found or [SAMPLE]


def say_if_missing() -> None:
    """Say, so that it stands in the test's output, that the recorded workflows themselves were not there to be run."""
    if recorded_files() == [SAMPLE]:
        there = f"{SHARED.parent.name}/{SHARED.name} beside the checkout"
        text = f"there are no recorded workflows in {there}: only {SAMPLE.name} was run"
        with warnings.catch_warnings():
            warnings.simplefilter("always")  # a warning would else be an error; here it is there to be read
            warnings.warn(text, stacklevel=2)


def read(path: Path) -> Workflow:
    return msgspec.json.decode(path.read_bytes(), type=_Recorded).workflow


def as_flow(workflow: Workflow) -> str:
    """The workflow as JSON Lines. Each job marks its start and its end with its name, so that the order can be seen."""
    longest_s = max(each.runtime_in_seconds for each in workflow.execution.tasks)
    scale = JOB_S_MAX / longest_s
    sleeps_s = {each.id: each.runtime_in_seconds * scale for each in workflow.execution.tasks}
    lines: list[bytes] = []
    for task in workflow.specification.tasks:
        run = f'echo "start $0" >> marks; sleep {sleeps_s[task.id]:.3f}; echo "end $0" >> marks'
        job = {"name": task.id, "run": ["sh", "-c", run, task.id], "after": task.parents}
        lines.append(msgspec.json.encode(job))
    return b"\n".join(lines).decode() + "\n"
