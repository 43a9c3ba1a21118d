"""What a machine asks a person for while it lets them in: a passphrase, a password, a one-time code.

Each question is the answer to the person's last request, and their next request brings what they typed. Nothing of it
is recorded or kept.
"""

from __future__ import annotations

from typing import Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.events.messages import Answer, Changed, Question, Refusal

from ..reply import Reply

THINKING_S: Final = 180.0
INTERVIEW_S: Final = 600.0
"""How long all of a login with a person may take."""


class NobodyAnswers(Unavailable):
    """The person has gone, or asked anew."""


class Interview:
    """One attempt to log in, with a person at hand."""

    def __init__(self, reply: Reply[Answer]) -> None:
        """`reply`: the slot of the request that began it."""
        self._reply: Reply[Answer] | None = reply
        self._said: str | None = None
        self._news = trio.Event()
        self._over = False

    async def ask(self, text: str, *, echo: bool) -> str:
        """Put a question; returns what was typed. Raises NobodyAnswers."""
        self._answer(Question(text, echo))
        with trio.move_on_after(THINKING_S):
            while self._said is None and not self._over:
                self._news = trio.Event()
                await self._news.wait()
        said, self._said = self._said, None
        if said is None:
            message = "nobody answered what it asked for"
            raise NobodyAnswers(message)
        return said

    def say(self, text: str, reply: Reply[Answer]) -> None:
        """The person typed this; `reply`: the slot of the request that brought it."""
        if self._over:
            reply.send(Refusal("it asks nothing any more; begin again", Unavailable.exit_code))
            return
        self._reply = reply
        self._said = text
        self._news.set()

    def succeed(self, target: str) -> None:
        """It let them in."""
        self._end(Changed(targets=(target,)))

    def fail(self, reason: str) -> None:
        """It did not, or nobody is there to ask."""
        self._end(Refusal(reason, Unavailable.exit_code))

    def _end(self, answer: Answer) -> None:
        self._over = True
        self._answer(answer)
        self._news.set()

    def _answer(self, answer: Answer) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.send(answer)
