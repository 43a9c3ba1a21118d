"""Holdfast: supervise commands so that nothing is lost and nothing runs twice. This is what `import holdfast` gives.

    from holdfast import FlowSpec, JobSpec, Submit, open_supervisor, send

`open_supervisor` runs a supervisor inside a Trio program; `send` has a command carried out by whichever supervisor
lives on a home, or records it for the next one. Commands and specifications are plain frozen structs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from holdfast.events.errors import BadInput, HoldfastError, Unavailable
from holdfast.events.messages import Cancel, Hold, Pause, Prioritise, Release, Resume, Retry, Submit
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec

if TYPE_CHECKING:
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

_LAZY = {"Supervisor": "supervisor", "open_supervisor": "supervisor", "send": "client"}


def __getattr__(name: str) -> object:
    """Import what needs Trio or SQLite when it is first asked for: a command that only reads starts without Trio."""
    module = _LAZY.get(name)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{module}"), name)
