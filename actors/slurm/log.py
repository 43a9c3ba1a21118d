"""What a cluster's actor asks of the log, and how long it lets things take: known to whoever makes the actor."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from holdfast.events.facts import AttemptBatched
from holdfast.events.records import Batch
from holdfast.events.spec import JobSpec


class Log(Struct, frozen=True):
    """Questions to what is committed.

    `spec_of`: what was asked for, by an attempt's token. `held_by`: a cluster's open batches, and those of its attempts
    in flight that are in one, by token. `script`: what is submitted for a batch. `journal`: what a cluster was known by
    when it answered last, if it has attempts in flight. `secret_names`: those of all secrets that jobs which have not
    ended ask for.
    """

    spec_of: Callable[[str], JobSpec | None]
    held_by: Callable[[str], tuple[list[Batch], list[tuple[str, AttemptBatched]]]]
    script: Callable[[str], str | None]
    journal: Callable[[str], str | None]
    secret_names: Callable[[], set[str]]


class ClusterTimes(Struct, frozen=True):
    """How long things may take, in seconds.

    `grace_s`: between two answers of a cluster that does not have a batch, before it is submitted again. `away_s`: a
    controller may be silent, before what it has counts as unknown. `account_s`: accounting may lag, before an attempt's
    own word of its end does without it. `gone_s`: an attempt that nothing is known of may be gone, before its claim
    decides.
    """

    grace_s: float = 30.0
    away_s: float = 30.0
    account_s: float = 5.0
    gone_s: float = 60.0
