"""Why a machine is out of reach is told once, and again when it is out of reach for another reason."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from holdfast.actors.address import Address
from holdfast.actors.inbox import Inbox
from holdfast.actors.targets.conversation import Conversation, Ears, Patience, ReportMessage
from tests.simulation.clocks import WallClock


def _ignore(_: object) -> None:
    pass


async def test_a_machine_that_wants_a_person_by_now_is_told_of(mock_clock: MockClock) -> None:
    inbox = Inbox[ReportMessage]("scheduler", 10)
    told: list[str | None] = []
    ears = Ears(told.append, _ignore, _ignore)
    talk = Conversation("gpu", Path("nowhere"), Address(inbox), WallClock(), ears, Patience(away_s=5.0))
    await talk.missing("the connection ended")
    assert told == []
    mock_clock.jump(6.0)
    for reason in ("it hangs", "it hangs", "it wants a password", "it wants a password"):
        await talk.missing(reason)
    assert told == ["it hangs", "it wants a password"]
    assert len(inbox) == 1, "jobs are unknown once"
