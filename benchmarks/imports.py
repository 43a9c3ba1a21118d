"""How long `import holdfast` takes in a fresh process, by `import trio` in another: interleaved, the import alone.

The names of the package are looked up when they are first used, so an import that names nothing is no more than a few
milliseconds; the mark of 1.3 is on that. What a program pays that opens a home is told beside it: the whole API, with
the supervisor and its log.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved

ROUNDS: Final[dict[Scale, int]] = {"full": 21, "quick": 5}
BUDGET: Final = 1.3
LIMIT: Final = "import trio"
_PROGRAM: Final = "import time\nbegan = time.perf_counter()\n{}\nprint((time.perf_counter() - began) * 1e3)"


def fresh(statement: str) -> float:
    """Milliseconds of a statement that is all a new process does."""
    words = [sys.executable, "-c", _PROGRAM.format(statement)]
    return float(subprocess.run(words, capture_output=True, check=True, text=True).stdout)


def measure(scale: Scale) -> Sequence[Measurement]:
    """The import that names nothing, and that of a program that opens a home; compiled by a run that doesn't count."""
    fresh("import holdfast; holdfast.open")
    return interleaved(
        [
            Case(name=LIMIT, unit="ms", better="lower", run=partial(fresh, "import trio")),
            Case(
                name="import holdfast",
                unit="ms",
                better="lower",
                run=partial(fresh, "import holdfast"),
                limit=LIMIT,
                budget=BUDGET,
                loose=True,  # two milliseconds: that nothing is imported by mistake is what its budget sees
            ),
            Case(
                name="import holdfast; holdfast.open",
                unit="ms",
                better="lower",
                run=partial(fresh, "import holdfast; holdfast.open"),
                limit=LIMIT,
            ),
        ],
        ROUNDS[scale],
    )


BENCHMARK: Final = Benchmark("imports", "A cold `import holdfast`, by `import trio`.", measure)
