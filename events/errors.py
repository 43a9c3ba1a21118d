"""Every error that a user can meet, as one small tree; each knows the exit code that the command line gives it.

A message names what was seen, the rule, and the remedy, in that order.
"""

from __future__ import annotations

from typing import ClassVar, Final

_OF_RUNNERS: Final = "end the runner (with nothing to run it leaves by itself) and move runner.journal away"
_OF_CLUSTERS: Final = (
    "begin a new home (`--home`), whose attempts have other names than those that the cluster has had from this one, "
    "and see to what is still in its queue with `squeue` and `scancel`"
)


class HoldfastError(Exception):
    """Something Holdfast tells its user; `str(error)` is the whole message, without a traceback."""

    exit_code: ClassVar[int] = 3


class BadInput(HoldfastError):
    """What was given breaks a rule; all of it was refused and nothing was done (promise P7).

    `where` is a file with its line, or a key such as `jobs.align.needs`; empty where there is no better place.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, problem: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(problem, where, remedy)
        self.problem = problem
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.problem}" + (f"; {self.remedy}" if self.remedy else "")

    def at(self, where: str) -> BadInput:
        """The same error, placed at `where` if it has no place of its own yet."""
        return self if self.where else BadInput(self.problem, where=where, remedy=self.remedy)


class Unavailable(HoldfastError):
    """What was asked for can't be done just now, or is refused for safety; nothing was done."""

    exit_code: ClassVar[int] = 3


class Damaged(Unavailable):
    """What was read can't be right; nothing was changed, and nothing that was read should be trusted.

    `certain`: reading it once more would read the same.
    """

    certain: ClassVar[bool] = True


class LogCutOff(Damaged):
    """A runner, or a cluster, knows of something in this home that the log does not: the log has lost its end."""

    def __init__(self, seen: str, *, cluster: bool = False) -> None:
        """`cluster`: it is a cluster that knows, and not a runner, whose journal could be moved away."""
        super().__init__(
            f"{seen}: the log has lost its end, as when a backup is restored or the file log.db-wal is taken away; "
            f"nothing is started, because it may have run already; put the newest log back, or give up what was "
            f"recorded since and have what ran since run again: {_OF_CLUSTERS if cluster else _OF_RUNNERS}"
        )


class IllegalMove(HoldfastError):
    """An event that the life cycle does not allow in this state; nothing was changed.

    A mistake of Holdfast's own, never of its user: `decide` must not let one happen.
    """
