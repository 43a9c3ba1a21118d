"""How the jobs that a `run` sees to stand, kept up by commits: counts, what went wrong, whether anything can start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Final

from holdfast.events.records import Job
from holdfast.events.states import FINAL, NAMES, Cancelled, Failed, Lost, Skipped, Succeeded, name_of
from holdfast.store.lookups import LIVE_STATES
from holdfast.store.reader import Reader

_WRONG_IN_FLOW: Final = (
    "flow = ? and (state in ('failed', 'cancelled', 'lost') "
    "or state = 'skipped' and coalesce(data ->> '$.state.unneeded', 0) = 0)"
)
_IDLE: Final = frozenset({"waiting", "held"})
_SUCCEEDED: Final = NAMES[Succeeded]


def went_wrong(job: Job) -> bool:
    """Whether the job ended otherwise than one would wish."""
    state = job.state
    return isinstance(state, Failed | Cancelled | Lost) or (isinstance(state, Skipped) and not state.unneeded)


class Watch:
    """The jobs of one flow, or (flow None) all that were unfinished at the start or came since."""

    def __init__(self, reader: Reader, flow: str | None, also: Sequence[int] = ()) -> None:
        """`also`: jobs of other flows that this one's keys stand for."""
        self.flow = flow
        self.counts: Counter[str] = Counter()
        self.wrong: set[int] = set()
        self._live: dict[int, str] = {}
        self._names: dict[int, str] = {}
        # Ended ones stay known, because a person may have them retried.
        self._ended: dict[int, str] = {}
        self._newest = 0
        where, values = (f"state in ({LIVE_STATES})", ()) if flow is None else ("flow = ?", (flow,))
        self.also = tuple(also)
        others = (line for number in self.also for line in reader.jobs("id = ?", (number,)))
        for line in chain(reader.jobs(where, values), others):
            self.counts[line.state] += 1
            self._newest = line.id
            if line.state != _SUCCEEDED:
                self._names[line.id] = line.name
            (self._live if line.ended_at is None else self._ended)[line.id] = line.state

    def note(self, job: Job) -> str | None:
        """Take in a job that changed; returns a line about it if it has just gone wrong."""
        before = self._live.get(job.id) or self._ended.get(job.id)
        if before is None and not self._is_new(job):
            return None
        state = name_of(job.state)
        if before is not None:
            self.counts[before] -= 1
        self.counts[state] += 1
        if not isinstance(job.state, FINAL):
            self._ended.pop(job.id, None)
            self.wrong.discard(job.id)
            self._live[job.id] = state
            return None
        self._ended[job.id] = state
        self._live.pop(job.id, None)
        if not went_wrong(job):
            self._names.pop(job.id, None)
            return None
        self.wrong.add(job.id)
        # What was skipped is only counted: one line about the job that failed says more than a hundred below it.
        if not isinstance(job.state, Failed | Cancelled | Lost):
            return None
        name = self._names.get(job.id)
        shown = f" ({name})" if name else ""
        return f"job {job.id}{shown} {state}: {job.state.reason}"

    def _is_new(self, job: Job) -> bool:
        """Whether a job that was not known so far is one to watch: where all are, it came or was retried since."""
        return self.flow is None and (job.id > self._newest or not isinstance(job.state, FINAL))

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


def anything_wrong(reader: Reader, flow: str, also: Sequence[int] = ()) -> bool:
    """Whether a job of the flow, or one `also` meant, ended otherwise than one would wish, in this run or before it."""
    if next(reader.jobs(_WRONG_IN_FLOW, (flow,)), None) is not None:
        return True
    return any(job is not None and went_wrong(job) for job in map(reader.lookups.job, also))


def held_jobs(reader: Reader, flow: str | None) -> list[int]:
    """The held jobs, of a flow or of all."""
    where, values = ("state = 'held'", ()) if flow is None else ("state = 'held' and flow = ?", (flow,))
    return [line.id for line in reader.jobs(where, values)]
