"""How attempts ended that have left a cluster's queue: by their own word, by accounting's, by the controller's.

An end is told once something says how it was. Where nothing does, and the cluster has had its time, the attempt's claim
decides: one that was never made is made here, so that the attempt never runs, and it is given back; else it is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from holdfast.events.messages import AttemptStatus
from holdfast.events.records import OutputRange

from .attempt_folders import AttemptFolder
from .book import RUNNING, Member
from .sacct import Account
from .script import NOT_CLAIMED, SECOND_COPY
from .words import End, Meaning, ended, meaning_of, word_of


class Evidence(Struct, frozen=True):
    """What was found out about attempts that are gone.

    `accounts`: of accounting, or of the controller, by batch and task; `accounting`: whether there is any, and it
    answered.
    """

    folders: Mapping[str, AttemptFolder]
    accounts: Mapping[tuple[str, int | None], Sequence[Account]]
    accounting: bool


def by_task(accounts: Iterable[Account]) -> dict[tuple[str, int | None], list[Account]]:
    """Rows by the batch's name and the task."""
    found: dict[tuple[str, int | None], list[Account]] = {}
    for each in accounts:
        for task in (None,) if each.tasks is None else each.tasks:
            found.setdefault((each.name, task), []).append(each)
    return found


def conclude(member: Member, evidence: Evidence, now: float, account_s: float) -> AttemptStatus | None:
    """How the attempt ended, or None as long as that is not known. `account_s`: how long accounting may lag."""
    folder = evidence.folders[member.folder]
    account = _account_of(member, folder, evidence)
    if account is not None:
        return _by_account(member, folder, account)
    left_s = now - (now if member.left_at is None else member.left_at)
    if folder.exit is not None and (not evidence.accounting or left_s >= account_s):
        return _by_folder(member, folder)
    return None


def is_gone(member: Member, now: float, gone_s: float) -> bool:
    """Whether nobody may be expected to say any more how it ended."""
    return member.left_at is not None and now - member.left_at >= gone_s


def is_taken_out(member: Member, folder: AttemptFolder) -> bool:
    """Whether it was cancelled before it began: a task of an array that waited leaves no trace then."""
    return member.stopping and member.stopped_at is not None and not folder.claimed


def lost(member: Member, folder: AttemptFolder, now_us: int) -> AttemptStatus:
    """The status of one that began, and whose end nobody saw."""
    why = "it began on the cluster, which does not know it any more, and it has not said how it ended"
    return AttemptStatus(member.token, "ended", ended_at=now_us, how="lost", error=why, output=_output(member, folder))


def given_back(member: Member, now_us: int) -> AttemptStatus:
    """The status of one that left the queue before it began; its claim was made here, so that it never will."""
    if member.told == RUNNING:
        why = "the cluster began with it, and gave it up or forgot it before its command was started"
        return AttemptStatus(member.token, "ended", ended_at=now_us, how="not_started", error=why)
    why = "cancelled before it began" if member.stopping else "the cluster forgot it before it began"
    return AttemptStatus(member.token, "revoked", error=why)


def _account_of(member: Member, folder: AttemptFolder, evidence: Evidence) -> Account | None:
    """The row of the copy that counts: the one that made the claim, if there is one.

    A copy that found the claim made says nothing of the attempt.
    """
    rows = [
        each
        for each in evidence.accounts.get((member.batch, member.index), ())
        if meaning_of(each.state) is Meaning.ENDED and each.exit_code != SECOND_COPY
    ]
    if folder.claim is not None:
        claimed = [each for each in rows if each.is_of(folder.claim)]
        return claimed[-1] if claimed else None
    return rows[-1] if rows else None


def _end_of(folder: AttemptFolder, account: Account) -> End:
    """How it ended; the script's own words for what kept it from starting the command come first."""
    if folder.exit is None and folder.refused is not None:
        return End("not_started", word_of(account.state), error=folder.refused)
    if not folder.claimed and account.exit_code == NOT_CLAIMED:
        error = (
            "its script could not make its folder in the target's workdir on the node; see that it is there, is "
            "writable and has room on every node"
        )
        return End("not_started", word_of(account.state), error=error)
    return ended(account, folder)


def _by_account(member: Member, folder: AttemptFolder, account: Account) -> AttemptStatus:
    end = _end_of(folder, account)
    exit_ = folder.exit
    started_at = account.started_at if folder.claimed else None
    queued_us = None if account.started_at is None else max(0, account.started_at - account.submitted_at)
    return AttemptStatus(
        member.token,
        "ended",
        started_at=exit_.began_us if exit_ is not None else started_at,
        ended_at=exit_.ended_us if exit_ is not None else account.ended_at,
        how=end.how,
        exit_code=end.exit_code,
        signal=end.signal,
        # Who cancelled it is news only if it wasn't we who were asked to.
        error=None if member.stopping and end.how == "stopped" else end.error,
        cpu_us=account.cpu_us,
        memory_bytes=account.memory_bytes,
        output=_output(member, folder) if folder.claimed else (),
        word=end.word,
        nodes=account.nodes,
        queued_us=queued_us,
    )


def _by_folder(member: Member, folder: AttemptFolder) -> AttemptStatus:
    assert folder.exit is not None, "the folder says how it ended"
    return AttemptStatus(
        member.token,
        "ended",
        started_at=folder.exit.began_us,
        ended_at=folder.exit.ended_us,
        how="exited",
        exit_code=folder.exit.exit_code,
        signal=folder.exit.signal,
        output=_output(member, folder),
        nodes=None if folder.claim is None else folder.claim.host,
    )


def _output(member: Member, folder: AttemptFolder) -> tuple[OutputRange, ...]:
    out, err = member.output
    return replace(out, end=folder.out_bytes), replace(err, end=folder.err_bytes)
