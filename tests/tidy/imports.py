"""Imports: which way they point, how they are written, and what some modules may not import at all."""

import ast
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from .source import LAYERS, Source

# The facts and the pure functions over them see no clock, no system and no network, so they may import only these.
PURE_MODULES: Final = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "hmac",
        "heapq",
        "itertools",
        "math",
        "msgspec",
        "operator",
        "random",
        "re",
        "string",
        "struct",
        "textwrap",
        "types",
        "typing",
    }
)

# Where `Any` comes from a library's own signatures. Path: which library, and why it can't be narrowed there.
ANY_FORCED: Final[dict[str, str]] = {}

# Modules that must know asyncio. Path: why.
ASYNCIO_HOME: Final[dict[str, str]] = {
    "api/loops.py": "a program that embeds Holdfast may run on asyncio itself",
    "benchmarks/bare_asyncssh.py": "asyncssh on its own is what it measures",
}

# A layer may import what stands before it. The exception is `python -m holdfast`, which is the command line.
ENTRY: Final = "api/__main__.py"

# Modules that are run or sent, never imported. Path: by whom.
ENTRY_POINTS: Final = {
    "actors/runner.py": "sent to hosts as a file",
    "api/__main__.py": "python -m holdfast",
    "api/pytest_fixture.py": "named by the conftest.py of those who want it",
    "cli/main.py": "the command holdfast",
    "store/memory.py": "the store's twin for tests; it passes the store's own suite, so it lives beside it",
    "tests/system/clocked.py": "the program that jobs of tests run",
    "benchmarks/__main__.py": "python -m benchmarks, ./dev bench",
    "benchmarks/limits/point.py": "python -m benchmarks.limits.point, a process for each point of a sweep",
    "tests/simulation/__main__.py": "python -m tests.simulation, ./dev sim",
}

# Files whose strings name modules in the folder `commands` beside them, imported when they are needed. Path: why so.
NAMES_MODULES: Final = {
    "cli/arguments.py": "its table names the module of each command, so that one command's start doesn't pay for all",
}


class Import(NamedTuple):
    """One imported name: `from module import name`, or `import module` without; `level` counts the leading dots."""

    node: ast.Import | ast.ImportFrom
    module: str
    name: str | None
    level: int


def imports(source: Source) -> Iterator[Import]:
    """Yield what `source` imports, anywhere in it, with relative modules made absolute."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node, each.name, None, 0) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                kept = source.package.split(".")[: len(source.package.split(".")) - node.level + 1]
                module = ".".join([*kept, *([module] if module else [])])
            yield from (Import(node, module, each.name, node.level) for each in node.names)


def _layer_of(module: str) -> str | None:
    first, *rest = module.split(".")
    if first != "holdfast":
        return None
    return rest[0] if rest and rest[0] in LAYERS else "api"


def wrong_direction(source: Source) -> Iterator[str]:
    """Imports point one way: cli -> api -> actors -> store -> events, and never to tests, benchmarks or examples."""
    if source.layer is None or str(source.path) == ENTRY:
        return
    for found in imports(source):
        target = _layer_of(found.module)
        if found.module == "holdfast" and found.name in LAYERS:
            target = found.name
        if target is not None and LAYERS.index(target) > LAYERS.index(source.layer):
            yield source.at(found.node, f"{source.layer} imports {target}; imports point down: {' <- '.join(LAYERS)}")
        if found.module.split(".")[0] in {"tests", "benchmarks", "examples"}:
            yield source.at(found.node, f"the product imports {found.module}, which isn't installed with it")


def wrong_form(source: Source) -> Iterator[str]:
    """Inside a folder imports are relative, across folders absolute: otherwise checkers see two of each class."""
    for found in imports(source):
        if found.level == 0 and found.module.split(".")[0] in LAYERS:
            yield source.at(found.node, f"{found.module} is a folder; it is installed as holdfast.{found.module}")
        if source.layer is None:
            continue
        target = _layer_of(found.module)
        if found.level == 0 and target == source.layer and str(source.path) != ENTRY:
            yield source.at(found.node, f"{found.module} is in the same folder; import it relatively")
        if found.level > 0 and target != source.layer:
            yield source.at(found.node, f"the dots lead out of {source.layer}; import across folders absolutely")


def impure_events(source: Source) -> Iterator[str]:
    """events/ imports nothing that could look at a clock, a file, a process or a network, nor calls such a thing."""
    if source.layer != "events":
        return
    for found in imports(source):
        if found.level == 0 and found.module.split(".")[0] not in PURE_MODULES:
            yield source.at(found.node, f"events imports {found.module}; it may import only what is pure")
        if found.module == "random" and found.name not in {None, "Random"}:
            yield source.at(found.node, f"random.{found.name} can't be replayed; take a random.Random as a parameter")
    modules = {found.module for found in imports(source) if found.name is None}
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(
                value=ast.Name(id="date" | "datetime") | ast.Attribute(attr="date" | "datetime"),
                attr="now" | "utcnow" | "today" as name,
            ):
                yield source.at(node, f".{name} looks at a clock; take the time as a parameter, in microseconds")
            case ast.Attribute(value=ast.Name(id="random"), attr=name) if "random" in modules and name != "Random":
                yield source.at(node, f"random.{name} can't be replayed; take a random.Random as a parameter")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as name)):
                yield source.at(node, f"{name}() is input or output; events does none")
            case _:
                pass


def unargued_import(source: Source) -> Iterator[str]:
    """`Any` stands only where a library forces it, and asyncio only where a library needs its loop."""
    path = str(source.path)
    for found in imports(source):
        if found.module == "typing" and found.name == "Any" and path not in ANY_FORCED:
            yield source.at(found.node, "Any, which no library is known to force here; say the type, or `object`")
        if found.module.split(".")[0] == "asyncio" and path not in ASYNCIO_HOME:
            yield source.at(found.node, "asyncio; everything speaks Trio but the one module that opens a loop")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "Any" and path not in ANY_FORCED:
            yield source.at(node, "Any, which no library is known to force here; say the type, or `object`")


def dead_files(sources: Iterable[Source]) -> Iterator[str]:
    """Every module of the product is imported by the product or is an entry point; every other one by anything."""
    known = list(sources)
    by_product = {name for each in known if each.layer for name in _imported_modules(each)}
    by_anything = {name for each in known for name in _imported_modules(each)}
    for source in known:
        name = source.path.name
        if name in {"__init__.py", "conftest.py"} or name.startswith("test_") or str(source.path) in ENTRY_POINTS:
            continue
        if source.path.parts[0] == "examples":
            continue
        if source.module not in (by_product if source.layer else by_anything):
            where = "in the product " if source.layer else ""
            yield source.at(1, f"nothing {where}imports this file; use it or remove it")


def _imported_modules(source: Source) -> Iterator[str]:
    for found in imports(source):
        yield found.module
        if found.name is not None:
            yield f"{found.module}.{found.name}"
    if str(source.path) in NAMES_MODULES:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{source.package}.commands.{node.value}"
