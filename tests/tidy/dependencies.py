"""Dependencies: each that pyproject.toml or requirements.in names is pinned in the lock and argued for in the docs."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec


class _Project(msgspec.Struct, rename="kebab"):
    dependencies: list[str]
    optional_dependencies: dict[str, list[str]]


class _Settings(msgspec.Struct):
    project: _Project


def direct_dependencies(root: Path) -> list[str]:
    """Return the names of the packages that the project below `root` asks for, to run and to be worked on, sorted."""
    project = msgspec.convert(tomllib.loads((root / "pyproject.toml").read_text()), _Settings).project
    asked = [*project.dependencies, *(each for extra in project.optional_dependencies.values() for each in extra)]
    asked += [line for line in (root / "requirements.in").read_text().splitlines() if line and not line.startswith("#")]
    return sorted(re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in asked)


def unpinned(root: Path) -> Iterator[str]:
    """Every direct dependency is in requirements.lock, and every package there is pinned with its hashes."""
    text = (root / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    for name in direct_dependencies(root):
        if name not in pinned:
            yield f"requirements.lock: {name} is missing; renew the lock as requirements.in says"
    for block in re.split(r"\n(?=\S)", text):
        if not re.search(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", block):
            yield f"requirements.lock: {block.splitlines()[0]!r} is not a version with its hashes"


def unargued(root: Path) -> Iterator[str]:
    """Every direct dependency has a line in docs/dependencies.md: what for, what else was considered, how large."""
    argued = set(re.findall(r"^\| ([a-z0-9-]+) \|", (root / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    for name in direct_dependencies(root):
        if name not in argued:
            yield f"docs/dependencies.md: no line on {name}; say what it is for and what else was considered"
