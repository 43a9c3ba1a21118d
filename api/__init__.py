"""Holdfast: supervise commands so that nothing is lost and nothing runs twice. This is what `import holdfast` gives.

    async with holdfast.open("work") as hf:            # in a program on Trio or asyncio
        record = await (await hf.submit("make")).wait()

    with holdfast.open_sync("work") as hf:             # anywhere else; in a notebook without `with`, and hf.close()
        record = hf.submit("make").wait()

See help(holdfast.Holdfast) for what can be done there, help(holdfast.Job) for what can be said of a job, and
docs/api.md for examples. The events of the log are the classes of `holdfast.events.facts`. Closer to the ground:
`open_supervisor` runs a supervisor inside a Trio program, and `send` has a command carried out by whichever lives on a
home, or records it for the next one.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as checkers know it by name; to import `typing` takes as long as all the rest here

if TYPE_CHECKING:
    from holdfast.events.errors import BadInput, Damaged, HoldfastError, Unavailable
    from holdfast.events.messages import (
        Cancel,
        Changed,
        Hold,
        Pause,
        Prioritise,
        Release,
        Resume,
        Retry,
        Status,
        Submit,
        Unchanged,
    )
    from holdfast.events.spec import Call, FlowSpec, JobSpec, LimitSpec, TargetSpec
    from holdfast.store.errors import HomeLocked

    from .client import NoAnswer, send
    from .clusters import Pilot, Slurm
    from .desk import Recorded
    from .engine import Closed, EngineFailed, Forked, InItsOwnThread
    from .functions import Attempt, CallStopped, Function, call
    from .handle import Events, Holdfast, Submission, SubmittedJob, open  # noqa: A004 - read as `holdfast.open`
    from .job_records import JobFailed, JobRecord
    from .jobs import Job
    from .output import Output
    from .places import NoPlaceLeft
    from .steps import Step
    from .supervisor import Supervisor, open_supervisor
    from .sync import SyncHoldfast, SyncJob, SyncSubmission, open_sync

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "BadInput",
    "Call",
    "CallStopped",
    "Cancel",
    "Changed",
    "Closed",
    "Damaged",
    "EngineFailed",
    "Events",
    "FlowSpec",
    "Forked",
    "Function",
    "Hold",
    "Holdfast",
    "HoldfastError",
    "HomeLocked",
    "InItsOwnThread",
    "Job",
    "JobFailed",
    "JobRecord",
    "JobSpec",
    "LimitSpec",
    "NoAnswer",
    "NoPlaceLeft",
    "Output",
    "Pause",
    "Pilot",
    "Prioritise",
    "Recorded",
    "Release",
    "Resume",
    "Retry",
    "Slurm",
    "Status",
    "Step",
    "Submission",
    "Submit",
    "SubmittedJob",
    "Supervisor",
    "SyncHoldfast",
    "SyncJob",
    "SyncSubmission",
    "TargetSpec",
    "Unavailable",
    "Unchanged",
    "call",
    "open",
    "open_supervisor",
    "open_sync",
    "send",
]

_MODULES = {
    "events.errors": ("BadInput", "Damaged", "HoldfastError", "Unavailable"),
    "events.messages": (
        "Cancel",
        "Changed",
        "Hold",
        "Pause",
        "Prioritise",
        "Release",
        "Resume",
        "Retry",
        "Status",
        "Submit",
        "Unchanged",
    ),
    "events.spec": ("Call", "FlowSpec", "JobSpec", "LimitSpec", "TargetSpec"),
    "store.errors": ("HomeLocked",),
    "client": ("NoAnswer", "send"),
    "clusters": ("Pilot", "Slurm"),
    "desk": ("Recorded",),
    "engine": ("Closed", "EngineFailed", "Forked", "InItsOwnThread"),
    "handle": ("Events", "Holdfast", "Submission", "SubmittedJob", "open"),
    "functions": ("Attempt", "CallStopped", "Function", "call"),
    "job_records": ("JobFailed", "JobRecord"),
    "jobs": ("Job",),
    "output": ("Output",),
    "places": ("NoPlaceLeft",),
    "steps": ("Step",),
    "supervisor": ("Supervisor", "open_supervisor"),
    "sync": ("SyncHoldfast", "SyncJob", "SyncSubmission", "open_sync"),
}


def __dir__() -> list[str]:
    """The public names, also of what is not imported yet."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])


if not TYPE_CHECKING:  # a checker that sees `__getattr__` takes every name for one that is there

    def __getattr__(name: str) -> object:
        """Import what a name needs when it is first asked for.

        A command that only reads starts without Trio, and the command line hears Ctrl-C before anything large is
        imported.
        """
        module = next((each for each, names in _MODULES.items() if name in names), None)
        if module is None:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        from importlib import import_module  # noqa: PLC0415 - see above

        found: object = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = found  # so that the next time it is there
        return found
