"""The layout: what pyproject.toml installs, what the type checkers see and what stands in the folders are the same."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from .source import LAYERS

# The oldest Python of the hosts that the runner is sent to.
RUNNER_PYTHON: Final = (3, 6)


class _Setuptools(msgspec.Struct, rename="kebab"):
    packages: list[str]
    package_dir: dict[str, str]


class _Tool(msgspec.Struct):
    setuptools: _Setuptools


class _Project(msgspec.Struct):
    tool: _Tool


def folder_packages(root: Path) -> dict[str, str]:
    """Return the packages that the folders below `root` make, each with its folder, as pyproject.toml maps them."""
    found: dict[str, str] = {}
    for layer in LAYERS:
        for initial in sorted((root / layer).rglob("__init__.py")):
            folder = initial.parent.relative_to(root)
            below = folder.parts[1:] if layer == "api" else folder.parts
            found[".".join(["holdfast", *below])] = folder.as_posix()
    return found


def unmapped_packages(root: Path) -> Iterator[str]:
    """`packages` and `package-dir` in pyproject.toml name exactly the folders; sub-folders need no mapping."""
    settings = msgspec.convert(tomllib.loads((root / "pyproject.toml").read_text()), _Project).tool.setuptools
    folders = folder_packages(root)
    if sorted(settings.packages) != sorted(folders):
        yield f"pyproject.toml: packages are {sorted(settings.packages)}, the folders make {sorted(folders)}"
    expected = {name: folder for name, folder in folders.items() if "/" not in folder}
    if settings.package_dir != expected:
        yield f"pyproject.toml: package-dir is {settings.package_dir}, the folders make {expected}"
    for folder in folders.values():
        if "/" not in folder and not (root / folder / "py.typed").is_file():
            yield f"{folder}/py.typed: missing, so that those who install it get no types; make it, empty"


def wrong_links(root: Path) -> Iterator[str]:
    """.types/holdfast/ holds a relative link for each folder, and one for each file of api/, and nothing else."""
    links = root / ".types" / "holdfast"
    expected = {folder: f"../../{folder}" for folder in LAYERS if folder != "api"}
    files = [path for path in (root / "api").iterdir() if path.suffix == ".py" or path.name == "py.typed"]
    expected |= {path.name: f"../../api/{path.name}" for path in files}
    actual = {path.name: str(path.readlink()) if path.is_symlink() else "no link" for path in links.iterdir()}
    for name in sorted(expected.keys() | actual.keys()):
        if expected.get(name) != actual.get(name):
            wanted = f"should be a link to {expected[name]}" if name in expected else "should not be there"
            yield f".types/holdfast/{name}: {wanted}, is {actual.get(name, 'missing')}"


def shadowing_folder(root: Path) -> Iterator[str]:
    """No top folder or module is called `holdfast`: it would shadow the installed package."""
    for path in (root / "holdfast", root / "holdfast.py"):
        if path.exists():
            yield f"{path.name}: shadows the installed package; call it something else"


def folders_without_init(root: Path) -> Iterator[str]:
    """Every folder with Python files is a package, or checkers and pytest disagree about its name; not so examples."""
    for top in (*LAYERS, "tests", "benchmarks"):
        for folder in sorted({path.parent for path in (root / top).rglob("*.py") if "data" not in path.parts}):
            if not (folder / "__init__.py").is_file():
                yield f"{folder.relative_to(root)}: has Python files and no __init__.py that says what the folder is"


def too_new_for_hosts(text: str) -> Iterator[str]:
    """The runner's syntax is that of the oldest Python it is sent to."""
    try:
        ast.parse(text, feature_version=RUNNER_PYTHON)
    except SyntaxError as error:
        yield f"actors/runner.py:{error.lineno}: {error.msg}"
