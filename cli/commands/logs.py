"""`holdfast logs`: what a job has written, byte for byte, each of its two streams to the one of the same name."""

from __future__ import annotations

import sys
from argparse import Namespace

from holdfast.events.errors import BadInput
from holdfast.events.records import Ended, Launched, Revoked
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..explaining.naming import Names
from ..reading.following import follow
from ..reading.output import Output, attempt_of, newest_with_output, print_attempt, say
from .chosen import one_job, whole_number


def execute(arguments: Namespace, home: Home) -> int:
    """Print it; 0 also if there is none. Raises BadInput for a job or an attempt that there is not, OutputMissing."""
    streams = (0,) if arguments.stdout else (1,) if arguments.stderr else (0, 1)
    with Reader(home) as reader:
        job = one_job(reader, arguments.job)
        attempt = None if arguments.attempt is None else _attempt(reader, job, arguments.attempt)
        output = Output(reader, job, streams)
        if arguments.follow:
            follow(output, attempt)
        else:
            _print(output, attempt)
    return 0


def _attempt(reader: Reader, job: int, text: str) -> int:
    found = reader.lookups.job(job)
    newest = 0 if found is None else found.attempt
    remedy = f"it has attempts 1 to {newest}" if newest else "it has had no attempt yet"
    number = whole_number(text, "--attempt", 1, remedy)
    if number > newest:
        raise BadInput(f"job {job} has no attempt {number}", where="--attempt", remedy=remedy)
    return number


def _print(output: Output, attempt: int | None) -> None:
    name = Names(output.reader)(output.job)
    number = newest_with_output(output.reader, output.job) if attempt is None else attempt
    if number is None:
        state = output.state_name()
        say(f"{name} has written nothing: it is {state} and has not been started; see `holdfast explain {output.job}`")
        return
    found = attempt_of(output.reader, output.job, number)
    match found.phase:
        case Launched():
            say(f"attempt {number} of {name} has been launched, but its runner has not said yet that it runs")
        case Revoked(reason=reason):
            say(f"attempt {number} of {name} never started: {reason}")
        case Ended(outcome=outcome) if outcome.how == "not_started":
            say(f"attempt {number} of {name} could not be started: {outcome.error}")
        case _:
            if not print_attempt(output, found):
                say(f"attempt {number} of {name} has written nothing{_where(output)}")
    sys.stdout.flush()


def _where(output: Output) -> str:
    return "" if len(output.streams) > 1 else f" to standard {'error' if 1 in output.streams else 'output'}"
