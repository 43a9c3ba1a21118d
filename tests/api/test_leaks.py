"""Opening and leaving many times leaves no task, no thread, no descriptor and no process behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

import holdfast
from tests.store.faults.scope import ALL

OPENINGS = 1_000 if ALL else 200
LOOKS = 10


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.slow
def test_many_openings_leave_nothing_behind(home: Path) -> None:
    counts: list[tuple[int, int]] = []
    for number in range(OPENINGS):
        with holdfast.open_sync(home) as hf:
            if number % (OPENINGS // LOOKS) == 0:
                assert hf.submit("true").wait(timeout=60).succeeded
        if (number + 1) % (OPENINGS // LOOKS) == 0:
            gc.collect()
            counts.append((_descriptors(), sum("holdfast" in thread.name for thread in threading.enumerate())))
    assert len(counts) == LOOKS
    assert len({descriptors for descriptors, _ in counts}) == 1, counts
    assert {threads for _, threads in counts} == {0}
