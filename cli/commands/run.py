"""`holdfast run`: be the supervisor until the flow has ended; if one lives on the home, hand the flow over and watch.

Whoever only watches takes over when the supervisor leaves before the flow has ended.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import trio
from msgspec.structs import replace

from holdfast.client import deliver
from holdfast.clusters import check_scripts
from holdfast.events.errors import BadInput, Unavailable
from holdfast.events.messages import Submit, Submitted
from holdfast.events.spec import LOCAL, FlowSpec, TargetSpec
from holdfast.store.errors import HomeLocked, NoHome
from holdfast.store.home import Home
from holdfast.store.lock import holder
from holdfast.store.reader import Reader

from ..flows.flowfile import read_flow
from ..running.supervising import Errand, announce, supervise
from ..running.watcher import watch
from ..screen.progress import Display, make_display
from .options import whole_number

SLOTS_MAX = 100_000


def execute(arguments: Namespace, home: Home) -> int:
    """Run; 0 if all succeeded, 1 if something did not, 130 if interrupted."""
    slots = slots_of(arguments)
    flow = None
    if arguments.flow is not None:
        flow = replace(read_flow(Path(arguments.flow)), again=arguments.again)
        if slots is not None:
            flow = _with_slots(flow, slots)
    elif slots is None or not home.path.exists():
        _must_exist(home)
    title = flow.name if flow is not None else "jobs"
    display = make_display(title, quiet=arguments.quiet, as_json=arguments.json)
    try:
        if flow is not None:
            check_scripts(home, flow)
        return _run(Errand(home, flow, None, slots, arguments.json, _newest_event(home)), display)
    except BadInput as error:
        if arguments.flow is None:
            raise
        # What only the home can tell, such as a need beyond its capacity, has no line; the file it has.
        file = "standard input" if arguments.flow == "-" else arguments.flow
        where = f"{file}: {error.where}" if error.where else file
        raise BadInput(error.problem, where=where, remedy=error.remedy) from None
    finally:
        display.close()


def _must_exist(home: Home) -> None:
    try:
        home.must_exist()
    except NoHome:
        problem = f"there is no home at {home.path}, so there is nothing to go on with"
        remedy = "give a flow, as in `holdfast run flow.toml` (`holdfast run --help` shows one), or another --home"
        raise BadInput(problem, remedy=remedy) from None


def _newest_event(home: Home) -> int | None:
    """The position of the newest event; None where there is no log yet, or none that can be read as it is."""
    try:
        with Reader(home) as reader:
            return reader.seq
    except Unavailable:
        return None


def _run(errand: Errand, display: Display) -> int:
    while True:
        try:
            return trio.run(supervise, errand, display)
        except HomeLocked:
            pid = holder(errand.home)
        if errand.flow is not None:
            answer = deliver(errand.home, Submit(errand.flow)).answer
            assert isinstance(answer, Submitted), "a submission is answered by what was submitted"
            announce(answer, errand.flow, display)
            errand = replace(errand, flow=None, watched=answer.flow, known=answer.known)
        display.note(f"supervisor {pid or ''} has the home: watching".replace("  ", " "))
        code = watch(errand, display)
        if code is not None:
            return code
        display.note("that supervisor has left: going on here")


def slots_of(arguments: Namespace) -> int | None:
    """The value of --slots. Raises BadInput."""
    if arguments.slots is None:
        return None
    slots = whole_number(arguments.slots, "--slots")
    if not 1 <= slots <= SLOTS_MAX:
        raise BadInput(f"{slots} slots can't be", where="--slots", remedy=f"give a number from 1 to {SLOTS_MAX}")
    return slots


def _with_slots(flow: FlowSpec, slots: int) -> FlowSpec:
    given = flow.targets.get(LOCAL)
    capacity = {**(given.capacity if given is not None else {}), "cpus": slots}
    return replace(flow, targets={**flow.targets, LOCAL: TargetSpec(capacity)})
