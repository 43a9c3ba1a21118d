"""Being the supervisor for a `run`: the tree, what is shown, how Ctrl-C and SIGTERM end it, and the end.

Ctrl-C comes from somebody who looks on: nothing more is started, what runs is waited for, and a second one leaves at
once. SIGTERM comes from a system that will not wait: it leaves at once. What runs goes on either way.
"""

from __future__ import annotations

import signal
import traceback
from collections.abc import AsyncIterator
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.draft import Draft
from holdfast.events.messages import Submit, Submitted
from holdfast.events.records import Job
from holdfast.events.spec import LOCAL, FlowSpec
from holdfast.events.states import Skipped, name_of
from holdfast.news import starts_anew
from holdfast.opening import judge
from holdfast.store.home import Home
from holdfast.store.listing import reason_of
from holdfast.store.reader import Reader
from holdfast.supervisor import Supervisor, open_supervisor

from ..reading.eventlines import EventPrinter
from ..screen.amounts import count_text, list_text
from ..screen.progress import Display
from .queuewaits import QueueWaits
from .watching import Watch, at_clusters, waiting_calls, went_wrong

INTERRUPTED: Final = 130
FAILURES_SHOWN_MAX: Final = 20
_REFRESH_S: Final = 0.1
_STUCK_AFTER_S: Final = 0.5
_DRAIN_S: Final = 2.0
_IN_FLIGHT: Final = ("launching", "running", "unknown")


