"""Every dependency is pinned and argued for, and one that isn't is seen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tree import ROOT

from .dependencies import direct_dependencies, unargued, unpinned
from .source import none


@pytest.mark.parametrize("check", [unpinned, unargued])
def test_every_dependency_is_pinned_and_argued_for(check: Callable[[Path], Iterator[str]]) -> None:
    none(check(ROOT))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with three dependencies, all of them in order."""
    dependencies = (
        '[project]\ndependencies = ["trio>=0.35"]\noptional-dependencies = { dev = ["pyright[nodejs]>=1"] }\n'
    )
    (tmp_path / "pyproject.toml").write_text(dependencies)
    (tmp_path / "requirements.in").write_text("# builds it\nsetuptools>=77\n")
    pinned = [
        f"{name}==1.0 \\\n    --hash=sha256:00\n    # via holdfast\n" for name in ("pyright", "setuptools", "trio")
    ]
    (tmp_path / "requirements.lock").write_text("".join(pinned))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "dependencies.md").write_text("| trio | a |\n| pyright | b |\n| setuptools | c |\n")
    return tmp_path


def test_dependencies_in_order_pass(project: Path) -> None:
    assert direct_dependencies(project) == ["pyright", "setuptools", "trio"]
    assert [*unpinned(project), *unargued(project)] == []


def test_a_dependency_that_is_not_in_the_lock_is_seen(project: Path) -> None:
    (project / "requirements.in").write_text("setuptools>=77\nbuild\n")
    assert list(unpinned(project)) == ["requirements.lock: build is missing; renew the lock as requirements.in says"]
    assert len(list(unargued(project))) == 1


def test_a_package_without_hashes_is_seen(project: Path) -> None:
    with (project / "requirements.lock").open("a") as lock:
        lock.write("tqdm==4.70.1\n")
    assert "'tqdm==4.70.1' is not a version with its hashes" in "".join(unpinned(project))
