"""What must hold of clusters: what is submitted was planned, limits hold, ends are true, nobody is asked too often."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from holdfast.actors.slurm.log import ClusterTimes
from holdfast.events import facts
from holdfast.events.records import Outcome
from holdfast.events.spec import SlurmSpec

from .determinism import now_us
from .history import IN_FLIGHT, Attempt, History, Story
from .machine import Process
from .scripts import script_of
from .slurm_cluster import SimulatedCluster
from .slurm_commands import Call, notes
from .slurm_files import LOGIN
from .slurm_jobs import Submission
from .slurm_nodes import NO_SUCH_PROGRAM
from .verdict import Verdict
from .ways import Way

FORCED: Final = frozenset({"CANCELLED", "TIMEOUT", "PREEMPTED", "DEADLINE", "OUT_OF_MEMORY", "NODE_FAIL", "BOOT_FAIL"})
_TOLERANCE: Final = 0.95
GRACE_US: Final = int(ClusterTimes().grace_s * 1_000_000)
_HOUR_US: Final = 3_600_000_000


class SlurmChecks:
    """Looks at each command that a cluster is given, and at each end that is recorded of an attempt there."""

    def __init__(
        self, clusters: Mapping[str, SimulatedCluster], ways: Mapping[str, Way], history: History, verdict: Verdict
    ) -> None:
        self._clusters = clusters
        self._ways = ways
        self._history = history
        self._verdict = verdict
        self._asked: dict[str, tuple[int, int]] = {}
        self._specs: dict[str, list[tuple[int, SlurmSpec]]] = {}
        self._sent: dict[str, int] = {}
        """Batches that may be on a cluster as far as its answers say, and when they were sent last."""
        self._answered_us: dict[str, int] = {}
        self._batches: dict[str, str] = {}
        for cluster in clusters.values():
            cluster.commands.submitting = partial(self._submitting, cluster)
            cluster.commands.cancelling = partial(self._cancelling, cluster)
            cluster.commands.refusing = self._refusing
            cluster.commands.answering = partial(self._answering, cluster)
            cluster.commands.called = partial(self._called, cluster)

    def take(self, event: facts.Event) -> None:
        """Follow the batches, and how clusters are configured."""
        match event:
            case facts.TargetConfigured(target=target, slurm=slurm) if slurm is not None:
                self._specs.setdefault(target, []).append((self._history.seq, slurm))
            case facts.BatchPlanned(batch=batch):
                self._verdict.check(batch not in self._batches, f"the batch {batch} is planned twice")
                self._batches[batch] = "planned"
            case facts.BatchSubmitted(batch=batch):
                self._move(batch, {"planned", "unclear"}, "submitted")
            case facts.BatchUnclear(batch=batch):
                self._move(batch, {"planned", "unclear"}, "unclear")
            case facts.BatchAbsent(target=target, batch=batch):
                sent_us = self._sent.pop(batch, 0)
                graced = self._answered_us.get(target, 0) >= sent_us + _TOLERANCE * GRACE_US
                self._verdict.check(graced, f"P2: {batch} is called absent before the grace time is over")
                self._move(batch, {"unclear"}, "planned")
            case facts.BatchWaits(batch=batch):
                self._move(batch, {"planned", "submitted"}, self._batches.get(batch, ""))
            case facts.BatchClosed(batch=batch):
                self._move(batch, {"planned", "unclear", "submitted"}, "closed")
            case _:
                pass

    def _move(self, batch: str, allowed: set[str], to: str) -> None:
        before = self._batches.get(batch, "never planned")
        self._verdict.check(before in allowed, f"event {self._history.seq}: the batch {batch} is {before}, goes {to}")
        self._batches[batch] = to

    # What clusters are told and asked.

    def _submitting(self, cluster: SimulatedCluster, submission: Submission) -> None:
        name, check = submission.name, self._verdict.check
        check(name in self._batches, f"P1: {name} is submitted to {cluster.name}, and its plan is not in the log")
        check(name not in self._sent, f"P2: {name} is submitted again, and nothing says that it is not there")
        self._sent[name] = now_us()
        for order in submission.orders.values():
            attempt = self._attempt(order.token)
            planned = attempt is not None and attempt.batch is not None and attempt.batch.batch == name
            check(planned, f"P1: {order.token} goes to {cluster.name} in {name}, and the log does not say so")
        tokens = cluster.controller.active_tokens() | {order.token for order in submission.orders.values()}
        flying = [token for token in tokens if self._is_in_flight(token)]
        launched = min((attempt.launched_seq for token in flying if (attempt := self._attempt(token))), default=0)
        most = max(spec.max_queued for spec in self._in_force(cluster.name, launched))
        check(len(flying) <= most, f"P3: {len(flying)} attempts are in the queue of {cluster.name}, {most} may be")

    def _refusing(self, submission: Submission) -> None:
        self._sent.pop(submission.name, None)

    def _answering(self, cluster: SimulatedCluster) -> None:
        self._answered_us[cluster.name] = now_us()

    def _cancelling(self, cluster: SimulatedCluster, token: str) -> None:
        attempt = self._attempt(token)
        wanted = attempt is None or attempt.cancelled or not self._is_in_flight(token)
        self._verdict.check(wanted, f"{token} is cancelled on {cluster.name}, and nobody wanted that")

    def _called(self, cluster: SimulatedCluster, call: Call) -> None:
        if call.words[0] == "squeue":
            asked_us, early = self._asked.get(cluster.name, (-_HOUR_US, 0))
            least_us = min(spec.poll_us for spec in self._in_force(cluster.name, 0))
            since_us = call.at_us - asked_us
            early += since_us < _TOLERANCE * least_us
            # Each new connection begins with a question.
            rare = early <= self._ways[cluster.name].dialled
            self._verdict.check(rare, f"{cluster.name} is asked for its queue {since_us} us after the last time")
            self._asked[cluster.name] = call.at_us, early
        elif call.words[0] == "sacct":
            needed = any(self._may_have_left(cluster, story) for story in self._history.jobs.values())
            self._verdict.check(needed, f"{cluster.name} is asked {call.words}, and nothing has left its queue")

    def _may_have_left(self, cluster: SimulatedCluster, story: Story) -> bool:
        if story.spec.target != cluster.name or story.state not in IN_FLIGHT or story.newest.batch is None:
            return False
        if self._batches.get(story.newest.batch.batch) == "unclear":
            return True
        token, controller = story.newest.token, cluster.controller
        return token in controller.left or token not in controller.active_tokens()

    def _in_force(self, cluster: str, seq: int) -> list[SlurmSpec]:
        specs = self._specs[cluster]
        before = [spec for at, spec in specs if at <= seq]
        return [*before[-1:], *(spec for at, spec in specs if at > seq)]

    def _attempt(self, token: str) -> Attempt | None:
        job, number = (int(part) for part in token.split(".")[-2:])
        story = self._history.jobs.get(job)
        return None if story is None or len(story.attempts) < number else story.attempts[number - 1]

    def _is_in_flight(self, token: str) -> bool:
        attempt = self._attempt(token)
        return attempt is not None and attempt.outcome is None and not attempt.revoked

    # What is said of attempts.

    def started(self, target: str, attempt: Attempt) -> None:
        """It is said to run."""
        begun = attempt.token in self._clusters[target].nodes.begun
        self._verdict.check(begun, f"{attempt.token} is said to run, and {target} has never started it")

    def ended(self, story: Story, attempt: Attempt, outcome: Outcome, process: Process | None) -> None:
        """It is said to have ended."""
        cluster, token, how = self._clusters[story.spec.target], attempt.token, outcome.how
        check, said = self._verdict.check, f"{token} is called {outcome.how} ({outcome.word}, {outcome.error})"
        if how == "lost":
            self._lost(cluster, attempt, said)
            return
        if process is not None and process.running:
            self._verdict.fail(f"P2: {said}, and still runs")
            return
        absent = script_of(story.spec.run, int(token.rpartition(".")[2])) is None
        if how == "not_started":
            check(process is None, f"{said}, and it ran")
        elif how == "exited":
            self._exited(outcome, process, absent, said)
        elif how == "timeout":
            check(outcome.word in {"TIMEOUT", "DEADLINE"}, said)
        elif how == "stopped":
            cancelled = "CANCELLED" in cluster.controller.ends.get(token, set())
            check(cancelled, f"{said}, and nobody wanted that")
        else:
            check(how == "killed", f"{said}: an unknown way")
        if how in {"timeout", "stopped", "killed"}:
            ends = cluster.controller.ends.get(token, set())
            check(bool(ends & FORCED), f"{said}, and Slurm says {ends}")

    def _exited(self, outcome: Outcome, process: Process | None, absent: bool, said: str) -> None:  # noqa: FBT001
        told = (outcome.exit_code, outcome.signal or 0)
        if absent:
            self._verdict.check(told == (NO_SUCH_PROGRAM, 0), f"{said}: {told}, and there is no such program")
        elif process is None:
            self._verdict.fail(f"{said}, and it never ran")
        else:
            signal = process.status & 0x7F
            true = (None, signal) if signal else (process.status >> 8, 0)
            # Where the attempt's own word is not seen, Slurm's is that of a shell, perhaps less 128, and that is said.
            shells = 128 + signal if signal else process.status >> 8
            likely = outcome.error is not None and told in {(shells, 0), (shells % 128, 0)}
            self._verdict.check(told == true or likely, f"{said}: it ended with {true}, the log says {told}")

    def _lost(self, cluster: SimulatedCluster, attempt: Attempt, said: str) -> None:
        """Only where its claim was made, and nobody can say how it ended."""
        work = ".".join(attempt.token.split(".")[1:])
        content = cluster.files.read(f"/elsewhere/{cluster.name}/.holdfast/attempts/{work}", LOGIN) or b""
        parts = {part for part, _ in notes(content)}
        self._verdict.check("exit" not in parts, f"{said}, and it says itself how it ended")
        self._verdict.check("void" not in parts, f"{said}, and nobody could ever run it")

    def finish(self) -> None:
        """At the end nothing is left on any cluster."""
        for cluster in self._clusters.values():
            tasks = [task for task in cluster.controller.memory.tasks if task.active]
            left = [f"{task.shown} of {task.submission.name}, {task.state}" for task in tasks]
            self._verdict.check(not left, f"{left} are left in the queue of {cluster.name}")
            busy = [run.order.token for run in cluster.nodes.busy]
            self._verdict.check(not busy, f"{busy} still run on {cluster.name}")
