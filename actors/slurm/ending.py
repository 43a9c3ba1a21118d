"""How attempts ended that have left a cluster's queue: by their own word, by accounting's, by the controller's.

An end is told once something says how it was. Where nothing does, and the cluster has had its time, the attempt's claim
decides: one that was never made is made here, so that the attempt never runs, and it is given back; else it is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from holdfast.events.messages import AttemptStatus
from holdfast.events.records import OutputRange

from .attempt_folders import AttemptFolder, Exit
from .book import RUNNING, Book, Member
from .sacct import Account
from .script import NOT_CLAIMED, NOT_DUE, NOT_STARTED, SECOND_COPY
from .squeue import Row
from .words import End, Meaning, ended, meaning_of, word_of

BRIEFLY: Final = 5
"""Accounting is waited for so many times as long as the command ran, where nothing else is to be learnt from it."""
LOOK_S: Final = 1.0
"""How often is looked for ends that are not known yet, at the most."""
_REQUEUED: Final = "REQUEUED"
_WITHOUT_CLAIM: Final = frozenset({SECOND_COPY, NOT_CLAIMED, NOT_STARTED, NOT_DUE})
_NEVER: Final = "DependencyNeverSatisfied"
_TAKEN_OUT: Final = "the cluster took it out of its queue, as what it depends on did not end so"


class Evidence(Struct, frozen=True):
    """What was found out about attempts that are gone.

    `accounts`: of accounting, or of the controller, by batch and task; `accounting`: whether there is any, and it
    answered.
    """

    folders: Mapping[str, AttemptFolder]
    accounts: Mapping[tuple[str, int | None], Sequence[Account]]
    accounting: bool


def by_task(accounts: Iterable[Account], book: Book) -> dict[tuple[str, int | None], list[Account]]:
    """Rows by the batch and the task. One that was given another name, as anybody may, is known by its id."""
    found: dict[tuple[str, int | None], list[Account]] = {}
    for each in accounts:
        name = each.name if each.name in book.entries else book.name_of(each.array or each.id, each.submitted_at)
        for task in (None,) if each.tasks is None else each.tasks:
            found.setdefault((name, task), []).append(each)
    return found


def conclude(member: Member, evidence: Evidence, now: float, account_s: float, gone_s: float) -> AttemptStatus | None:
    """How the attempt ended, or None as long as that is not known.

    `account_s`: how long accounting may lag; `gone_s`: how long all else may take.
    """
    folder = evidence.folders[member.folder]
    account = _account_of(member, folder, evidence)
    if member.is_behind and (folder.void or not folder.claimed):
        why = _not_let_go(member, account, evidence)
        if why is not None:
            return AttemptStatus(member.token, "revoked", error=why)
    if account is not None:
        if not _ran_elsewhere(folder, account):
            return _by_account(member, folder, account)
        # What nodes write may be seen here only later.
        return _left_no_mark(member, account) if is_gone(member, now, gone_s) else None
    if folder.exit is not None and (not evidence.accounting or says_enough(member, folder, now, account_s)):
        return _by_folder(member, folder)
    row = member.ended
    if row is not None and member.left_at is not None and now - member.left_at >= account_s and not folder.void:
        # Nobody else says anything: then the queue's own last word counts, as far as it goes.
        return _by_word(member, folder, row, is_gone(member, now, gone_s))
    return None


def _ran_elsewhere(folder: AttemptFolder, account: Account) -> bool:
    """Whether Slurm has seen the script end as it does only after the claim, of which nothing is to be seen here."""
    by_itself = account.state == "COMPLETED" or (account.state == "FAILED" and not account.signal)
    began = account.started_at is not None and bool(account.nodes)
    return by_itself and began and not folder.claimed and account.exit_code not in _WITHOUT_CLAIM


def _left_no_mark(member: Member, account: Account) -> AttemptStatus:
    """The status of one that ran where what it writes isn't seen from here: how its command ended is not known."""
    why = (
        f"Slurm says that it ran on {account.nodes or 'a node'}, and nothing of it is in the workdir as the login node "
        "has it; the target's workdir must be on a file system that the cluster's nodes share, under the same path"
    )
    member.is_astray = True
    return AttemptStatus(
        member.token,
        "ended",
        started_at=account.started_at,
        ended_at=account.ended_at,
        how="lost",
        error=why,
        word=account.state,
        nodes=account.nodes,
        queued_us=_queued_us(account),
    )


