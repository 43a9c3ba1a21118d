"""What a job that waits costs in memory: at most 500 bytes."""

from __future__ import annotations

import gc
import tracemalloc
from random import Random

from holdfast.events.decide import decide
from holdfast.events.draft import Draft
from holdfast.events.messages import Submit
from holdfast.events.spec import FlowSpec, JobSpec, TargetSpec

from .memory_base import MemoryBase

# Just after the three dicts have grown, when they are at their emptiest.
JOBS = 22_000


def test_a_waiting_job_with_a_dependency_takes_at_most_500_bytes() -> None:
    jobs = tuple(JobSpec("true", f"j{n}", after=(f"j{n - 1}",) if n else ()) for n in range(JOBS))
    flow = FlowSpec(jobs, targets={"local": TargetSpec({"cpus": 1})})
    gc.collect()
    tracemalloc.start()
    try:
        base = MemoryBase()
        draft = Draft(base, 10**15, Random(1), "ada")
        decide(draft, Submit(flow))
        base.apply(draft)
        base.keep_only_what_planning_needs()
        del draft
        gc.collect()
        size_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(base.records.jobs) == JOBS
    assert size_bytes / JOBS <= 500, f"{size_bytes / JOBS:.0f} bytes a job"
