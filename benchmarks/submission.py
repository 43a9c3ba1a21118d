"""A flow of 100,000 jobs in a chain, from JSON Lines to its acknowledgement, in one process: jobs a second, by step.

The steps are those of a submission: `parse` (text to specs, with all checks of a flow file), `decide` (checks against
the home, events, records) and `commit` (events and views, synced). The budget is 50,000 jobs a second for all three.
The limit decodes the same text and inserts the same rows, and checks nothing.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.benchmark import Benchmark
from benchmarks.finished_jobs import draft_on, open_new
from benchmarks.results import Measurement, Scale
from benchmarks.rounds import Case, interleaved
from benchmarks.store_append import Submission
from holdfast.cli.flows.jsonlflow import parse_jsonl
from holdfast.events.decide import decide
from holdfast.events.messages import Submit

JOBS: Final[dict[Scale, int]] = {"full": 100_000, "quick": 10_000}
BARE: Final = "bare decode and inserts"
ALL: Final = "all steps"
BUDGET: Final = 50_000


def text_of(jobs: int) -> bytes:
    """The flow as JSON Lines."""
    lines = (
        {"name": f"job-{each}", "run": ["true", str(each)]} | ({"after": [f"job-{each - 1}"]} if each else {})
        for each in range(jobs)
    )
    return msgspec.json.Encoder().encode_lines(lines)


def submit(text: bytes) -> dict[str, float]:
    """Seconds that each step took."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        store = open_new(Path(folder))
        times = [time.perf_counter()]
        flow = parse_jsonl(text, "flow.jsonl", folder)
        times.append(time.perf_counter())
        draft = draft_on(store)
        decide(draft, Submit(flow))
        times.append(time.perf_counter())
        store.commit([draft])
        times.append(time.perf_counter())
        store.close()
    steps = (after - before for before, after in pairwise(times))
    return dict(zip(("parse", "decide", "commit"), steps, strict=True))


def bare(text: bytes, submission: Submission, jobs: int) -> float:
    """Jobs a second of decoding alone, and of inserting the same rows without checks."""
    began = time.perf_counter()
    msgspec.json.Decoder().decode_lines(text)
    return jobs / (time.perf_counter() - began + jobs / submission.all_rows())


def measure(scale: Scale) -> Sequence[Measurement]:
    """All steps, and each of them."""
    jobs = JOBS[scale]
    text, submission = text_of(jobs), Submission(jobs)
    submission.holdfast()
    rounds: list[dict[str, float]] = []
    used_us: dict[str, list[float]] = {BARE: [], ALL: []}

    def timed(name: str, deed: Callable[[], float]) -> float:
        before_s = time.process_time()
        rate = deed()
        used_us[name].append((time.process_time() - before_s) * 1e6 / jobs)
        return rate

    def once() -> float:
        rounds.append(submit(text))
        return jobs / sum(rounds[-1].values())

    measured = interleaved(
        [
            Case(name=BARE, unit="jobs/s", run=partial(timed, BARE, partial(bare, text, submission, jobs))),
            Case(
                name=ALL,
                unit="jobs/s",
                run=partial(timed, ALL, once),
                limit=BARE,
                budget=BUDGET,
                budget_on="median",
                loose=True,  # it waits for the disk once; what is kept against a baseline is processor time
            ),
        ]
    )
    processor = f"{BARE}: processor"
    for name, used, limit in ((processor, used_us[BARE], None), (f"{ALL}: processor", used_us[ALL], processor)):
        measured.append(Measurement(name=name, unit="us a job", better="lower", samples=tuple(used), limit=limit))
    steps = (
        Measurement(name=step, unit="jobs/s", better="higher", samples=tuple(jobs / each[step] for each in rounds))
        for step in rounds[0]
    )
    return [*measured, *steps]


BENCHMARK: Final = Benchmark("submission", "A flow of 100,000 jobs, from its text to its acknowledgement.", measure)
