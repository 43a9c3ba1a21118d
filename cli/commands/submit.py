"""`holdfast submit`: one job; prints its id."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Final

import msgspec

from holdfast.client import Delivery
from holdfast.events.messages import Submitted
from holdfast.events.spec import FlowSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..screen.amounts import count_text, list_text
from ..screen.remarks import remark
from .options import command_of, deliver_jobs, job_table, make_job

_USAGE: Final = "holdfast submit [options] -- CMD ..."
_SKIPPED: Final = "state = 'skipped' and id in (select value from json_each(?))"
_SHOWN: Final = 5


def execute(arguments: Namespace, home: Home) -> int:
    """Submit the job and print its id."""
    job = make_job(job_table(arguments, home), command_of(arguments, _USAGE))
    tell_submitted(home, deliver_jobs(home, FlowSpec(jobs=(job,))), as_json=arguments.json)
    return 0


def tell_submitted(home: Home, delivery: Delivery, *, as_json: bool) -> None:
    """The ids, a line each; and on standard error what of it will not run, or not yet."""
    answer = delivery.answer
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    known = frozenset(answer.known)
    for job in answer.jobs:
        if as_json:
            line = {"id": job, "flow": answer.flow, "known": job in known}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        else:
            sys.stdout.write(f"{job}\n")
    if known:
        what = list_text([f"job {job}" for job in answer.known], _SHOWN)
        remark(f"known by {'its key' if len(known) == 1 else 'their keys'}, so not submitted again: {what}")
    _tell_skipped(home, [job for job in answer.jobs if job not in known])
    if not delivery.heard and len(known) < len(answer.jobs) and sys.stderr.isatty():
        remark("recorded; no supervisor is running: `holdfast run` runs it")


def _tell_skipped(home: Home, jobs: list[int]) -> None:
    """Say which of them were skipped at once, because what they depend on had ended badly."""
    with Reader(home) as reader:
        skipped = list(reader.jobs(_SKIPPED, (msgspec.json.encode(jobs).decode(),)))
    for line in skipped[:_SHOWN]:
        remark(f"job {line.id} is skipped at once: it was to run {line.reason}; `holdfast explain {line.id}` says more")
    if len(skipped) > _SHOWN:
        remark(f"{count_text(len(skipped) - _SHOWN, 'more job')} skipped likewise: `holdfast jobs --state skipped`")
