"""How much an installation of the core takes on disk: Holdfast and all that it needs, by what each package recorded.

What pip wrote into a package's RECORD is what it installed, byte code included; the sizes are those of the files now.
Packages are followed from Holdfast's own requirements to those of their requirements, extras only where asked for.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.benchmark import Benchmark
from benchmarks.results import Measurement, Scale

BUDGET_MB: Final = 60
ITSELF: Final = "holdfast"
_FOLDERS: Final = ("actors", "api", "cli", "events", "store")
_ROOT: Final = Path(__file__).parent.parent
_PYC_HEADER_BYTES: Final = 16
_MB: Final = 1_000_000


class _Project(msgspec.Struct):
    dependencies: list[str]


class _Settings(msgspec.Struct):
    project: _Project


def needed(name: str = ITSELF) -> dict[str, Distribution]:
    """The packages that this one needs here, itself first, by name."""
    found: dict[str, Distribution] = {}
    wanted = [(name, frozenset[str]())]
    asked: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        each, extras = wanted.pop(0)
        if (each, extras) in asked:
            continue
        asked.add((each, extras))
        found.setdefault(each, distribution(each))
        lines = own_requirements() if each == ITSELF else found[each].requires
        wanted += requirements(lines or (), extras)
    return found


def own_requirements() -> list[str]:
    """What pyproject.toml asks for now; what was installed with links may be older."""
    text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_Settings).project.dependencies


def requirements(lines: Iterable[str], extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """The names and extras that these requirements ask for on this machine."""
    parsed = (Requirement(line) for line in lines)
    # A marker is asked once for each extra, and once without.
    holding = (
        each
        for each in parsed
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in ("", *extras))
    )
    return [(canonicalize_name(each.name), frozenset(each.extras)) for each in holding]


def installed_bytes(found: Distribution) -> int:
    """What the files of a package take that is installed from a wheel."""
    paths = (Path(str(found.locate_file(file))) for file in found.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def own_bytes() -> int:
    """What Holdfast's own files take, with their byte code; from the tree, as here it may be installed as links."""
    total = 0
    for path in (path for folder in _FOLDERS for path in (_ROOT / folder).rglob("*") if path.is_file()):
        if path.suffix == ".py":
            text = path.read_bytes()
            total += len(text) + _PYC_HEADER_BYTES + len(marshal.dumps(compile(text, path.name, "exec")))
        elif path.suffix == ".sql":
            total += path.stat().st_size
    return total


def measure(_: Scale) -> Sequence[Measurement]:
    """A line for each package, the largest first, and their sum."""
    sizes = {name: installed_bytes(found) for name, found in needed().items() if name != ITSELF}
    sizes[ITSELF] = own_bytes()
    largest = sorted(sizes.items(), key=lambda item: -item[1])
    total = Measurement(
        name="the core and all it needs",
        unit="MB",
        better="lower",
        samples=(sum(sizes.values()) / _MB,),
        budget=BUDGET_MB,
        budget_on="median",
        portable=True,
    )
    parts = (
        Measurement(name=name, unit="MB", better="lower", samples=(size / _MB,), portable=True, loose=True)
        for name, size in largest
    )
    return [total, *parts]


BENCHMARK: Final = Benchmark("footprint", "The installed size of the core and all that it needs.", measure)
