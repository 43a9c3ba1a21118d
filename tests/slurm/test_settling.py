"""What became of attempts in an allocation that is over: by what its runner wrote, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from holdfast.actors.slurm import settling
from holdfast.actors.slurm.asking import NoAnswer
from holdfast.actors.slurm.settling import read_settled
from holdfast.actors.slurm.site import COMMAND_S, Finished
from holdfast.events.messages import Settled
from holdfast.events.records import OutputRange

START = '{"journal":"j","boot":"b","receipt":""}\n'
CLAIM = (
    '{{"claim":{{"token":"home.{job}.1","at":5,"clock":1,"segment":3000001,"output":[{start},0],"needs":{{"cpus":1}},'
    '"grants":{{}},"timeout_us":null,"grace_us":1,"max_output_bytes":10}}}}\n'
)
END = (
    '{{"end":{{"token":"home.{job}.1","state":"ended","pid":7,"process_start":1,"started_at":5,"output":[],'
    '"ended_at":9,"how":"exited","exit_code":0,"signal":null,"error":null,"cpu_us":1,"memory_bytes":2}}}}\n'
)
CLOSED = '{"closed":10}\n'


class Here:
    """A site on this machine, which counts what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.workdir = str(folder.parent)
        self.asked = 0

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = COMMAND_S) -> Finished:
        """See `Site`."""
        del timeout_s
        self.asked += 1
        assert len(b"".join(map(str.encode, argv))) < 100_000
        done = await trio.run_process(list(argv), stdin=stdin, capture_stdout=True, capture_stderr=True, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)


class Folder:
    """Holdfast's folder on the cluster, with what allocation 3 left in it."""

    def __init__(self, path: Path) -> None:
        self.here = path / "pilots" / "3"
        self.here.mkdir(parents=True)
        (path / "output").mkdir()
        self.output = path / "output"
        self.site = Here(path)

    async def settled(self, journal: str | None = None) -> Settled:
        """What is read of it."""
        if journal is not None:
            (self.here / "runner.journal").write_text(journal)
        return await read_settled(self.site, "cluster", 3, 99)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """One that is empty."""
    return Folder(tmp_path / "folder")


async def test_ends_are_told_as_they_were_and_the_rest_is_lost_with_its_output(folder: Folder) -> None:
    (folder.output / "3000001.out").write_bytes(b"before" + b"mine")
    journal = START + CLAIM.format(job=1, start=0) + END.format(job=1) + CLAIM.format(job=2, start=6) + CLOSED
    settled = await folder.settled(journal)
    assert (settled.target, settled.closed) == ("cluster/3", True)
    first, second = settled.attempts
    assert (first.token, first.how, first.exit_code, first.ended_at) == ("home.1.1", "exited", 0, 9)
    assert (second.token, second.how, second.started_at, second.ended_at) == ("home.2.1", "lost", 5, 99)
    assert second.output == (OutputRange("3000001.out", 6, 10), OutputRange("3000001.err", 0, 0))


async def test_acknowledged_ends_are_not_told_again(folder: Folder) -> None:
    journal = START + CLAIM.format(job=1, start=0) + END.format(job=1) + '{"acknowledge":["home.1.1"],"receipt":""}\n'
    assert await folder.settled(journal) == Settled("cluster/3", (), closed=False)


@pytest.mark.parametrize("journal", [None, "", CLOSED[:-3]])
async def test_of_what_was_never_written_nothing_is_claimed(folder: Folder, journal: str | None) -> None:
    assert await folder.settled(journal) == Settled("cluster/3", (), closed=False)


async def test_a_journal_with_lines_that_make_no_sense_is_not_known_to_be_whole(folder: Folder) -> None:
    settled = await folder.settled(START + "\0\0\0\0\n" + CLOSED)
    assert not settled.closed


async def test_an_allocation_that_left_no_folder_never_wrote_anything(folder: Folder) -> None:
    folder.here.rmdir()
    assert await folder.settled() == Settled("cluster/3", (), closed=False)


async def test_a_file_system_that_is_not_there_settles_nothing(folder: Folder) -> None:
    folder.here.rmdir()
    folder.here.parent.rmdir()
    with pytest.raises(NoAnswer, match="can't be read"):
        await folder.settled()


async def test_a_long_journal_is_read_piece_by_piece(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PIECE_BYTES", 100)
    journal = START + "".join(END.format(job=number) for number in range(1, 21)) + CLOSED
    settled = await folder.settled(journal)
    assert len(settled.attempts) == 20
    assert settled.closed
    assert folder.site.asked == len(journal) // 100 + 1
