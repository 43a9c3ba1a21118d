"""A file as the rules see it: its path in the project, its text, and the syntax tree of a Python file."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

import pytest

from tests.tree import ROOT, project_files

# From the bottom up: a folder may import those before it, and nothing after it.
LAYERS: Final = ("events", "store", "actors", "api", "cli")


class Source:
    """One file of the project, or a sample that a test made up."""

    def __init__(self, path: str, text: str) -> None:
        self.path = PurePosixPath(path)
        self.text = text

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; raises SyntaxError if the file is no Python."""
        return ast.parse(self.text)

    @property
    def layer(self) -> str | None:
        """The folder of the installed package that holds the file; None for tests, benchmarks and examples."""
        return self.path.parts[0] if self.path.parts[0] in LAYERS else None

    @property
    def package(self) -> str:
        """The name under which the file's folder is imported: `holdfast.store` for store/, `tests.tidy` for this."""
        parts = list(self.path.parent.parts)
        if self.layer is not None:
            parts = ["holdfast", *(parts if parts[0] != "api" else parts[1:])]
        return ".".join(parts)

    @property
    def module(self) -> str:
        """The name under which the file itself is imported."""
        return self.package if self.path.name == "__init__.py" else f"{self.package}.{self.path.stem}"

    @property
    def is_test(self) -> bool:
        """Whether the file is under tests/."""
        return self.path.parts[0] == "tests"

    def at(self, node: ast.AST | int, finding: str) -> str:
        """Say where `finding` is: path and line of a node, or a line number."""
        line = node if isinstance(node, int) else getattr(node, "lineno", 1)
        return f"{self.path}:{line}: {finding}"


Rule = Callable[[Source], Iterator[str]]


def none(findings: Iterable[str]) -> None:
    """Fail the test, naming every finding, unless there is none."""
    found = list(findings)
    if found:
        pytest.fail("\n".join([f"{len(found)} findings:", *found]), pytrace=False)


def text_sources() -> list[Source]:
    """Return every text file of the project.

    The links of .types/ are left out, for they show the same files again; pictures, for programs write them.
    """
    sources: list[Source] = []
    for path in project_files():
        if path.parts[0] == ".types" or path.suffix == ".svg":
            continue
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            sources.append(Source(path.as_posix(), content.decode()))
    return sources


def python_sources() -> list[Source]:
    """Return every Python file of the project."""
    return [source for source in text_sources() if source.path.suffix == ".py"]