def _by_word(member: Member, folder: AttemptFolder, row: Row, is_gone: bool) -> AttemptStatus | None:  # noqa: FBT001
    """The end of one of which there is only the state that the queue shows, and no code that it ended with."""
    word = word_of(row.state)
    if folder.claim is not None and row.id != folder.claim.slurm_id:
        return None
    if word in {"COMPLETED", "FAILED"}:
        if not folder.claimed or not is_gone:
            return None
        error = f"Slurm says {word}, and neither it nor the script says with which exit code"
        return replace(_by_account(member, folder, _seen(row)), how="lost", exit_code=None, error=error)
    return _by_account(member, folder, _seen(row))


def says_enough(member: Member, folder: AttemptFolder, now: float, account_s: float) -> bool:
    """Whether an attempt's own word is enough by now, without what accounting has of it."""
    left_s = now - (now if member.left_at is None else member.left_at)
    return folder.exit is not None and left_s >= _patience_s(member, folder, folder.exit, account_s)


def _not_let_go(member: Member, account: Account | None, evidence: Evidence) -> str | None:
    """Why one that was to wait for others in the queue never began, if it is because of these."""
    row = member.ended
    if row is not None and word_of(row.state) == "CANCELLED" and row.reason == _NEVER:
        return _TAKEN_OUT
    if account is None:
        return None
    if account.exit_code == NOT_DUE and member.told != RUNNING:
        return "the cluster started it before what it depends on had ended so, and its script ran nothing"
    if word_of(account.state) != "CANCELLED":
        return None
    # A person's cancel leaves the reason that it waited for, and accounting says whose it was.
    by_nobody = row is None and evidence.accounting and account.by is None
    return _TAKEN_OUT if account.reason == _NEVER or by_nobody else None


def _patience_s(member: Member, folder: AttemptFolder, mark: Exit, account_s: float) -> float:
    """How long to wait for what accounting has of an attempt that has said itself how it ended.

    Slurm tells accounting of new jobs every 5 s only, so that short ones end before it has heard of them. Who has
    thousands of these does not want to know what each used, but to go on.
    """
    if _own_row(member, folder) is None:
        return account_s
    wait_s = BRIEFLY * (mark.ended_us - mark.began_us) / 1e6
    return 0.0 if wait_s < LOOK_S else min(account_s, wait_s)


def _own_row(member: Member, folder: AttemptFolder) -> Row | None:
    """The queue's last word of the copy that made the claim, where it says the same as the attempt itself."""
    row = member.ended
    if row is None or folder.claim is None or folder.exit is None or row.id != folder.claim.slurm_id:
        return None
    # Any other word, such as TIMEOUT, is about who ended it, and accounting is to tell of that.
    return row if word_of(row.state) == ("FAILED" if folder.exit.status else "COMPLETED") else None


def is_gone(member: Member, now: float, gone_s: float) -> bool:
    """Whether nobody may be expected to say any more how it ended."""
    return member.left_at is not None and now - member.left_at >= gone_s


def is_taken_out(member: Member, folder: AttemptFolder, now: float, account_s: float) -> bool:
    """Whether it was cancelled before it began: a task of an array that waited leaves no trace then."""
    if folder.claimed or member.left_at is None:
        return False
    by_us = member.stopping and member.stopped_at is not None
    return by_us or (member.is_missing and now - member.left_at >= account_s)


def lost(member: Member, folder: AttemptFolder, now_us: int) -> AttemptStatus:
    """The status of one that began, and whose end nobody saw."""
    why = "it began on the cluster, which does not know it any more, and it has not said how it ended"
    return AttemptStatus(member.token, "ended", ended_at=now_us, how="lost", error=why, output=_output(member, folder))


