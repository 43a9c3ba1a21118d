"""Batches behind others in the cluster's queue: what they wait for, in the words of sbatch, while all of it is there.

Slurm takes a dependency on a job that it does not know, or has forgotten, for one that is met. So nothing is submitted
behind what was not in the queue a moment ago, much less than a job that has ended is remembered for; and each script
looks itself whether what it waits for has ended so, before it claims its attempt (`batch.sh.j2`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from holdfast.events.graph import Kind

from .book import UNCLEAR, Book, Entry, Member
from .scontrol import Config

MANY: Final = 50
"""Tasks of one array are named one by one, up to so many; then the array is, if all that is left of it is needed."""
_FRESH_S: Final = 30.0
_REMEMBERED_S: Final = 10.0  # by a controller that does not say for how long
_US: Final = 1_000_000
_WORDS: Final = {Kind.AFTER.key: "afterok", Kind.AFTER_ANY.key: "afterany"}

GONE: Final = "what it was to wait for in the cluster's queue is not surely there any more"


def fresh_s(config: Config | None, poll_us: int) -> float:
    """For how many seconds what was seen in the queue counts as there."""
    remembered_s = (0 if config is None else config.min_job_age_s) or _REMEMBERED_S
    return min(max(2 * poll_us / _US, _FRESH_S), remembered_s * 2 / 3)


def are_there(book: Book, after: Iterable[str], now: float, within_s: float) -> bool:
    """Whether all these attempts were in the queue, under known ids, no longer ago than that."""
    return all(_is_there(book, book.members.get(token), now - within_s) for token in after)


def _is_there(book: Book, member: Member | None, since: float) -> bool:
    return (
        member is not None
        and book.entries[member.batch].id is not None
        and member.seen_at is not None
        and member.seen_at >= since
        and member.left_at is None
        and member.told != UNCLEAR
        and not (member.over or member.stopping)
    )


def options(book: Book, after: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The options of sbatch that have a batch wait for these attempts, all of which are there."""
    if not after:
        return ()
    needed: dict[tuple[str, str], list[int | None]] = {}
    for token, kind in after.items():
        member = book.members[token]
        needed.setdefault((_WORDS[kind], member.batch), []).append(member.index)
    ids: dict[str, list[str]] = {}
    for (word, batch), indexes in sorted(needed.items(), key=lambda each: each[0]):
        ids.setdefault(word, []).extend(_ids(book.entries[batch], indexes))
    dependency = ",".join(f"{word}:{':'.join(numbers)}" for word, numbers in ids.items())
    return (("dependency", dependency), ("kill-on-invalid-dep", "yes"))


def _ids(entry: Entry, indexes: Sequence[int | None]) -> list[str]:
    if indexes[0] is None or len(indexes) == len(entry.members) > MANY:
        return [f"{entry.id}"]
    return [f"{entry.id}_{index}" for index in indexes]
