"""Docstrings and names: every file and public thing says what it is, and no module is named for being a drawer."""

import ast
from collections.abc import Iterator
from typing import Final

from .source import Source

DRAWERS: Final = frozenset({"common", "helper", "helpers", "misc", "util", "utils"})

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# An override inherits its docstring, a setter and an overload share one.
_DOCUMENTED_ELSEWHERE: Final = frozenset({"override", "overload", "setter", "deleter"})


def file_without_docstring(source: Source) -> Iterator[str]:
    """A file says in its first lines what it is for."""
    if not (ast.get_docstring(source.tree) or "").strip():
        yield source.at(1, "no docstring; say in the first lines what the file is for")


def public_name_without_docstring(source: Source) -> Iterator[str]:
    """Outside of tests every public function, class and method has a docstring."""
    if not source.is_test:
        yield from _undocumented(source, source.tree, "")


def _undocumented(source: Source, parent: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, _Definition) or node.name.startswith("_") or _is_documented_elsewhere(node):
            continue
        if not ast.get_docstring(node):
            yield source.at(node, f"{prefix}{node.name} is public and has no docstring; say what it does, or hide it")
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(source, node, f"{prefix}{node.name}.")


def _is_documented_elsewhere(node: _Definition) -> bool:
    names = (each.attr if isinstance(each, ast.Attribute) else getattr(each, "id", "") for each in node.decorator_list)
    return any(name in _DOCUMENTED_ELSEWHERE for name in names)


def drawer(source: Source) -> Iterator[str]:
    """A module or folder is named for what it holds."""
    for part in source.path.with_suffix("").parts:
        if part in DRAWERS:
            yield source.at(1, f"{part!r} names a drawer; name the file for the one thing in it")
