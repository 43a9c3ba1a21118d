"""How things stand, for those who ask: answered at once, whatever the scheduler is deciding just then."""

from __future__ import annotations

from holdfast.events.messages import Status

from .live import Live


class Standing:
    """The committed state as the scheduler has it in memory, shown to the actors that start after it.

    What a client was told is recorded is in it: the scheduler answers once it has taken the commit over.
    """

    def __init__(self, pid: int, version: str) -> None:
        """`pid` and `version` are the supervisor's."""
        self._pid = pid
        self._version = version
        self._live: Live | None = None
        self.seq = 0
        """The position of the newest event that is in memory."""

    def follow(self, live: Live, seq: int) -> None:
        """Show `live`, which is at `seq`, from now on."""
        self._live, self.seq = live, seq

    def lives(self, job: int) -> bool:
        """Whether the job is in memory: it has not ended, or its end is recorded and not taken over yet."""
        return self._live is not None and job in self._live.jobs

    def status(self) -> Status:
        """How many live jobs are in which state."""
        assert self._live is not None, "the scheduler starts before everybody who asks"
        counts = {name: count for name, count in sorted(self._live.counts.items()) if count}
        return Status(self._pid, self._version, counts, self.seq)
