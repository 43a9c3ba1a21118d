"""What must hold of the ways to other machines: each change is an event and legal; a person's part is left to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast.events import facts
from holdfast.events.hosts import (
    RETRY_CAP_US,
    Connecting,
    Down,
    HostState,
    Idle,
    NeedsYou,
    Refused,
    Suspect,
    Up,
    reason_of,
)

from .clocks import WallClock
from .determinism import Crash, now_us
from .verdict import Verdict
from .ways import Way, fingerprint_of

SLACK_US: Final = 500_000
LEGAL: Final[Mapping[type[HostState], tuple[type[HostState], ...]]] = {
    Idle: (Connecting,),
    Connecting: (Up, Down, Refused, NeedsYou, Idle),
    Up: (Suspect, Down, Idle),
    Suspect: (Up, Down, Idle),
    Down: (Connecting, Idle),
    Refused: (Idle,),
    NeedsYou: (Idle,),
}
"""The changes that there are, by what was before: a second opinion on `follow`."""


class HostChecks:
    """Looks at each event of a way right after its commit, and at each attempt to connect as it begins."""

    def __init__(self, ways: Mapping[str, Way], clock: WallClock, verdict: Verdict) -> None:
        """`clock`: of the supervisor."""
        self._ways = ways
        self._clock = clock
        self._verdict = verdict
        self._acted_us = dict.fromkeys(ways, 0)
        self._dialled_us = dict.fromkeys(ways, 0)
        self._shut: dict[tuple[str, int], int] = {}
        """When the attempts began that were turned away, by machine and the time of the state that follows."""
        self.states: dict[str, HostState] = dict.fromkeys(ways, Idle())
        for way in ways.values():
            way.watch, way.shut = self._dialled, self._turned_away

    def logs_in(self, target: str) -> None:
        """Somebody logs in, which is an act that nothing records."""
        self._acted_us[target] = now_us()

    def take(self, event: facts.Event) -> None:
        """Check the next event."""
        match event:
            case facts.HostChanged(target=target, host=host):
                self._changed(target, self.states[target], host)
                self.states[target] = host
            case facts.HostTrusted(target=target, fingerprint=fingerprint, key=key):
                shown = self.states[target]
                right = isinstance(shown, Refused) and (shown.key, shown.fingerprint) == (key, fingerprint)
                self._verdict.check(right and fingerprint_of(key) == fingerprint, f"{event} is recorded after {shown}")
                self._acted_us[target] = now_us()
                self.states[target] = Idle()
            case facts.DialRequested(target=target) | facts.TargetConfigured(target=target) if target in self._ways:
                self._acted_us[target] = now_us()
            case _:
                pass

    def _changed(self, target: str, before: HostState, after: HostState) -> None:
        check, what = self._verdict.check, f"{target} goes from {before} to {after}"
        allowed = type(after) in LEGAL[type(before)] or type(before) is type(after) is Idle
        check(allowed, f"{what}, which may not be")
        reason = reason_of(after) or ""
        check("a mistake of Holdfast's own" not in reason or Crash.__name__ in reason, what)
        if isinstance(before, Refused | NeedsYou):
            check(self._may_go_on(target, before), f"P8: {what}, and nobody did anything")
        if isinstance(after, Down):
            before_it = before.failures if isinstance(before, Connecting) else 0
            check(after.failures == before_it + 1, f"{what}: failures are not counted")
            check(0 <= after.retry_at - after.since <= RETRY_CAP_US, f"{what}: the back-off is out of bounds")
        if isinstance(after, Connecting):
            failures = before.failures if isinstance(before, Down) else 0
            check(after.failures == failures, f"{what}: failures are forgotten")

    def _dialled(self, target: str) -> None:
        state = self.states[target]
        if isinstance(state, Refused | NeedsYou):
            what = f"P8: {target} is dialled, which is {state}, and nobody did anything about that"
            self._verdict.check(self._may_go_on(target, state), what)
        self._dialled_us[target] = now_us()

    def _turned_away(self, target: str) -> None:
        self._shut[target, self._clock.now()] = self._dialled_us[target]

    def _may_go_on(self, target: str, state: Refused | NeedsYou) -> bool:
        """Whether a person acted since the attempt that led to the state, or so shortly before that it came later."""
        return self._acted_us[target] > self._shut[target, state.since] - SLACK_US
