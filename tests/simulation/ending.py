"""The end of a run: all is mended and let go, and then everything ends, in the state that its history implies."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from holdfast.actors import runner
from holdfast.events.hosts import Up
from holdfast.events.messages import Configure, Dial, Refusal, Release, Request, Resume
from holdfast.events.spec import FUNCTIONS, LOCAL
from tests.actors.stepping import pause

from .clients import Clients
from .commit_checks import CommitChecks
from .determinism import now_us
from .faults import Faults
from .hindrance import unhindered
from .history import ENDS, History
from .keeper import Keeper
from .machine import Machine
from .person import Person

PLENTY: Final = {"cpus": 6, "gpus": 2}
ENDS_WITHIN_S: Final = 900.0
LATEST_S: Final = 2.0  # until then a command that was under way may still arrive
CONNECTED_WITHIN_S: Final = 300  # longer than a person who logs in is waited for
GRACE_S: Final = 3.0  # after it the runner kills what an attempt may have left behind
LEAVES_WITHIN_S: Final = 30.0
_FIRST_COMMAND: Final = 1000


class Ending:
    """Brings a run to its end and looks at what is left."""

    def __init__(
        self,
        keeper: Keeper,
        clients: Clients,
        faults: Faults,
        person: Person,
        checks: CommitChecks,
        history: History,
        seed: int,
    ) -> None:
        self._checks = checks
        self._keeper = keeper
        self._clients = clients
        self._faults = faults
        self._person = person
        self._history = history
        self._verdict = keeper.verdict
        self._random = Random(f"{seed}/ending")
        self._commands = _FIRST_COMMAND

    async def run(self) -> None:
        """Mend everything, wait for every job's end, stop the supervisor, and check what is left."""
        ways = [way for way in self._keeper.ways.values() if self._random.random() < 0.4]
        stuck = {way.name for way in ways}
        self._faults.end(ways)
        self._person.leaves = True
        self._verdict.tell(f"all is well from now on, except for {stuck or 'nothing'}")
        await pause(LATEST_S)
        await self._command(Configure(dict.fromkeys((LOCAL, *self._keeper.ways), PLENTY)))
        await self._command(Resume())
        while held := [number for number, story in self._history.jobs.items() if story.state == "held"]:
            await self._command(Release(tuple(held)))
        if stuck:
            await self._see_ends(lambda: unhindered(self._history, stuck), f"while {stuck} hang")
            self._verdict.tell("all is well now")
            self._faults.end(())
        await self._see_ends(self._history.live, "after all was well")
        await self._leave()

    async def _see_ends(self, left: Callable[[], list[int]], when: str) -> None:
        deadline_us = now_us() + int(ENDS_WITHIN_S * 1_000_000)
        while numbers := left():
            if now_us() > deadline_us:
                states = {number: self._history.jobs[number].state for number in numbers}
                self._verdict.fail(f"P5: {ENDS_WITHIN_S:.0f} s {when}, and these have not ended: {states}")
            await self._person.help_all()
            await pause(1.0)

    async def _command(self, request: Request) -> None:
        for _ in range(20):
            self._commands += 1
            answer = await self._clients.perform(self._commands, request, self._random)
            if answer is not None and not isinstance(answer, Refusal):
                return
        self._verdict.fail(f"P5: all is well, but nobody answers {request}")

    async def _leave(self) -> None:
        """With nothing left to do, every end is acknowledged, and the runner leaves once nobody calls."""
        machines = self._keeper.machines.values()
        # An acknowledgement that was lost with a connection is said again on the next, once there is one.
        ways = self._keeper.ways
        await pause(1.0)
        for _ in range(CONNECTED_WITHIN_S // 2):
            if all(isinstance(self._person.state_of(name), Up) for name in ways):
                break
            await self._person.help_all()
            await pause(1.0)
            await self._command(Dial(tuple(ways)))
            await pause(1.0)
        else:
            self._verdict.fail(f"P5: all is well, and not all of {list(ways)} can be reached")
        await pause(GRACE_S)
        for machine in machines:
            core = machine.runner.core if machine.runner is not None else None
            left = () if core is None or core.idle() else (core.queue, core.running, core.ended)
            self._verdict.check(not left, f"the runner of {machine.name} is left with {left}")
        self._keeper.end()
        await pause(LEAVES_WITHIN_S)
        for machine in machines:
            self._verdict.check(machine.runner is None, f"the runner of {machine.name} has nothing to do and stays")
            self._check_receipt(machine)
        self._check_truth()

    def _check_truth(self) -> None:
        """Each process belongs to an attempt, and each job ended as its last attempt did."""
        self._checks.finish()
        machines, check = self._keeper.places, self._verdict.check
        owned = [each.token for machine in machines.values() for each in machine.running() if not each.disowned]
        check(not owned, f"{owned} still run")
        for number, story in self._history.jobs.items():
            check(story.state in ENDS, f"job {number} is {story.state} at the end")
            for attempt in story.attempts:
                over = attempt.revoked or attempt.outcome is not None
                check(over, f"{attempt.token} has neither ended nor been revoked")
                if attempt.revoked:
                    ran = (
                        any(attempt.token in machine.ever for machine in machines.values())
                        or attempt.token in self._keeper.calls.ever
                    )
                    check(not ran, f"P2: {attempt.token} was revoked, and ran")
            if story.state == "succeeded" and story.spec.target != FUNCTIONS:
                last = machines[story.spec.target].ever.get(story.newest.token)
                check(last is not None and last.status == 0, f"job {number} succeeded, its process did not")

    def _check_receipt(self, machine: Machine) -> None:
        """The runner's receipt tells the log from any older one, which would launch again what has run."""
        launches = [
            attempt.launched_seq
            for story in self._history.jobs.values()
            for attempt in story.attempts
            if attempt.token in machine.ever
        ]
        if launches and not machine.journal_cut:
            shown = runner.recall(machine.journal).receipt
            covers = bool(shown) and int(shown.split(".")[1]) > max(launches)
            self._verdict.check(covers, f"P2: event {max(launches)} launched what ran, the receipt is {shown!r}")
