"""The commands that change jobs and targets which are there: cancel, retry, hold, release, priority, pause, resume."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from holdfast.client import deliver
from holdfast.events.errors import BadInput
from holdfast.events.messages import Cancel, Changed, Command, Hold, Pause, Prioritise, Release, Resume, Retry
from holdfast.events.states import IN_FLIGHT
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..screen.remarks import remark

_DONE = {
    "cancel": "cancelled",
    "retry": "to run again",
    "hold": "held",
    "release": "released",
    "priority": "set",
    "pause": "paused",
    "resume": "resumed",
}


def execute(arguments: Namespace, home: Home) -> int:
    """Send the command; 0 if everything is as wished, 1 if a job could not be changed."""
    home.must_exist()
    delivery = deliver(home, _command(arguments, home))
    answer = delivery.answer
    assert isinstance(answer, Changed), "these commands are answered by what they changed"
    _say(arguments.chosen, answer)
    if arguments.chosen == "priority" and _any_in_flight(home, answer.jobs):
        remark("of jobs that are in flight it counts for the next attempt; in a cluster's queue the cluster decides")
    if (answer.jobs or answer.targets) and not delivery.heard:
        remark("no supervisor is running: it is recorded, and takes effect at the next `holdfast run`")
    return 1 if any(not each.satisfied for each in answer.unchanged) else 0


def _command(arguments: Namespace, home: Home) -> Command:
    name: str = arguments.chosen
    if name in {"pause", "resume"}:
        return Pause(arguments.target) if name == "pause" else Resume(arguments.target)
    with Reader(home) as reader:
        jobs = tuple(job for text in arguments.jobs for job in reader.find_jobs(text))
    match name:
        case "cancel":
            return Cancel(jobs)
        case "retry":
            return Retry(jobs)
        case "hold":
            return Hold(jobs)
        case "release":
            return Release(jobs)
        case _:
            return Prioritise(jobs, _whole_number(arguments.priority))


def _any_in_flight(home: Home, jobs: Sequence[int]) -> bool:
    with Reader(home) as reader:
        found = (reader.lookups.job(job) for job in jobs)
        return any(job is not None and isinstance(job.state, IN_FLIGHT) for job in found)


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{text!r} is no whole number", where="N", remedy="give a priority such as 10 or -5") from None


def _say(name: str, answer: Changed) -> None:
    done = _DONE[name]
    if name == "cancel":
        done = "to be cancelled, or cancelled already"
    for target in answer.targets:
        print(f"target {target}: {done}")
    if answer.jobs:
        shown = ", ".join(str(job) for job in answer.jobs[:10])
        more = f" and {len(answer.jobs) - 10} more" if len(answer.jobs) > 10 else ""  # noqa: PLR2004
        noun = "job" if len(answer.jobs) == 1 else "jobs"
        print(f"{noun} {shown}{more}: {done}")
    for each in answer.unchanged:
        remark(f"job {each.job} {each.reason}")
    if not answer.targets and name in {"pause", "resume"}:
        remark(f"nothing to {name}: it is so already")
