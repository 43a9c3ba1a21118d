"""Run many seeds of the simulation, and say which of them broke a promise: `./dev sim`."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

import msgspec

from .campaign import processors, run_seed, run_seeds, shrink
from .defects import DEFECTS
from .long_day import LongDay, tell
from .simulation import Result

FAILURES_MAX: Final = 10
PROGRESS_SEEDS: Final = 1000
STORY_LINES: Final = 60


def main() -> int:
    """Run; the exit code is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="./dev sim", description="Simulate the whole supervisor tree, by seed.")
    parser.add_argument("--seeds", type=int, help="how many; 1000 without --seed")
    parser.add_argument("--seed", type=int, default=0, help="the first one, and the only one without --seeds")
    parser.add_argument("--commands", type=int, help="only the first so many commands of the seed; tells its story")
    parser.add_argument("--processes", type=int, default=processors(), help="default: one for each processor")
    parser.add_argument("--defect", choices=DEFECTS, help="plant it into the product, and count the seeds that find it")
    parser.add_argument("--step", type=int, default=1, help="from one seed to the next")
    parser.add_argument("--json", action="store_true", help="a line for each run and nothing else, in one process")
    parser.add_argument(
        "--slurm", action="store_true", help="each seed has a cluster that Slurm manages, and no other machine"
    )
    parser.add_argument(
        "--day", action="store_true", help="a day with a million events and no faults: does anything grow?"
    )
    given = parser.parse_args()
    if given.day:
        return tell(LongDay(hours=24.0, events=1_000_000).run())
    if given.commands is not None:
        return _tell(run_seed(given.seed, given.commands, given.defect, slurm=given.slurm), STORY_LINES)
    count = given.seeds or (1 if "--seed" in sys.argv[1:] else 1000)
    seeds = range(given.seed, given.seed + count * given.step, given.step)
    if given.json:
        return _print(seeds, given.defect, slurm=given.slurm)
    return _run(seeds, given.processes, given.defect, slurm=given.slurm)


def _print(seeds: range, defect: str | None, *, slurm: bool) -> int:
    broken = 0
    for seed in seeds:
        result = run_seed(seed, defect=defect, slurm=slurm)
        print(msgspec.json.encode(result).decode(), flush=True)
        broken += result.broken is not None
    return 1 if broken else 0


def _run(seeds: range, processes: int, defect: str | None, *, slurm: bool) -> int:
    begun = time.monotonic()
    totals = {
        "events": 0,
        "jobs": 0,
        "processes": 0,
        "calls": 0,
        "dialled": 0,
        "submitted": 0,
        "supervisors": 0,
        "simulated hours": 0.0,
    }
    broken = done = 0
    for result in run_seeds(seeds, processes, defect, slurm=slurm):
        done += 1
        totals["events"] += result.events
        totals["jobs"] += result.jobs
        totals["processes"] += result.processes
        totals["calls"] += result.calls
        totals["dialled"] += result.dialled
        totals["submitted"] += result.submitted
        totals["supervisors"] += result.supervisors
        totals["simulated hours"] += result.seconds / 3600
        if result.broken is not None:
            broken += 1
            if defect is None:
                _explain(result, slurm=slurm)
                if broken == FAILURES_MAX:
                    break
        if done % PROGRESS_SEEDS == 0:
            print(f"{done} seeds, {broken} broken, {done / (time.monotonic() - begun):.1f}/s", file=sys.stderr)
    took_s = time.monotonic() - begun
    what = ", ".join(f"{amount:,.0f} {name}" for name, amount in totals.items())
    print(f"{done} seeds in {took_s:.1f} s ({done / took_s:.1f}/s on {processes} processes): {what}")
    if defect is not None:
        print(f"the defect '{defect}' was found by {broken} of {done} seeds")
        return 0 if broken else 1
    print(f"{broken} broken" if broken else "every promise held")
    return 1 if broken else 0


def _explain(whole: Result, *, slurm: bool) -> None:
    """A failure, and the shortest run that shows it."""
    print(f"seed {whole.seed}, {whole.commands} commands: {whole.broken}")
    shortest = shrink(whole.seed, slurm=slurm)
    if shortest.broken is None:
        print("  it did not fail again: something outside of the seed matters, which is a defect of the simulation")
        return
    again = f"./dev sim{' --slurm' if slurm else ''} --seed {whole.seed} --commands {shortest.commands}"
    print(f"  the first {shortest.commands} commands are enough: {again}")
    _tell(shortest, STORY_LINES // 3)


def _tell(result: Result, lines: int) -> int:
    for line in result.story[-lines:]:
        print(f"  {line[:300]}")
    print(f"seed {result.seed}, first {result.commands} commands: {result.broken or 'every promise held'}")
    return 1 if result.broken else 0


if __name__ == "__main__":
    sys.exit(main())
