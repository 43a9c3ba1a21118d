"""docs/api.md says what the code says, and its examples run."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from tests.system.processes import kill, runners_of
from tests.tree import ROOT

from .api_page import CHAPTERS, COMMAND, EXAMPLES, PAGE, page

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / EXAMPLES).read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for pid in list(runners_of(tmp_path / "work")):
        kill(pid)


def test_the_page_is_written_from_the_docstrings_as_they_are() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(), f"{PAGE} is stale; `{COMMAND}` writes it anew"


def test_signatures_name_types_without_their_modules() -> None:
    assert re.findall(r"holdfast(?:\.[a-z]+)*\.events\.[a-z]+\.[A-Z]\w*", page()) == []


def test_every_public_name_is_on_the_page() -> None:
    assert sorted(name for names in CHAPTERS.values() for name in names) == sorted(holdfast.__all__)


def test_every_public_name_and_method_has_a_docstring() -> None:
    def undocumented(name: str, found: object) -> Iterator[str]:
        if not inspect.getdoc(found):
            yield name
        if inspect.isclass(found):
            for member, value in vars(found).items():
                if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    yield from undocumented(f"{name}.{member}", value)

    assert [each for name in holdfast.__all__ for each in undocumented(name, getattr(holdfast, name))] == []


@pytest.mark.parametrize("example", BLOCKS, ids=lambda block: re.findall(r"holdfast\.(\w+)", block)[0])
def test_the_examples_run(folder: Path, example: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_names_are_listed_also_before_they_are_imported() -> None:
    assert {*holdfast.__all__, "__version__"} <= {*dir(holdfast)}
    assert [name for name in dir(holdfast) if name.startswith("_") and not name.startswith("__")] == []


def test_a_misspelt_name_is_an_error_for_type_checkers_too() -> None:
    package = ast.parse(inspect.getsource(holdfast))
    seen = [each.name for each in package.body if isinstance(each, ast.FunctionDef)]
    assert "__getattr__" not in seen, "a checker that sees it at the top takes every name for one that is there"
    with pytest.raises(AttributeError, match="facts"):
        getattr(holdfast, "facts")  # noqa: B009 - a name that is not there, which checkers refuse
