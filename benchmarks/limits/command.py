"""`./dev bench limits`: sweep a limit on concurrency over kinds of jobs and think times, and say where the knees are.

A named limit of the flow is what is swept. Each point runs in a process of its own on a fresh home: first it is shown
that the limit is reached and not exceeded, by the jobs' own clocks, then callers submit and wait for as long as asked.
The whole sweep takes about six minutes on two cores, `--quick` half a minute. Exit code 1 if a limit was exceeded, or
not reached where the machine has room for it, or if a point could not be measured. A sweep that is interrupted saves
what it has; `--add` goes on with it.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from benchmarks import arguments
from benchmarks.benchmark import Command
from benchmarks.limits.figures import Figures
from benchmarks.limits.picture import draw
from benchmarks.limits.summary import curves_of, knees_of, measurements_of, stop_of
from benchmarks.limits.sweep import Stop, Sweep, points
from benchmarks.limits.table import EXPLANATION, heading, knees, row
from benchmarks.machine import this_machine
from benchmarks.results import BadResults, Measurement, Result, Run, Scale, load, save

KINDS: Final = ("functions", "processes")
THINKS_MS: Final = (0.0, 1.0, 10.0, 100.0)
LIMITS: Final = tuple(2**power for power in range(13))
SECONDS: Final = 1.5
QUICK_LIMITS: Final = (1, 16, 256)
QUICK_THINKS_MS: Final = (0.0, 10.0)
QUICK_SECONDS: Final = 0.5
_INTERRUPTED: Final = 130
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)


def _kinds(words: str) -> tuple[str, ...]:
    found = tuple(words.split(","))
    if not set(found) <= set(KINDS):
        raise argparse.ArgumentTypeError(f"there are {' and '.join(KINDS)}; name some of them, with commas between")
    return found


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    about = "Sweep a limit on concurrency; say where throughput stops growing, and what is full there."
    parser = argparse.ArgumentParser(prog="./dev bench limits", description=about)
    parser.add_argument("--quick", action="store_true", help="a few points, half a second each")
    parser.add_argument("--kinds", type=_kinds, default=KINDS, help="of functions,processes")
    parser.add_argument("--think", type=arguments.thinks_ms, metavar="MS,...", help="how long jobs think")
    parser.add_argument("--limits", type=arguments.limits, metavar="N,...", help="the limits to sweep")
    parser.add_argument("--seconds", type=arguments.seconds, help="steady time of each point")
    parser.add_argument("--rounds", type=arguments.rounds, default=1, help="how often to measure each point")
    parser.add_argument("--output", type=arguments.new_file, help="write the results, as JSON")
    parser.add_argument("--add", action="store_true", help="measure only what the output lacks: a sweep in parts")
    parser.add_argument("--picture", type=arguments.new_file, help="draw the results, as SVG")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="measure nothing: show what FILE holds")
    given = parser.parse_args(words)
    if given.add and given.output is None:
        parser.error("--add goes on with a file; name it by --output")
    return given


def _stop(number: int, frame: FrameType | None) -> None:
    """Leave, and in good order: what a second signal would cut short is to be ended first."""
    del number, frame
    for each in _STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(words: Sequence[str]) -> int:
    """Sweep, show, save; the exit code."""
    given = _arguments(words)
    for each in _STOPPING:
        signal.signal(each, _stop)
    try:
        if given.draw is not None:
            return _show(_sweep_in(given.draw), given.picture)
        return _measure(given)
    except BadResults as error:
        sys.stderr.write(f"./dev bench limits: {error}\n")
        return 3
    except KeyboardInterrupt:
        return _INTERRUPTED


def _measure(given: argparse.Namespace) -> int:
    kept = _kept(given)
    sweep = Sweep(
        given.kinds,
        given.think or (QUICK_THINKS_MS if given.quick else THINKS_MS),
        given.limits or (QUICK_LIMITS if given.quick else LIMITS),
        given.seconds or (QUICK_SECONDS if given.quick else SECONDS),
        given.rounds,
        {(curve.kind, curve.think_ms, limit) for curve in curves_of(kept) for limit in curve.points},
    )
    print(f"{EXPLANATION}\n\n{heading()}", flush=True)
    found: list[Figures] = []
    stops: list[Stop] = []
    interrupted = False
    try:
        for point in points(sweep):
            if isinstance(point, Stop):
                stops.append(point)
                print(f"{point.kind} stop before {point.limit}: {point.why}", flush=True)
            else:
                found.append(point)
                print(row(point), flush=True)
    except KeyboardInterrupt:
        interrupted = True
    run = _run([*kept, *measurements_of(found)], stops, "quick" if given.quick else "full")
    if given.output is not None and (found or stops):
        save(run, given.output, compact=True)
    _show(run, given.picture)
    failed = any(each.exceeded for each in found) or any(each.failed for each in stops)
    return _INTERRUPTED if interrupted else int(failed)


def _kept(given: argparse.Namespace) -> list[Measurement]:
    """The figures that the output holds already, where it is to be added to. Raises BadResults."""
    if not given.add or given.output is None or not given.output.exists():
        return []
    return [each for each in _sweep_in(given.output).results[0].measurements if "figure" in each.settings]


def _sweep_in(file: Path) -> Run:
    """What a sweep wrote. Raises BadResults."""
    run = load(file)
    if [each.benchmark for each in run.results] != ["limits"]:
        message = f"{file}: there are other results in it, and no sweep; name a file that ./dev bench limits wrote"
        raise BadResults(message)
    return run


def _run(figures: Sequence[Measurement], stops: Sequence[Stop], scale: Scale) -> Run:
    machine = this_machine()
    stopped = {each.name: each for each in map(stop_of, stops)}.values()
    return Run(machine, (Result("limits", scale, (*figures, *stopped, *knees_of(curves_of(figures), machine.cores))),))


def _show(run: Run, picture: Path | None) -> int:
    (result,) = run.results
    print(f"\n{knees([each for each in result.measurements if 'figure' not in each.settings])}")
    if picture is not None:
        machine = run.machine
        subtitle = f"{machine.cores} cores, {machine.kernel}, Python {machine.python}, {machine.date[:10]}"
        draw(curves_of(result.measurements), picture, subtitle)
    return 0


COMMAND: Final = Command(
    "limits", "throughput and latency against a limit on concurrency, and what is full at the knee", main
)
