"""What can't be recorded in a request that a program made: which value, where it stands, and what to give instead."""

from __future__ import annotations

from typing import Final, TypeVar, cast

import msgspec
from msgspec import Struct

from holdfast.events.errors import BadInput

S = TypeVar("S", bound=Struct)

NOT_RECORDED: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)


def refusal(request: Struct, error: Exception) -> BadInput:
    """The refusal of a request that failed to be recorded with `error`, one of `NOT_RECORDED`."""
    where = _place(request).removeprefix(".").removeprefix("flow.")
    problem = f"a value is of a wrong type, or can't be recorded: {error}"
    return BadInput(problem, where=where, remedy="see `help(holdfast.Job)` for what each may be")


def checked(value: S, kind: type[S], where: str) -> S:
    """The same value, of the types that it says. Raises BadInput."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except NOT_RECORDED as error:
        problem = f"a value is of a wrong type, or can't be recorded: {error}"
        raise BadInput(problem, where=where, remedy="see `help(holdfast.Job)` for what each may be") from error


def _place(value: object) -> str:
    """The path to what JSON can't hold in the value; empty if it is the value itself, or nothing."""
    for step, member in _members(value):
        if not _is_recordable(member):
            return step + _place(member)
    return ""


def _members(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Struct):
        return [(f".{field}", getattr(value, field)) for field in value.__struct_fields__]
    if isinstance(value, dict):
        return [(f".{key}", member) for key, member in cast("dict[object, object]", value).items()]
    if isinstance(value, list | tuple):
        return [(f"[{at}]", member) for at, member in enumerate(cast("list[object]", value))]
    return []


def _is_recordable(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except NOT_RECORDED:
        return False
    return True
