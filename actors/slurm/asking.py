"""Questions to a cluster, each answered by what its commands said, or by an error.

Silence is never taken for an answer, nor what makes no sense.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from holdfast.events.errors import Unavailable

from . import attempt_folders, refusals, sacct, scontrol, squeue
from .attempt_folders import AttemptFolder
from .site import Finished, Site

_FOLDERS_MAX: Final = 1000  # of one question


class NoAnswer(Unavailable):
    """A command on the cluster failed; the text says which, and what it said."""


class NoAccounting(Unavailable):
    """The cluster keeps no accounts."""


async def ask_user(site: Site) -> str:
    """The number of the user that jobs there belong to. Raises Unavailable."""
    number = (await _answered(site, ("id", "-u"))).stdout.decode(errors="replace").strip()
    if not number.isdecimal():
        message = f"the login has no user: `id -u` says {number[:80]!r}"
        raise NoAnswer(message)
    return number


async def ask_queue(site: Site, user: str) -> list[squeue.Row]:
    """All of the user's jobs that the controller knows. Raises Unavailable."""
    return squeue.parse((await _answered(site, squeue.argv(user))).stdout)


async def ask_accounts(site: Site, ids: Sequence[str]) -> list[sacct.Account]:
    """What accounting has of these. Raises NoAccounting, or another Unavailable."""
    return [account for argv in sacct.argv(ids) for account in await _accounts(site, argv)]


async def ask_accounts_by_name(site: Site, names: Sequence[str], since: int) -> list[sacct.Account]:
    """The jobs of these names that were submitted since. Raises NoAccounting, or another Unavailable."""
    return [account for argv in sacct.argv_by_name(names, since) for account in await _accounts(site, argv)]


async def _accounts(site: Site, argv: Sequence[str]) -> list[sacct.Account]:
    finished = await site.run(argv)
    if sacct.is_off(finished):
        message = "the cluster keeps no accounts"
        raise NoAccounting(message)
    return sacct.parse(_checked(argv, finished).stdout)


async def ask_details(site: Site) -> list[sacct.Account]:
    """What the controller still knows of jobs, also of those that have ended. Raises Unavailable."""
    return scontrol.parse_jobs((await _answered(site, scontrol.JOBS)).stdout)


async def ask_config(site: Site) -> scontrol.Config:
    """How the cluster is configured. Raises Unavailable."""
    return scontrol.parse_config((await _answered(site, scontrol.CONFIG)).stdout)


async def ask_identity(site: Site, fresh: str) -> tuple[str, str]:
    """The id of Holdfast's folder there, and its receipt; `fresh` becomes its id where there is none.

    If that is empty, the id of a folder without one is.

    Raises Unavailable.
    """
    argv = attempt_folders.identify_argv(site.folder, fresh)
    finished = await site.run(argv)
    if finished.exit_code == attempt_folders.NO_ID:
        return "", ""
    return attempt_folders.identify_answer(_checked(argv, finished).stdout)


async def ask_folders(site: Site, own: str, names: Sequence[str]) -> dict[str, AttemptFolder]:
    """What the folders of these attempts say, in the folder with the id `own`. Raises Unavailable."""
    found: dict[str, AttemptFolder] = {}
    for start in range(0, len(names), _FOLDERS_MAX):
        part = names[start : start + _FOLDERS_MAX]
        argv, stdin = attempt_folders.read_argv(site.folder, own), attempt_folders.read_stdin(part)
        found |= attempt_folders.read_answer((await _answered(site, argv, stdin)).stdout, part)
    return found


async def void(site: Site, own: str, names: Sequence[str]) -> dict[str, bool]:
    """Claim these attempts, so that they never run; whether each was free, and so never ran. Raises Unavailable."""
    found: dict[str, bool] = {}
    for start in range(0, len(names), _FOLDERS_MAX):
        part = names[start : start + _FOLDERS_MAX]
        argv, stdin = attempt_folders.void_argv(site.folder, own), attempt_folders.read_stdin(part)
        found |= attempt_folders.void_answer((await _answered(site, argv, stdin)).stdout, part)
    return found


async def forget_secrets(site: Site, names: Sequence[str]) -> None:
    """Remove the secrets of these attempts. Raises Unavailable."""
    await _answered(site, attempt_folders.forget_secrets_argv(site.folder), attempt_folders.read_stdin(names))


async def close(site: Site, names: Sequence[str], receipt: str) -> None:
    """Remove what is no longer needed of these attempts, which are over; their claims stay. Raises Unavailable.

    `receipt`: the place in the log that has their ends.
    """
    await _answered(site, attempt_folders.close_argv(site.folder, receipt), attempt_folders.read_stdin(names))


async def _answered(site: Site, argv: Sequence[str], stdin: bytes = b"") -> Finished:
    return _checked(argv, await site.run(argv, stdin=stdin))


def _checked(argv: Sequence[str], finished: Finished) -> Finished:
    problem = refusals.judge(finished)
    if problem is not None:
        program = next((word for word in argv if word != "env" and "=" not in word and not word.startswith("-")), "")
        message = f"{program} on the cluster: {problem}"
        raise NoAnswer(message)
    return finished
