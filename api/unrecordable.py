"""What can't be recorded in a request that a program made: which value, where it stands, and what to give instead."""

from __future__ import annotations

import re
from typing import Final, TypeVar, cast

import msgspec
from msgspec import Struct

from holdfast.events.errors import BadInput
from holdfast.events.messages import Command, Submit

R = TypeVar("R")
S = TypeVar("S", bound=Struct)

_encoder: Final = msgspec.json.Encoder()

_NUMBERED: Final = re.compile(r"\[(\d+)\]")

NOT_RECORDED: Final = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)


def recordable(request: R, decoder: msgspec.json.Decoder[R]) -> R:
    """The same request, of the types that `decoder` knows, as if it had come over a socket. Raises BadInput."""
    try:
        return decoder.decode(_encoder.encode(request))
    except NOT_RECORDED as error:
        refused = _refused(error, "Job" if isinstance(request, Submit) else "Holdfast")
        raise refused.at(_as_users_say(_place(request))) from error


def recordable_command(command: Command) -> Command:
    """The same command, of the types that it says. Raises BadInput."""
    # Made here, and not as the module is imported, which takes a millisecond from commands that only read.
    decoder: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
    return recordable(command, decoder)


def checked(value: S, kind: type[S], where: str) -> S:
    """The same value, of the types that it says. Raises BadInput."""
    try:
        return msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except NOT_RECORDED as error:
        raise _refused(error, "Job", f"{where}.") from error


def _refused(error: Exception, name: str, start: str = "") -> BadInput:
    """What msgspec says of a value, with its place, if it knows it, where other errors have theirs."""
    text, _, found = str(error).partition(" - at `$")
    problem = f"a value is of a wrong type, or can't be recorded: {text}"
    where = f"{start}{_as_users_say(found.removesuffix('`'))}".removesuffix(".")
    return BadInput(problem, where=where, remedy=f"see `help(holdfast.{name})` for what each may be")


def _as_users_say(place: str) -> str:
    """A place in a request, by the words of other errors: jobs count from 1, and the key in a mapping is not known."""
    counted = _NUMBERED.sub(lambda found: f".{int(found[1]) + 1}", place.replace("[...]", ""))
    return counted.removeprefix(".").removeprefix("flow.")


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
