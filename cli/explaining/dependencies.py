"""Why a job waits: what it depends on, how that stands, and what is at the root of it all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.events.draft import Dependency
from holdfast.events.graph import Kind, Verdict, judge
from holdfast.events.records import Job
from holdfast.events.states import FINAL, Launching, Running, Waiting, name_of

from ..screen.amounts import list_text
from .hindrance import Conclusion, Hindrance
from .scene import Scene

VISITED_MAX: Final = 10_000
_SHOWN: Final = 4
_TO: Final = {Kind.AFTER: "succeed", Kind.AFTER_ANY: "end", Kind.AFTER_FAILED: "fail"}

Conclude = Callable[[Scene, Job, str], Conclusion]


def wait_of(scene: Scene, job: Job, subject: str, conclude: Conclude) -> Conclusion:
    """What a waiting job waits for; `conclude` explains the job at the root."""
    stored, _ = scene.since(job.id)
    unmet = _unmet(scene, job.id)
    since = f"{subject} waits since {scene.clock(stored.time)} (event {stored.seq})"
    if not unmet:
        return Conclusion(f"{since}, but all that it depends on is there; the next supervisor to run lets it go on.")
    told = [_told(scene, each) for each in unmet]
    shown = [each.what for each in told[:_SHOWN]]
    if len(told) > len(shown):
        shown.append(f"and {len(told) - len(shown):,} more")
    text = f"{since} for {'; '.join(shown)}."
    roots, complete = _roots(scene, job.id)
    direct = {each.needed for each in unmet}
    # That a job runs was said, if it is one of those that this one waits for itself.
    deeper = [
        each for each in roots if each not in direct or not isinstance(scene.job(each).state, Launching | Running)
    ]
    if deeper:
        text += " " + _root_text(scene, deeper, conclude)
    if not complete:
        text += f" Only {VISITED_MAX:,} of the jobs that it comes down to were looked at: there are more behind them."
    return Conclusion(text, told)


def _root_text(scene: Scene, roots: list[int], conclude: Conclude) -> str:
    root = scene.job(roots[0])
    name = scene.names(root.id)
    why = conclude(scene, root, name).text
    if len(roots) == 1:
        return f"At the root of it: {why}"
    return f"At the root of it are {list_text([scene.names(each) for each in roots], _SHOWN)}: {why}"


def _unmet(scene: Scene, job: int) -> list[Dependency]:
    return [each for each in scene.reader.lookups.dependencies(job) if not _is_met(scene, each)]


def _is_met(scene: Scene, dependency: Dependency) -> bool:
    state = scene.job(dependency.needed).state
    return isinstance(state, FINAL) and judge(dependency.kind, state) is Verdict.MET


def _told(scene: Scene, dependency: Dependency) -> Hindrance:
    needed = scene.job(dependency.needed)
    stored, _ = scene.since(needed.id)
    what = f"{scene.names(needed.id)} to {_TO[dependency.kind]}, which is {name_of(needed.state)} (event {stored.seq})"
    return Hindrance("dependency", what, needed.id, stored.seq)


def _roots(scene: Scene, job: int) -> tuple[list[int], bool]:
    """The jobs that wait for nothing themselves, which all that `job` waits for comes down to, by id; whether all."""
    seen = {job}
    todo = [job]
    roots: set[int] = set()
    while todo and len(seen) < VISITED_MAX:
        for each in _unmet(scene, todo.pop()):
            if each.needed in seen:
                continue
            seen.add(each.needed)
            if isinstance(scene.job(each.needed).state, Waiting):
                todo.append(each.needed)
            else:
                roots.add(each.needed)
    return sorted(roots), not todo
