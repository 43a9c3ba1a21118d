"""The output of a job's attempts: where it is, how far it may be read, and the words for what is missing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.events.codec import decode_event
from holdfast.events.facts import AttemptStarted
from holdfast.events.records import Attempt, Ended, OutputRange, Started
from holdfast.events.spec import HERE
from holdfast.events.states import JobState, name_of
from holdfast.store.reader import Reader
from holdfast.store.segments import OutputMissing, Stream

from ..screen.amounts import exact_size_text, size_text
from ..screen.remarks import remark
from ..screen.terminal import printable
from .journal import EndWatch

if TYPE_CHECKING:
    from holdfast.remote_output import RemoteStream

JOURNAL: Final = "runner.journal"


class Output:
    """What is printed of which job: `streams` holds 0 for its standard output and 1 for its standard error."""

    def __init__(self, reader: Reader, job: int, streams: Sequence[int]) -> None:
        self.reader = reader
        self.job = job
        self.streams = streams
        self.max_output_bytes = reader.lookups.specs([job])[job].max_output_bytes

    def state(self) -> JobState:
        """The job's state as of now."""
        found = self.reader.lookups.job(self.job)
        assert found is not None, "jobs don't vanish"
        return found.state

    def state_name(self) -> str:
        """The job's state as of now, by name."""
        return name_of(self.state())

    def open(self, attempt: Attempt, stream: int, found: OutputRange) -> Stream | RemoteStream:
        """The stream in its segment, from its start. Raises OutputMissing."""
        if attempt.target not in HERE and (shared := self._shared(attempt, found)) is not None:
            target = sys.stderr.buffer if stream else sys.stdout.buffer
            return Stream(shared, found.start, self.max_output_bytes // 2, target.write, self._tell_dropped)
        if attempt.target not in HERE:
            from holdfast.remote_output import RemoteStream  # noqa: PLC0415 - it takes 20 ms, and most output is here

            write = sys.stderr.buffer.write if stream else sys.stdout.buffer.write
            return RemoteStream(self.reader.home, attempt, found, write, self._tell_dropped)
        path = self.reader.home.output / found.segment
        if Path(found.segment).name != found.segment:
            raise OutputMissing(path, "it is not a file of the home's output folder")
        target = sys.stderr.buffer if stream else sys.stdout.buffer
        return Stream(path, found.start, self.max_output_bytes // 2, target.write, self._tell_dropped)

    def _shared(self, attempt: Attempt, found: OutputRange) -> Path | None:
        """The file of an attempt on a cluster whose commands are here, so that its shared folder is; None if not so."""
        target = self.reader.lookups.target(attempt.target)
        if target is None or not target.is_cluster or target.ssh is not None or target.slurm is None:
            return None
        from holdfast.actors.connections.dialling import runner_name  # noqa: PLC0415 - for few homes only
        from holdfast.events.staging import PRIVATE_FOLDER  # noqa: PLC0415

        folder = Path(target.slurm.workdir).expanduser() / PRIVATE_FOLDER
        path = folder / runner_name(self.reader.lookups.home, target) / "output" / Path(found.segment).name
        return path if path.is_file() else None

    def watch(self, attempt: Attempt) -> EndWatch:
        """The watch for the end of an attempt that runs; of one elsewhere the journal here knows nothing."""
        return EndWatch(self.reader.home.path / JOURNAL, attempt.token)

    def _tell_dropped(self, dropped_bytes: int) -> None:
        kept = exact_size_text(self.max_output_bytes // 2)
        say(f"{size_text(dropped_bytes)} left out here: max_output keeps the first and the last {kept}")


def say(text: str) -> None:
    """A remark of our own, between what a job wrote: on standard error, in its place."""
    sys.stdout.flush()
    remark(f"holdfast: {printable(text)}")


def attempt_of(reader: Reader, job: int, number: int) -> Attempt:
    """The attempt, which exists."""
    found = reader.lookups.attempt((job, number))
    assert found is not None, f"job {job} has no attempt {number}"
    return found


def newest_with_output(reader: Reader, job: int) -> int | None:
    """The newest attempt that was started, as far as is known, or None."""
    found = reader.lookups.job(job)
    for number in range(0 if found is None else found.attempt, 0, -1):
        if isinstance(attempt_of(reader, job, number).phase, Started | Ended):
            return number
    return None


def ranges_of(reader: Reader, attempt: Attempt) -> tuple[OutputRange, ...]:
    """Where an attempt's output is; empty if it never started. An open end: it is not known where it ends."""
    match attempt.phase:
        case Started(output=ranges):
            return tuple(OutputRange(each.segment, each.start) for each in ranges)
        case Ended(outcome=outcome) if outcome.output or outcome.how != "lost":
            return outcome.output
        case Ended():
            return _ranges_at_start(reader, attempt)
        case _:
            return ()


def _ranges_at_start(reader: Reader, attempt: Attempt) -> tuple[OutputRange, ...]:
    """Where the output of a lost attempt begins, from the event of its start."""
    for stored in reader.events_of(attempt.job):
        event = decode_event(stored.type, stored.version, stored.data)
        if isinstance(event, AttemptStarted) and event.attempt == attempt.number:
            return tuple(OutputRange(each.segment, each.start) for each in event.output)
    return ()


def print_attempt(output: Output, attempt: Attempt) -> bool:
    """Print what an attempt has written so far; whether that was anything. Raises OutputMissing or OutputCut."""
    ranges = ranges_of(output.reader, attempt)
    wrote = False
    if isinstance(attempt.phase, Ended) and any(each.end is None for each in ranges):
        say(f"attempt {attempt.number} was lost, so where its output ends is not known: all after its start is shown")
    for number, found in enumerate(ranges):
        if number in output.streams and found.end != found.start:
            wrote = _print_stream(output, attempt, number, found) or wrote
    return wrote


def _print_stream(output: Output, attempt: Attempt, number: int, found: OutputRange) -> bool:
    stream = output.open(attempt, number, found)
    try:
        if found.end is not None:
            stream.finish(found, found.end)
        elif isinstance(attempt.phase, Ended):
            stream.advance(stream.size())
        else:
            read_safely(output, attempt, {number: stream})
        sys.stdout.flush()
        sys.stderr.flush()
        return stream.position > found.start
    finally:
        stream.close()


def read_safely(
    output: Output, attempt: Attempt, streams: Mapping[int, Stream | RemoteStream], watch: EndWatch | None = None
) -> Attempt | None:
    """Pass on what an attempt that runs has written so far, and nothing of another one's that follows in its segment.

    Returns the attempt as it ended, if the log says so by now. The order makes it safe: first the sizes, then the
    journal, then the log. An end is in the journal before its segment is used again, and in the log before it leaves
    the journal.
    """
    sizes = {number: stream.size() for number, stream in streams.items()}
    own = watch is None
    watch = watch or output.watch(attempt)
    try:
        ended = watch.look()
    finally:
        if own:
            watch.close()
    now = attempt_of(output.reader, attempt.job, attempt.number)
    over = isinstance(now.phase, Ended)
    ranges = ended if ended is not None else ranges_of(output.reader, now) if over else ()
    for number, stream in streams.items():
        found = ranges[number] if number < len(ranges) else None
        if found is not None and found.end is not None:
            stream.finish(found, found.end)
        else:
            stream.advance(sizes[number])
    return now if over else None
