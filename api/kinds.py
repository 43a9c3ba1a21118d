"""Results: recorded as JSON text, and asked for as a type that the program names, `list[Size]` or `int | None` say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from holdfast.events.errors import BadInput

if TYPE_CHECKING:
    from typing_extensions import TypeForm  # PEP 747: a union is no `type[T]`, and is a kind of result all the same

T = TypeVar("T")


def value_of(text: str, kind: TypeForm[T], what: str, where: str = "") -> T:
    """The result as a value of `kind`. Raises BadInput if it is of another, or if `kind` is none; `what` has it."""
    try:
        return msgspec.json.decode(text, type=cast("type[T]", kind))
    except msgspec.DecodeError as error:
        raise BadInput(f"{what} is of another kind: {error}", where=where, remedy="ask for its own") from error
    except TypeError as error:
        problem = f"{kind!r} is no kind of result: {error}"
        raise BadInput(problem, where=where, remedy="name a type that JSON can hold, such as `list[int]`") from error


def text_of(result: object, what: str, where: str, remedy: str) -> str:
    """A result, or arguments, as JSON. Raises BadInput, with this remedy, for what JSON can't hold."""
    if result is None:
        return "null"
    try:
        text = msgspec.json.encode(result).decode()
        odd = _not_finite(msgspec.to_builtins(result)) if "null" in text else None  # as which it would be recorded
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadInput(f"{what} can't be recorded: {error}", where=where, remedy=remedy) from error
    if odd is not None:
        raise BadInput(f"{what} can't be recorded: JSON has no number {odd!r}", where=where, remedy=remedy)
    return text


def _not_finite(value: object) -> float | None:
    """A NaN, or an infinite number, anywhere in plain values."""
    if isinstance(value, float):
        return None if math.isfinite(value) else value
    members: Iterable[object] = ()
    if isinstance(value, dict):
        members = cast("dict[object, object]", value).values()
    elif isinstance(value, list | tuple):
        members = cast("Iterable[object]", value)
    return next((odd for odd in map(_not_finite, members) if odd is not None), None)
