"""Being the supervisor for a `run`: the tree, what is shown, the two Ctrl-Cs, and the end."""

from __future__ import annotations

import signal
import traceback
from collections.abc import AsyncIterator
from typing import Final

import trio
from msgspec import Struct

from holdfast.events.draft import Draft
from holdfast.events.messages import Submit, Submitted
from holdfast.events.spec import LOCAL, FlowSpec
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.supervisor import Supervisor, open_supervisor

from ..reading.eventlines import EventPrinter
from ..screen.progress import Display
from .watching import Watch, anything_wrong, held_jobs

INTERRUPTED: Final = 130
FAILURES_SHOWN_MAX: Final = 20
_REFRESH_S: Final = 0.1
_STUCK_AFTER_S: Final = 0.5
_IN_FLIGHT: Final = ("launching", "running", "unknown")


class Errand(Struct, frozen=True):
    """What a `run` sees to: a flow to submit, or one that is here (`watched`), or (neither) all that is unfinished.

    `known`: jobs of other flows that the watched one's keys stand for.
    """

    home: Home
    flow: FlowSpec | None
    watched: str | None
    slots: int | None
    as_json: bool
    known: tuple[int, ...] = ()


class _Run:
    """One run of a supervisor with something to show for it."""

    def __init__(self, errand: Errand, display: Display) -> None:
        self._errand = errand
        self._display = display
        self._watch: Watch | None = None
        self._early: list[Draft] = []
        self._changed = trio.Event()
        self._failures = 0
        self._interrupts = 0
        self._leave = trio.Event()
        self._patience = trio.CancelScope()
        self._paused_told = False

    def on_commit(self, draft: Draft, start: int) -> None:
        """Follow a commit."""
        del start
        if self._watch is None:
            return
        for job in draft.jobs.changed.values():
            line = self._watch.note(job)
            if line is not None:
                self._failures += 1
                if self._failures <= FAILURES_SHOWN_MAX:
                    self._display.say(line)
                elif self._failures == FAILURES_SHOWN_MAX + 1:
                    self._display.say("further failures are not shown: `holdfast jobs --state failed` lists them")
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
                answer = await supervisor.request(Submit(errand.flow))
                assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
                announce(answer, errand.flow, self._display)
                flow, known = answer.flow, answer.known
            self._watch = Watch(reader, flow, known)
            with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._obey, signals, supervisor, nursery)
                    with self._patience:
                        await self._see_to_the_end(self._watch, supervisor, printer)
                    nursery.cancel_scope.cancel()
            return self._conclude(self._watch, reader)

    async def _see_to_the_end(self, watch: Watch, supervisor: Supervisor, printer: EventPrinter | None) -> None:
        idle_since: float | None = None
        while watch.unfinished and not self._leave.is_set():
            self._display.update(watch.counts)
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
        self._display.update(watch.counts)
        await _print(printer)

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
        """Whether all that lives in the whole home is held, or waits for what is."""
        status = await supervisor.status()
        return not set(status.counts) - {"held", "waiting"}

    async def _obey(self, signals: AsyncIterator[int], supervisor: Supervisor, nursery: trio.Nursery) -> None:
        async for _ in signals:
            self._interrupts += 1
            if self._interrupts > 1:
                self._patience.cancel()
                return
            nursery.start_soon(self._finish_running, supervisor)

    async def _finish_running(self, supervisor: Supervisor) -> None:
        await supervisor.drain()
        counts = (await supervisor.status()).counts
        running = sum(counts.get(state, 0) for state in _IN_FLIGHT)
        noun = "job" if running == 1 else "jobs"
        self._display.say(
            f"interrupted: nothing more is started; waiting for {running} running {noun} "
            "(Ctrl-C again leaves them running; the next `holdfast run` picks them up)"
        )
        while running:
            await trio.sleep(_REFRESH_S)
            counts = (await supervisor.status()).counts
            running = sum(counts.get(state, 0) for state in _IN_FLIGHT)
        self._go_away()

    def _go_away(self) -> None:
        self._leave.set()
        self._changed.set()

    def _conclude(self, watch: Watch, reader: Reader) -> int:
        if self._interrupts:
            left = watch.unfinished
            self._display.say(
                f"interrupted; {left} unfinished: `holdfast run` goes on with them" if left else "interrupted"
            )
            return INTERRUPTED
        if watch.unfinished:
            held = held_jobs(reader, watch.flow)
            self._display.say(
                f"nothing more can start: {watch.unfinished} unfinished, of which {len(held)} held; "
                "`holdfast release` lets them go on"
            )
            return 1
        wrong = bool(watch.wrong) or (watch.flow is not None and anything_wrong(reader, watch.flow, watch.also))
        return 1 if wrong else 0


async def _print(printer: EventPrinter | None) -> None:
    """Print what is new. Whoever reads slowly, or not at all, delays nothing but this run's own end."""
    if printer is not None:
        await trio.to_thread.run_sync(printer.print_new, abandon_on_cancel=True)


def announce(answer: Submitted, flow: FlowSpec, display: Display) -> None:
    """Say what came of submitting the flow."""
    if answer.continued:
        display.note(f"flow {answer.flow} is here already and unfinished: going on with it (--again submits it anew)")
        return
    known = f", {len(answer.known)} of them known by their keys" if answer.known else ""
    noun = "job" if len(flow.jobs) == 1 else "jobs"
    display.note(f"flow {answer.flow}: {len(flow.jobs)} {noun} submitted{known}")


async def supervise(errand: Errand, display: Display) -> int:
    """Be the supervisor until the errand is done; returns the exit code. Raises HomeLocked, BadInput or Unavailable."""
    run = _Run(errand, display)
    async with open_supervisor(
        errand.home, slots=errand.slots, on_commit=run.on_commit, on_trouble=run.on_trouble, on_crash=run.on_crash
    ) as supervisor:
        return await run.go(supervisor)
    raise AssertionError("the supervisor ended by itself")
