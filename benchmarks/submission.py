"""A flow of 100,000 jobs in a chain, from JSON Lines to its acknowledgement, in one process: jobs a second, by step.

The steps are those of a submission: `parse` (text to specs, with all checks of a flow file), `decide` (checks against
the home, events, records) and `commit` (events and views, synced). The budget is 50,000 jobs a second for all three.
"""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.finished_jobs import draft_on, open_new
from benchmarks.rounds import interleave, spread
from holdfast.cli.flows.jsonlflow import parse_jsonl
from holdfast.events.decide import decide
from holdfast.events.messages import Submit

JOBS: Final = 100_000
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


def main() -> None:
    """Measure and print a table."""
    text = text_of(JOBS)
    rounds: list[dict[str, float]] = []

    def once() -> float:
        rounds.append(submit(text))
        return JOBS / sum(rounds[-1].values())

    total = interleave({"total": once})["total"]
    print(f"{'step':10} jobs/s")
    for step in rounds[0]:
        print(f"{step:10} {spread([JOBS / each[step] for each in rounds])}")
    print(f"{'all':10} {spread(total)} (budget {BUDGET:,})")


if __name__ == "__main__":
    main()
