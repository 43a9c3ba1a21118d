"""What goes wrong with a cluster: its controller, its accounting, its nodes, its file system, and those who rule it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Final

from .determinism import now_us
from .slurm_cluster import SimulatedCluster
from .slurm_controller import Controller
from .slurm_jobs import Task

PLENTY: Final = 16
"""As many tasks may run at a time once all is well."""
_POLICY: Final = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
REFUSALS: Final = (
    f"Batch job submission failed: {_POLICY}",
    "Slurm temporarily unable to accept job, sleeping and retrying",
    "Batch job submission failed: Access/permission denied",
)
"""What sbatch is told now and then, and not for ever."""
_BY_OTHERS: Final = ("PREEMPTED", "CANCELLED", "DEADLINE")
_WHILES_S: Final = (0.5, 2.0, 8.0, 20.0, 60.0)
_US: Final = 1_000_000


class SlurmFaults:
    """The faults of the clusters of one run."""

    def __init__(self, clusters: Sequence[SimulatedCluster], random: Random) -> None:
        self._clusters = clusters
        self._random = random
        self._doomed = False
        kinds: Mapping[str, Callable[[SimulatedCluster], object]] = {
            "stop controller": self._stop,
            "kill controller": self._kill,
            "killed by submissions": self._doom,
            "answers lost": self._lose_answers,
            "accounting down": self._accounting_down,
            "requeue": lambda cluster: self._of_running(cluster, Controller.requeue),
            "node failure": self._fail_node,
            "ended by another": lambda cluster: self._end(cluster, random.choice(_BY_OTHERS)),
            "out of memory": self._exhaust_memory,
            "commands misbehave": self._misbehave,
            "refusals": self._refuse,
            "nothing starts": self._hold,
            "shared disk full": self._fill_disk,
            "jump of controller": self._jump,
            "login rebooted": lambda cluster: cluster.reboot_login(),
        }
        self.kinds = {name: self._of_one(act) for name, act in kinds.items()} if clusters else {}

    def begin(self) -> None:
        """Set the circumstances that last for the whole run."""
        random = self._random
        for cluster in self._clusters:
            controller, accounting = cluster.controller, cluster.accounting
            accounting.absent = random.random() < 0.25
            accounting.lag_us = int(random.choice((0.0, 0.5, 5.0, 12.0)) * _US)
            controller.minimal_age_us = int(random.choice((2.0, 10.0, 300.0)) * _US)
            controller.save_every_s = random.choice((0.5, 3.0, 20.0))
            controller.slots = random.choice((1, 3, 8, 16))
            controller.completing_us = random.choice((0, 200_000, 3_000_000))
            controller.answers_lost = random.choice((0.0, 0.0, 0.2, 0.5))
            controller.requests_lost = random.choice((0.0, 0.0, 0.1))
            controller.lates_s = random.choice(((0.0,), (0.0, 5.0, 50.0), (1.0, 60.0, 120.0)))
            cluster.commands.whims.killed = random.choice((0.0, 0.0, 0.02))
            cluster.commands.whims.garbled = random.choice((0.0, 0.0, 0.02))
            cluster.files.lag_us = random.choice((0, 20_000, 1_500_000))
            cluster.files.torn = random.choice((0.0, 0.5))
            if random.random() < 0.3:
                self._doom(cluster)
            cluster.nodes.slow_s = random.choice((0.05, 0.4, 3.0))
            cluster.nodes.loses_scripts = random.choice((0.0, 0.3, 1.0))
            for clock in cluster.nodes.clocks.values():
                clock.jump(random.randrange(-_US, _US))

    def end(self) -> None:
        """From now on all goes well."""
        for cluster in self._clusters:
            controller, whims = cluster.controller, cluster.commands.whims
            controller.answers_lost = controller.requests_lost = 0.0
            controller.held = False
            controller.slots = PLENTY
            controller.took = _survive
            controller.start()
            controller.go_on()
            cluster.accounting.down_until_us = 0
            cluster.files.full_until_us = 0
            whims.killed = whims.garbled = whims.refused = 0.0
            whims.slow_s = 0.02

    def _of_one(self, act: Callable[[SimulatedCluster], object]) -> Callable[[], object]:
        return lambda: act(self._random.choice(self._clusters))

    def _toggle(self, owner: object, name: str, value: float, calm: float = 0.0) -> None:
        setattr(owner, name, calm if getattr(owner, name) != calm else value)

    def _after_a_while(self, cluster: SimulatedCluster, act: Callable[[], object]) -> None:
        cluster.later(self._random.choice(_WHILES_S), act)

    def _a_while_us(self) -> int:
        return now_us() + int(self._random.choice(_WHILES_S) * _US)

    def _stop(self, cluster: SimulatedCluster) -> None:
        cluster.controller.stop()
        self._after_a_while(cluster, cluster.controller.go_on)

    def _kill(self, cluster: SimulatedCluster) -> None:
        """Killed, and started again from what it saved last, or from an older state than that."""
        saved = self._random.choice((1, 1, 2, 4, 8))
        cluster.controller.kill()
        self._after_a_while(cluster, lambda: cluster.controller.start(saved))

    def _doom(self, cluster: SimulatedCluster) -> None:
        """From now on, or no more: it is killed shortly after it took a job, as a rule before it has saved that."""

        def die() -> None:
            if self._random.random() < 0.4:
                cluster.later(self._random.choice((0.0, 0.02, 0.02, 1.0, 4.0)), lambda: self._kill(cluster))

        self._doomed = not self._doomed
        cluster.controller.took = die if self._doomed else _survive

    def _lose_answers(self, cluster: SimulatedCluster) -> None:
        which = self._random.choice(("answers_lost", "answers_lost", "requests_lost"))
        self._toggle(cluster.controller, which, self._random.choice((0.2, 0.7)))

    def _misbehave(self, cluster: SimulatedCluster) -> None:
        which, value, calm = self._random.choice((("killed", 0.3, 0.0), ("garbled", 0.3, 0.0), ("slow_s", 40.0, 0.02)))
        self._toggle(cluster.commands.whims, which, value, calm)

    def _accounting_down(self, cluster: SimulatedCluster) -> None:
        cluster.accounting.down_until_us = self._a_while_us()

    def _of_running(self, cluster: SimulatedCluster, act: Callable[[Controller, Task], object]) -> None:
        running = cluster.controller.running()
        if cluster.controller.alive and not cluster.controller.stopped:
            for task in self._random.sample(running, self._random.randint(min(1, len(running)), len(running))):
                act(cluster.controller, task)

    def _end(self, cluster: SimulatedCluster, state: str) -> None:
        self._of_running(cluster, lambda controller, task: controller.end(task, state))

    def _fail_node(self, cluster: SimulatedCluster) -> None:
        runs_on = self._random.random() < 0.5
        self._of_running(cluster, lambda controller, task: controller.fail_node(task, runs_on=runs_on))

    def _exhaust_memory(self, cluster: SimulatedCluster) -> None:
        def kill(controller: Controller, task: Task) -> None:
            task.wanted = task.wanted or "OUT_OF_MEMORY"
            controller.nodes.kill_command(controller.nodes.runs[task.run])

        self._of_running(cluster, kill)

    def _refuse(self, cluster: SimulatedCluster) -> None:
        cluster.commands.whims.refusal = self._random.choice(REFUSALS)
        self._toggle(cluster.commands.whims, "refused", 0.7)

    def _hold(self, cluster: SimulatedCluster) -> None:
        cluster.controller.held = not cluster.controller.held

    def _fill_disk(self, cluster: SimulatedCluster) -> None:
        cluster.files.full_until_us = self._a_while_us()

    def _jump(self, cluster: SimulatedCluster) -> None:
        seconds = self._random.choice((0.7, 30.0, 4000.0)) * self._random.choice((-1, 1))
        cluster.controller.clock.jump(int(seconds * _US))


def _survive() -> None:
    """Nothing happens to a controller that has taken a job."""
