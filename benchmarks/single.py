"""`./dev bench NAME`: measure one benchmark, print its table, keep its results in a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arguments import new_file
from benchmarks.benchmark import Benchmark
from benchmarks.machine import this_machine
from benchmarks.results import FOLDER, BadResults, Machine, Result, Run, Scale, save
from benchmarks.tables import show


def run_one(benchmark: Benchmark, words: Sequence[str]) -> int:
    """Measure; 1 if a budget is missed. Raises SystemExit for bad usage."""
    parser = argparse.ArgumentParser(
        prog=f"./dev bench {benchmark.name}",
        description=f"{benchmark.about} Exit code 1: a budget is missed.",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: seconds, and more noise")
    add_output(parser, benchmark.name)
    options = parser.parse_args(words)
    if options.quick and not benchmark.quick:
        parser.error(f"{benchmark.name} has no quick form; run it without --quick")
    scale: Scale = "quick" if options.quick else "full"
    result = Result(benchmark.name, scale, tuple(benchmark.measure(scale)))
    show(result)
    keep(Run(this_machine(), (result,)), options.output, benchmark.name)
    return 1 if any(result.met(each) is False for each in result.measurements) else 0


def add_output(parser: argparse.ArgumentParser, name: str) -> None:
    """The option `--output`."""
    default = f"benchmarks/results/{name}-DATE-COMMIT.json, which git ignores"
    parser.add_argument("--output", type=new_file, metavar="FILE", help=f"where the results go; without it {default}")


def keep(run: Run, output: Path | None, name: str, *, compact: bool = False) -> None:
    """Write the results where they are wanted, and say where that is. Raises SystemExit where they can't be."""
    path = output or default_path(run.machine, name)
    try:
        save(run, path, compact=compact)
    except (OSError, BadResults) as error:
        raise SystemExit(f"{error}; the results were not kept") from error
    print(f"results: {path.relative_to(FOLDER.parent.parent) if path.is_relative_to(FOLDER) else path}", flush=True)


def default_path(machine: Machine, name: str) -> Path:
    """Where results go by default."""
    moment = machine.date.replace(":", "").replace("-", "")
    return FOLDER / f"{name}-{moment}-{machine.commit or 'no-commit'}.json"
