"""What the log says of attempts, held against what the machine saw: ends, starts, revocations and losses are true."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.events import facts
from holdfast.events.records import Outcome
from holdfast.events.spec import FUNCTIONS
from holdfast.store.contract import StoredEvent

from .history import Attempt, History
from .machine import Machine, Process
from .scripts import script_of
from .slurm_checks import SlurmChecks
from .verdict import Verdict


class OutcomeChecks:
    """Looks at each event of an attempt right after its commit."""

    def __init__(self, machines: Mapping[str, Machine], slurm: SlurmChecks, history: History, verdict: Verdict) -> None:
        self._machines = machines
        self._slurm = slurm
        self._history = history
        self._verdict = verdict

    def take(self, stored: StoredEvent, event: facts.Event) -> None:
        """Check the next event, which the history has taken in."""
        if not isinstance(event, facts.AttemptStarted | facts.AttemptRevoked | facts.AttemptEnded):
            return
        if self._history.jobs[event.job].spec.target == FUNCTIONS:
            return  # see `CallChecks`
        attempts = self._history.jobs[event.job].attempts
        if len(attempts) < event.attempt:
            return  # the history has said so
        attempt = attempts[event.attempt - 1]
        story = self._history.jobs[event.job]
        process, on_cluster = self._machines[story.spec.target].ever.get(attempt.token), attempt.batch is not None
        match event:
            case facts.AttemptStarted() if on_cluster:
                self._slurm.started(story.spec.target, attempt)
            case facts.AttemptEnded(outcome=outcome) if on_cluster:
                self._slurm.ended(story, attempt, outcome, process)
            case facts.AttemptStarted():
                told = event.process
                # One that has ended just now has no start time to be looked up any more.
                same = (
                    process is not None
                    and told is not None
                    and process.pid == told.pid
                    and told.start in {None, process.start}
                )
                self._verdict.check(same, f"event {stored.seq}: {attempt.token} never ran as {told}")
            case facts.AttemptRevoked():
                self._verdict.check(process is None, f"P2: {attempt.token} was revoked, but it had started")
            case facts.AttemptEnded(outcome=outcome):
                self._ended(event.job, attempt, outcome, process)

    def _ended(self, job: int, attempt: Attempt, outcome: Outcome, process: Process | None) -> None:
        token, check, how = attempt.token, self._verdict.check, outcome.how
        spec = self._history.jobs[job].spec
        if how == "lost":
            check(
                self._may_be_lost(spec.target, attempt),
                f"{token} is called lost ({outcome.error}), with no reason to be",
            )
            return
        if how == "not_started":
            absent = script_of(spec.run, int(token.rpartition(".")[2])) is None or bool(spec.secrets)
            check(process is None and absent, f"{token} is said not to have started: {outcome.error}")
            return
        if process is None or process.running:
            self._verdict.fail(f"{token} is called {how}, but it {'never ran' if process is None else 'still runs'}")
            return
        signal = process.status & 0x7F
        code = None if signal else process.status >> 8
        # Only its parent, the runner that started it, is told how it ended.
        unknowable = process.orphan and outcome.exit_code is None and outcome.signal is None
        check(
            unknowable or (outcome.exit_code, outcome.signal or 0) == (code, signal),
            f"{token} ended with {code} or signal {signal}; the log says {outcome.exit_code} or {outcome.signal}",
        )
        if how == "timeout":
            lasted_us = process.end_us - process.spawned_us
            timely = spec.timeout_us is not None and lasted_us >= spec.timeout_us
            check(timely, f"{token} is called timed out after {lasted_us} us of {spec.timeout_us}")
        elif how == "stopped":
            check(attempt.cancelled, f"{token} was stopped, and nobody wanted that")
        else:
            check(how == "exited", f"{token} ended in an unknown way: {how}")

    def _may_be_lost(self, target: str, attempt: Attempt) -> bool:
        """Whether anything was forgotten since the runner started that was attached when the attempt was launched."""
        machine = self._machines[target]
        since_us = machine.runner_started_us[attempt.runner]
        return any(when >= since_us for when in machine.forgot_us)
