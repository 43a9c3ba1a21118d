"""The end of a run: all is mended and let go, and then everything ends, in the state that its history implies."""

from __future__ import annotations

from random import Random
from typing import Final

from holdfast.actors import runner
from holdfast.events.messages import Configure, Refusal, Release, Request, Resume
from tests.actors.stepping import pause

from .clients import Clients
from .commit_checks import CommitChecks
from .determinism import now_us
from .faults import Faults
from .history import ENDS, History
from .keeper import Keeper
from .verdict import Verdict

PLENTY: Final = {"cpus": 6, "gpus": 2}
ENDS_WITHIN_S: Final = 900.0
LATEST_S: Final = 2.0  # until then a command that was under way may still arrive
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
        checks: CommitChecks,
        history: History,
        verdict: Verdict,
    ) -> None:
        self._checks = checks
        self._keeper = keeper
        self._clients = clients
        self._faults = faults
        self._history = history
        self._verdict = verdict
        self._random = Random("ending")
        self._commands = _FIRST_COMMAND

    async def run(self) -> None:
        """Mend everything, wait for every job's end, stop the supervisor, and check what is left."""
        self._faults.end()
        self._verdict.tell("all is well from now on")
        await pause(LATEST_S)
        await self._command(Configure({"local": PLENTY}))
        await self._command(Resume())
        while held := [number for number, story in self._history.jobs.items() if story.state == "held"]:
            await self._command(Release(tuple(held)))
        deadline_us = now_us() + int(ENDS_WITHIN_S * 1_000_000)
        while self._history.live():
            if now_us() > deadline_us:
                left = {number: self._history.jobs[number].state for number in self._history.live()}
                self._verdict.fail(f"P5: {ENDS_WITHIN_S:.0f} s after all was well these have not ended: {left}")
                return
            await pause(1.0)
        await self._leave()

    async def _command(self, request: Request) -> None:
        for _ in range(20):
            self._commands += 1
            answer = await self._clients.perform(self._commands, request, self._random)
            if answer is not None and not isinstance(answer, Refusal):
                return
        self._verdict.fail(f"P5: all is well, but nobody answers {request}")

    async def _leave(self) -> None:
        """With nothing left to do, every end is acknowledged, and the runner leaves once nobody calls."""
        machine = self._keeper.machine
        await pause(GRACE_S)
        core = machine.runner.core if machine.runner is not None else None
        if core is not None:
            self._verdict.check(core.idle(), f"the runner is left with {core.queue}, {core.running}, {core.ended}")
        self._keeper.end()
        await pause(LEAVES_WITHIN_S)
        self._verdict.check(machine.runner is None, "the runner has nothing to do and stays")
        self._check_truth()
        self._check_receipt()

    def _check_truth(self) -> None:
        """Each process belongs to an attempt, and each job ended as its last attempt did."""
        self._checks.opened()
        machine, check = self._keeper.machine, self._verdict.check
        owned = [each.token for each in machine.running() if not each.disowned]
        check(not owned, f"{owned} still run")
        for number, story in self._history.jobs.items():
            check(story.state in ENDS, f"job {number} is {story.state} at the end")
            for attempt in story.attempts:
                over = attempt.revoked or attempt.outcome is not None
                check(over, f"{attempt.token} has neither ended nor been revoked")
                if attempt.revoked:
                    check(attempt.token not in machine.ever, f"P2: {attempt.token} was revoked, and ran")
            if story.state == "succeeded":
                last = machine.ever.get(story.newest.token)
                check(last is not None and last.status == 0, f"job {number} succeeded, its process did not")

    def _check_receipt(self) -> None:
        """The runner's receipt tells the log from any older one, which would launch again what has run."""
        machine = self._keeper.machine
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
