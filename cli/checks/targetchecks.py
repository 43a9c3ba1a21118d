"""`doctor` looks at one target elsewhere, before its first job: the way there, and what is behind it.

The supervisor looks, as it is the one that has the connection. Where none is at work, one is started for as long as it
takes; it starts no job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from holdfast.client import ask, deliver, supervisor_lives
from holdfast.events.errors import BadInput, Unavailable
from holdfast.events.messages import Configure, Inspect, Inspected, JobKind
from holdfast.events.spec import JobSpec
from holdfast.store.errors import NoHome
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..flows.flowfile import read_flow
from ..reading.dialling import NO_SUPERVISOR, dial
from ..reading.hostlist import HostLine, host_lines
from .checkup import Finding, Level, ok, wrong

T = TypeVar("T")

_LEVELS: Final = {"ok": Level.OK, "warning": Level.WARNING, "wrong": Level.WRONG}


def check_target(home: Home, name: str, kinds: tuple[JobKind, ...] = ()) -> tuple[list[Finding], bool]:
    """What there is to say of it, and whether it could be reached. Raises BadInput if there is no such target.

    `kinds`: of the jobs that are to go there.
    """
    check_known(home, name)
    if supervisor_lives(home):
        return _look(home, name, kinds)
    return _supervised(home, lambda: _look(home, name, kinds))


def declare(home: Home, flow: Path, name: str) -> tuple[JobKind, ...]:
    """Have the home know the target that a flow declares, and nothing else of it; returns the kinds of its jobs there.

    Raises BadInput.
    """
    read = read_flow(flow)
    spec = read.targets.get(name)
    if spec is None:
        raise BadInput(f"the flow declares no target {name!r}", where=str(flow), remedy=f"give it a [targets.{name}]")
    ssh = {} if spec.ssh is None else {name: spec.ssh}
    slurm = {} if spec.slurm is None else {name: spec.slurm}
    deliver(home, Configure({name: spec.capacity}, ssh, slurm))
    return () if spec.slurm is None else _kinds([job for job in read.jobs if job.target == name])


def _kinds(jobs: Iterable[JobSpec]) -> tuple[JobKind, ...]:
    """Jobs that ask for the same, as one kind each, in the order of their first."""
    found: dict[bytes, JobKind] = {}
    for job in jobs:
        asked = JobSpec("true", needs=job.needs, timeout_us=job.timeout_us, sbatch=job.sbatch)
        key = msgspec.json.encode(asked, order="sorted")
        before = found.get(key) or JobKind(replace(asked, name=job.name), 0)
        found[key] = replace(before, jobs=before.jobs + 1)
    return tuple(found.values())


def check_known(home: Home, name: str) -> None:
    """Check that the home has such a target elsewhere. Raises BadInput."""
    try:
        with Reader(home) as reader:
            there = [line.name for line in host_lines(reader) if line.kind != "allocation"]
    except NoHome:
        there = []
    if name not in there:
        known = f"there are: {', '.join(there)}" if there else "none is known here yet"
        remedy = f"{known}; `holdfast doctor {name} --flow FLOW` takes it from a flow that declares it"
        raise BadInput(f"there is no target {name!r} elsewhere", remedy=remedy)


def _look(home: Home, name: str, kinds: tuple[JobKind, ...]) -> tuple[list[Finding], bool]:
    (line,) = dial(home, [name])
    if line.state != "up":
        return [_not_up(line)], False
    answer = ask(home, Inspect(name, kinds))
    if answer is None:
        raise Unavailable(NO_SUPERVISOR)
    assert isinstance(answer, Inspected), "a wish to look is answered by what was seen"
    found = [Finding(_LEVELS[each.level], each.what, each.remedy) for each in answer.findings]
    return [_up(line), *found], True


def _up(line: HostLine) -> Finding:
    if line.host is None:
        return ok(f"the runner of {line.name} on this machine answers")
    latency = "" if line.latency_ms is None else f" in {line.latency_ms:.0f} ms"
    return ok(f"{line.host} lets you in, and the runner there answers{latency}")


def _not_up(line: HostLine) -> Finding:
    what = f"{line.host or line.name} can't be reached: {line.reason or f'it is {line.state} after a minute'}"
    if line.fingerprint is not None:
        return wrong(what, f"holdfast hosts trust {line.name} --fingerprint {line.fingerprint}")
    if line.state == "needs-you":
        return wrong(what, f"`holdfast hosts connect {line.name}`, while `holdfast serve` is running")
    return wrong(what, f"see that `ssh {line.host}` works" if line.host else "")


def _supervised(home: Home, look: Callable[[], T]) -> T:
    """Look with a supervisor of our own, which starts nothing."""
    import trio  # noqa: PLC0415 - only here: other commands start without it

    from holdfast.supervisor import open_onlooker  # noqa: PLC0415

    async def supervise() -> T:
        async with open_onlooker(home):
            return await trio.to_thread.run_sync(look)

    return trio.run(supervise)
