"""`holdfast doctor`: what could keep Holdfast from working, here or on a target; a line each, with the remedy."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from holdfast.events.errors import BadInput, Unavailable
from holdfast.store.home import Home

from ..checks.checkup import Finding, Level
from ..checks.homechecks import check_home
from ..checks.logchecks import check_log
from ..checks.machinechecks import check_machine
from ..checks.processchecks import check_processes
from ..checks.targetchecks import check_target, declare
from ..screen.terminal import Paint, pad, printable

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.WRONG: "red"}
_LABEL_WIDTH = 8


def execute(arguments: Namespace, home: Home) -> int:
    """Print what was found; 1 if something is wrong, 3 if a target that was to be looked at can't be reached.

    Starts nothing. A target of a flow is known here afterwards, and where no supervisor was at work, one has been.
    Raises BadInput or Unavailable.
    """
    if arguments.target is None:
        if arguments.flow is not None:
            raise BadInput("a flow is given, and no target of it", where="--flow", remedy="name the target to look at")
        return _print(_findings(home))
    kinds = declare(home, Path(arguments.flow), arguments.target) if arguments.flow is not None else ()
    findings, reached = check_target(home, arguments.target, kinds)
    code = _print(findings)
    return code if reached else Unavailable.exit_code


def _print(findings: Iterable[Finding]) -> int:
    paint = Paint(sys.stdout)
    worst = Level.OK
    for finding in findings:
        worst = max(worst, finding.level)
        print(f"{paint(pad(finding.level.label, _LABEL_WIDTH), _COLOURS[finding.level])} {printable(finding.what)}")
        if finding.remedy:
            print(f"{' ' * _LABEL_WIDTH} {printable(finding.remedy)}")
    return 1 if worst is Level.WRONG else 0


def _findings(home: Home) -> Iterator[Finding]:
    return chain(check_machine(home), check_home(home), check_processes(home), check_log(home))
