"""What goes wrong, and when: by seed, some seeds have much of one thing, some a little of everything, some nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from tests.actors.stepping import pause

from .clients import Clients
from .determinism import Steps, now_us
from .disk import Condition
from .host_faults import HostFaults
from .keeper import Keeper
from .slurm_faults import SlurmFaults
from .ways import Way
from .wire import no_latency

ACTORS: Final = ("writer", "limiter", "scheduler", "target:local", "target:functions", "connections", "control")
FAULTS_MAX: Final = 60
_CLUSTERS_ALONE: Final = 0.5
"""How many of the runs (0 to 1) that have a cluster have no faults but those that matter to it."""
_OF_CLUSTERS: Final = ("kill supervisor", "crash actor", "cut way", "cut way at a byte", "hang", "kill host's runner")
_STEPS_MAX: Final = (5, 60, 400)


class Faults:
    """The faults of one run."""

    def __init__(self, keeper: Keeper, clients: Clients, steps: Steps, seed: int) -> None:
        self._keeper = keeper
        self._machine = keeper.machine
        self._clients = clients
        self._steps = steps
        self._random = random = Random(f"{seed}/faults")
        self._stopped = False
        self._hosts = HostFaults(list(keeper.ways.values()), random)
        self._slurm = SlurmFaults(list(keeper.clusters.values()), random)
        self._kinds: Mapping[str, Callable[[], object]] = (
            {
                "kill supervisor": self._kill_supervisor,
                "crash actor": self._crash_actor,
                "stop supervisor": keeper.stop,
                "kill runner": self._kill_runner,
                "freeze runner": self._freeze_runner,
                "cut": self._cut,
                "outage": self._outage,
                "jump": self._jump,
                "full disk": self._full_disk,
                "lose commit": self._lose_commit,
                "runner's disk": self._runner_disk,
                "reboot": self._reboot,
                "lose journal": self._lose_journal,
                "crash and lose journal": self._crash_and_lose_journal,
            }
            | self._hosts.kinds
            | self._slurm.kinds
        )
        names = list(self._kinds)
        if keeper.clusters and random.random() < _CLUSTERS_ALONE:
            names = [name for name in names if name in {*self._slurm.kinds, *_OF_CLUSTERS}]
        # Few kinds as a rule: a restart, say, would mend what another fault has spoilt.
        counts = (3, 5, 8) if keeper.clusters else (1, 2, 2, 3, 5)
        self._enabled = random.sample(names, random.choice((*counts, len(names))))
        self._every_s = random.choice((0.05, 0.3, 1.0, 4.0))
        lingers_s = random.choice((0.0, 1.0, 5.0, 20.0))
        if keeper.clusters:  # where everything takes longer
            self._every_s, lingers_s = random.choice((0.3, 1.0, 4.0)), random.choice((5.0, 20.0, 60.0, 150.0))
        self.lingers_s = min(lingers_s, FAULTS_MAX * self._every_s)
        """How long things go on to go wrong after the last command."""

    def begin(self) -> None:
        """Set the circumstances that last for the whole run."""
        random, roads = self._random, self._keeper.roads
        self._keeper.log.condition = Condition(
            lost=random.choice((0.0, 0.0, 0.0, 0.02)),
            slow=random.choice((0.0, 0.3, 1.0)),
            latency_s=random.choice((0.0, 0.001, 0.05)),
        )
        if random.random() < 0.5:
            longest_s = random.choice((0.001, 0.02, 1.5))
            source = Random(random.random())
            roads.latency = lambda: source.random() * longest_s if source.random() < 0.5 else 0.0
        roads.unstartable = random.choice((0.0, 0.0, 0.3, 0.9))
        roads.mischief.twice = random.choice((0.0, 0.3))
        roads.mischief.late = random.choice((0.0, 0.0, 0.3))
        roads.mischief.garbage = random.choice((0.0, 0.0, 0.01))
        self._keeper.downtime_s = random.choice((0.0, 0.5, 5.0))
        self._clients.losing = random.choice((0.0, 0.1, 0.4))
        self._hosts.begin()
        self._slurm.begin()

    async def run(self) -> None:
        """Let one thing after the other go wrong, until `end`."""
        while self._enabled and not self._stopped:
            await pause(self._random.expovariate(1 / self._every_s))
            if not self._stopped:
                self._kinds[self._random.choice(self._enabled)]()

    def end(self, stuck: Sequence[Way]) -> None:
        """From now on all goes well, and what was broken is mended, but on the machines `stuck`, which hang."""
        self._stopped = True
        self._hosts.end(stuck)
        self._slurm.end()
        self._steps.disarm()
        keeper, machine = self._keeper, self._machine
        keeper.log.condition = Condition()
        keeper.roads.latency = no_latency
        keeper.roads.unstartable = 0.0
        keeper.roads.barred_until_us = 0
        mischief = keeper.roads.mischief
        mischief.twice = mischief.late = mischief.garbage = 0.0
        keeper.downtime_s = 0.5
        self._clients.losing = 0.0
        machine.full_until_us = 0
        machine.steps_left = None
        if machine.runner is not None:
            machine.runner.thaw()

    def _some_steps(self) -> int:
        return self._random.randrange(self._random.choice(_STEPS_MAX))

    def _a_while_us(self) -> int:
        return now_us() + self._random.choice((50_000, 1_000_000, 4_000_000, 12_000_000))

    def _kill_supervisor(self) -> None:
        incarnation = self._keeper.current
        if incarnation is not None:
            self._steps.arm(self._some_steps(), incarnation.kill)

    def _crash_actor(self) -> None:
        self._steps.arm_crash(self._some_steps(), self._random.choice(ACTORS))

    def _kill_runner(self) -> None:
        self._machine.steps_left = self._random.randrange(12)
        if self._machine.runner is not None and self._random.random() < 0.3:
            self._machine.runner.kill()

    def _freeze_runner(self) -> None:
        if self._machine.runner is not None:
            self._machine.runner.freeze(self._random.choice((0.05, 1.0, 3.0, 30.0, 60.0)))

    def _cut(self) -> None:
        if self._keeper.current is not None:
            self._keeper.current.cut()

    def _outage(self) -> None:
        self._keeper.roads.barred_until_us = self._a_while_us()
        self._cut()

    def _jump(self) -> None:
        seconds = self._random.choice((0.001, 0.7, 30.0, 4000.0)) * self._random.choice((-1, 1))
        self._keeper.verdict.tell(f"the clock jumps by {seconds} s")
        self._machine.clock.jump(int(seconds * 1_000_000))

    def _full_disk(self) -> None:
        self._keeper.log.condition.full_until_us = self._a_while_us()

    def _lose_commit(self) -> None:
        condition = self._keeper.log.condition
        condition.lost = 0.0 if condition.lost else 0.3

    def _runner_disk(self) -> None:
        self._machine.full_until_us = self._a_while_us()

    def _reboot(self) -> None:
        """The supervisor is on the same machine as a rule; and as in power loss the journal's end may be gone."""
        incarnation, machine = self._keeper.current, self._machine
        if incarnation is not None and self._random.random() < 0.8:
            incarnation.kill()
        whole = len(machine.journal)
        machine.reboot(whole if self._random.random() < 0.5 else self._random.randrange(whole + 1))

    def _crash_and_lose_journal(self) -> None:
        self._steps.arm_crash(self._some_steps(), self._random.choice(("scheduler", "target:local")))
        self._steps.arm(self._some_steps(), self._lose_journal)

    def _lose_journal(self) -> None:
        if self._machine.runner is not None:
            self._machine.runner.kill()
        self._machine.lose_journal()
