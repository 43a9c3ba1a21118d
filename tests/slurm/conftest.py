"""Clusters for tests: one that they share, and those that a test has for itself."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .cluster import Cluster
from .clusters import Clusters
from .submitting import Places, Submitting


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of MariaDB with the tables and accounts of Slurm: made once for all processes that run the tests."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "slurm-database"
    with (shared / "slurm-database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            with Cluster(tmp_path_factory.mktemp("slurm") / "first", accounting=True) as first:
                first.keep_database(folder)
    return folder


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory, database: Path) -> Iterator[Cluster]:
    """The cluster of all tests that break nothing."""
    with Cluster(tmp_path_factory.mktemp("slurm") / "shared", accounting=True, database=database) as made:
        yield made


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with accounting that other tests had before: its daemons stay as they are, its jobs end with the test.

    Ids go on, and squeue, sacct and submissions still show the jobs of others: tests tell theirs by their names.
    """
    shared_cluster.commands.forget_calls()
    yield shared_cluster
    shared_cluster.commands.behave()
    shared_cluster.cancel_all()


@pytest.fixture
def own_cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clusters]:
    """Starts clusters that a test may break."""

    def database() -> Path:
        """Made where a test asks for accounting, and not before."""
        made = request.getfixturevalue("database")
        assert isinstance(made, Path)
        return made

    with ExitStack() as stack:
        yield Clusters(tmp_path, stack, database)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Places]:
    """Makes a place whose jobs go to a cluster, the test's own or that of all."""
    made: list[Submitting] = []

    def make(cluster: Cluster) -> Submitting:
        folder = tmp_path / f"place{len(made)}"
        folder.mkdir()
        made.append(Submitting(folder, cluster))
        return made[-1]

    yield make
    for place in made:
        place.close()
