"""What a benchmark is: a name, what it is about, and a function that measures.

A new one is a file with `BENCHMARK = Benchmark(...)`, listed in `benchmarks.catalogue`. Most need only a list of
cases and `interleaved` of `benchmarks.rounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from benchmarks.results import Measurement, Scale


class Benchmark(Struct, frozen=True):
    """Measured at either scale; everything else (tables, files, budgets, the baseline) is done for it.

    `about` is one sentence. `quick` says whether it has a quick form, and `kept` whether that has a part in
    `all --quick`, which is for what can be measured well in a few seconds on a noisy machine, with what every one has.
    """

    name: str
    about: str
    measure: Callable[[Scale], Sequence[Measurement]]
    quick: bool = True
    kept: bool = True


class Command(Struct, frozen=True):
    """One with options of its own; `main` gets the words after its name and returns the exit code."""

    name: str
    about: str
    main: Callable[[Sequence[str]], int]
