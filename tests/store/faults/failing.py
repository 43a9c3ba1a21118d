"""Trials in which one system call fails: what the user is told, and what is there afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from holdfast.store.home import Home
from tests.store.stores import findings, lines_of, open_sqlite

from .syscalls import Call, Fault, SystemCalls
from .workload import Witness, work

HOME: Final = "home"


def calls_of_workload(folder: Path) -> list[Call]:
    """Every system call of the workload on a disk that works."""
    return _worked(folder, None)[0].calls


class Trial:
    """The workload with one fault: which call was struck, what the user was told, and what is wrong afterwards."""

    def __init__(self, folder: Path, fault: Fault) -> None:
        """Make the trial in a new folder."""
        system, witness = _worked(folder, fault)
        self.struck = system.struck
        self.errors = witness.errors
        self.wrong = losses(folder / HOME, witness)


def _worked(folder: Path, fault: Fault | None) -> tuple[SystemCalls, Witness]:
    home = Home(folder / HOME)
    home.create()
    with SystemCalls(folder, fault) as system:

        def tell(part: str) -> None:
            system.part = part

        return system, work(home.log, None, tell, lambda _: None)


def losses(folder: Path, witness: Witness) -> list[str]:
    """What is not as it must be: all that was acknowledged is there, whole, and the views agree."""
    store = open_sqlite(folder)
    try:
        found = {line.seq: line.data for line in lines_of(store)}
    finally:
        store.close()
    lost = [f"event {seq} is lost" for seq, data in witness.acknowledged.items() if found.get(seq) != data]
    return [*lost, *findings(folder)]
