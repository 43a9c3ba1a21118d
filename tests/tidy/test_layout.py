"""pyproject.toml, the links of .types/ and the folders agree, and each disagreement is seen."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tree import ROOT

from .layout import folders_without_init, shadowing_folder, too_new_for_hosts, unmapped_packages, wrong_links
from .source import LAYERS, none

CHECKS = [unmapped_packages, wrong_links, shadowing_folder, folders_without_init]


@pytest.mark.parametrize("check", CHECKS)
def test_the_layout_is_the_designs(check: Callable[[Path], Iterator[str]]) -> None:
    none(check(ROOT))


def test_the_runners_syntax_suits_the_oldest_hosts() -> None:
    none(too_new_for_hosts((ROOT / "actors" / "runner.py").read_text()))


def test_syntax_that_is_too_new_for_hosts_is_seen() -> None:
    assert list(too_new_for_hosts("if (size := 1):\n    pass\n"))
    assert list(too_new_for_hosts("size: int = 1\n")) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project that keeps to the layout."""
    for folder in LAYERS:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
        (tmp_path / folder / "py.typed").touch()
    links = tmp_path / ".types" / "holdfast"
    links.mkdir(parents=True)
    for name in ("actors", "cli", "events", "store", "api/__init__.py", "api/py.typed"):
        (links / Path(name).name).symlink_to(f"../../{name}")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.setuptools]\n"
        'packages = ["holdfast", "holdfast.actors", "holdfast.cli", "holdfast.events", "holdfast.store"]\n'
        'package-dir = { "holdfast" = "api", "holdfast.actors" = "actors", "holdfast.cli" = "cli", '
        '"holdfast.events" = "events", "holdfast.store" = "store" }\n'
    )
    return tmp_path


@pytest.mark.parametrize("check", CHECKS)
def test_a_project_that_keeps_to_the_layout_passes(check: Callable[[Path], Iterator[str]], project: Path) -> None:
    assert list(check(project)) == []


def test_a_folder_that_is_not_installed_is_seen(project: Path) -> None:
    (project / "actors" / "targets").mkdir()
    (project / "actors" / "targets" / "__init__.py").touch()
    assert "holdfast.actors.targets" in "".join(unmapped_packages(project))


def test_a_package_without_types_is_seen(project: Path) -> None:
    (project / "store" / "py.typed").unlink()
    assert "store/py.typed" in "".join(unmapped_packages(project))


def test_a_file_of_the_api_without_a_link_is_seen(project: Path) -> None:
    (project / "api" / "client.py").touch()
    assert "client.py: should be a link to ../../api/client.py" in "".join(wrong_links(project))


def test_a_link_too_many_is_seen(project: Path) -> None:
    (project / ".types" / "holdfast" / "web").symlink_to("../../web")
    assert "web: should not be there" in "".join(wrong_links(project))


def test_a_copy_in_place_of_a_link_is_seen(project: Path) -> None:
    link = project / ".types" / "holdfast" / "__init__.py"
    link.unlink()
    link.touch()
    assert "is no link" in "".join(wrong_links(project))


def test_a_folder_that_shadows_the_installed_package_is_seen(project: Path) -> None:
    (project / "holdfast").mkdir()
    assert list(shadowing_folder(project))


def test_a_folder_of_python_files_without_init_is_seen(project: Path) -> None:
    (project / "tests" / "store").mkdir(parents=True)
    (project / "tests" / "store" / "test_append.py").touch()
    assert "tests/store" in "".join(folders_without_init(project))
