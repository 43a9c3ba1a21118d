"""What a program gives beside jobs: numbers of places, names, times to wait. What can't be right is refused at once."""

from __future__ import annotations

import threading
from typing import Final, cast

from holdfast.events.checks import NUMBER_MAX, check_text
from holdfast.events.errors import BadInput

THREADS_MAX: Final = 10_000
_EVER_S: Final = threading.TIMEOUT_MAX


def check_places(slots: int | None, calls: int, threads: int = 1) -> None:
    """Check how much a program that opens a home is to do at once. Raises BadInput."""
    if slots is not None:
        _check_count(slots, "slots", NUMBER_MAX)
    _check_count(calls, "calls", NUMBER_MAX)
    _check_count(threads, "threads", THREADS_MAX)


def _check_count(given: object, where: str, most: int) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= most:
        raise BadInput(f"{given!r} is out of bounds", where=where, remedy=f"give a whole number from 1 to {most}")


def check_function_name(given: object) -> None:
    """Check the name that a function is to be registered by. Raises BadInput."""
    if not isinstance(given, str) or not given.strip():
        problem = f"{given!r} can't be the name of a function"
        raise BadInput(problem, where="function", remedy='name it: @hf.function("resize")')
    check_text((given,), "function")


def check_step(name: object, key: object) -> None:
    """Check what a step is found by, before its work is done. Raises BadInput."""
    if not isinstance(name, str) or not isinstance(key, str) or not name.strip() or not key:
        remedy = "give both as text; the key says which of its kind it is"
        raise BadInput("a step needs a name and a key", where=f"step {name}", remedy=remedy)
    check_text((name, key), f"step {name}")


def seconds(timeout: float | None) -> float | None:
    """How long to wait; None: for ever. Raises BadInput for what is no time."""
    given = cast("object", timeout)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        remedy = "give seconds, as in 90 or 0.5, or None to wait for ever"
        raise BadInput(f"{given!r} is no time to wait", where="timeout", remedy=remedy)
    return None if given > _EVER_S else float(given)
