"""`holdfast show`: everything about one job: what was asked for, what it waits for, and each attempt."""

from __future__ import annotations

import sys
from argparse import Namespace

import msgspec

from holdfast.events.errors import BadInput
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..explaining.happenings import batch_name
from ..reading.batchscripts import places_of, script_of
from ..reading.detail import detail_of
from ..reading.portrait import portrait
from ..screen.remarks import remark
from .chosen import one_job


def execute(arguments: Namespace, home: Home) -> int:
    """Print it, or the script of its newest attempt. Raises BadInput if the word means no one job."""
    with Reader(home) as reader:
        job = one_job(reader, arguments.job)
        if arguments.script:
            _print_script(reader, job, as_json=arguments.json)
            return 0
        detail = detail_of(reader, job)
        target = reader.lookups.target(detail.target)
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.encode(detail) + b"\n")
    else:
        by_slurm = target is not None and target.slurm is not None and target.slurm.pilot is None
        sys.stdout.writelines(line + "\n" for line in portrait(detail, by_slurm=by_slurm))
    return 0


class ScriptLine(msgspec.Struct, frozen=True):
    """The contract of `show --script --json`: what an attempt was submitted with, as the log has it."""

    job: int
    attempt: int
    batch: str
    size: int
    sha256: str
    script: str


def _print_script(reader: Reader, job: int, *, as_json: bool) -> None:
    places = places_of(reader, reader.events_of(job))
    if not places:
        problem = f"job {job} has no script: none of its attempts was given to a cluster by itself"
        raise BadInput(problem, remedy=f"`holdfast show {job}` says where it ran, or is to run")
    attempt = max(places)
    planned = script_of(reader, places[attempt].batch.name)
    if as_json:
        line = ScriptLine(job, attempt, planned.batch, planned.size, planned.sha256, planned.script)
        sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        return
    # To standard error, so that what comes out is the script itself, byte for byte.
    where = f"attempt {attempt} of job {job}, {batch_name(planned.batch)} of {planned.size}"
    remark(f"holdfast: {where}, SHA-256 {planned.sha256}")
    sys.stdout.flush()
    sys.stdout.buffer.write(planned.script.encode())
