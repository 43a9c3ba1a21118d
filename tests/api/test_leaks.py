"""Opening and leaving a thousand times leaves no task, no thread, no descriptor and no process behind."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

import holdfast


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.slow
def test_a_thousand_openings_leave_nothing_behind(home: Path) -> None:
    counts: list[tuple[int, int]] = []
    for number in range(1_000):
        with holdfast.open_sync(home) as hf:
            if number % 100 == 0:
                assert hf.submit("true").wait(timeout=60).succeeded
        if number % 100 == 99:
            gc.collect()
            counts.append((_descriptors(), sum("holdfast" in thread.name for thread in threading.enumerate())))
    assert len({descriptors for descriptors, _ in counts}) == 1, counts
    assert {threads for _, threads in counts} == {0}
