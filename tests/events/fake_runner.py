"""A runner without processes: what it has, what it would say, and that it starts no token twice (promise P2)."""

from __future__ import annotations

from random import Random
from typing import Final

from msgspec.structs import replace

from holdfast.events.messages import Attached, AttemptStatus

ENDS: Final[tuple[tuple[str, int | None], ...]] = (
    ("exited", 0),
    ("exited", 0),
    ("exited", 0),
    ("exited", 3),
    ("exited", None),
    ("timeout", None),
    ("stopped", 143),
    ("lost", None),
)


class FakeRunner:
    """Attempts by token, as long as their end is not acknowledged; a journal of every token it ever heard of."""

    def __init__(self) -> None:
        self.number = 1
        self.pid = 1
        self.attempts: dict[str, AttemptStatus] = {}
        self.journal: set[str] = set()
        self.started: set[str] = set()
        self.said: list[AttemptStatus] = []

    def attached(self) -> Attached:
        """What it says when a connection stands."""
        return Attached("local", f"journal-{self.number}", "boot", self.pid, tuple(self.attempts.values()))

    def queue(self, token: str) -> None:
        """Take a launch; one that it knows is never taken again."""
        if token not in self.journal:
            self.journal.add(token)
            self.attempts[token] = AttemptStatus(token, "queued")

    def start(self, token: str, now: int) -> None:
        """Start a queued attempt."""
        assert token not in self.started, f"{token} was started twice"
        self.started.add(token)
        self.attempts[token] = AttemptStatus(token, "running", pid=1, process_start=1, started_at=now)

    def end(self, token: str, now: int, random: Random) -> None:
        """End an attempt in one of the ways that it can; a queued one never started."""
        status = self.attempts[token]
        if status.state == "queued":
            how = random.choice(["revoked", "not_started", "stopped"])
            state = "revoked" if how == "revoked" else "ended"
            self.attempts[token] = replace(status, state=state, how=how, ended_at=now, error="as told")
        elif status.state == "running":
            how, exit_code = random.choice(ENDS)
            signal = 9 if exit_code is None else None
            self.attempts[token] = replace(
                status, state="ended", how=how, exit_code=exit_code, signal=signal, ended_at=now
            )

    def tokens(self, state: str) -> list[str]:
        """The attempts in this state."""
        return [token for token, status in self.attempts.items() if status.state == state]

    def say(self, tokens: list[str]) -> tuple[AttemptStatus, ...]:
        """News of these attempts, to be said again later by mistake; those that run are farther each time."""
        for token in tokens:
            status = self.attempts[token]
            if status.state == "running":
                self.attempts[token] = replace(status, fraction=min(1.0, (status.fraction or 0.0) + 0.25))
        news = tuple(self.attempts[token] for token in tokens)
        self.said.extend(news)
        return news

    def acknowledge(self, tokens: list[str]) -> None:
        """Forget attempts whose end is recorded."""
        for token in tokens:
            self.attempts.pop(token, None)

    def lose_journal(self) -> None:
        """Be another runner, which knows nothing."""
        self.number += 1
        self.pid += 1
        self.attempts.clear()
        self.journal.clear()
