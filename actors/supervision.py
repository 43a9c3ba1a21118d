"""Supervisor: starts its children in order, starts those anew that crash, and stops them in reverse order.

A child that crashes because what it read is damaged is not started anew: it ends them all.

After Erlang/OTP's `supervisor`, in Trio's terms: every child is a task in the supervisor's nursery, so none outlives
it. Each is shielded from the cancellation around, which would end all of them at once, in any order; cancelling the
supervisor makes it cancel them one after the other.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence

import trio

from holdfast.events.backoff import Uniform
from holdfast.events.errors import Damaged

from .child import Child, Part
from .errors import RestartIntensityExceeded, StopOverdue
from .restarts import RestartPolicy, Restarts


class Strategy(enum.Enum):
    """Which children start anew when one has crashed: that one, or also all that stand after it."""

    ONE_FOR_ONE = "one_for_one"
    REST_FOR_ONE = "rest_for_one"


class Supervisor:
    """Runs children, once. A child that returns has finished; one that raises an `Exception` has crashed.

    With `REST_FOR_ONE` a crash also cancels the children after the crashed one, in reverse order, and starts them
    anew in order, those that had finished too. They are cancelled, not asked to stop, because they may be waiting
    for the one that crashed. Other exceptions, such as `KeyboardInterrupt`, end the supervisor.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        strategy: Strategy,
        policy: RestartPolicy,
        random: Uniform,
        on_crash: Callable[[str, Exception, int], None],
    ) -> None:
        """Supervise `children`, which start in the order given.

        `random` spreads the restarts. `on_crash(name, error, crashes)` hears of every crash, also of those while
        stopping and of overdue stops; `crashes` counts the child's crashes within the window, 0 where no restart
        follows from this one.
        """
        self._seats = [_Seat(child) for child in children]
        self._strategy = strategy
        self._policy = policy
        self._restarts = Restarts(policy, random)
        self._on_crash = on_crash
        self._changed = trio.Event()
        self._serving = trio.CancelScope()

    def stop(self) -> None:
        """Ask the children to stop, in reverse order and each when the one after it has ended; `run` then returns."""
        self._serving.cancel()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the children until all have finished, or until stopped or cancelled; they always end in reverse order.

        Made for `nursery.start`, which returns once all children serve (or have ended). Cancelled, it cancels the
        children instead of asking them. Raises `RestartIntensityExceeded` with the last crash as its cause, or the
        `Damaged` that a child crashed with, and passes on, in an exception group, what is no `Exception`.
        """
        hopeless: RestartIntensityExceeded | Damaged | None = None
        async with trio.open_nursery() as nursery:
            try:
                with self._serving:
                    await self._serve(nursery, task_status)
                for seat in reversed(self._seats):
                    await self._stop(seat)
            except (RestartIntensityExceeded, Damaged) as error:
                # Raised below, where the nursery can't wrap it into a group.
                hopeless = error
            finally:
                await self._cancel_all()
        if hopeless is not None:
            raise hopeless

    async def _serve(self, nursery: trio.Nursery, task_status: trio.TaskStatus[None]) -> None:
        announced = False
        while True:
            # All seats are looked at after any change: there are no reports that could get lost or come too late.
            self._changed = trio.Event()
            for index in range(len(self._seats)):
                await self._look_at(index)
            # Whoever stopped us while we looked wants nothing started any more.
            await trio.lowlevel.checkpoint_if_cancelled()
            wake_at = self._start_due(nursery)
            if not announced and all(seat.settled for seat in self._seats):
                announced = True
                task_status.started()
            if all(seat.finished for seat in self._seats):
                return
            with trio.move_on_at(wake_at):
                await self._changed.wait()

    async def _look_at(self, index: int) -> None:
        seat = self._seats[index]
        incarnation = seat.incarnation
        if incarnation is None:
            return
        if not incarnation.ended.is_set():
            seat.settled = seat.settled or incarnation.serving
        elif incarnation.error is None:
            seat.vacate(due=math.inf, settled=True)
        else:
            await self._recover(index, incarnation.error)

    async def _recover(self, index: int, error: Exception) -> None:
        seat = self._seats[index]
        seat.incarnation = None
        if isinstance(error, Damaged) and error.certain:
            # What was read will be no better the next time, and each try might act on it.
            self._on_crash(seat.child.name, error, 0)
            raise error
        crashes = self._restarts.record(seat.child.name, trio.current_time())
        self._on_crash(seat.child.name, error, crashes)
        if self._restarts.exceeded:
            raise RestartIntensityExceeded(seat.child.name, self._policy.max_restarts, self._policy.window_s) from error
        rest = self._seats[index + 1 :] if self._strategy is Strategy.REST_FOR_ONE else []
        for other in reversed(rest):
            await self._cancel(other)
        due = trio.current_time() + self._restarts.delay_s(crashes)
        for other in (seat, *rest):
            other.vacate(due=due, settled=self._strategy is Strategy.ONE_FOR_ONE)

    def _start_due(self, nursery: trio.Nursery) -> float:
        """Start every child whose time and turn have come; returns when the next is due, in seconds."""
        now = trio.current_time()
        wake_at = math.inf
        for seat in self._seats:
            if seat.incarnation is None and seat.due <= now:
                seat.incarnation = _Incarnation(self._note_change)
                nursery.start_soon(seat.incarnation.run, seat.child, name=seat.child.name)
            elif seat.incarnation is None:
                wake_at = min(wake_at, seat.due)
            if not seat.settled:
                break
        return wake_at

    def _note_change(self) -> None:
        self._changed.set()

    async def _stop(self, seat: _Seat) -> None:
        """Ask the child to stop, and cancel it if it takes too long."""
        incarnation = seat.incarnation
        if incarnation is not None and incarnation.part is not None:
            incarnation.part.stop()
            with trio.move_on_after(seat.child.stop_bound_s) as bound:
                await incarnation.ended.wait()
            if bound.cancelled_caught:
                self._on_crash(seat.child.name, StopOverdue(seat.child.name, seat.child.stop_bound_s), 0)
        await self._cancel(seat)

    async def _cancel(self, seat: _Seat) -> None:
        """Cancel the child, if it has not ended, and empty its seat."""
        incarnation = seat.incarnation
        if incarnation is None:
            return
        incarnation.scope.cancel()
        await incarnation.ended.wait()
        seat.incarnation = None
        if incarnation.error is not None:
            self._on_crash(seat.child.name, incarnation.error, 0)

    async def _cancel_all(self) -> None:
        try:
            with trio.CancelScope(shield=True):
                for seat in reversed(self._seats):
                    await self._cancel(seat)
        finally:
            # A second Ctrl-C or a failing `on_crash` breaks off the order; still nothing may keep the nursery open.
            for seat in self._seats:
                if seat.incarnation is not None:
                    seat.incarnation.scope.cancel()


class _Incarnation:
    """One run of a child, from its making to its end; for the child it is the `task_status`."""

    def __init__(self, note_change: Callable[[], None]) -> None:
        self.part: Part | None = None
        self.scope = trio.CancelScope(shield=True)
        self.ended = trio.Event()
        self.serving = False
        self.error: Exception | None = None
        self._note_change = note_change

    def started(self, value: None = None) -> None:
        del value  # Trio's protocol has it
        self.serving = True
        self._note_change()

    async def run(self, child: Child) -> None:
        try:
            with self.scope:
                self.part = child.make()
                await self.part.run(task_status=self)
        except Exception as error:  # noqa: BLE001 - what it was is for the supervisor to judge
            self.error = error
        finally:
            self.ended.set()
            self._note_change()


class _Seat:
    """A child's place in the order: its incarnation, or else from when on there may be another.

    `settled` lets those after it start: at first, and after a restart of several, each waits until the one before it
    serves, or has ended.
    """

    def __init__(self, child: Child) -> None:
        self.child = child
        self.incarnation: _Incarnation | None = None
        self.due = -math.inf
        self.settled = False

    @property
    def finished(self) -> bool:
        return self.incarnation is None and self.due == math.inf

    def vacate(self, *, due: float, settled: bool) -> None:
        self.incarnation = None
        self.due = due
        self.settled = settled