def given_back(member: Member, now_us: int) -> AttemptStatus:
    """The status of one that left the queue before it began; its claim was made here, so that it never will."""
    if member.told == RUNNING:
        why = "the cluster began with it, and gave it up or forgot it before its command was started"
        return AttemptStatus(member.token, "ended", ended_at=now_us, how="not_started", error=why)
    if member.is_missing and not member.stopping and not member.is_behind:
        # Not forgotten, for then the others of its array would be; submitted again, it would come back for ever.
        why = "somebody took it out of the cluster's queue before it began; `holdfast retry` submits it again"
        return AttemptStatus(member.token, "ended", ended_at=now_us, how="stopped", error=why)
    why = "cancelled before it began" if member.stopping else "the cluster forgot it before it began"
    return AttemptStatus(member.token, "revoked", error=why)


def _account_of(member: Member, folder: AttemptFolder, evidence: Evidence) -> Account | None:
    """The row of the copy that counts: the one that made the claim, if there is one.

    A copy that found the claim made says nothing of the attempt.
    """
    rows = [
        each
        for each in evidence.accounts.get((member.batch, member.index), ())
        if meaning_of(each.state) is Meaning.ENDED
    ]
    claim = folder.claim
    if claim is not None:
        # A controller that was put back may have started the same job once more, under the same number.
        came_again = f"{claim.slurm_id}.{claim.restart}" in folder.seconds
        rows = [each for each in rows if each.is_of(claim) and not (came_again and each.exit_code == SECOND_COPY)]
    else:
        rows = [each for each in rows if each.exit_code != SECOND_COPY]
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
    if folder.exit is None and _was_put_back(folder):
        error = "it was put back into the cluster's queue while it ran, and how its run had ended was not seen"
        return End("lost", _REQUEUED, error=error)
    if folder.exit is not None and folder.exit.status and _was_put_back(folder):
        # The last word of its job is of the copy that ran nothing.
        error = "it was put back into the cluster's queue while it ran, and is not run again there; retry it"
        return End("killed", _REQUEUED, folder.exit.exit_code, folder.exit.signal, error)
    return ended(account, folder)


def _was_put_back(folder: AttemptFolder) -> bool:
    """Whether the job that ran it was started again, as after an administrator's requeue."""
    claim = folder.claim
    runs = (each.split(".") for each in folder.seconds)
    return claim is not None and any(int(id_) == claim.slurm_id and int(run) > claim.restart for id_, run in runs)


def _by_account(member: Member, folder: AttemptFolder, account: Account) -> AttemptStatus:
    end = _end_of(folder, account)
    exit_ = folder.exit
    started_at = account.started_at if folder.claimed else None
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
        queued_us=_queued_us(account),
    )


def _by_folder(member: Member, folder: AttemptFolder) -> AttemptStatus:
    assert folder.exit is not None, "the folder says how it ended"
    row = member.ended
    if row is not None and folder.claim is not None and row.id == folder.claim.slurm_id:
        # Who ended it is known to the queue alone, where there is no accounting; how it ended, to itself.
        return _by_account(member, folder, _seen(row))
    host = None if folder.claim is None else folder.claim.host
    return AttemptStatus(
        member.token,
        "ended",
        started_at=folder.exit.began_us,
        ended_at=folder.exit.ended_us,
        how="exited",
        exit_code=folder.exit.exit_code,
        signal=folder.exit.signal,
        output=_output(member, folder),
        nodes=host,
    )


def _seen(row: Row) -> Account:
    """What the queue says of one that has ended: all but the code that it ended with."""
    return Account(
        id=row.id,
        array=row.array,
        tasks=row.tasks,
        state=row.state,
        exit_code=0,
        signal=0,
        submitted_at=row.submitted_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        nodes=row.nodes,
        name=row.name,
        reason=row.reason,
    )


def _queued_us(account: Account) -> int | None:
    return None if account.started_at is None else max(0, account.started_at - account.submitted_at)


def _output(member: Member, folder: AttemptFolder) -> tuple[OutputRange, ...]:
    out, err = member.output
    return replace(out, end=folder.out_bytes), replace(err, end=folder.err_bytes)
