"""One point of a sweep, in a process of its own: `python -m benchmarks.limits.point PLAN` prints its figures as JSON.

First as many jobs as the limit allows, and some more, are submitted and held: once the limit is reached no other may
start. They are released. Then callers, more of them than the limit allows jobs, each submit a job, wait for its end,
and submit the next. When every caller has been answered once, the steady time begins.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import Final

import msgspec
import trio
from msgspec import Struct, field
from msgspec.structs import replace

from benchmarks.limits.embedding import CALLERS, Inside, open_metered
from benchmarks.limits.figures import Figures, Plan, Share
from benchmarks.limits.meter import Busy
from benchmarks.limits.processors import Spent, most_memory_mib, spent
from benchmarks.limits.spans import Span, mean_at_once, most_at_once, spread, start_delays
from benchmarks.limits.waits import Waits
from benchmarks.limits.work import HELD, LIMIT, Work, work_of
from holdfast.events.spec import LimitSpec
from holdfast.handle import Holdfast
from holdfast.store.home import Home
from holdfast.supervisor import plain_errors

BESIDES_MIN: Final = 16
BESIDES_MAX: Final = 1024
"""More callers than the limit allows jobs, so that one always waits for the room that another leaves."""
HELD_BESIDES: Final = 32
FILL_S: Final = 20.0
LINGER_S: Final = 0.05
RAMP_S: Final = 8.0
PATIENCE_S: Final = 20.0
LONGER: Final = 4
_ERRORS_MAX: Final = 3
_LOOK_S: Final = 0.005
_LOOK_SELDOM_S: Final = 0.05


class Notes(Struct):
    """What callers note, by the number of the job."""

    ids: dict[int, int] = field(default_factory=dict[int, int])
    asked_ns: dict[int, int] = field(default_factory=dict[int, int])
    answered_ns: dict[int, int] = field(default_factory=dict[int, int])


class Moment(Struct, frozen=True):
    """How everything stood at one end of the steady time."""

    at_ns: int
    spent: Spent
    commits: int
    events: int
    busy: list[dict[str, Busy]]
    idle_ns: int


class Point:
    """The measurement of one plan on an open Holdfast."""

    def __init__(self, plan: Plan, holdfast: Holdfast, inside: Inside, work: Work) -> None:
        self._plan = plan
        self._holdfast = holdfast
        self._inside = inside
        self._work = work
        self._numbers = count()
        self.notes = Notes()
        self._leaving = False
        self._answered = 0
        self.waits = Waits(None)

    async def fill(self) -> None:
        """Reach the limit, with more jobs waiting than it allows; then release all."""
        limit = self._plan.limit
        numbers = [next(self._numbers) for _ in range(limit + HELD_BESIDES)]
        limits = {LIMIT: LimitSpec(concurrent=limit)}
        held = await self._holdfast.submit_many([self._work.job(each, HELD) for each in numbers], limits=limits)
        self.notes.ids.update(zip(numbers, held.ids, strict=True))
        commits = self._inside.commits
        with trio.move_on_after(FILL_S):
            while commits.started < limit and not commits.errors:  # noqa: ASYNC110 - what changes it knows no events
                await trio.sleep(_LOOK_S)
        await trio.sleep(LINGER_S)
        self._work.release()
        with trio.move_on_after(PATIENCE_S):
            await self._holdfast.wait(held)

    async def _call(self) -> None:
        think_us = round(self._plan.think_ms * 1000)
        first = True
        while not self._leaving:
            number = next(self._numbers)
            asked_ns = time.monotonic_ns()
            job = await self._holdfast.submit(self._work.job(number, think_us))
            self.notes.answered_ns[number] = time.monotonic_ns()
            self.notes.asked_ns[number] = asked_ns
            self.notes.ids[number] = job.id
            self._answered += first
            first = False
            await self._holdfast.wait(job)

    async def run_steadily(self) -> tuple[Moment, Moment]:
        """Let callers come and go; returns how things stood when the steady time began, and when it ended."""
        limit = self._plan.limit
        callers = limit + min(max(limit, BESIDES_MIN), BESIDES_MAX)
        async with trio.open_nursery() as nursery:
            for _ in range(callers):
                nursery.start_soon(self._call, name=CALLERS)
            with trio.move_on_after(RAMP_S):
                while self._answered < callers:  # noqa: ASYNC110 - as above
                    await trio.sleep(_LOOK_S)
            for meter in self._inside.meters:
                meter.watch_inboxes()
            await trio.lowlevel.checkpoint()  # so that what this took is counted before the steady time
            begin = self._moment()
            with Waits(self._inside.commits.runner_pid if self._plan.kind == "processes" else None) as self.waits:
                await self._let_time_pass(callers)
            end = self._moment()
            self._leaving = True
            nursery.cancel_scope.deadline = trio.current_time() + PATIENCE_S
        return begin, end

    async def _let_time_pass(self, callers: int) -> None:
        """As long as asked for; longer, up to a bound, where not even one job for each caller has ended by then."""
        ended, began_s = self._inside.commits.ended_ns, trio.current_time()
        enough = len(ended) + callers
        await trio.sleep(self._plan.seconds)
        while len(ended) < enough and trio.current_time() < began_s + LONGER * self._plan.seconds:  # noqa: ASYNC110 - as above
            await trio.sleep(_LOOK_SELDOM_S)

    def _moment(self) -> Moment:
        commits = self._inside.commits
        busy = [meter.so_far() for meter in self._inside.meters]
        idle_ns = 0 if self._inside.engine is None else self._inside.engine.idle_ns
        return Moment(time.monotonic_ns(), spent(commits.runner_pid), commits.commits, commits.events, busy, idle_ns)


async def measure(plan: Plan) -> Figures:
    """Measure a point."""
    home = Home(Path(plan.folder) / "home")
    work = work_of(plan, home)
    room = plan.limit + HELD_BESIDES + 8  # of slots and calls: so that nothing but the limit holds jobs back
    async with open_metered(home, slots=room, calls=room) as (holdfast, inside):
        work.offer(holdfast)
        point = Point(plan, holdfast, inside, work)
        await point.fill()
        begin, end = await point.run_steadily()
        runner_mib = most_memory_mib(inside.commits.runner_pid or 0)
    spans = work.spans()
    found = figures(plan, inside, point.notes, spans, (begin, end))
    return replace(found, runner=point.waits.shares(), runner_mib=runner_mib)


def figures(plan: Plan, inside: Inside, notes: Notes, spans: dict[int, Span], steady: tuple[Moment, Moment]) -> Figures:
    """What all that was noted comes to."""
    begin, end = steady
    commits = inside.commits
    answered = {number: span for number, span in spans.items() if number in notes.ids}  # else its caller had left
    recorded_ns = {number: commits.submitted_ns[notes.ids[number]] for number in answered}
    delays = start_delays(answered, recorded_ns, plan.limit)
    steadily = [number for number, span in answered.items() if begin.at_ns <= span.ended_ns < end.at_ns]
    seconds = (end.at_ns - begin.at_ns) / 1e9
    jobs = max(1, len(steadily))
    asked = [each for each in steadily if each in notes.asked_ns]
    ends = [
        commits.ended_ns[notes.ids[each]] - spans[each].ended_ns
        for each in steadily
        if notes.ids[each] in commits.ended_ns
    ]
    took = _took(begin.spent, end.spent)
    return Figures(
        plan.kind,
        plan.limit,
        plan.think_ms,
        jobs=len(steadily),
        throughput_per_s=len(steadily) / seconds,
        reached=most_at_once(span for number, span in spans.items() if number < plan.limit + HELD_BESIDES),
        highest=most_at_once(spans.values()),
        kept=mean_at_once(spans.values(), begin.at_ns, end.at_ns),
        acknowledged=spread([notes.answered_ns[each] - notes.asked_ns[each] for each in asked]),
        started=spread([delays[each] for each in steadily]),
        queued=spread([max(0, spans[each].began_ns - recorded_ns[each]) for each in steadily]),
        launched=spread([max(0, spans[each].began_ns - commits.launched_ns[notes.ids[each]]) for each in steadily]),
        recorded=spread(ends),
        supervisor_us=took["supervisor"] / jobs * 1e6,
        runner_us=took["runner"] / jobs * 1e6,
        jobs_us=took["jobs"] / jobs * 1e6,
        processes={name: each / seconds for name, each in took.items() if name != "machine"},
        threads=_threads(inside, begin.spent, end.spent, seconds),
        processors=took["machine"] / seconds,
        parts=_parts(begin, end),
        runner={},
        idle=(end.idle_ns - begin.idle_ns) / (end.at_ns - begin.at_ns),
        commits_per_s=(end.commits - begin.commits) / seconds,
        events_per_commit=(end.events - begin.events) / max(1, end.commits - begin.commits),
        deepest={name: depth for meter in inside.meters for name, depth in meter.deepest.items() if depth},
        supervisor_mib=most_memory_mib(os.getpid()),
        runner_mib=0.0,
        errors=tuple(commits.errors[:_ERRORS_MAX]),
    )


def _took(begin: Spent, end: Spent) -> dict[str, float]:
    """Seconds of processor time by process; `others`: what else ran on the machine, `machine`: all of it."""
    own = {
        "supervisor": end.supervisor_s - begin.supervisor_s,
        "runner": end.runner_s - begin.runner_s,
        "jobs": end.jobs_s - begin.jobs_s,
    }
    machine_s = end.machine_s - begin.machine_s
    return {**own, "others": max(0.0, machine_s - sum(own.values())), "machine": machine_s}


def _threads(inside: Inside, begin: Spent, end: Spent, seconds: float) -> dict[str, float]:
    """How busy each of the supervising process's threads was: the engine's, the program's, all others together."""
    names = {inside.program.thread: "program"} | ({} if inside.engine is None else {inside.engine.thread: "engine"})
    found: dict[str, float] = {}
    for thread, total_s in end.threads_s.items():
        name = names.get(thread, "others")
        found[name] = found.get(name, 0.0) + (total_s - begin.threads_s.get(thread, 0.0)) / seconds
    return found


def _parts(begin: Moment, end: Moment) -> dict[str, Share]:
    """How busy each actor was, and what else runs in the two loops."""
    length_ns = end.at_ns - begin.at_ns
    found: dict[str, Share] = {}
    for before, after in zip(begin.busy, end.busy, strict=True):
        for name, busy in after.items():
            earlier = before.get(name, Busy())
            clock = (busy.clock_ns - earlier.clock_ns) / length_ns
            found[name] = Share(clock, (busy.processor_ns - earlier.processor_ns) / length_ns)
    return found


if __name__ == "__main__":
    with plain_errors():
        measured = trio.run(measure, msgspec.json.decode(sys.argv[1], type=Plan))
    sys.stdout.buffer.write(msgspec.json.encode(measured))
