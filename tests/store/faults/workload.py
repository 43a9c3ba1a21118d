"""The work that goes on while a disk fails: every kind of event, checkpoints in between, a rebuild, and the closing.

Who does it notes what was acknowledged, and does what a supervisor would after an error: tries again what was refused,
and opens the log again where it may not be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from msgspec.structs import replace

from holdfast.events.codec import TYPE_NAMES, encode
from holdfast.events.decide import decide, wake
from holdfast.events.draft import Draft
from holdfast.events.errors import IllegalMove, Unavailable
from holdfast.events.facts import (
    AllocationEnded,
    AllocationEvent,
    AllocationGranted,
    AllocationReleased,
    AllocationRequested,
    AllocationRetired,
    AttemptBatched,
    BatchAbsent,
    BatchClosed,
    BatchEvent,
    BatchPlanned,
    BatchSubmitted,
    BatchUnclear,
    BatchWaits,
    Event,
    SupervisorStarted,
    SupervisorStopped,
)
from holdfast.events.hosts import Refused
from holdfast.events.launches import launch
from holdfast.events.limits import Grant
from holdfast.events.messages import (
    Attached,
    AttemptStatus,
    Cancel,
    Command,
    Configure,
    Dial,
    Hold,
    HostSeen,
    Pause,
    Prioritise,
    RecordStep,
    Release,
    Report,
    Reported,
    Resume,
    Retry,
    Staged,
    Submit,
    Trust,
    Unreachable,
)
from holdfast.events.outcomes import decide_report, record_batches
from holdfast.events.records import Job
from holdfast.events.spec import LOCAL, FlowSpec, JobSpec, LimitSpec, SshSpec
from holdfast.events.staging import StagedFile
from holdfast.events.states import Ready
from holdfast.events.steps import record_step
from holdfast.store.contract import LiveBase, StoredEvent
from holdfast.store.errors import DiskFull
from holdfast.store.log import SqliteStore
from holdfast.store.opening import open_store
from holdfast.store.rebuild import rebuild
from holdfast.store.statements import run
from tests.store.batch_steps import CLUSTER, SLURM
from tests.store.histories import START, History
from tests.store.stores import HOME_ID

CHECKPOINT_PAGES: Final = 20  # far less than SQLite's 1,000, so that commits checkpoint now and then
_LATER_US: Final = 600_000_000
_TRIES: Final = 3
_FLOW: Final = FlowSpec(
    (
        JobSpec(("true",), "first", key="once", limits=("fast",), retries=1, retry_on=("failed",)),
        JobSpec(("true",), "second", after=("first",)),
        JobSpec(("true",), "third", after_failed=("first",)),
        JobSpec(("true",), "fourth"),
    ),
    "story",
    limits={"fast": LimitSpec(concurrent=1, interval_us=1_000)},
)

_QUEUED: Final = FlowSpec((JobSpec(("true",), key="queued", target=CLUSTER, cwd=""),))
_BATCH: Final = f"{HOME_ID}.queued"
_ALLOCATION: Final = f"{CLUSTER}/1"

Deed = Callable[[History], None]


class Witness:
    """A store that somebody counts on: what was acknowledged, and what may or may not have been recorded."""

    def __init__(self, log: Path, vfs: str | None, promise: Callable[[int], None]) -> None:
        """Open the log at `log` through `vfs`; `promise` hears of each seq up to which all is acknowledged."""
        self.errors: list[Unavailable] = []
        self.ends: list[int] = []
        self.acknowledged: dict[int, str] = {}
        self._log = log
        self._vfs = vfs
        self._promise = promise
        self.store = self._open()

    def _open(self) -> SqliteStore:
        def opened() -> SqliteStore:
            return open_store(self._log, START, "ada", vfs=self._vfs, make_id=lambda: HOME_ID)

        store = self._trying(opened)
        run(store.writing, f"pragma wal_autocheckpoint = {CHECKPOINT_PAGES}")
        self._note(store.seq)
        return store

    def _trying(self, deed: Callable[[], SqliteStore]) -> SqliteStore:
        for _ in range(_TRIES - 1):
            try:
                return deed()
            except Unavailable as error:
                self.errors.append(error)
        return deed()

    def _note(self, seq: int) -> None:
        if not self.ends or seq > self.ends[-1]:
            self.ends.append(seq)
        self._promise(seq)

    @property
    def base(self) -> LiveBase:
        return self.store.base

    @property
    def seq(self) -> int:
        return self.store.seq

    def events(self, after: int = 0) -> Iterator[tuple[StoredEvent, Event]]:
        return self.store.events(after)

    def commit(self, drafts: Sequence[Draft]) -> list[int]:
        starts = self.store.commit(drafts)
        for draft, start in zip(drafts, starts, strict=True):
            for seq, entry in enumerate(draft.entries, start=start + 1):
                self.acknowledged[seq] = encode(entry.event)
        self._note(self.store.seq)
        return starts

    def close(self) -> None:
        self.store.close()

    def carry_on(self, error: Unavailable) -> None:
        """After an error: go on with the same log where it was full, and open it again after anything else."""
        self.errors.append(error)
        if not isinstance(error, DiskFull):
            self.store.close()
            self.store = self._open()


def work(log: Path, vfs: str | None, tell: Callable[[str], None], promise: Callable[[int], None]) -> Witness:
    """Do all of it; `tell` hears which part begins. Raises what no second try helps against."""
    tell("opening")
    witness = Witness(log, vfs, promise)
    tell("story")
    history = _history(witness)
    for deed in story():
        _do(witness, history, deed)
    tell("random")
    for _ in range(15):
        _do(witness, history, lambda each: each.step())
    tell("rebuild")
    _do(witness, history, lambda _: rebuilt(witness))
    tell("checkpoint")
    _do(witness, history, lambda _: run(witness.store.writing, "pragma wal_checkpoint(truncate)"))
    tell("after the checkpoint")
    _do(witness, history, lambda each: each.step())
    tell("closing")
    witness.close()
    tell("opening again")
    again = Witness(log, vfs, promise)
    history.stores, history.base = (again,), again.base
    _do(again, history, _stop)
    again.close()
    witness.ends += again.ends
    witness.errors += again.errors
    witness.acknowledged |= again.acknowledged
    return witness


def rebuilt(witness: Witness) -> None:
    """Make the views afresh."""
    rebuild(witness.store.writing, witness.store.path)


def _history(witness: Witness) -> History:
    for _ in range(_TRIES - 1):
        try:
            return History(Random(1), witness)
        except Unavailable as error:
            witness.carry_on(error)
    return History(Random(1), witness)


def _do(witness: Witness, history: History, deed: Deed) -> None:
    """Do one thing, with what a supervisor does if it is refused; at last it must work."""
    for _ in range(_TRIES - 1):
        try:
            deed(history)
        except Unavailable as error:
            witness.carry_on(error)
            history.base = witness.base
        else:
            return
    deed(history)


def _command(command: Command) -> Deed:
    def deed(history: History) -> None:
        draft = history.draft()
        decide(draft, command)
        history.commit(draft)

    return deed


def _trust(history: History) -> None:
    """Where only the checkpoint after its commit failed, it is recorded, and there is nothing to accept any more."""
    target = history.base.target("gpu")
    if target is None or not target.trusted:
        _command(Trust("gpu", "SHA256:abc"))(history)


def _report(report: Report) -> Deed:
    def deed(history: History) -> None:
        draft = history.draft()
        decide_report(draft, report)
        history.commit(draft)

    return deed


def _launch(job: int) -> Deed:
    def deed(history: History) -> None:
        found = history.base.job(job)
        assert found is not None
        draft = history.draft()
        if not history.base.in_flight(LOCAL):  # else it is recorded already, though the disk did not say so
            launch(draft, found, Grant(dict.fromkeys(found.policy.limits, draft.now)))
        history.commit(draft)

    return deed


def _wake(history: History) -> None:
    history.now += _LATER_US
    draft = history.draft()
    wake(draft, 1)
    history.commit(draft)


def _start(history: History) -> None:
    draft = history.draft()
    draft.record(SupervisorStarted(1, "host", "1"))
    history.commit(draft)


def _stop(history: History) -> None:
    draft = history.draft()
    draft.record(SupervisorStopped(1, "told to"))
    history.commit(draft)


def _step(history: History) -> None:
    draft = history.draft()
    record_step(draft, RecordStep("charge", "order 7", '{"receipt": 1}', 1))
    history.commit(draft)


def _token(attempt: int) -> str:
    return f"{HOME_ID}.1.{attempt}"


def _ended(attempt: int, exit_code: int) -> Deed:
    status = AttemptStatus(
        _token(attempt), "ended", started_at=START, ended_at=START + 1, how="exited", exit_code=exit_code
    )
    return _report(Reported(LOCAL, (status,)))


def story() -> Iterator[Deed]:
    """One thing after the other, so that each kind of event is among them."""
    running = AttemptStatus(_token(2), "running", pid=7, process_start=1, started_at=START)
    yield _start
    yield _command(Submit(_FLOW))
    for command in (Hold((4,)), Release((4,)), Prioritise((4,), 3), Cancel((4,)), Pause(), Resume()):
        yield _command(command)
    yield _report(Attached(LOCAL, "journal", "boot", 9))
    yield _launch(1)
    yield _report(Reported(LOCAL, (AttemptStatus(_token(1), "revoked"),)))
    yield _launch(1)
    yield _report(Reported(LOCAL, (running,)))
    yield _report(Reported(LOCAL, (replace(running, fraction=0.5, message="half"),)))
    yield _report(Staged(LOCAL, _token(2), (StagedFile("a.csv", 3, "00"),)))
    yield _step
    yield _report(Unreachable(LOCAL, "it does not answer"))
    yield _report(Attached(LOCAL, "journal", "boot", 9, (running,)))
    yield _ended(2, 1)
    yield _wake
    yield _launch(1)
    yield _command(Cancel((1,)))
    yield _ended(3, 1)
    yield _command(Retry((1,)))
    yield _launch(1)
    yield _ended(4, 0)
    yield _command(Configure({"gpu": {"cpus": 1}}, {"gpu": SshSpec("gpu1")}))
    yield _command(Dial(("gpu",)))
    yield _report(HostSeen("gpu", Refused(START, "nobody knows it", "ssh-ed25519 AAAA", "SHA256:abc")))
    yield _trust
    yield from _story_of_a_cluster()


def _story_of_a_cluster() -> Iterator[Deed]:
    """A job on a cluster, whose batch is out of sight, then absent, then there after all; and an allocation."""
    yield _command(Configure({CLUSTER: {}}, slurm={CLUSTER: SLURM}))
    yield _command(Submit(_QUEUED))
    yield _launch_queued
    yield _batched
    for event in (
        BatchWaits(CLUSTER, _BATCH, "not just now"),
        BatchUnclear(CLUSTER, _BATCH, "timed out"),
        BatchAbsent(CLUSTER, _BATCH, "asked twice"),
        BatchSubmitted(CLUSTER, _BATCH, "25"),
        BatchClosed(CLUSTER, _BATCH, "all have ended"),
        AllocationRequested(_ALLOCATION, CLUSTER, 1, {"cpus": 4}, 1_000_000),
        AllocationGranted(_ALLOCATION, "26", "node1", START),
        AllocationReleased(_ALLOCATION, "nothing to do"),
        AllocationEnded(_ALLOCATION, "given back"),
        AllocationRetired(_ALLOCATION),
    ):
        yield _news(event)


def _queued(history: History) -> Job:
    """The job on the cluster; its id depends on whether a submission before it came twice."""
    found = history.base.job(history.base.jobs_by_key(["queued"])["queued"])
    assert found is not None
    return found


def _launch_queued(history: History) -> None:
    draft, job = history.draft(), _queued(history)
    if isinstance(job.state, Ready):  # else it is recorded already, though the disk did not say so
        launch(draft, job)
    history.commit(draft)


def _batched(history: History) -> None:
    draft, job = history.draft(), _queued(history)
    if history.base.batch(_BATCH) is None:
        planned = BatchPlanned(CLUSTER, _BATCH, 1, "#!/bin/sh\n", "00")
        record_batches(draft, CLUSTER, (planned,), (AttemptBatched(job.id, job.attempt, _BATCH),))
    history.commit(draft)


def _news(event: BatchEvent | AllocationEvent) -> Deed:
    def deed(history: History) -> None:
        draft = history.draft()
        with suppress(IllegalMove):  # it is recorded already, though the disk did not say so
            draft.record(event, author="target:cluster")
        history.commit(draft)

    return deed


EVERY_KIND: Final = frozenset(TYPE_NAMES.values())
