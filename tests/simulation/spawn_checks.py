"""What must hold at the instant when a process starts: it was recorded first, and no limit is exceeded by it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

from holdfast.events.limits import limit_of
from holdfast.events.spec import LimitSpec

from .determinism import now_us
from .history import IN_FLIGHT, Attempt, History, Story
from .machine import Machine, Process
from .verdict import Verdict

T = TypeVar("T")


class _Start:
    """A start that counts against a rate: when, and the position in the log of its launch."""

    def __init__(self, started_us: int, launched_seq: int) -> None:
        self.started_us = started_us
        self.launched_seq = launched_seq


class SpawnChecks:
    """Looks at each process that any machine starts.

    Processes that nobody can know of, because their runner's journal was removed, count against nothing. A rate is held
    over one boot and one journal of each machine: starts elsewhere or on clusters were spaced when they were granted.
    """

    def __init__(self, machines: Mapping[str, Machine], history: History, verdict: Verdict) -> None:
        self._machines = machines
        self._history = history
        self._verdict = verdict
        self._starts: dict[tuple[str, str], list[_Start]] = {}
        self._memory: dict[str, tuple[int, int]] = {}

    def started(self, process: Process) -> None:
        """A process has started."""
        story = self._history.jobs.get(process.job)
        if story is None or len(story.attempts) < process.attempt:
            self._verdict.fail(f"P1: {process.token} runs, and its launch is not in the log")
            return
        attempt = story.attempts[process.attempt - 1]
        current = attempt is story.newest and story.state in IN_FLIGHT and not attempt.revoked
        self._verdict.check(
            current, f"P2: {process.token} starts while its job is {story.state}, attempt {process.attempt}"
        )
        place = process.machine.name
        self._verdict.check(place == story.spec.target, f"P2: {process.token} of {story.spec.target} starts on {place}")
        twice = [each.name for each in self._machines.values() if process.token in each.ever]
        self._verdict.check(twice == [place], f"P2: {process.token} was launched on each of {twice}")
        running = [each for there in self._machines.values() for each in there.running() if not each.disowned]
        others = [each.token for each in running if each.job == process.job and each is not process]
        self._verdict.check(not others, f"P2: {process.token} starts while {others} of the same job run")
        self._check_order(process, attempt)
        self._check_capacity(process, attempt, running)
        for key in story.spec.limits:
            self._check_limit(key, process, attempt, running)

    def _check_order(self, process: Process, attempt: Attempt) -> None:
        """What its cluster was to wait for has ended so, whatever the log knows of that by now."""
        for token, kind in attempt.after.items():
            needed = process.machine.ever.get(token)
            if needed is None or needed.running:
                self._verdict.fail(f"{process.token} starts, and {token}, which it is to wait for, has not ended")
            else:
                self._verdict.check(
                    kind == "after_any" or needed.status == 0, f"{process.token} starts, and {token} failed"
                )

    def _check_capacity(self, process: Process, attempt: Attempt, running: Sequence[Process]) -> None:
        used: Counter[str] = Counter()
        for each in running:
            if each.machine is process.machine:
                used.update(self._needs(each))
        in_force = _since(self._history.capacity[process.machine.name], attempt.launched_seq)
        # Of a cluster only what it was given an amount of is counted here.
        uncounted = math.inf if attempt.batch is not None else 0
        for name, amount in self._needs(process).items():
            there = max(capacity.get(name, uncounted) for capacity in in_force)
            if amount:
                self._verdict.check(
                    used[name] <= there, f"P3: with {process.token} {used[name]} {name} are in use of {there}"
                )

    def _needs(self, process: Process) -> dict[str, int]:
        return self._story(process).spec.needs

    def _specs(self, key: str, since_seq: int) -> list[LimitSpec]:
        """How the limit was configured at that position of the log and after it."""
        changes = [(seq, spec) for seq, name, spec in self._history.limits if name == limit_of(key)]
        return _since(changes, since_seq)

    def _check_limit(self, key: str, process: Process, attempt: Attempt, running: Sequence[Process]) -> None:
        specs = self._specs(key, attempt.launched_seq)
        bounds = [spec.concurrent for spec in specs]
        holders = [each.token for each in running if key in self._story(each).spec.limits]
        most = None if None in bounds else max(bound for bound in bounds if bound is not None)
        self._verdict.check(
            most is None or len(holders) <= most, f"P3: {holders} hold {key}, of which there are {most}"
        )
        if attempt.batch is not None:
            return  # when it starts, the cluster decides: a rate holds for what it is given
        machine = process.machine
        memory = (machine.boots, machine.journals)
        if memory != self._memory.get(machine.name):
            self._memory[machine.name] = memory
            for each in [each for each in self._starts if each[0] == machine.name]:
                del self._starts[each]
        starts = self._starts.setdefault((machine.name, key), [])
        starts.append(_Start(now_us(), attempt.launched_seq))
        self._check_rate(key, starts)

    def _check_rate(self, key: str, starts: Sequence[_Start]) -> None:
        """In no time are there more starts than the burst, and one for each interval in it."""
        last = starts[-1]
        for place, first in enumerate(starts):
            specs = self._specs(key, min(first.launched_seq, last.launched_seq))
            intervals = [spec.interval_us for spec in specs]
            if None in intervals:
                continue
            interval_us = min(each for each in intervals if each is not None)
            allowed = max(spec.burst for spec in specs) + (last.started_us - first.started_us) // interval_us
            count = len(starts) - place
            self._verdict.check(
                count <= allowed,
                f"P3: {count} starts of {key} in {last.started_us - first.started_us} us, {allowed} are allowed",
            )

    def _story(self, process: Process) -> Story:
        return self._history.jobs[process.job]


def _since(changes: Sequence[tuple[int, T]], seq: int) -> list[T]:
    """What was in force at `seq` and after it."""
    before = [value for at, value in changes if at <= seq]
    return [*before[-1:], *(value for at, value in changes if at > seq)]
