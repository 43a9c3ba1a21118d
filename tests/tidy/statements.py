"""Statements that the house doesn't write: shared state, locks, and tests that sleep and hope."""

import ast
from collections.abc import Iterator
from typing import Final

from .source import Source

LOCKS: Final = frozenset({"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore"})
SLEEPERS: Final = frozenset({"time", "trio", "asyncio"})
VIRTUAL_CLOCKS: Final = frozenset({"autojump_clock", "mock_clock"})

# Tests that sleep all the same. Path: why nothing else would do.
ARGUED_SLEEPS: Final = {
    "tests/actors/stepping.py": "its `pause` asserts that the clock is a virtual one",
}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def global_statement(source: Source) -> Iterator[str]:
    """No function changes a module's variables: state has an owner."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Global):
            yield source.at(node, f"global {', '.join(node.names)}; give the state an owner and pass it")


def thread_lock(source: Source) -> Iterator[str]:
    """No locks: who owns a record is who may change it."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="threading" | "multiprocessing"), attr=name) if name in LOCKS:
                yield source.at(node, f"{name}; no locks: let one actor own it and send it messages")
            case ast.ImportFrom(module="threading" | "multiprocessing", names=names):
                for each in names:
                    if each.name in LOCKS:
                        yield source.at(node, f"{each.name}; no locks: let one actor own it and send it messages")
            case _:
                pass


def hopeful_sleep(source: Source) -> Iterator[str]:
    """A test waits for the thing itself, or on a virtual clock that a fixture names; it never sleeps and hopes."""
    if source.is_test and str(source.path) not in ARGUED_SLEEPS:
        yield from _sleeps(source, source.tree)


def _sleeps(source: Source, parent: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, _Function) and VIRTUAL_CLOCKS & {
            each.arg for each in node.args.args + node.args.kwonlyargs
        }:
            continue
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr="sleep") if module in SLEEPERS:
                yield source.at(node, f"{module}.sleep; wait for the thing itself, or take autojump_clock")
            case ast.ImportFrom(module=str(module), names=names) if module in SLEEPERS:
                if any(each.name == "sleep" for each in names):
                    yield source.at(node, f"sleep of {module}; wait for the thing itself, or take autojump_clock")
            case _:
                pass
        yield from _sleeps(source, node)
