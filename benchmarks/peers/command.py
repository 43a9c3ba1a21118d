"""`./dev bench peers`: measure the peers in interleaved rounds, print the tables and the marks, write the results."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final, get_args

import msgspec

from benchmarks.arguments import new_file, rounds, seconds
from benchmarks.benchmark import Command
from benchmarks.machine import this_machine
from benchmarks.peers.cases import CASES, Case
from benchmarks.peers.environments import Missing, default_folder, version
from benchmarks.peers.measuring import Failed, measure, prepare
from benchmarks.peers.outcome import figure_of, results_of, table_of
from benchmarks.peers.pages import write
from benchmarks.peers.samples import Sample, Samples
from benchmarks.peers.verdicts import verdicts
from benchmarks.peers.works import FIGURES, Figure, Work
from benchmarks.results import FOLDER, BadResults, Run, load, save
from benchmarks.rounds import ROUNDS

WORKS: Final[tuple[Work, ...]] = get_args(Work)
RESULTS: Final = FOLDER / "peers.json"
_USAGE: Final = 2


class _Options(argparse.Namespace):
    rounds: int
    works: list[Work]
    only: list[str]
    environments: Path
    resume: Path | None
    seconds: float
    output: Path | None
    list: bool
    readme: bool


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__)
    parser.add_argument("--rounds", type=rounds, default=ROUNDS, metavar="N", help="of each case, in changing order")
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS), help="these works only")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cases whose names begin so, in any case")
    folder = default_folder()
    parser.add_argument(
        "--environments", type=Path, default=folder, metavar="DIR", help="where peers are installed, once"
    )
    parser.add_argument("--resume", type=new_file, metavar="FILE", help="keep samples in FILE, and go on where it ends")
    parser.add_argument("--seconds", type=seconds, default=float("inf"), help="begin no measurement after so many")
    parser.add_argument(
        "--output", type=new_file, metavar="FILE", help=f"write results there, as those in {FOLDER.name}/"
    )
    parser.add_argument("--list", action="store_true", help="only say what there is, and what is missing here")
    parser.add_argument(
        "--readme", action="store_true", help=f"measure nothing: write the tables of the docs from {RESULTS.name}"
    )
    return parser


def main(words: Sequence[str]) -> int:
    """Measure what is asked for; 1 if something failed or is missing, 2 for wrong words."""
    try:
        options = _parser().parse_args(words, _Options())
    except SystemExit as leaving:
        return 0 if leaving.code in {0, None} else _USAGE
    if options.readme:
        return _write_pages()
    cases = chosen(options.only, options.works)
    if not cases:
        sys.stderr.write(f"no case is so called; there are: {'; '.join(case.name for case in CASES)}\n")
        return _USAGE
    if options.list:
        return _list(cases)
    try:
        samples = Samples(options.resume)
    except (OSError, msgspec.DecodeError) as error:
        sys.stderr.write(
            f"{options.resume} can't be gone on with: {error}; name a file that --resume wrote, or a new one\n"
        )
        return _USAGE
    missing = _measure_all(cases, options, samples)
    _report(cases, options, samples, missing)
    return 1 if missing else 0


def chosen(only: Sequence[str], works: Sequence[Work]) -> list[Case]:
    """The cases of these works whose names begin with one of `only`; all of them without any."""
    starts = tuple(word.lower() for word in only)
    return [
        case
        for case in CASES
        if not set(works).isdisjoint(case.works) and (not starts or case.name.lower().startswith(starts))
    ]


def _write_pages() -> int:
    try:
        write(load(RESULTS))
    except BadResults as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    return 0


def _list(cases: Sequence[Case]) -> int:
    for case in cases:
        print(f"{case.name:36} {', '.join(case.works):16} {case.durable}")
    return 0


def _measure_all(cases: Sequence[Case], options: _Options, samples: Samples) -> dict[str, str]:
    """Measure what the samples don't have yet; returns which cases can't be, and why."""
    pythons, missing = _prepare_all(cases, options.environments)
    deadline = time.monotonic() + options.seconds
    for number in range(options.rounds):
        turns: list[tuple[Case, Work]] = [
            (case, work) for case in cases for work in case.works if work in options.works
        ]
        Random(number).shuffle(turns)  # noqa: S311 - the order of measurements is no secret
        for case, work in turns:
            if case.name in missing or samples.has(number, case, work):
                continue
            if time.monotonic() > deadline:
                print(f"stopped after {options.seconds:g} s, in round {number + 1} of {options.rounds}")
                return missing
            try:
                seconds = measure(case, work, pythons[case.name])
            except Failed as failure:
                missing[case.name] = f"{work}: {failure}"
                sys.stderr.write(f"{case.name} failed: {failure}\n")
                continue
            samples.add(Sample(number, case.name, work, case.count(work), version(case), seconds))
            said = ", ".join(f"{figure} {case.count(work) / took:,.0f}/s" for figure, took in seconds.items())
            print(f"round {number + 1}: {case.name}: {said}", flush=True)
    return missing


def _prepare_all(cases: Sequence[Case], environments: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The Python for each case; and which are missing, and why."""
    pythons: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for case in cases:
        try:
            pythons[case.name] = prepare(case, environments)
        except Missing as error:
            missing[case.name] = str(error)
            sys.stderr.write(f"{case.name} is MISSING: {error}\n")
    return pythons, missing


def _report(cases: Sequence[Case], options: _Options, samples: Samples, missing: dict[str, str]) -> None:
    results = results_of(samples, cases)
    for result in results:
        here = {case.name for case in cases if figure_of(result) in _figures(case)}
        print(f"\n{table_of(result, {name: why for name, why in missing.items() if name in here})}")
    print()
    for each in verdicts(results):
        print(each.line)
    if options.output is not None:
        save(Run(this_machine(), results), options.output)


def _figures(case: Case) -> set[Figure]:
    return {figure for work in case.works for figure in FIGURES[work]}


COMMAND: Final = Command("peers", "the same work on what users would pick instead", main)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
