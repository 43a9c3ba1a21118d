"""The types: an address takes the messages of its actor and no others. The checkers are the test here.

Each line below that must not pass says so; mypy and pyright complain about an ignored error that isn't one.
"""

from __future__ import annotations

from typing import assert_type

from msgspec import Struct

from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.reply import Request


class Size(Request[int], frozen=True):
    unit: str


class Note(Struct, frozen=True):
    text: str


class Foreign(Struct, frozen=True):
    text: str


async def legal(inbox: Inbox[Size | Note]) -> None:
    address = Address(inbox)
    assert_type(address, Address[Size | Note])
    narrow: Address[Size] = address
    narrow_at_once: Address[Note] = Address(inbox)
    await narrow_at_once.tell(Note("a"))
    assert_type(await narrow.ask(Size, "bytes"), int)
    assert_type(await address.ask(Size, unit="bytes"), int)


async def illegal(address: Address[Size | Note], notes: Address[Note]) -> None:
    await address.tell(Foreign("a"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    address.tell_nowait(Foreign("a"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await address.ask(Size)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await address.ask(Size, 3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await notes.ask(Size, "bytes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    wider: Address[Size | Note] = notes  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    del wider


async def test_what_the_checkers_let_pass_also_runs() -> None:
    inbox: Inbox[Size | Note] = Inbox("reader", 1)
    narrow: Address[Note] = Address(inbox)
    await narrow.tell(Note("a"))
    assert await inbox.take() == [Note("a")]
