"""How the jobs that a `run` sees to stand, kept up by commits: counts, what has gone wrong, and whether anything can still start."""

from __future__ import annotations

from collections import Counter
from typing import Final

from holdfast.events.records import Job
from holdfast.events.states import FINAL, Cancelled, Failed, Lost, Skipped, name_of
from holdfast.store.lookups import LIVE_STATES
from holdfast.store.reader import Reader

_WRONG_IN_FLOW: Final = (
    "flow = ? and (state in ('failed', 'cancelled', 'lost') "
    "or state = 'skipped' and coalesce(data ->> '$.state.unneeded', 0) = 0)"
)
_IDLE: Final = frozenset({"waiting", "held"})


def went_wrong(job: Job) -> bool:
    """Whether the job ended otherwise than one would wish."""
    state = job.state
    return isinstance(state, Failed | Cancelled | Lost) or (isinstance(state, Skipped) and not state.unneeded)


class Watch:
    """The jobs of one flow, or (flow None) all that were unfinished at the start or came since."""

    def __init__(self, reader: Reader, flow: str | None) -> None:
        self.flow = flow
        self.counts: Counter[str] = Counter()
        self.wrong: set[int] = set()
        self._live: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._newest = 0
        where, values = (f"state in ({LIVE_STATES})", ()) if flow is None else ("flow = ?", (flow,))
        for line in reader.jobs(where, values):
            self.counts[line.state] += 1
            self._newest = line.id
            if line.ended_at is None:
                self._live[line.id] = line.state
                self._names[line.id] = line.name

    def note(self, job: Job) -> str | None:
        """Take in a job that changed; returns a line about it if it has just gone wrong."""
        before = self._live.get(job.id)
        if before is None and (self.flow is not None or job.id <= self._newest) and job.id not in self.wrong:
            return None
        state = name_of(job.state)
        if before is not None:
            self.counts[before] -= 1
        elif job.id in self.wrong:
            self.wrong.discard(job.id)
        self.counts[state] += 1
        if not isinstance(job.state, FINAL):
            self._live[job.id] = state
            return None
        self._live.pop(job.id, None)
        name = self._names.pop(job.id, "")
        if not went_wrong(job):
            return None
        self.wrong.add(job.id)
        assert isinstance(job.state, Failed | Cancelled | Lost | Skipped), "what went wrong says why"
        shown = f" ({name})" if name else ""
        return f"job {job.id}{shown} {state}: {job.state.reason}"

    @property
    def unfinished(self) -> int:
        """How many have not ended."""
        return len(self._live)

    def unfinished_ids(self) -> list[int]:
        """Which have not ended."""
        return list(self._live)

    @property
    def stuck(self) -> bool:
        """Whether those left are held, or wait for others: nothing of them is about to start."""
        return all(state in _IDLE for state in self._live.values())


def anything_wrong(reader: Reader, flow: str) -> bool:
    """Whether a job of the flow ended otherwise than one would wish, in this run or before it."""
    return next(reader.jobs(_WRONG_IN_FLOW, (flow,)), None) is not None


def held_jobs(reader: Reader, flow: str | None) -> list[int]:
    """The held jobs, of a flow or of all."""
    where, values = ("state = 'held'", ()) if flow is None else ("state = 'held' and flow = ?", (flow,))
    return [line.id for line in reader.jobs(where, values)]


