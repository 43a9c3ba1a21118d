"""`holdfast doctor`: what could keep Holdfast from working here, a line for each check, with what to do about it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from itertools import chain

from holdfast.store.home import Home

from ..checks.checkup import Finding, Level
from ..checks.homechecks import check_home
from ..checks.logchecks import check_log
from ..checks.machinechecks import check_machine
from ..checks.processchecks import check_processes
from ..screen.terminal import Paint, pad, printable

_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.WRONG: "red"}
_LABEL_WIDTH = 8


def execute(arguments: Namespace, home: Home) -> int:
    """Print what was found; 1 if something is wrong. Changes nothing."""
    del arguments
    paint = Paint(sys.stdout)
    worst = Level.OK
    for finding in _findings(home):
        worst = max(worst, finding.level)
        print(f"{paint(pad(finding.level.label, _LABEL_WIDTH), _COLOURS[finding.level])} {printable(finding.what)}")
        if finding.remedy:
            print(f"{' ' * _LABEL_WIDTH} {printable(finding.remedy)}")
    return 1 if worst is Level.WRONG else 0


def _findings(home: Home) -> Iterator[Finding]:
    return chain(check_machine(home), check_home(home), check_processes(home), check_log(home))
