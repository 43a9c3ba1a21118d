"""Holdfast: supervise commands so that nothing is lost and nothing runs twice. This is what `import holdfast` gives.

    from holdfast import FlowSpec, JobSpec, Submit, open_supervisor, send

`open_supervisor` runs a supervisor inside a Trio program; `send` has a command carried out by whichever supervisor
lives on a home, or records it for the next one. Commands and specifications are plain frozen structs.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as checkers know it by name; to import `typing` takes as long as all the rest here

if TYPE_CHECKING:
    from holdfast.events.errors import BadInput, HoldfastError, Unavailable
    from holdfast.events.messages import Cancel, Hold, Pause, Prioritise, Release, Resume, Retry, Submit
    from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec

    from .client import send
    from .supervisor import Supervisor, open_supervisor

__version__ = "0.1.0"

__all__ = [
    "BadInput",
    "Cancel",
    "FlowSpec",
    "Hold",
    "HoldfastError",
    "JobSpec",
    "LimitSpec",
    "Pause",
    "Prioritise",
    "Release",
    "Resume",
    "Retry",
    "Submit",
    "Supervisor",
    "TargetSpec",
    "Unavailable",
    "open_supervisor",
    "send",
]

_MODULES = {
    "events.errors": ("BadInput", "HoldfastError", "Unavailable"),
    "events.messages": ("Cancel", "Hold", "Pause", "Prioritise", "Release", "Resume", "Retry", "Submit"),
    "events.spec": ("FlowSpec", "JobSpec", "LimitSpec", "TargetSpec"),
    "client": ("send",),
    "supervisor": ("Supervisor", "open_supervisor"),
}


def __getattr__(name: str) -> object:
    """Import what a name needs when it is first asked for.

    A command that only reads starts without Trio, and the command line hears Ctrl-C before anything large is imported.
    """
    module = next((each for each, names in _MODULES.items() if name in names), None)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(f"{__name__}.{module}"), name)
