"""A simulated Slurm controller: takes jobs, starts, ends and forgets them; may be stopped, killed, restored.

What it is asked while it is stopped it does when it goes on, though whoever waited for the answer has gone. What it had
not saved when it was killed is gone, its numbers are given again, and what it had started runs on unknown to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, TypeVar

import trio

from tests.actors.stepping import pause

from .clocks import WallClock
from .determinism import now_us
from .slurm_accounting import Accounting
from .slurm_jobs import COMPLETING, NEVER, PENDING, RUNNING, Memory, Submission, Task
from .slurm_nodes import NODES, Nodes, Run
from .verdict import Verdict

T = TypeVar("T")

TICK_S: Final = 0.5
REGISTERS_S: Final = 12.0
"""How long after its start the controller has found out what its nodes run."""
_QUESTIONS: Final = 0.15
SAVES_KEPT: Final = 8
_US: Final = 1_000_000


class NoAnswer(Exception):
    """The controller did not answer in time; what was asked of it may have happened, or happen yet."""


class NoController(Exception):
    """Nothing listens: nothing was asked."""


class Controller:
    """See above. `slots`: how many tasks may run at a time; `minimal_age_us`: how long it remembers what has ended."""

    def __init__(
        self, random: Random, clock: WallClock, nodes: Nodes, accounting: Accounting, verdict: Verdict
    ) -> None:
        self._random = random
        self._verdict = verdict
        self.clock = clock
        self.nodes = nodes
        self.accounting = accounting
        self.memory = Memory()
        self.slots = 3
        self.minimal_age_us = 300 * _US
        self.save_every_s = 2.0
        self.completing_us = 200_000
        self.alive = True
        self.stopped = False
        self.answers_lost = self.requests_lost = 0.0
        """How often (0 to 1) it answers nobody, having done what it was asked, or without having heard of it."""
        self.lates_s: Sequence[float] = (0.0,)
        """After how long it does what it was asked when its answer got lost, one of these."""
        self.held = False
        """Whether nothing more is started for now."""
        self.taken = 0
        """How many submissions it ever took."""
        self.took: Callable[[], object] = lambda: None
        """Called whenever it has taken one."""
        self.ends: dict[str, set[str]] = {}
        """In what states jobs ended, by the token of their attempt."""
        self.left: set[str] = set()
        """Tokens that were in the queue once and then, for a while at least, were not."""
        self._backlog: list[Callable[[], object]] = []
        self._saves: list[Memory] = [Memory()]
        self._started_us = 0
        self._nursery: trio.Nursery | None = None
        nodes.tell = self._told

    # How it is asked.

    async def ask(self, patience_s: float, act: Callable[[], T], *, changes: bool = False) -> T:
        """Have it do something. Raises NoAnswer after `patience_s`, or NoController if there was none for 9 s.

        What `changes` something gets lost more often than questions: else nobody would come to change anything.
        """
        share = 1.0 if changes else _QUESTIONS
        until_us = now_us() + 9 * _US
        while not self.is_alive():
            if now_us() >= until_us:
                raise NoController
            await pause(1.0)
        if self._random.random() < self.requests_lost * share:
            await pause(patience_s)
            raise NoAnswer
        answers: list[T] = []
        answered = trio.Event()

        def do() -> None:
            answers.append(act())
            answered.set()

        lost = self._random.random() < self.answers_lost * share
        if lost:
            self._later(self._random.choice(self.lates_s), do)
        else:
            await pause(self._random.random() * 0.02)
            if not self.is_alive():
                raise NoController
            self._do(do)
        if lost:
            await pause(patience_s)
            raise NoAnswer
        with trio.move_on_after(patience_s):
            await answered.wait()
        if not answers:
            raise NoAnswer
        return answers[0]

    def _later(self, seconds: float, act: Callable[[], object]) -> None:
        assert self._nursery is not None, "the controller is asked before it serves"

        async def do() -> None:
            await pause(seconds)
            if self.is_alive():
                self._do(act)

        if seconds:
            self._nursery.start_soon(do)
        else:
            self._do(act)

    def _do(self, act: Callable[[], object]) -> None:
        """Now, or when it goes on."""
        if self.stopped:
            self._backlog.append(act)
        else:
            act()

    # What it does.

    def submit(self, submission: Submission) -> int:
        """Take a job; returns its number."""
        number = self.memory.next_id
        indexes = list(submission.orders)
        for place, index in enumerate(indexes):
            # The last task of an array keeps the array's own number.
            own = number if place == len(indexes) - 1 else number + 1 + place
            self.memory.tasks.append(Task(own, number, index, submission, self.clock.now()))
        self.memory.next_id += len(indexes)
        self.taken += 1
        self._verdict.tell(f"{self.nodes.name} takes {submission.name} as {number}, {len(indexes)} tasks")
        for task in self.memory.tasks[-len(indexes) :]:
            self.accounting.take(task)
        self.took()
        return number

    def found(self, number: int, index: int | None) -> list[Task]:
        """What is in the queue and has this number, or is that task of the array of this number."""
        return [
            task
            for task in self.memory.tasks
            if task.active and number in {task.id, task.array} and index in {None, task.index}
        ]

    def cancel(self, task: Task, *, alone: bool) -> None:
        """End it. `alone`: it was named as one task of an array."""
        if task.waits and alone:
            # Real Slurm forgets a task that is taken out of an array that waits: nothing lists it afterwards.
            self.memory.tasks.remove(task)
            self._left(task, "CANCELLED")
        else:
            self.end(task, "CANCELLED")

    def end(self, task: Task, state: str) -> None:
        """Have a task end in this state, for a reason that is not its own."""
        if task.state == PENDING:
            self._ended(task, state)
        elif task.state == RUNNING and not task.wanted:
            task.wanted = state
            self.nodes.terminate(self.nodes.runs[task.run])

    def requeue(self, task: Task) -> None:
        """Somebody with the right to do so has it run again."""
        if task.state == RUNNING:
            self.nodes.kill(self.nodes.runs[task.run])
            self._verdict.tell(f"{self.nodes.name} has {task.shown} run again")
            task.state, task.reason, task.run, task.wanted, task.node = PENDING, "BeginTime", 0, "", ""
            task.restarts += 1
            task.submitted_at = max(self.clock.now(), task.submitted_at + _US)
            task.started_at = 0
            task.held_until_us = now_us() + self._random.randrange(30 * _US)
            self.accounting.take(task)

    def fail_node(self, task: Task, *, runs_on: bool) -> None:
        """The task's node is gone as far as the controller knows; what runs there may not have heard of it."""
        if task.state == RUNNING:
            run = self.nodes.runs[task.run]
            (self.nodes.disown if runs_on else self.nodes.kill)(run)
            self._ended(task, "NODE_FAIL")

    def is_alive(self) -> bool:
        """Whether there is such a process."""
        return self.alive

    def active_tokens(self) -> set[str]:
        """The attempts that are in the queue."""
        return {task.order.token for task in self.memory.tasks if task.active}

    def running(self) -> list[Task]:
        """What runs, as far as it knows."""
        return [task for task in self.memory.tasks if task.state == RUNNING]

    # What is done to it.

    def stop(self) -> None:
        """As SIGSTOP does."""
        self.stopped = True

    def go_on(self) -> None:
        """As SIGCONT does: it takes up what it was asked meanwhile."""
        self.stopped = False
        backlog, self._backlog = self._backlog, []
        for act in backlog if self.alive else ():
            act()

    def kill(self) -> None:
        """As SIGKILL does: what it had not answered it never will, what it had not saved it does not know any more."""
        self._verdict.tell(f"the controller of {self.nodes.name} is killed")
        self.alive = self.stopped = False
        self._backlog = []
        self.accounting.forget_coming()

    def start(self, saved: int = 1) -> None:
        """Start it anew from what was saved last, or `saved` times ago."""
        if self.alive:
            return
        del self._saves[max(1, len(self._saves) + 1 - saved) :]
        tokens = self.active_tokens()
        self.memory = self._saves[-1].copy()
        self.left |= tokens - self.active_tokens()
        known = {task.run for task in self.memory.tasks if task.state == RUNNING}
        self._verdict.tell(f"the controller of {self.nodes.name} is started, and knows up to {self.memory.next_id}")
        for run in self.nodes.busy:
            if run.number not in known:
                self.nodes.disown(run)
        self.alive, self._started_us = True, now_us()

    def save(self) -> None:
        """Save all that it knows."""
        self._saves.append(self.memory.copy())
        del self._saves[:-SAVES_KEPT]

    # How it lives.

    async def serve(self) -> None:
        """Schedule, save, and forget, for ever."""
        saved_us = now_us()
        async with trio.open_nursery() as self._nursery:
            while True:
                await pause(TICK_S)
                if not self.alive or self.stopped:
                    continue
                self._tick()
                if now_us() - saved_us >= self.save_every_s * _US:
                    saved_us = now_us()
                    self.save()

    def _tick(self) -> None:
        now = now_us()
        for task in self.memory.tasks:
            if task.state == COMPLETING and now >= task.ended_us + self.completing_us:
                task.state = task.end_state
        for task in self.running():
            if self.clock.now() - task.started_at >= task.submission.limit_us:
                self.end(task, "TIMEOUT")
        old = now - self.minimal_age_us
        self.memory.tasks = [task for task in self.memory.tasks if task.active or task.ended_us > old]
        if self._started_us and now >= self._started_us + int(REGISTERS_S * _US):
            self._started_us = 0
            self._register()
        self._schedule(now)

    def _register(self) -> None:
        """Its nodes tell what they run: what should run and does not is gone, what it does not know may be ended."""
        for task in self.running():
            if self.nodes.runs[task.run].over:
                self._ended(task, "NODE_FAIL")
        for run in self.nodes.busy:
            if run.disowned and self._random.random() < 0.5:
                self.nodes.kill(run)

    def _schedule(self, now: int) -> None:
        free = self.slots - sum(task.state in {RUNNING, COMPLETING} for task in self.memory.tasks)
        for task in self.memory.tasks:
            if task.state != PENDING or now < task.held_until_us or not self._is_let_go(task):
                continue
            if free <= 0 or self.held:
                task.reason = "Resources" if free <= 0 else "Nodes required for job are DOWN, DRAINED or reserved"
                continue
            free -= 1
            task.node = self._random.choice(NODES)
            run = self.nodes.start(task, task.node)
            task.state, task.reason, task.run, task.started_at = RUNNING, "None", run.number, self.clock.now()
            self.accounting.take(task)

    def _is_let_go(self, task: Task) -> bool:
        """Whether all that it is to wait for has ended so; where something did not, it is taken out.

        As with real Slurm, what is not known, or not any more, counts as ended well.
        """
        waits = False
        for word, number, index in task.submission.dependencies:
            needed = [each for each in self.memory.tasks if each.array == number and index in {None, each.index}]
            waits = waits or any(each.active for each in needed)
            ends = {each.end_state for each in needed if not each.active}
            if word == "afterok" and ends - {"COMPLETED"}:
                task.reason = NEVER
                self._ended(task, "CANCELLED")
                return False
        if waits:
            task.reason = "Dependency"
        return not waits

    def _told(self, run: Run) -> bool:
        """A node tells that a script has ended; whether it was heard."""
        if not self.alive or self.stopped:
            return False
        for task in self.memory.tasks:
            if task.run == run.number and task.state == RUNNING:
                failed = bool(run.exit_code or run.signal)
                task.exit_code, task.signal = run.exit_code, run.signal
                self._ended(task, task.wanted or ("FAILED" if failed else "COMPLETED"))
        return True

    def _ended(self, task: Task, state: str) -> None:
        ran = task.state == RUNNING
        task.end_state, task.ended_at, task.ended_us = state, self.clock.now(), now_us()
        task.state = COMPLETING if ran and self.completing_us else state
        if ran:
            task.reason = {"FAILED": "NonZeroExitCode", "TIMEOUT": "TimeLimit", "NODE_FAIL": "NodeDown"}.get(
                state, "None"
            )
            if state in {"CANCELLED", "TIMEOUT", "PREEMPTED"}:
                task.exit_code, task.signal = 0, 15
            elif state == "OUT_OF_MEMORY":
                task.exit_code, task.signal = 0, 125
                task.reason = "OutOfMemory"
        final = task.copy()
        final.state = state
        self.accounting.take(final)
        self._verdict.tell(f"{self.nodes.name}: {task.shown} (job {task.id}) is {state} {task.exit_code}:{task.signal}")
        self._left(task, state)

    def _left(self, task: Task, state: str) -> None:
        self.left.add(task.order.token)
        self.ends.setdefault(task.order.token, set()).add(state)
