"""What hosts that hang cost everybody else: a question and a start on a healthy one, with and without them, in turn.

200 machines are played in this process, with the runner's own rules and made-up lines; 20 of them hang, half of those
before they let anybody in. All else is real: actors, timers, the way of a question through the control socket's door.
The budget is 1.2 times what the same takes where none hangs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import ROUNDS
from tests.simulation.fleet import Fleet

HOSTS: Final = 200
HUNG: Final = 20
BUDGET: Final = 1.2
_P99: Final = 99


def p99_ms(waits_s: Sequence[float]) -> float:
    """All but one of a hundred took no longer."""
    return sorted(waits_s)[len(waits_s) * _P99 // 100] * 1e3


def measure(scale: Scale) -> Sequence[Measurement]:
    """Both kinds of waits, without and with hosts that hang."""
    del scale
    found = [(Fleet(HOSTS, 0).measure_here(), Fleet(HOSTS, HUNG).measure_here()) for _ in range(ROUNDS)]
    measurements: list[Measurement] = []
    for what, well, hang in (
        ("question", [one.questions_s for one, _ in found], [other.questions_s for _, other in found]),
        ("submission to start", [one.starts_s for one, _ in found], [other.starts_s for _, other in found]),
    ):
        bare, loaded = (tuple(p99_ms(each) for each in waits) for waits in (well, hang))
        name = f"{what}, p99, all well"
        measurements.append(Measurement(name=name, unit="ms", better="lower", samples=bare, loose=True))
        measurements.append(
            Measurement(
                name=f"{what}, p99, {HUNG} of {HOSTS} hang",
                unit="ms",
                better="lower",
                samples=loaded,
                limit=name,
                budget=BUDGET,
            )
        )
    return measurements


BENCHMARK: Final = Benchmark(
    "hosts", "Questions and starts while hosts hang, by the same where none does.", measure, quick=False
)
