"""`holdfast submit`: one job; prints its id."""

from __future__ import annotations

import sys
from argparse import Namespace

import msgspec

from holdfast.client import send, supervisor_lives
from holdfast.events.messages import Submit, Submitted
from holdfast.events.spec import FlowSpec
from holdfast.store.home import Home

from .options import command_of, job_table, make_job

_USAGE = "holdfast submit [options] -- CMD ..."


def execute(arguments: Namespace, home: Home) -> int:
    """Submit the job and print its id."""
    job = make_job(job_table(arguments, home), command_of(arguments, _USAGE))
    answer = send(home, Submit(FlowSpec(jobs=(job,))))
    assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
    print_submitted(answer, as_json=arguments.json)
    hint_without_supervisor(home)
    return 0


def print_submitted(answer: Submitted, *, as_json: bool) -> None:
    """The ids, a line each."""
    for job in answer.jobs:
        if as_json:
            line = {"id": job, "flow": answer.flow, "known": job in answer.known}
            sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        else:
            sys.stdout.write(f"{job}\n")


def hint_without_supervisor(home: Home) -> None:
    """Tell a person at a terminal that nothing runs yet."""
    if sys.stderr.isatty() and not supervisor_lives(home):
        sys.stderr.write("recorded; no supervisor is running: `holdfast run` runs it\n")
