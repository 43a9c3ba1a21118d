"""Jobs that leave a mark on disk of their own, and what marks and log must say together afterwards."""

from __future__ import annotations

import os
import sys
from collections import Counter
from random import SystemRandom

from holdfast.store.verify import verify

from .place import ENDED, Place

# One write of less than a page to a file opened with O_APPEND: no two marks mix, none is torn.
MARK = "echo $HOLDFAST_TOKEN >> marks"


def new_seed() -> int:
    """A seed for this run of a test, written down so that a failure shows it."""
    seed = int(os.environ.get("HOLDFAST_SEED") or SystemRandom().randrange(1_000_000))
    sys.stdout.write(f"HOLDFAST_SEED={seed} chooses the same again\n")
    return seed


def marks(place: Place) -> list[str]:
    """The tokens whose attempts ran, as often as they did."""
    path = place.folder / "marks"
    return path.read_text().split() if path.exists() else []


def check_ran_once(place: Place, names: set[str], *, lost_allowed: bool = False) -> Counter[str]:
    """Every job that succeeded ran exactly once by its own mark; one that is lost at most once, and says why.

    Returns how many jobs ended in which state.
    """
    found = marks(place)
    assert [token for token, times in Counter(found).items() if times > 1] == []
    times = Counter(int(token.split(".")[1]) for token in found)
    jobs = place.jobs()
    assert {job.name for job in jobs} == names
    assert len(jobs) == len(names)
    for job in jobs:
        assert job.state in ENDED, job
        if job.state == "succeeded":
            assert times[job.id] == 1, job
        elif job.state == "lost":
            assert lost_allowed, job
            assert times[job.id] <= 1, job
            assert "runner" in (job.reason or ""), job
        else:
            assert times[job.id] == 0, job
    return Counter(job.state for job in jobs)


def check_log(place: Place) -> None:
    """The log has no gaps, is whole, and agrees with the views."""
    with place.reader() as reader:
        assert verify(reader.connection, place.home.log).findings == []
        numbers = [stored.seq for stored, _ in reader.events()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert list(reader.jobs()) == list(reader.replay())
