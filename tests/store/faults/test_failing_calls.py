"""Every system call on the log fails in turn: the user is told why, and nothing acknowledged is lost (promise P1)."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from holdfast.events.errors import Unavailable
from holdfast.store.errors import DamagedLog, DiskFull, LogBusy, LogFailed, NoPermission, ReadOnly
from tests.tools import refuse

from .failing import Trial, calls_of_workload
from .scope import memory_folder, share
from .syscalls import Call, Fault, faults_of

# What may be said of a call that fails: an error or a full disk when it writes, and more when it opens, reads or locks.
MEANINGS: dict[str, Sequence[type[Unavailable]]] = {
    "pwrite64": (LogFailed,),
    "ftruncate": (LogFailed,),
    "unlink": (LogFailed,),
    "fcntl": (LogFailed, LogBusy),
    "fstat": (LogFailed, LogBusy),
    "stat": (LogFailed,),
    "pread64": (LogFailed, DamagedLog),
    "open": (LogFailed, NoPermission, ReadOnly),
}
# SQLite waits and tries again where locks in shared memory fail; so many calls of so long a wait are not worth it.
SHARED_MEMORY = "log.db-shm"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    if sys.platform != "linux":
        refuse("system calls below SQLite are replaced on Linux only")
    with TemporaryDirectory(prefix="holdfast-test-", dir=memory_folder()) as path:
        yield Path(path)


@pytest.fixture(scope="module")
def calls(folder: Path) -> list[Call]:
    return calls_of_workload(folder / "working")


def chosen(calls: list[Call]) -> Iterator[tuple[int, Fault]]:
    """The faults to try: the first of each kind in each part of the workload, and a share of the others."""
    seen: set[tuple[Call, str]] = set()
    for number, fault in enumerate(faults_of(calls)):
        call = calls[fault.at - 1]
        is_first = (call, fault.how) not in seen
        seen.add((call, fault.how))
        if is_first or share(number, 1 / 500 if call.file == SHARED_MEMORY else 1 / 100):
            yield number, fault


@pytest.mark.slow
def test_p1_whatever_call_fails_the_user_hears_why_and_nothing_acknowledged_is_lost(
    folder: Path, calls: list[Call]
) -> None:
    kinds: set[type[Unavailable]] = set()
    for number, fault in chosen(calls):
        call = calls[fault.at - 1]
        trial = Trial(folder / str(number), fault)
        assert trial.struck == call, "the workload is the same each time, up to the fault"
        assert trial.wrong == [], (call, fault)
        for error in trial.errors:
            kinds.add(type(error))
            expect_cause(error, call, fault)
    assert kinds >= {LogFailed, DiskFull}
    assert any(issubclass(kind, DamagedLog) for kind in kinds)


def expect_cause(error: Unavailable, call: Call, fault: Fault) -> None:
    if fault.how == "error" or call.what != "pwrite64" or call.file == SHARED_MEMORY:
        assert isinstance(error, tuple(MEANINGS[call.what])), (call, fault, error)
    else:
        assert isinstance(error, DiskFull), (call, fault, error)
    assert "log.db" in str(error)
