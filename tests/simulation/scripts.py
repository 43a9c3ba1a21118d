"""What a simulated command does: written into its arguments, a word for each attempt, so that the log tells it too."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import Struct

PROGRAM: Final = "simulated"
ABSENT: Final = "absent"
_OBEYS, _STUBBORN, _TIDIES = "obeys", "stubborn", "tidies"


class Script(Struct, frozen=True):
    """One attempt: it runs for `duration_us` and ends with `exit_code`, or by `signal` if that is not 0.

    `manners`: on SIGTERM it obeys, is stubborn and goes on, or tidies up and exits with 3 a little later.
    """

    duration_us: int
    exit_code: int
    signal: int
    manners: str

    def word(self) -> str:
        """The script as an argument."""
        return f"{self.duration_us}:{self.exit_code}:{self.signal}:{self.manners}"

    @property
    def status(self) -> int:
        """As of `wait`."""
        return self.signal or self.exit_code << 8

    def on_terminate(self, now_us: int, end_us: int) -> tuple[int, int]:
        """What SIGTERM at `now_us` makes of an end at `end_us`: when it ends then, and its status as of `wait`."""
        if self.manners == _OBEYS:
            return now_us, 15
        if self.manners == _TIDIES and now_us + 300_000 < end_us:
            return now_us + 300_000, 3 << 8
        return end_us, self.status


def parse(word: str) -> Script:
    """The script that `word` says."""
    duration_us, exit_code, signal, manners = word.split(":")
    return Script(int(duration_us), int(exit_code), int(signal), manners)


def script_of(argv: Sequence[str], attempt: int) -> Script | None:
    """What the attempt of that number does; None if there is no such program."""
    assert argv[0] == PROGRAM, f"{argv[0]!r} is no simulated command"
    word = argv[min(attempt, len(argv) - 1)]
    return None if word == ABSENT else parse(word)


def random_command(random: Random) -> tuple[str, ...]:
    """A command that succeeds as a rule, and fails now and then in every way there is."""
    return (PROGRAM, *(_random_word(random) for _ in range(random.choice((1, 1, 2, 3)))))


def long_command(random: Random) -> tuple[str, ...]:
    """A command that takes a while, perhaps longer than the least time that a cluster may give it."""
    duration_us = random.randint(5_000_000, random.choice((20_000_000, 20_000_000, 100_000_000)))
    return (PROGRAM, Script(duration_us, random.choice((0, 0, 1)), 0, random.choice((_OBEYS, _TIDIES))).word())


def _random_word(random: Random) -> str:
    if random.random() < 0.03:
        return ABSENT
    longest_us = random.choice((5_000, 100_000, 1_000_000, 5_000_000, 15_000_000))
    ending = random.random()
    exit_code, signal = (0, 0) if ending < 0.7 else (random.choice((1, 2, 255)), 0) if ending < 0.92 else (0, 11)
    manners = random.choice((_OBEYS, _OBEYS, _STUBBORN, _TIDIES))
    return Script(random.randint(100, longest_us), exit_code, signal, manners).word()
