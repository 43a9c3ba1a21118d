"""A second opinion: what the log's events say of every job, folded by other code than the product's.

It holds the promises about the log alone: positions without gaps, causes before effects, no end left but by a retry,
no start before its dependencies allow it, no token twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, cast

from holdfast.events import facts
from holdfast.events.records import Outcome
from holdfast.events.spec import JobSpec, LimitSpec
from holdfast.store.contract import StoredEvent

from .verdict import Verdict

ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "skipped", "lost"})
IN_FLIGHT: Final = frozenset({"launching", "running", "unknown"})
_ROOTS: Final = (
    facts.HomeCreated,
    facts.SupervisorStarted,
    facts.SupervisorStopped,
    facts.FlowSubmitted,
    facts.TargetAttached,
    facts.TargetConfigured,
    facts.TargetPaused,
    facts.TargetResumed,
    facts.HostChanged,
    facts.DialRequested,
    facts.HostTrusted,
    facts.LimitConfigured,
    facts.StepRecorded,
    facts.BatchPlanned,
    facts.BatchSubmitted,
    facts.BatchUnclear,
    facts.BatchAbsent,
    facts.BatchWaits,
    facts.BatchClosed,
    facts.JobSubmitted,
    facts.JobHeld,
    facts.JobReleased,
    facts.JobPrioritised,
    facts.JobCancelled,
    facts.CancelRequested,
    facts.JobRetried,
)
# What the end of a job means to those that depend on it, by kind: those ends that let them go on.
_LETS: Final = {"after": {"succeeded"}, "after_any": ENDS, "after_failed": {"failed"}}


class Attempt:
    """One attempt as the log tells it. `runner`: the process of the runner that was attached when it was launched."""

    def __init__(self, token: str, launched_seq: int, runner: int) -> None:
        self.token = token
        self.launched_seq = launched_seq
        self.runner = runner
        self.started = False
        self.cancelled = False
        self.revoked = False
        self.after: dict[str, str] = {}
        """What its cluster was told to wait for."""
        self.batch: facts.AttemptBatched | None = None
        """The batch of a cluster that it goes in, if it was put into one."""
        self.outcome: Outcome | None = None


class Story:
    """One job as the log tells it."""

    def __init__(self, spec: JobSpec, state: str) -> None:
        self.spec = spec
        self.state = state
        self.needed = [
            (kind, cast("int", needed))
            for kind in ("after", "after_any", "after_failed")
            for needed in getattr(spec, kind)
        ]
        self.attempts: list[Attempt] = []
        self.failures = 0

    @property
    def newest(self) -> Attempt:
        """The newest attempt; there is one."""
        return self.attempts[-1]


class History:
    """The fold; `take` every event."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self.seq = 0
        self.jobs: dict[int, Story] = {}
        self.keys: dict[str, int] = {}
        self.tokens: set[str] = set()
        self.by_author: dict[str, list[facts.Event]] = {}
        self.capacity: dict[str, list[tuple[int, dict[str, int]]]] = {}
        """By target, each with the position from which it holds."""
        self.limits: list[tuple[int, str, LimitSpec]] = []
        self.steps: dict[tuple[str, str], str] = {}
        self.counts: dict[int, Counter[str]] = {}
        self.paused: set[str] = set()
        self._runners: dict[str, int] = {}

    def take(self, stored: StoredEvent, event: facts.Event) -> None:
        """Take in the next event."""
        check = self._verdict.check
        check(stored.seq == self.seq + 1, f"seq {stored.seq} comes after {self.seq}")
        self.seq = stored.seq
        cause = stored.cause
        check(
            cause is None or 1 <= cause < stored.seq, f"event {stored.seq} is caused by {cause}, which is not before it"
        )
        check(cause is not None or isinstance(event, _ROOTS), f"event {stored.seq} ({stored.type}) has no cause")
        self.by_author.setdefault(stored.author, []).append(event)
        if isinstance(event, facts.JobSubmitted):
            self._submitted(event)
        elif isinstance(event, facts.OfJob):
            story = self.jobs.get(event.job)
            if story is None:
                self._verdict.fail(f"event {stored.seq} is about job {event.job}, which was never submitted")
            else:
                self._of_job(story, event)
        else:
            self._of_home(event)

    def note_counts(self) -> None:
        """Remember how many live jobs are in which state, as a status asked for now would say."""
        self.counts[self.seq] = Counter(story.state for story in self.jobs.values() if story.state not in ENDS)

    def live(self) -> list[int]:
        """The jobs that have not ended."""
        return [number for number, story in self.jobs.items() if story.state not in ENDS]

    def unmet(self, number: int) -> int:
        """How many of the jobs that job `number` waits for have not ended as it needs them to."""
        return sum(1 for kind, needed in self.jobs[number].needed if self.jobs[needed].state not in _LETS[kind])

    def _of_home(self, event: facts.Event) -> None:
        match event:
            case facts.TargetConfigured(target=target, capacity=capacity):
                self.capacity.setdefault(target, []).append((self.seq, capacity))
            case facts.TargetAttached(target=target, pid=pid):
                self._runners[target] = pid
            case facts.TargetPaused(target=target):
                self.paused.add(target)
            case facts.TargetResumed(target=target):
                self.paused.discard(target)
            case facts.LimitConfigured(limit=name, spec=spec):
                self.limits.append((self.seq, name, spec))
            case facts.StepRecorded(step=step, key=key, result=result):
                self._verdict.check((step, key) not in self.steps, f"step {step} of {key} is recorded twice")
                self.steps[step, key] = result
            case _:
                pass

    def _submitted(self, event: facts.JobSubmitted) -> None:
        number = event.job
        self._verdict.check(number == len(self.jobs) + 1, f"job {number} is not the next after {len(self.jobs)}")
        key = event.spec.key
        if key is not None:
            self._verdict.check(key not in self.keys, f"the key {key} was submitted twice")
            self.keys[key] = number
        story = self.jobs[number] = Story(event.spec, event.state)
        if event.state == "ready":
            self._check_ready(number, story)

    def _check_ready(self, number: int, story: Story) -> None:
        for kind, needed in story.needed:
            state = self.jobs[needed].state
            self._verdict.check(
                state in _LETS[kind], f"job {number} is ready {kind} job {needed}, which is {state} (event {self.seq})"
            )

    def _go(self, number: int, story: Story, allowed: frozenset[str] | set[str], to: str) -> None:
        self._verdict.check(
            story.state in allowed, f"event {self.seq} leads job {number} from {story.state} to {to}, which may not be"
        )
        story.state = to

    def _of_job(self, story: Story, event: facts.JobEvent) -> None:
        number, before = event.job, story.state
        match event:
            case facts.JobReady(state=state):
                self._go(number, story, {"waiting", "delayed"} if state == "ready" else {"delayed"}, state)
                if state == "ready" and (before == "waiting" or story.newest.after):
                    self._check_ready(number, story)
            case facts.JobHeld():
                self._go(number, story, {"waiting", "ready", "delayed"}, "held")
            case facts.JobReleased(state=state):
                self._go(number, story, {"held"}, state)
                if state == "ready":
                    self._check_ready(number, story)
            case facts.JobPrioritised():
                self._go(number, story, {before} - ENDS, before)
            case facts.JobSkipped(because=because):
                self._go(number, story, {"waiting", "held"}, "skipped")
                self._check_skipped(number, story, because)
            case facts.JobCancelled():
                self._go(number, story, {"waiting", "held", "ready", "delayed"}, "cancelled")
            case facts.CancelRequested():
                self._go(number, story, IN_FLIGHT, before)
                story.newest.cancelled = True
            case facts.JobRetried(state=state):
                self._go(number, story, ENDS - {"succeeded"}, state)
                story.failures = 0
            case facts.AttemptLaunched():
                self._launched(number, story, event)
            case facts.AttemptStarted(attempt=attempt):
                self._go(number, story, {"launching", "unknown"}, "running")
                self._check_newest(number, story, attempt)
                story.newest.started = True
            case facts.FilesStaged(attempt=attempt) | facts.AttemptProgressed(attempt=attempt):
                self._go(number, story, {"running"}, "running")
                self._check_newest(number, story, attempt)
            case facts.AttemptBatched():
                self._batched(number, story, event)
            case facts.AttemptUnreachable(attempt=attempt):
                self._go(number, story, {"launching", "running"}, "unknown")
                self._check_newest(number, story, attempt)
            case facts.AttemptReached(attempt=attempt):
                self._go(number, story, {"unknown"}, "running" if story.newest.started else "launching")
                self._check_newest(number, story, attempt)
            case facts.AttemptRevoked():
                self._revoked(number, story, event)
            case facts.AttemptEnded():
                self._ended(number, story, event)
            case facts.JobSubmitted():
                pass

    def _batched(self, number: int, story: Story, event: facts.AttemptBatched) -> None:
        self._go(number, story, {"launching", "unknown"}, story.state)
        self._check_newest(number, story, event.attempt)
        self._verdict.check(story.newest.batch is None, f"{story.newest.token} goes in two batches")
        story.newest.batch = event

    def _revoked(self, number: int, story: Story, event: facts.AttemptRevoked) -> None:
        self._go(number, story, IN_FLIGHT, event.state)
        self._check_newest(number, story, event.attempt)
        story.newest.revoked = True
        if story.newest.after and event.state == "ready" and not story.newest.cancelled:
            self._check_ready(number, story)

    def _check_newest(self, number: int, story: Story, attempt: int) -> None:
        self._verdict.check(
            attempt == len(story.attempts), f"event {self.seq} is about attempt {attempt} of job {number}, an old one"
        )

    def _check_skipped(self, number: int, story: Story, because: int) -> None:
        kinds = [kind for kind, needed in story.needed if needed == because]
        state = self.jobs[because].state
        spoilt = any(state in ENDS and state not in _LETS[kind] for kind in kinds)
        self._verdict.check(spoilt, f"job {number} is skipped because of job {because} ({kinds}), which is {state}")

    def _launched(self, number: int, story: Story, event: facts.AttemptLaunched) -> None:
        self._go(number, story, {"waiting"} if event.after else {"ready"}, "launching")
        self._check_behind(number, story, event)
        self._verdict.check(
            event.attempt == len(story.attempts) + 1, f"attempt {event.attempt} of job {number} is not next"
        )
        self._verdict.check(event.token not in self.tokens, f"the token {event.token} is given twice")
        self._verdict.check(event.target not in self.paused, f"{event.token} is launched on a paused target")
        self._verdict.check(event.target == story.spec.target, f"{event.token} is launched on {event.target}")
        self.tokens.add(event.token)
        attempt = Attempt(event.token, self.seq, self._runners.get(event.target, 0))
        attempt.after = event.after
        story.attempts.append(attempt)

    def _check_behind(self, number: int, story: Story, event: facts.AttemptLaunched) -> None:
        """What is launched to wait in a queue waits there for all that it has to wait for, and for nothing else."""
        if not event.after:
            return
        unmet = {needed for kind, needed in story.needed if self.jobs[needed].state not in _LETS[kind]}
        tokens = {self.jobs[each].newest.token if self.jobs[each].attempts else "" for each in unmet}
        self._verdict.check(tokens == set(event.after), f"{event.token} waits for {event.after}, and not for {tokens}")
        for each in unmet:
            needed, kinds = self.jobs[each], {kind for kind, needed in story.needed if needed == each}
            self._verdict.check(
                needed.state in IN_FLIGHT, f"{event.token} waits for job {each}, which is {needed.state}"
            )
            self._verdict.check("after_failed" not in kinds, f"job {number} waits there for job {each} to fail")
            self._verdict.check(needed.spec.target == event.target, f"{event.token} waits for what is elsewhere")

    def _ended(self, number: int, story: Story, event: facts.AttemptEnded) -> None:
        outcome, attempt = event.outcome, story.newest
        self._check_newest(number, story, event.attempt)
        attempt.outcome = outcome
        good = outcome.how == "exited" and outcome.exit_code == 0
        kind = outcome.how if outcome.how in {"lost", "timeout"} else "failed"
        again = (
            not good
            and not attempt.cancelled
            and outcome.how != "stopped"
            and kind in story.spec.retry_on
            and story.failures < story.spec.retries
        )
        self._verdict.check(
            again == (event.retry_at is not None),
            f"attempt {attempt.token} ended as {outcome.how}, failures {story.failures}: retry_at is {event.retry_at}",
        )
        story.failures += 1
        if again:
            to = "delayed"
        elif outcome.how == "lost":
            to = "lost"
        elif outcome.how == "stopped" or (attempt.cancelled and outcome.exit_code != 0):
            to = "cancelled"
        else:
            to = "succeeded" if good else "failed"
        self._go(number, story, IN_FLIGHT, to)
