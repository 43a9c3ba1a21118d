"""Slurm's accounting: what the controller tells it shows a little later, and is kept for ever."""

from __future__ import annotations

from random import Random

from .determinism import now_us
from .slurm_jobs import Task


class Accounting:
    """Rows by job and time of submission. `lag_us`: after how long at most a change shows; `absent`: there is none."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.absent = False
        self.lag_us = 0
        self.down_until_us = 0
        self.rows: dict[tuple[int, int], Task] = {}
        self._coming: list[tuple[int, Task]] = []

    @property
    def down(self) -> bool:
        """Whether its daemon does not answer; what it is told meanwhile it learns afterwards."""
        return now_us() < self.down_until_us

    def take(self, task: Task) -> None:
        """The controller tells how a job stands."""
        if not self.absent:
            due_us = now_us() + (self._random.randrange(self.lag_us) if self.lag_us else 0)
            self._coming.append((due_us, task.copy()))

    def forget_coming(self) -> None:
        """What the controller had not passed on is lost with it."""
        self._coming = []

    def newest(self) -> list[Task]:
        """For each job the row that was submitted last, in the order of the jobs' numbers."""
        newest: dict[tuple[int, int | None], Task] = {}
        for row in self.all():
            newest[row.array, row.index] = row
        return list(newest.values())

    def all(self) -> list[Task]:
        """All rows, those of reused numbers and of requeued jobs too, in the order of number and submission."""
        now = now_us()
        while self._coming and not self.down and self._coming[0][0] <= now:
            _, task = self._coming.pop(0)
            self.rows[task.id, task.submitted_at // 1_000_000] = task
        return [self.rows[key] for key in sorted(self.rows)]
