"""What clients were told is true: acknowledged means recorded, refused means that nothing was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from holdfast.events import facts
from holdfast.events.messages import (
    Answer,
    Cancel,
    Changed,
    Inspected,
    OutputPiece,
    Question,
    RecordStep,
    Refusal,
    Request,
    Retry,
    Status,
    StepTaken,
    Submit,
    Submitted,
)
from holdfast.events.spec import FlowSpec, JobSpec

from .history import History
from .verdict import Verdict

_OF_TARGETS = (
    facts.TargetPaused,
    facts.TargetResumed,
    facts.TargetConfigured,
    facts.DialRequested,
    facts.HostTrusted,
)


class Answers:
    """Holds each answer against the log when it comes. Each try of a command has an author of its own."""

    def __init__(self, history: History, verdict: Verdict) -> None:
        self._history = history
        self._verdict = verdict
        self.count = 0

    def asked(self, author: str) -> None:
        """A command is on its way."""
        self._verdict.check(author not in self._history.by_author, f"{author} did something before it asked")

    def answered(self, author: str, request: Request, answer: Answer) -> None:
        """The answer has come."""
        self.count += 1
        done = self._history.by_author.get(author, [])
        match answer:
            case Refusal(message=message):
                unknown = "may or may not" in message
                self._verdict.check(
                    unknown or not done, f"P7: {author} was refused ({message}), but {done} is recorded"
                )
            case Submitted():
                assert isinstance(request, Submit), "an answer to another question"
                self._submitted(author, request.flow, answer, done)
            case Changed():
                self._changed(author, request, answer, done)
            case StepTaken(result=result, fresh=fresh):
                assert isinstance(request, RecordStep), "an answer to another question"
                recorded = self._history.steps.get((request.step, request.key))
                self._verdict.check(result == recorded, f"P1: {author} was told {result}, recorded is {recorded}")
                self._verdict.check(fresh == bool(done), f"{author} was told fresh={fresh}, but recorded {done}")
            case OutputPiece() | Question() | Inspected():
                self._verdict.fail(f"{author} asked nothing of another machine, and was answered {answer}")
            case Status(counts=counts, seq=seq):
                known = any(Counter(counts) == each for at, each in self._history.counts.items() if at <= seq)
                self._verdict.check(known, f"{author} was told {counts} at {seq}, which never was so")

    def _submitted(self, author: str, flow: FlowSpec, answer: Submitted, done: Sequence[facts.Event]) -> None:
        check = self._verdict.check
        if answer.continued:
            check(not done, f"P7: {author} goes on with a flow, but recorded {done}")
            return
        check(len(answer.jobs) == len(flow.jobs), f"P1: {author} submitted {len(flow.jobs)} jobs and got {answer.jobs}")
        recorded = {event.job for event in done if isinstance(event, facts.JobSubmitted)}
        fresh = [number for number in answer.jobs if number not in answer.known]
        check(set(fresh) == recorded, f"P1: {author} was told of {fresh}, recorded are {sorted(recorded)}")
        ids: dict[str | int, int] = {job.name: number for job, number in zip(flow.jobs, answer.jobs, strict=True)}
        for job, number in zip(flow.jobs, answer.jobs, strict=True):
            story = self._history.jobs.get(number)
            if story is None:
                self._verdict.fail(f"P1: job {number}, acknowledged to {author}, is not in the log")
            elif number in answer.known:
                check(story.spec.key == job.key, f"{author} was told that job {number} has the key {job.key}")
            else:
                check(_same(job, story.spec, ids), f"P1: {author} submitted {job}, recorded is {story.spec}")

    def _changed(self, author: str, request: Request, answer: Changed, done: Sequence[facts.Event]) -> None:
        touched = {event.job for event in done if isinstance(event, facts.OfJob)}
        jobs = set(answer.jobs)
        # What depends on a cancelled or retried job is changed as well.
        true = jobs <= touched if isinstance(request, Cancel | Retry) else jobs == touched
        self._verdict.check(true, f"P1: {author} was told that {jobs} are changed; the log says {touched}")
        targets = {event.target for event in done if isinstance(event, _OF_TARGETS)}
        self._verdict.check(
            targets == set(answer.targets), f"P1: {author} was told of {answer.targets}; the log says {targets}"
        )


def _same(asked: JobSpec, recorded: JobSpec, ids: dict[str | int, int]) -> bool:
    """Whether what was recorded is what was asked for, with names made ids."""
    kinds = ("after", "after_any", "after_failed")
    without: dict[str, tuple[int, ...]] = dict.fromkeys(kinds, ())
    return replace(asked, **without) == replace(recorded, **without) and all(
        {ids.get(each, each) for each in getattr(asked, kind)} == set(getattr(recorded, kind)) for kind in kinds
    )
