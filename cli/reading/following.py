"""Following a job's output as it writes, over every attempt, until the job has ended."""

from __future__ import annotations

import sys
from typing import Final

from holdfast.events.errors import Unavailable
from holdfast.events.records import Attempt, Ended, Revoked, Started
from holdfast.events.spec import HERE
from holdfast.events.states import FINAL
from holdfast.store.lock import holder

from ..explaining.naming import Names
from .output import Output, attempt_of, newest_with_output, print_attempt, ranges_of, read_safely, say
from .pausing import pause

LOOK_S: Final = 0.05
AGAIN_S: Final = 0.5


def follow(output: Output, attempt: int | None) -> None:
    """Print output as it comes. `attempt`: of this one alone; None: of the newest, and of all that follow it.

    Raises OutputMissing, OutputCut, and BrokenPipeError when nobody reads it any more.
    """
    number = attempt or newest_with_output(output.reader, output.job) or max(1, _newest(output))
    waiting = Waiting(output)
    while True:
        # The job's state is read first: if it is final, no attempt after the newest one will come.
        state = output.state()
        newest = _newest(output)
        if number <= newest:
            found = attempt_of(output.reader, output.job, number)
            if isinstance(found.phase, Started | Ended):
                _follow_attempt(output, found)
                if attempt is not None:
                    return
                number += 1
                continue
            if isinstance(found.phase, Revoked):
                if attempt is not None:
                    say(f"attempt {number} never started: {found.phase.reason}")
                    return
                number += 1
                continue
        elif isinstance(state, FINAL):
            if newest_with_output(output.reader, output.job) is None:
                say(f"{Names(output.reader)(output.job)} has ended without being started: it is {output.state_name()}")
            return
        waiting.tell(number)
        pause(LOOK_S)


class Waiting:
    """Says what is waited for, once for each attempt."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: set[int] = set()

    def tell(self, number: int) -> None:
        """Say that attempt `number` has not started yet, if that was not said before."""
        if number in self._told:
            return
        self._told.add(number)
        name = Names(self._output.reader)(self._output.job)
        what = f"{name} is {self._output.state_name()}; waiting for its attempt {number} to start"
        missing = "" if holder(self._output.reader.home) is not None else " (no supervisor is running: `holdfast run`)"
        say(what + missing)


class Troubles:
    """What keeps output on another machine from being read while the attempt runs there: it is told, and waited for."""

    def __init__(self, output: Output, attempt: Attempt) -> None:
        self._output = output
        self._attempt = attempt
        self._ended = attempt.target in HERE
        self.told = False

    def bear(self, error: Unavailable) -> None:
        """Say so, once; raises it where no more will come."""
        if self._ended:
            raise error
        if not self.told:
            self.told = True
            say(f"{error}; what is missing follows once it can be read")
        # The end may have been recorded just now: then it is tried once more.
        now = attempt_of(self._output.reader, self._attempt.job, self._attempt.number)
        self._ended = isinstance(now.phase, Ended)


def _newest(output: Output) -> int:
    found = output.reader.lookups.job(output.job)
    return 0 if found is None else found.attempt


def _follow_attempt(output: Output, attempt: Attempt) -> None:
    if isinstance(attempt.phase, Ended):
        print_attempt(output, attempt)
        return
    ranges = ranges_of(output.reader, attempt)
    streams = {
        number: output.open(attempt, number, ranges[number]) for number in output.streams if number < len(ranges)
    }
    watch = output.watch(attempt)
    troubles = Troubles(output, attempt)
    try:
        while True:
            try:
                over = read_safely(output, attempt, streams, watch) is not None
            except Unavailable as error:
                troubles.bear(error)
                pause(AGAIN_S)
                continue
            troubles.told = False
            sys.stderr.flush()
            if over:
                break
            pause(LOOK_S)
    finally:
        watch.close()
        for stream in streams.values():
            stream.close()
    sys.stdout.flush()
    sys.stderr.flush()
