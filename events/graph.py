"""The dependency graph: its one validator, and what the end of a job means for those that depend on it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Final, TypeVar

from .errors import BadInput
from .states import Cancelled, Failed, FinalState, Lost, Skipped, Succeeded

N = TypeVar("N", bound=Hashable)


class Kind(IntEnum):
    """What a dependency asks of the job that it names."""

    AFTER = 0
    AFTER_ANY = 1
    AFTER_FAILED = 2

    @property
    def key(self) -> str:
        """The key in a flow: `after`, `after_any`, `after_failed`."""
        return KEYS[self]


KEYS: Final = ("after", "after_any", "after_failed")


class Verdict(IntEnum):
    """What the end of a job means for one that depends on it."""

    MET = 0
    NEVER = 1
    UNNEEDED = 2


def judge(kind: Kind, end: FinalState) -> Verdict:
    """Whether a dependency of this kind is met by this end, can never be, or has simply become unneeded.

    | end        | after    | after_any | after_failed |
    |------------|----------|-----------|--------------|
    | succeeded  | met      | met       | unneeded     |
    | failed     | never    | met       | met          |
    | cancelled  | never    | met       | never        |
    | lost       | never    | met       | never: it is not known to have failed |
    | skipped    | never    | met       | never        |
    | skipped as unneeded | unneeded | met | unneeded |
    """
    if kind is Kind.AFTER_ANY:
        return Verdict.MET
    match end:
        case Succeeded():
            return Verdict.MET if kind is Kind.AFTER else Verdict.UNNEEDED
        case Failed():
            return Verdict.MET if kind is Kind.AFTER_FAILED else Verdict.NEVER
        case Skipped(unneeded=True):
            return Verdict.UNNEEDED
        case Cancelled() | Lost() | Skipped():
            return Verdict.NEVER


def validate(names: Sequence[N], dependencies: Mapping[N, Sequence[tuple[str, N]]], known: Iterable[N] = ()) -> None:
    """Check a set of jobs and what each depends on, given as (key, name) pairs.

    `known`: names outside of the set that may be depended on. Raises BadInput for the first duplicate, unknown name,
    self-dependency or cycle, the latter written out as `a -> b -> a` (read: a waits for b, which waits for a).
    """
    places: dict[N, int] = {}
    for place, name in enumerate(names):
        if places.setdefault(name, place) != place:
            problem = f"the name {name!r} is given to more than one job"
            raise BadInput(problem, where=f"jobs.{name}", remedy="names must be unique within a flow")
    outside = set(known)
    backwards = True
    for name, place in places.items():
        for key, needed in dependencies.get(name, ()):
            before = places.get(needed)
            if before is not None and before < place:
                continue
            backwards = backwards and before is None
            if before == place:
                problem = f"{name!r} depends on itself"
                raise BadInput(problem, where=f"jobs.{name}.{key}", remedy="take it out of its own list")
            if before is None and needed not in outside:
                raise _unknown(name, key, needed, places)
    if backwards:
        return  # each job names only jobs before it, so none can come round to itself
    cycle = find_cycle({name: [each for _, each in dependencies.get(name, ()) if each in places] for name in names})
    if cycle:
        written = " -> ".join(str(name) for name in cycle)
        problem = f"dependencies go round in a circle: {written}"
        raise BadInput(problem, where=f"jobs.{cycle[0]}", remedy="take one of these dependencies out")


def find_cycle(edges: Mapping[N, Sequence[N]]) -> list[N]:
    """A cycle as `[a, b, a]`, or an empty list. Depth-first with a stack of its own, so any depth is fine."""
    done: set[N] = set()
    for start in edges:
        if start in done:
            continue
        path: list[N] = [start]
        on_path = {start}
        todo = [iter(edges[start])]
        while todo:
            following = next(todo[-1], None)
            if following is None:
                todo.pop()
                last = path.pop()
                on_path.discard(last)
                done.add(last)
            elif following in on_path:
                return [*path[path.index(following) :], following]
            elif following not in done:
                path.append(following)
                on_path.add(following)
                todo.append(iter(edges[following]))
    return []


def _unknown(name: N, key: str, needed: N, there: Iterable[N]) -> BadInput:
    from difflib import get_close_matches  # noqa: PLC0415 - 3 ms to import, needed only to word this error

    close = get_close_matches(str(needed), [str(each) for each in there], n=1)
    remedy = f"did you mean {close[0]!r}?" if close else "name a job of this flow"
    return BadInput(f"there is no job {needed!r}", where=f"jobs.{name}.{key}", remedy=remedy)
