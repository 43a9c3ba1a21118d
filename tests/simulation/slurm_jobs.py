"""What a Slurm controller keeps of a job: a record for each task of an array, with Slurm's own words."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

PENDING: Final = "PENDING"
RUNNING: Final = "RUNNING"
COMPLETING: Final = "COMPLETING"
NEVER: Final = "DependencyNeverSatisfied"
ACTIVE: Final = frozenset({PENDING, RUNNING, COMPLETING})


class Order(Struct, frozen=True):
    """One attempt that a batch script is for: its token, and the command that it runs.

    `plan`: what it notes with its claim. `after`: those whose end the script looks for before that, and how they must
    have ended.
    """

    token: str
    argv: tuple[str, ...]
    plan: str = ""
    after: tuple[tuple[str, str], ...] = ()

    @property
    def folder(self) -> str:
        """The name of the attempt's file."""
        return ".".join(self.token.split(".")[1:])


class Submission(Struct, frozen=True):
    """What `sbatch` was given, as it means: options, where Holdfast's folder is, and the attempts by array index."""

    options: dict[str, str]
    folder: str
    orders: dict[int | None, Order]

    @property
    def limit_us(self) -> int:
        """How long it may run."""
        return int(self.options.get("time", "525600")) * 60_000_000

    @property
    def dependencies(self) -> list[tuple[str, int, int | None]]:
        """What it is to wait for: `afterok` or `afterany`, a job's number, and which task of it if it is one."""
        found: list[tuple[str, int, int | None]] = []
        for each in filter(None, self.options.get("dependency", "").split(",")):
            word, *numbers = each.split(":")
            for number, _, index in (text.partition("_") for text in numbers):
                found.append((word, int(number), int(index) if index else None))
        return found

    @property
    def name(self) -> str:
        """The job's name."""
        return self.options.get("job-name", "sbatch")


class Task(Struct):
    """One job as the controller knows it. Times are of the controller's clock, in microseconds; 0: not yet.

    `id`: its own number; `array`: that of the array that it belongs to, as task `index`. `run`: the number of what was
    started of it last on a node (see `Nodes`). `wanted`: the state that its end is to be called, where not it decides.
    `until_us`: for how long it is still completing (true time).
    """

    id: int
    array: int
    index: int | None
    submission: Submission
    submitted_at: int
    state: str = PENDING
    reason: str = "None"
    started_at: int = 0
    ended_at: int = 0
    restarts: int = 0
    node: str = ""
    exit_code: int = 0
    signal: int = 0
    run: int = 0
    wanted: str = ""
    held_until_us: int = 0
    ended_us: int = 0
    end_state: str = ""

    @property
    def active(self) -> bool:
        """Whether it waits or runs, or does not quite lie still."""
        return self.state in ACTIVE

    @property
    def waits(self) -> bool:
        """Whether it has not started."""
        return self.state == PENDING

    @property
    def order(self) -> Order:
        """The attempt that it is for."""
        return self.submission.orders[self.index]

    @property
    def shown(self) -> str:
        """Its number as users see it, like `25_3`."""
        return str(self.array) if self.index is None else f"{self.array}_{self.index}"

    def copy(self) -> Task:
        """Another record of the same."""
        return msgspec.structs.replace(self)


class Memory(Struct):
    """All that a controller knows, and saves now and then: what it did not save is gone when it is killed."""

    next_id: int = 1
    tasks: list[Task] = []

    def copy(self) -> Memory:
        """What is saved of it."""
        return Memory(self.next_id, [task.copy() for task in self.tasks])
