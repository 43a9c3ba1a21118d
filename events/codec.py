"""Events to and from the JSON text that the log stores, with upcasters for what older versions wrote.

A stored event is (type, version, data): the type's name in snake case, the version of its shape, and its fields as a
JSON object, so that any SQLite tool reads it (`select data->>'job' from events`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeVar, get_args

import msgspec

from .errors import Damaged
from .facts import Event

T = TypeVar("T")

Upcaster = Callable[[dict[str, object]], dict[str, object]]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


EVENT_TYPES: Final[tuple[type[Event], ...]] = get_args(Event)
TYPE_NAMES: Final[dict[type[Event], str]] = {event: _snake(event.__name__) for event in EVENT_TYPES}
# By the type's name: the version that is written now, and what decodes it.
_CURRENT: Final[Mapping[str, tuple[int, Callable[[str | bytes], Event]]]] = {
    name: (event.VERSION, msgspec.json.Decoder(event).decode) for event, name in TYPE_NAMES.items()
}

# (type, version) -> a function from the data of that version to the data of the next. Empty until a shape changes.
UPCASTERS: Final[Mapping[tuple[str, int], Upcaster]] = {}

_encoder: Final = msgspec.json.Encoder()


def encode(value: object) -> str:
    """JSON text of a record or an event."""
    return _encoder.encode(value).decode()


def decode_event(
    name: str, version: int, data: str | bytes, upcasters: Mapping[tuple[str, int], Upcaster] = UPCASTERS
) -> Event:
    """The event that was stored. Raises Damaged if it is not one of ours, or was written by a newer Holdfast."""
    current = _CURRENT.get(name)
    if current is None:
        message = (
            f"an event has the unknown type {name!r}: a newer Holdfast wrote it (install that one), or it is damaged"
        )
        raise Damaged(message)
    try:
        if version == current[0]:
            return current[1](data)
        return _upcast(name, version, data, upcasters)
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError) as error:
        message = f"an event of the type {name!r} can't be read: {error}"
        raise Damaged(message) from error


def _upcast(name: str, version: int, data: str | bytes, upcasters: Mapping[tuple[str, int], Upcaster]) -> Event:
    fields = msgspec.json.decode(data, type=dict[str, object])
    newest, decode = _CURRENT[name]
    while version < newest:
        upcaster = upcasters.get((name, version))
        if upcaster is None:
            message = f"an event {name!r} has version {version}, which nothing here can read"
            raise Damaged(message)
        fields = upcaster(fields)
        version += 1
    if version > newest:
        message = f"an event {name!r} has version {version}, newer than this Holdfast reads; install a newer one"
        raise Damaged(message)
    return decode(_encoder.encode(fields))
