"""Clients: each sends one command over a connection of its own, and may lose it before the answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import msgspec
import trio

from holdfast.events.messages import Answer, AskStatus, LogIn, Refusal, Request, Say, Submit
from tests.actors.stepping import pause

from .answers import Answers
from .keeper import Incarnation, Keeper
from .verdict import Verdict
from .wire import End

TRIES: Final = 6
PATIENCE_S: Final = 30.0

_encoder: Final = msgspec.json.Encoder()
_answer: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class Clients:
    """Sends commands to whichever supervisor there is.

    `losing`: how often (0 to 1) a connection is given up before the answer.
    """

    def __init__(self, keeper: Keeper, answers: Answers, verdict: Verdict) -> None:
        self._keeper = keeper
        self._answers = answers
        self._verdict = verdict
        self.losing = 0.0
        self.saying: Callable[[LogIn | Say], object] = lambda _: None
        """Called when something that is not recorded is on its way."""

    async def perform(self, number: int, request: Request, random: Random) -> Answer | None:
        """Have a command carried out: once answered, or after a few tries (None). Safe to be sent again where it is."""
        for attempt in range(TRIES):
            answer = await self._try(f"client{number}.{attempt}", request, random)
            if answer is not None and not (isinstance(answer, Refusal) and answer.exit_code == 3):
                return answer
            if not _can_be_repeated(request):
                return answer
            await pause(random.random())
        return None

    async def _try(self, author: str, request: Request, random: Random) -> Answer | None:
        incarnation = await self._listening(random)
        if incarnation is None:
            return None
        stream = incarnation.knock(author)
        self._verdict.tell(f"{author} asks {request}")
        self._answers.asked(author)
        answer: Answer | None = None
        async with stream:
            with trio.move_on_after(PATIENCE_S):
                answer = await self._converse(stream, request, random)
        self._verdict.tell(f"{author} hears {answer}")
        if answer is not None:
            self._answers.answered(author, request, answer)
        return answer

    async def say(self, author: str, request: LogIn | Say, random: Random) -> Answer | None:
        """Ask something that is not recorded, and hear the answer, if there is one."""
        incarnation = await self._listening(random)
        if incarnation is None:
            return None
        self._verdict.tell(f"{author} says {request}")
        self.saying(request)
        answer: Answer | None = None
        async with incarnation.knock(author) as stream:
            with trio.move_on_after(PATIENCE_S):
                answer = await self._converse(stream, request, random)
        self._verdict.tell(f"{author} is told {answer}")
        return answer

    async def _listening(self, random: Random) -> Incarnation | None:
        """A supervisor that takes connections; None if there has been none for a while."""
        for _ in range(TRIES):
            incarnation = self._keeper.current
            if incarnation is not None and incarnation.listening:
                return incarnation
            await pause(random.random())
        return None

    async def _converse(self, stream: End, request: Request | LogIn | Say, random: Random) -> Answer | None:
        line = _encoder.encode(request) + b"\n"
        cut = random.randrange(len(line))
        try:
            await stream.send_all(line[:cut])
            await stream.send_all(line[cut:])
            if random.random() < self.losing:
                await pause(random.choice((0.0, 0.001, 0.1)))
                return None
            received = b""
            while not received.endswith(b"\n"):
                data = await stream.receive_some()
                if not data:
                    return None
                received += data
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return None
        return _answer.decode(received)


def _can_be_repeated(request: Request) -> bool:
    """Whether it may be sent again when nobody knows what became of it: with keys, or where twice is as once."""
    if isinstance(request, Submit):
        return all(job.key is not None for job in request.flow.jobs)
    return not isinstance(request, AskStatus)
