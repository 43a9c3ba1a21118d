"""What a job's command wrote, as bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from holdfast.events.errors import BadInput
from holdfast.events.records import Attempt, Ended, Outcome
from holdfast.events.spec import FUNCTIONS, HERE
from holdfast.store.reader import Reader
from holdfast.store.segments import OutputMissing, Stream

from .remote_output import RemoteStream

_REMEDY: Final = "`holdfast logs` shows what there is"


class Output(Struct, frozen=True):
    """What an attempt wrote to its standard output and error, byte for byte.

    `dropped_bytes`: so many of both are left out between what was kept first and last, as `max_output_bytes` says.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    dropped_bytes: int = 0


def output_of(reader: Reader, number: int) -> Output:
    """What the newest attempt at an ended job wrote; nothing, if there was none, or if it called a function.

    Raises BadInput if there is no such job, or if where its output ends is not known; OutputMissing or OutputCut if
    it was tampered with.
    """
    reader.find_jobs(str(number))
    job = reader.lookups.job(number)
    attempt = reader.lookups.attempt((number, job.attempt)) if job is not None and job.attempt else None
    if job is None or attempt is None:
        return Output()
    if not isinstance(attempt.phase, Ended):
        raise BadInput(f"job {number} has not ended", remedy=f"wait for it; {_REMEDY}")
    outcome = attempt.phase.outcome
    if (
        outcome.how == "lost"
        and not outcome.output
        and outcome.started_at is not None
        and job.policy.target != FUNCTIONS
    ):
        raise BadInput(f"job {number} is lost, and where its output ends with it", remedy=_REMEDY)
    dropped: list[int] = []
    stdout, stderr = (_read(reader, attempt, outcome, stream, dropped) for stream in (0, 1))
    return Output(stdout, stderr, sum(dropped))


def _read(reader: Reader, attempt: Attempt, outcome: Outcome, stream: int, dropped: list[int]) -> bytes:
    """One of the two; empty where nothing was started, or by what has no runner."""
    if stream >= len(outcome.output):
        return b""
    found = outcome.output[stream]
    path = reader.home.output / found.segment
    if Path(found.segment).name != found.segment:
        raise OutputMissing(path, "it is not a file of the home's output folder")
    if found.end is None or found.end == found.start:
        return b""
    kept = bytearray()
    segment = (
        Stream(path, found.start, 0, kept.extend, dropped.append)
        if attempt.target in HERE
        else RemoteStream(reader.home, attempt, found, kept.extend, dropped.append)
    )
    try:
        segment.finish(found, found.end)
    finally:
        segment.close()
    return bytes(kept)
