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
from .book import Member
from .sacct import Account
from .words import Meaning, ended, meaning_of


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


def lost(member: Member, folder: AttemptFolder, now_us: int) -> AttemptStatus:
    """The status of one that began, and whose end nobody saw."""
    why = "it began on the cluster, which does not know it any more, and it has not said how it ended"
    return AttemptStatus(member.token, "ended", ended_at=now_us, how="lost", error=why, output=_output(member, folder))


def given_back(member: Member) -> AttemptStatus:
    """The status of one that the cluster forgot before it began; its claim was made here, so that it never will."""
    return AttemptStatus(member.token, "revoked", error="the cluster forgot it before it began")


def _account_of(member: Member, folder: AttemptFolder, evidence: Evidence) -> Account | None:
    """The row of the copy that counts: the one that made the claim, if there is one."""
    rows = [
        each
        for each in evidence.accounts.get((member.batch, member.index), ())
        if meaning_of(each.state) is Meaning.ENDED
    ]
    if folder.claim is not None:
        claimed = [each for each in rows if each.is_of(folder.claim)]
        return claimed[-1] if claimed else None
    return rows[-1] if rows else None


def _by_account(member: Member, folder: AttemptFolder, account: Account) -> AttemptStatus:
    end = ended(account, folder)
    exit_ = folder.exit
    started_at = account.started_at if folder.claimed else None
    queued_us = None
    if account.submitted_at is not None and account.started_at is not None:
        queued_us = max(0, account.started_at - account.submitted_at)
    return AttemptStatus(
        member.token,
        "ended",
        started_at=exit_.began_us if exit_ is not None else started_at,
        ended_at=exit_.ended_us if exit_ is not None else account.ended_at,
        how=end.how,
        exit_code=end.exit_code,
        signal=end.signal,
        error=end.error,
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
