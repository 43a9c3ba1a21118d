"""Address: what others hold of an actor, to send it the messages that it understands and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Generic, ParamSpec, Protocol, TypeVar

from .reply import Reply, reply_of

M_contra = TypeVar("M_contra", contravariant=True)
T = TypeVar("T")
P = ParamSpec("P")


class Sink(Protocol[M_contra]):
    """The side of an inbox that takes messages in."""

    @property
    def name(self) -> str:
        """Whose inbox it is."""
        ...

    async def put(self, message: M_contra, /) -> None:
        """Leave `message`, after waiting for room if need be."""

    def put_nowait(self, message: M_contra, /) -> None:
        """Leave `message`, or refuse it where there is no room."""


class Address(Generic[M_contra]):
    """Sends to one inbox. It stays valid while the actor behind it is restarted.

    An `Address[A | B]` is also an `Address[A]`: give others the narrowest that they need.
    """

    __slots__ = ("_inbox",)

    def __init__(self, inbox: Sink[M_contra]) -> None:
        """Send to `inbox`."""
        self._inbox = inbox

    @property
    def name(self) -> str:
        """The actor's name."""
        return self._inbox.name

    async def tell(self, message: M_contra) -> None:
        """Send `message`, after waiting for room if need be; raises `InboxClosed`. Cancelled, it has sent nothing."""
        await self._inbox.put(message)

    def tell_nowait(self, message: M_contra) -> None:
        """Send `message`; raises `InboxFull` where there is no room, and `InboxClosed`."""
        self._inbox.put_nowait(message)

    async def ask(self, make: Callable[Concatenate[Reply[T], P], M_contra], *arguments: P.args, **named: P.kwargs) -> T:
        """Send the `Request` that `make(reply, *arguments, **named)` builds, and wait for the answer.

        `make` is the message's class as a rule: `await writer.ask(Commit, draft)`. Raises whatever the actor answers
        with, `InboxClosed` if it was not handled, and `ActorCrashed` or `ActorStopped` if the actor ended with it in
        hand. Cancelled while it waits, the request may still take effect. Two actors must never ask each other:
        both would wait for ever.
        """
        reply: Reply[T] = Reply()
        message = make(reply, *arguments, **named)
        assert reply_of(message) is reply, "a message that is asked must be a Request with the reply it was given"
        await self._inbox.put(message)
        return await reply.wait()