class Errand(Struct, frozen=True):
    """What a `run` sees to: a flow to submit, or one that is here (`watched`), or (neither) all that is unfinished.

    `known`: jobs of other flows that the watched one's keys stand for. `began`: the newest event before it all, None
    where there was no log.
    """

    home: Home
    flow: FlowSpec | None
    watched: str | None
    slots: int | None
    as_json: bool
    began: int | None = None
    known: tuple[int, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether it is about all that is unfinished."""
        return self.flow is None and self.watched is None


class _Run:
    """One run of a supervisor with something to show for it."""

    def __init__(self, errand: Errand, display: Display) -> None:
        self._errand = errand
        self._display = display
        self._watch: Watch | None = None
        self._failed: list[Job] = []
        self._waits = QueueWaits()
        self._changed = trio.Event()
        self._failures = 0
        self._interrupts = 0
        self._leave = trio.Event()
        self._patience = trio.CancelScope()
        self._paused_told = False
        self._more_told = False

    def on_commit(self, draft: Draft, start: int) -> None:
        """Follow a commit."""
        del start
        if self._watch and starts_anew(draft):
            self._watch.stale = True
        # Before there is a watch, what a supervisor finds at its start is of interest, unless only a flow is.
        for job in draft.jobs.changed.values():
            wrong = self._watch.note(job) if self._watch else self._errand.everything and went_wrong(job)
            # What was skipped is only counted: one line about the job that failed says more than a hundred below it.
            if wrong and not isinstance(job.state, Skipped):
                self._failures += 1
                if self._failures <= FAILURES_SHOWN_MAX:
                    self._failed.append(job)
        self._waits.note(draft)
        self._changed.set()

    def on_trouble(self, trouble: str | None) -> None:
        """Say why nothing starts."""
        self._display.say(f"trouble: {trouble}; trying on" if trouble else "the trouble is over")

    def on_crash(self, name: str, error: Exception, crashes: int) -> None:
        """Say that a part of the supervisor failed; a report of it helps to mend the cause."""
        if crashes:
            what = "".join(traceback.format_exception_only(error)).strip()
            self._display.say(f"the {name} failed and is started anew: {what}")

    async def go(self, supervisor: Supervisor) -> int:
        """See to the errand; returns the exit code."""
        errand = self._errand
        flow, known = errand.watched, errand.known
        with Reader(errand.home) as reader:
            # With a reader of its own, because it works in a thread.
            printer = EventPrinter(Reader(errand.home), reader.seq) if errand.as_json else None
            if errand.flow is not None:
                answer = await supervisor.request(Submit(errand.flow), checked=True)
                assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
                announce(answer, errand.flow, self._display)
                flow, known = answer.flow, answer.known
            watch = self._watch = Watch(reader, flow, known, errand.began)
            if errand.everything and not watch.unfinished:
                self._display.note("nothing is unfinished here: give a flow, as in `holdfast run flow.toml`")
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._obey, signals, supervisor, nursery)
                    with self._patience:
                        await self._see_to_the_end(watch, reader, supervisor, printer)
                    nursery.cancel_scope.cancel()
            return self._conclude(watch, reader)

    async def _see_to_the_end(
        self, watch: Watch, reader: Reader, supervisor: Supervisor, printer: EventPrinter | None
    ) -> None:
        idle_since: float | None = None
        while watch.unfinished and not self._leave.is_set():
            self._show(watch, reader)
            await _print(printer)
            with trio.move_on_after(_REFRESH_S):
                await self._changed.wait()
            self._changed = trio.Event()
            self._say_if_paused(watch)
            if not watch.stuck or not await self._nothing_starts(supervisor):
                idle_since = None
            elif idle_since is None:
                idle_since = trio.current_time()
            elif trio.current_time() - idle_since > _STUCK_AFTER_S:
                break
        await _print(printer)

    def _show(self, watch: Watch, reader: Reader) -> None:
        """Tell the failures that were not told yet, and how things stand."""
        if watch.stale:
            watch.refresh(reader)
        failed, self._failed = self._failed, []
        for job in failed:
            self._display.say(_told(job, reader))
        for line in self._waits.lines(reader):
            self._display.say(line)
        if self._failures > FAILURES_SHOWN_MAX and not self._more_told:
            self._more_told = True
            states = "--state failed --state cancelled --state lost"
            self._display.say(f"further ones are not shown: `holdfast jobs {states}` lists them")
        self._display.update(watch.counts)

    def _say_if_paused(self, watch: Watch) -> None:
        """Say once why nothing starts, where a pause is all that keeps it from starting."""
        if any(watch.counts[state] for state in _IN_FLIGHT) or not watch.counts["ready"]:
            self._paused_told = False
        elif not self._paused_told:
            with Reader(self._errand.home) as reader:
                target = reader.lookups.target(LOCAL)
            if target is not None and target.paused:
                self._paused_told = True
                self._display.say(f"the target {LOCAL} is paused: nothing starts until `holdfast resume`")

    async def _nothing_starts(self, supervisor: Supervisor) -> bool:
        """Whether all that lives in the whole home is held, waits for what is, or calls functions: we have none."""
        counts = dict((await supervisor.status()).counts)
        with Reader(self._errand.home) as reader:
            ready = counts.pop("ready", 0) - waiting_calls(reader)
        return ready == 0 and not set(counts) - {"held", "waiting"}

    async def _obey(self, signals: AsyncIterator[int], supervisor: Supervisor, nursery: trio.Nursery) -> None:
        async for signal_number in signals:
            self._interrupts += 1
            if signal_number == signal.SIGTERM:
                # What was launched ahead is taken back, if that is a matter of a moment.
                with trio.move_on_after(_DRAIN_S):
                    await supervisor.drain()
            if signal_number == signal.SIGTERM or self._interrupts > 1:
                self._patience.cancel()
                return
            nursery.start_soon(self._finish_running, supervisor)

    async def _finish_running(self, supervisor: Supervisor) -> None:
        await supervisor.drain()
        running = await self._count_running(supervisor)
        if running:
            self._display.say(
                f"interrupted: nothing more is started; waiting for {count_text(running, 'running job')} "
                "(Ctrl-C again leaves them running; the next `holdfast run` picks them up)"
            )
        while running:
            await trio.sleep(_REFRESH_S)
            running = await self._count_running(supervisor)
        self._go_away()

    async def _count_running(self, supervisor: Supervisor) -> int:
        """How many jobs are in flight that are worth a wait: on a cluster they may go on for days, and do so alone."""
        counts = (await supervisor.status()).counts
        with Reader(self._errand.home) as reader:
            alone = sum(at_clusters(reader).values())
        return max(0, sum(counts.get(state, 0) for state in _IN_FLIGHT) - alone)

    def _go_away(self) -> None:
        self._leave.set()
        self._changed.set()

    def _conclude(self, watch: Watch, reader: Reader) -> int:
        self._show(watch, reader)
        self._display.close()
        left = watch.unfinished
        if self._interrupts:
            in_flight = sum(watch.counts[state] for state in _IN_FLIGHT)
            clusters = at_clusters(reader)
            where = f" with {list_text(list(clusters))}" if 0 < in_flight == sum(clusters.values()) else " running"
            runs_on = f", of which {in_flight:,} {'goes' if in_flight == 1 else 'go'} on{where}" if in_flight else ""
            rest = f"; {left:,} unfinished{runs_on}: `holdfast run` goes on with them" if left else ""
            self._display.say(f"interrupted{rest}")
            return INTERRUPTED
        if left:
            if watch.calls:
                what = "1 job calls" if watch.calls == 1 else f"{watch.calls:,} jobs call"
                self._display.say(f"{what} a function: start the program that has it, and that opens this home")
            if watch.counts["held"] or not watch.calls:
                self._display.say(
                    f"nothing more can start: {left:,} unfinished, of which {watch.counts['held']:,} held; "
                    "`holdfast release` lets them go on"
                )
            return 1
        others = reader.unfinished()
        if others:
            left_alone = f"{count_text(others, 'other job')} here {'is' if others == 1 else 'are'} unfinished"
            self._display.note(f"{left_alone}: `holdfast run` goes on with what is, `holdfast jobs` lists it")
        return 1 if watch.anything_wrong(reader) else 0


async def _print(printer: EventPrinter | None) -> None:
    """Print what is new. Whoever reads slowly, or not at all, delays nothing but this run's own end."""
    if printer is not None:
        await trio.to_thread.run_sync(printer.print_new, abandon_on_cancel=True)


def _told(job: Job, reader: Reader) -> str:
    """A line about a job that went wrong."""
    line = next(reader.jobs("id = ?", (job.id,)))
    name = f" ({line.name})" if line.name else ""
    state, reason = name_of(job.state), reason_of(job.state)
    return f"job {job.id}{name} {state}" + (f": {reason}" if reason != state else "")


def announce(answer: Submitted, flow: FlowSpec, display: Display) -> None:
    """Say what came of submitting the flow."""
    if answer.continued:
        display.note(f"flow {answer.flow} is here already and unfinished: going on with it (--again submits it anew)")
        return
    known = f", {len(answer.known)} of them known by their keys" if answer.known else ""
    display.note(f"flow {answer.flow}: {count_text(len(flow.jobs), 'job')} submitted{known}")


async def supervise(errand: Errand, display: Display) -> int:
    """Be the supervisor until the errand is done; returns the exit code. Raises HomeLocked, BadInput or Unavailable."""
    run = _Run(errand, display)
    if errand.flow is not None:
        judge(errand.home, Submit(errand.flow), errand.slots)
    async with open_supervisor(
        errand.home, slots=errand.slots, on_commit=run.on_commit, on_trouble=run.on_trouble, on_crash=run.on_crash
    ) as supervisor:
        return await run.go(supervisor)
    raise AssertionError("the supervisor ended by itself")
