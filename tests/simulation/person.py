"""A person who looks after other machines: trusts keys, logs in where a password is wanted, has machines tried.

And has jobs on clusters cancelled, at any moment.
"""

from __future__ import annotations

from random import Random
from typing import Final

from holdfast.events.hosts import HostState, NeedsYou, Refused
from holdfast.events.messages import Answer, Cancel, Changed, Dial, LogIn, Question, Refusal, Say, Trust
from tests.actors.stepping import pause

from .clients import Clients
from .host_checks import HostChecks
from .keeper import Keeper
from .verdict import Verdict
from .ways import PASSWORD

_FIRST_COMMAND: Final = 2000
_FALSE: Final = "SHA256:of another"


class Person:
    """Does something now and then; diligent (`diligent_s`) people sooner."""

    def __init__(self, keeper: Keeper, clients: Clients, checks: HostChecks, verdict: Verdict, seed: int) -> None:
        self._keeper = keeper
        self._clients = clients
        self._checks = checks
        self._verdict = verdict
        self._random = random = Random(f"{seed}/person")
        self._diligent_s = random.choice((0.5, 3.0, 20.0))
        self._careless = random.choice((0.0, 0.3))
        self._fickle = random.choice((0.0, 0.0, 0.2, 0.6))
        self._commands = _FIRST_COMMAND
        self.leaves = False
        clients.saying = self._note

    async def run(self) -> None:
        """Live, until told to leave."""
        while self._keeper.ways and not self.leaves:
            await pause(self._random.expovariate(1 / self._diligent_s))
            name = self._random.choice(sorted(self._keeper.ways))
            if not self.leaves:
                await self._look_after(name)

    def state_of(self, name: str) -> HostState:
        """How the log says the way to a machine stands."""
        return self._checks.states[name]

    async def help_all(self) -> None:
        """Do what is needed of people, carefully."""
        self._careless = 0.0
        for name in sorted(self._keeper.ways):
            if isinstance(self._checks.states[name], Refused | NeedsYou):
                await self._look_after(name)

    async def _look_after(self, name: str) -> None:
        state = self._checks.states[name]
        self._commands += 1
        if isinstance(state, Refused):
            careless = self._random.random() < self._careless
            fingerprint = _FALSE if careless else state.fingerprint
            answer = await self._clients.perform(self._commands, Trust(name, fingerprint), self._random)
            refused = isinstance(answer, Refusal) or answer is None
            self._verdict.check(refused or not careless, f"P8: a key was trusted by {_FALSE}: {answer}")
        elif isinstance(state, NeedsYou):
            await self._log_in(name)
        elif name in self._keeper.clusters and self._random.random() < self._fickle:
            await self._change_mind(name)
        elif self._random.random() < self._careless:
            await self._clients.perform(self._commands, Dial((name,)), self._random)

    async def _change_mind(self, cluster: str) -> None:
        """Cancel one of the jobs that are on a cluster, whatever has become of it."""
        flying = self._keeper.log.store.base.in_flight(cluster)
        if flying:
            await self._clients.perform(self._commands, Cancel((self._random.choice(flying).id,)), self._random)

    def _note(self, request: LogIn | Say) -> None:
        if isinstance(request, LogIn):
            self._checks.logs_in(request.target)

    async def _log_in(self, name: str) -> None:
        """Log in, with a mistake now and then, and go away in the middle of it now and then."""
        answer: Answer | None = await self._clients.say(f"person{self._commands}", LogIn(name), self._random)
        if isinstance(answer, Question) and self._random.random() >= self._careless:
            said = "wrong" if self._random.random() < self._careless else PASSWORD
            answer = await self._clients.say(f"person{self._commands}", Say(name, said), self._random)
            right = said == PASSWORD or not isinstance(answer, Changed)
            self._verdict.check(right, f"{name} was logged in to with a wrong password")
