"""What can happen to what a cluster is given at once, and to its allocations; a part of `facts`."""

from __future__ import annotations

from typing import ClassVar, final

from msgspec import Struct


class _Event(Struct, frozen=True, gc=False, omit_defaults=True):
    """A base for its options and the version number only."""

    VERSION: ClassVar[int] = 1


@final
class BatchPlanned(_Event, frozen=True, gc=False):
    """The intent to submit a batch to a cluster: written and synced before the cluster hears of it.

    `script`: all of what is submitted, with its SHA-256. Which attempts it is for, their `AttemptBatched` say. `after`:
    the tokens of attempts that the cluster is to wait for, whose ids stand in the script. `plan`: a word that no other
    plan has, by which what its script left on the cluster is known to be of this log.
    """

    target: str
    batch: str
    size: int
    script: str
    sha256: str
    after: tuple[str, ...] = ()
    plan: str = ""


@final
class BatchSubmitted(_Event, frozen=True, gc=False):
    """The cluster has it, under this id; `found`: it was looked up there, as its answer had got lost."""

    target: str
    batch: str
    id: str
    found: bool = False


@final
class BatchUnclear(_Event, frozen=True, gc=False):
    """It was sent, and whether it arrived is not known. The cluster is asked, and nothing is sent again until then."""

    target: str
    batch: str
    reason: str


@final
class BatchAbsent(_Event, frozen=True, gc=False):
    """The cluster was asked for it, with time enough in between, and does not have it: it may be submitted again."""

    target: str
    batch: str
    reason: str


@final
class BatchWaits(_Event, frozen=True, gc=False):
    """What it waits for: in the cluster's own word if it is there, else why the cluster does not take it yet."""

    target: str
    batch: str
    reason: str


@final
class BatchClosed(_Event, frozen=True, gc=False):
    """Nothing of it is to be expected any more: all its attempts have ended, or it was refused or taken back."""

    target: str
    batch: str
    reason: str


@final
class AllocationRequested(_Event, frozen=True, gc=False):
    """The intent to ask a cluster for an allocation: written and synced before the cluster hears of it.

    `allocation`: the name of its own target, `<target>/<number>`. `capacity`: what its runner offers, as far as that is
    known; `time_us`: how long it is asked for.
    """

    allocation: str
    target: str
    number: int
    capacity: dict[str, int]
    time_us: int


@final
class AllocationGranted(_Event, frozen=True, gc=False):
    """The cluster runs it, under this id, on this node."""

    allocation: str
    id: str
    node: str
    started_at: int


@final
class AllocationReleased(_Event, frozen=True, gc=False):
    """It is given back: nothing more is launched there, and the cluster is told to end it."""

    allocation: str
    reason: str


@final
class AllocationEnded(_Event, frozen=True, gc=False):
    """The cluster has it no more. What was in flight there is found out from what its runner wrote."""

    allocation: str
    reason: str
    word: str = ""


@final
class AllocationRetired(_Event, frozen=True, gc=False):
    """Nothing is in flight there any more: it is over, and listed no longer."""

    allocation: str


AllocationEvent = AllocationRequested | AllocationGranted | AllocationReleased | AllocationEnded | AllocationRetired
BatchEvent = BatchPlanned | BatchSubmitted | BatchUnclear | BatchAbsent | BatchWaits | BatchClosed
