"""`./dev bench all`: every benchmark, each in a process of its own, and every budget: met or missed.

With `--quick`, the form of continuous integration: less than a minute for all that can be measured well in seconds.
Budgets are told and decide nothing there, as a small run on a busy machine is no measure of them; instead every ratio
is kept against the committed baseline. A benchmark in which one fell by more than a third is measured twice more, and
what falls each time fails the run.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.baseline import BASELINE, Standing, standings, together, unlike
from benchmarks.benchmark import Benchmark, Command
from benchmarks.catalogue import BENCHMARKS
from benchmarks.machine import this_machine
from benchmarks.results import BadResults, Result, Run, Scale, load, save
from benchmarks.single import add_output, keep
from benchmarks.tables import budgets_of

REPETITIONS: Final = 2
RUNS_OF_A_BASELINE: Final = 3
_PATIENCE_S: Final[dict[Scale, float]] = {"full": 900.0, "quick": 300.0}
_CLEARING_UP_S: Final = 30.0
_ROOT: Final = Path(__file__).parent.parent
_DONE: Final = {0, 1}


class BrokenOff(Exception):
    """A benchmark that ended without results."""


def measure_apart(benchmark: Benchmark, scale: Scale) -> Result:
    """Run it in a new process, so that what one leaves in memory is no burden of the next. Raises BrokenOff."""
    print(f"\n== {benchmark.name}: {benchmark.about}", flush=True)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        path = Path(folder) / "results.json"
        words = [sys.executable, "-m", "benchmarks", benchmark.name, "--output", str(path)]
        began = time.monotonic()
        said, code = _run([*words, *(["--quick"] if scale == "quick" else [])], _PATIENCE_S[scale])
        if code not in _DONE or not path.exists():
            raise BrokenOff(f"{benchmark.name} broke off with exit code {code}; its own words are above")
        print("\n".join(line for line in said.splitlines() if not line.startswith("results: ")))
        print(f"({time.monotonic() - began:.1f} s)", flush=True)
        return load(path).results[0]


def _run(words: Sequence[str], patience_s: float) -> tuple[str, int]:
    """What it printed, and its exit code. One that takes too long, or longer than we live, is interrupted.

    It has a process group of its own, so that Ctrl-C in a terminal comes to it once and by us: a second one would
    interrupt its clearing up.
    """
    with subprocess.Popen(words, cwd=_ROOT, stdout=subprocess.PIPE, text=True, process_group=0) as child:
        try:
            said, _ = child.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            said = ""
            sys.stderr.write(f"it took more than {patience_s:.0f} s\n")
        finally:
            _end(child)
        return said, child.returncode


def _end(child: subprocess.Popen[str]) -> None:
    """Interrupt it, if it still runs; it gets some seconds to clear up."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.communicate(timeout=_CLEARING_UP_S)
        except subprocess.TimeoutExpired:
            child.kill()


def measure_all(scale: Scale) -> tuple[Run, list[str]]:
    """All that have this scale; and what was said of those that broke off, which keep the others from nothing."""
    results: list[Result] = []
    broken: list[str] = []
    for each in BENCHMARKS.values():
        if scale == "full" or (each.quick and each.kept):
            try:
                results.append(measure_apart(each, scale))
            except BrokenOff as error:
                broken.append(str(error))
    return Run(this_machine(), tuple(results)), broken


def fallen(baseline: Run, run: Run, again: Callable[[str], Result]) -> list[Standing]:
    """What fell below the baseline each time: `again` measures a suspicious benchmark once more, by its name."""
    suspicious = [each for each in standings(baseline, run) if each.fell]
    for _ in range(REPETITIONS):
        repeated = tuple(again(name) for name in dict.fromkeys(each.benchmark for each in suspicious))
        names = {(each.benchmark, each.name) for each in suspicious}
        anew = standings(baseline, Run(run.machine, repeated))
        suspicious = [each for each in anew if each.fell and (each.benchmark, each.name) in names]
    return suspicious


def check(baseline: Run, run: Run) -> int:
    """Keep a quick run against the baseline; 1 if something fell, or if they are not of one shape."""
    renew = "if that is meant: ./dev bench all --quick --renew, and commit benchmarks/results/baseline.json"
    differences = unlike(baseline, run)
    if differences:
        print("\n".join([*differences, renew]))
        return 1
    lowest = sorted(standings(baseline, run), key=lambda each: each.left)
    try:
        found = fallen(baseline, run, lambda name: measure_apart(BENCHMARKS[name], "quick"))
    except BrokenOff as error:
        print(error)
        return 1
    for each in found:
        print(f"FELL, {1 + REPETITIONS} times: {each}")
    if found:
        print(f"noise is allowed a third; ./dev bench profile {found[0].benchmark} shows where the time goes; {renew}")
        return 1
    print(f"{len(lowest)} ratios, none more than a third below the baseline; the lowest: {lowest[0]}")
    return 0


def main(words: Sequence[str]) -> int:
    """Do it; the exit code. Raises SystemExit for bad usage."""
    parser = argparse.ArgumentParser(
        prog="./dev bench all",
        description="Every benchmark, and every budget. Exit code 1: one is missed, or with --quick a ratio fell.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--quick", action="store_true", help="in a minute: ratios are kept against the committed baseline"
    )
    parser.add_argument(
        "--renew", action="store_true", help=f"with --quick: make the baseline anew, of {RUNS_OF_A_BASELINE} runs"
    )
    add_output(parser, "all")
    options = parser.parse_args(words)
    if options.renew and not options.quick:
        parser.error("--renew is for the baseline of --quick; give both")
    if options.renew:
        return _renew()
    run, broken = measure_all("quick" if options.quick else "full")
    missed = _tell_budgets(run)
    keep(run, options.output, "all-quick" if options.quick else "all")
    if broken:
        print("\n".join(broken))
        return 1
    if not options.quick:
        return 1 if missed else 0
    try:
        return check(load(BASELINE), run)
    except BadResults as error:
        raise SystemExit(f"{error}; or make it: ./dev bench all --quick --renew") from error


def _renew() -> int:
    runs: list[Run] = []
    for _ in range(RUNS_OF_A_BASELINE):
        run, broken = measure_all("quick")
        if broken:
            print("\n".join([*broken, "the baseline stays as it was"]))
            return 1
        runs.append(run)
    save(together(runs), BASELINE)
    print(f"the baseline is new: {BASELINE.relative_to(_ROOT)}")
    return 0


def _tell_budgets(run: Run) -> int:
    """A line for each budget; how many are missed."""
    print("\n== budgets", flush=True)
    print(budgets_of(run))
    return sum(result.met(each) is False for result in run.results for each in result.measurements)


COMMAND: Final = Command("all", "All benchmarks, and every budget: met or missed; --quick: against the baseline.", main)
