"""Clusters that a test has for itself, to break them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .cluster import Cluster


class Clusters:
    """Starts clusters that end with the test."""

    def __init__(self, folder: Path, stack: ExitStack, database: Callable[[], Path]) -> None:
        """Start none yet; their files will be below `folder`; `database` is asked for what accounting begins with."""
        self._folder, self._stack, self._database = folder, stack, database
        self._count = 0

    def __call__(
        self,
        *,
        accounting: bool = False,
        nodes: int = 2,
        cpus: int = 8,
        cgroup: bool = False,
        **slurm_conf: str | int,
    ) -> Cluster:
        """Start one; the parameters are those of `Cluster`."""
        self._count += 1
        made = Cluster(
            self._folder / f"slurm{self._count}",
            accounting=accounting,
            nodes=nodes,
            cpus=cpus,
            cgroup=cgroup,
            database=self._database() if accounting else None,
            **slurm_conf,
        )
        return self._stack.enter_context(made)
