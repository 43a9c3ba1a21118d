"""What an explanation comes to: sentences, and what holds the job as data."""

from __future__ import annotations

from msgspec import Struct, field


class Hindrance(Struct, frozen=True):
    """One thing that holds a job, in a few words, with the job and the event that it comes from, if any.

    `kind`: dependency, hold, pause, supervisor, target, need, limit, rate, queue, delay or slurm.
    """

    kind: str
    what: str
    job: int | None = None
    event: int | None = None


class Conclusion(Struct, frozen=True):
    """Sentences, and what holds the job."""

    text: str
    held_by: list[Hindrance] = field(default_factory=list[Hindrance])
