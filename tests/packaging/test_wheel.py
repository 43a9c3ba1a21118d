"""The wheel that is built from the project's files alone installs, runs, and holds what it must."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from holdfast import __version__
from tests.tools import refuse
from tests.tree import ROOT, project_files

from .environments import locked_runtime, make_environment, newer_pythons, pip, run, show_packages_of_this

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without network from a copy that holds the project's own files and nothing else."""
    copy, built = tmp_path_factory.mktemp("clean copy"), tmp_path_factory.mktemp("wheel")
    for path in project_files():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, copy / path, follow_symlinks=False)
    ran = pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", built, ".", cwd=copy)
    assert ran.code == 0, ran.output
    (found,) = built.glob("*.whl")
    return found


def assert_it_runs(python: Path, folder: Path) -> None:
    """Check that the Holdfast installed beside `python` answers in the empty `folder`."""
    folder.mkdir()
    ran = run(python.parent / "holdfast", "--version", cwd=folder)
    assert (ran.code, ran.output.strip()) == (0, f"holdfast {__version__}")
    ran = run(python, "-W", "error", "-m", "holdfast", "--help", cwd=folder)
    assert ran.code == 0, ran.output
    assert "usage" in ran.output.lower()
    ran = run(python, "-c", "import holdfast; print(holdfast.__file__)", cwd=folder)
    assert ran.output.startswith(str(python.parent.parent)), "the environment runs another Holdfast than its own"


def test_the_wheel_runs_where_only_its_dependencies_are(wheel: Path, tmp_path: Path) -> None:
    python = make_environment(sys.executable, tmp_path / "environment")
    show_packages_of_this(python)
    ran = pip("--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    assert ran.code == 0, ran.output
    assert_it_runs(python, tmp_path / "empty")


def test_the_wheel_runs_on_every_newer_python_of_the_machine(wheel: Path, tmp_path: Path) -> None:
    pythons = newer_pythons()
    if not pythons:
        pytest.skip("NO newer Python was found on this machine: the wheel was tried on one version only")
    (tmp_path / "runtime.lock").write_text(locked_runtime((ROOT / "requirements.lock").read_text()))
    for number, base in enumerate(pythons):
        python = make_environment(base, tmp_path / f"environment {number}")
        install = ("--python", python, "install", "--no-compile")
        ran = pip(*install, "--require-hashes", "-r", "runtime.lock", cwd=tmp_path)
        if ran.code != 0 and "connection" in ran.output.lower():
            refuse(f"the dependencies for {base.name} can't be fetched: the package index can't be reached")
        assert ran.code == 0, f"{base.name}:\n{ran.output}"
        ran = pip(*install, "--no-deps", "--no-index", wheel, cwd=tmp_path)
        assert ran.code == 0, f"{base.name}:\n{ran.output}"
        assert_it_runs(python, tmp_path / f"empty {number}")


def test_the_wheel_holds_every_module_and_data_file_and_nothing_else(wheel: Path) -> None:
    installed = {"actors", "api", "cli", "events", "store"}
    expected = {
        (Path("holdfast") / (path.relative_to("api") if path.parts[0] == "api" else path)).as_posix()
        for path in project_files()
        if path.parts[0] in installed and (path.suffix in {".py", ".sql", ".j2"} or path.name == "py.typed")
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected


@pytest.mark.parametrize("name", ["holdfast/py.typed", "holdfast/store/py.typed", "holdfast/actors/runner.py"])
def test_the_wheel_holds(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_names_its_licence_and_holds_it(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    assert "License-Expression: Apache-2.0" in archive.read(metadata).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
