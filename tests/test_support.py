"""What the tests stand on: which files are the project's, and how a missing tool is dealt with."""

import subprocess
from pathlib import Path

import pytest

from tests.tools import need
from tests.tree import project_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a file, a link, and what runs leave behind."""
    for name in (
        "store/log.py",
        "store/__pycache__/log.pyc",
        ".venv/bin/python",
        "a.egg-info/PKG-INFO",
        ".mypy_cache/x",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".types").mkdir()
    (tmp_path / ".types" / "store").symlink_to("../store")
    return tmp_path


def test_without_a_repository_what_runs_leave_behind_is_left_out(project: Path) -> None:
    assert project_files(project) == [Path(".types/store"), Path("store/log.py")]


def test_in_a_repository_its_gitignore_decides(project: Path) -> None:
    need("git", "install git")
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    (project / ".gitignore").write_text(".venv/\n__pycache__/\n*.egg-info/\n.mypy_cache/\nsecret\n")
    (project / "secret").touch()
    assert project_files(project) == [Path(".gitignore"), Path(".types/store"), Path("store/log.py")]


def test_a_damaged_repository_is_as_good_as_none(project: Path) -> None:
    (project / ".git").write_text("gitdir: nowhere\n")
    assert project_files(project)[-1] == Path("store/log.py")


def test_a_tool_that_is_there_is_named_by_its_path() -> None:
    assert Path(need("sh", "it is part of every system")).is_absolute()


def test_a_missing_tool_skips_the_test_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDFAST_NO_SKIP", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"'no-such-tool' is missing.*build it"):
        need("no-such-tool", "build it")


def test_a_missing_tool_fails_the_test_where_nothing_may_be_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_NO_SKIP", "1")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped"):
        need("no-such-tool", "build it")
