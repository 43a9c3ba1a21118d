"""What must hold of calls: made once, recorded first, within their bounds; lost, stopped or ended only as they were."""

from __future__ import annotations

from holdfast.events import facts
from holdfast.events.records import Outcome
from holdfast.events.spec import FUNCTIONS
from holdfast.store.contract import StoredEvent

from .calls import UNKNOWN, Call, Calls
from .determinism import now_us
from .history import IN_FLIGHT, Attempt, History
from .verdict import Verdict


class CallChecks:
    """Looks at each call as it is made, and at each event of a call's attempt right after its commit."""

    def __init__(self, calls: Calls, history: History, verdict: Verdict) -> None:
        self._calls = calls
        self._history = history
        self._verdict = verdict
        self._launched_by: dict[str, int] = {}

    def begun(self, call: Call) -> None:
        """A function was called."""
        check = self._verdict.check
        story = self._history.jobs.get(call.job)
        if story is None or len(story.attempts) < call.attempt:
            self._verdict.fail(f"P1: {call.token} is called, and its launch is not in the log")
            return
        attempt = story.attempts[call.attempt - 1]
        current = attempt is story.newest and story.state in IN_FLIGHT and not attempt.revoked
        check(current, f"P2: {call.token} is called while its job is {story.state}, attempt {call.attempt}")
        running = self._calls.running()
        others = [each.token for each in running if each.job == call.job and each is not call]
        check(not others, f"P2: {call.token} is called while {others} of the same job run")
        needs = sum(self._history.jobs[each.job].spec.needs["calls"] for each in running)
        there = max(capacity["calls"] for _, capacity in self._history.capacity[FUNCTIONS])
        check(needs <= there, f"P3: with {call.token} {needs} calls are in use of {there}")

    def take(self, stored: StoredEvent, event: facts.Event) -> None:
        """Check the next event, which the history has taken in."""
        if not isinstance(event, facts.OfJob) or self._history.jobs[event.job].spec.target != FUNCTIONS:
            return
        attempts = self._history.jobs[event.job].attempts
        if not attempts:
            return
        attempt = attempts[-1]
        call = self._calls.ever.get(attempt.token)
        match event:
            case facts.AttemptLaunched(token=token):
                self._launched_by[token] = self._calls.programs
            case facts.AttemptStarted() | facts.AttemptProgressed():
                self._verdict.check(call is not None, f"event {stored.seq}: {attempt.token} was never called")
            case facts.AttemptRevoked():
                self._verdict.check(call is None, f"P2: {attempt.token} was revoked, but it was called")
            case facts.AttemptEnded(outcome=outcome):
                self._ended(event.job, attempt, outcome, call)
            case _:
                pass

    def _ended(self, job: int, attempt: Attempt, outcome: Outcome, call: Call | None) -> None:
        token, check, how = attempt.token, self._verdict.check, outcome.how
        spec = self._history.jobs[job].spec
        assert spec.call is not None, "a job on this target calls a function"
        if how == "lost":
            # What calls outlives the actors; only with its program what it knew is gone.
            gone = self._launched_by[token] < self._calls.programs
            check(gone, f"{token} is called lost ({outcome.error}), and its program lives")
            check(call is None or not call.running, f"P2: {token} is called lost, and runs")
            return
        if how == "not_started":
            absent = spec.call.function == UNKNOWN
            check(call is None and absent, f"{token} is said not to have started: {outcome.error}")
            return
        if call is None or call.ended_us is None:
            self._verdict.fail(
                f"{token} is called {how}, but it {'was never called' if call is None else 'still runs'}"
            )
            return
        if how == "timeout":
            timely = spec.timeout_us is not None and now_us() - call.started_us >= spec.timeout_us
            check(timely, f"{token} is called timed out after {now_us() - call.started_us} of {spec.timeout_us} us")
        elif how == "stopped":
            check(attempt.cancelled, f"{token} was stopped, and nobody wanted that")
        else:
            result = None if call.result is None else f'"{call.result}"'
            check(outcome.result == result, f"{token} returned {result}; the log says {outcome.result}")
            code = 0 if call.result is not None else 1
            check(outcome.exit_code == code, f"{token} ended with {code}; the log says {outcome.exit_code}")
            told = call.error is None or call.error in (outcome.error or "")
            check(told, f"{token} raised {call.error}; the log says {outcome.error}")
