"""Outputs come back whole or not at all, what patterns say and nothing else, and never outside of the flow's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from holdfast.actors.staging import walking
from holdfast.actors.staging.remotefiles import Kind, StagingFailed, StagingInterrupted, Status

from .folder_files import FolderFiles
from .staging_places import MEGABYTE, Places, file_of, staged, tree


@pytest.fixture
def files() -> FolderFiles:
    return FolderFiles()


@pytest.fixture
def places(tmp_path: Path, files: FolderFiles) -> Places:
    return Places(tmp_path, files)


TREE = ("out/a.csv", "out/b.csv", "out/c.txt", "out/.hidden.csv", "out/deep/d.csv", "out/deep/er/e.csv", "top.csv")


@pytest.mark.parametrize(
    "pattern,to,expected",
    [
        ("out/*.csv", "", ["out/a.csv", "out/b.csv"]),
        ("out/?.csv", "", ["out/a.csv", "out/b.csv"]),
        ("out/[!a].*", "", ["out/b.csv", "out/c.txt"]),
        ("out/.*", "", ["out/.hidden.csv"]),
        ("out/**/*.csv", "", ["out/a.csv", "out/b.csv", "out/deep/d.csv", "out/deep/er/e.csv"]),
        ("**/e.csv", "", ["out/deep/er/e.csv"]),
        ("*/*/d.csv", "", ["out/deep/d.csv"]),
        ("top.csv", "", ["top.csv"]),
        ("./out//c.txt", "", ["out/c.txt"]),
        ("out/deep", "", ["out/deep/d.csv", "out/deep/er/e.csv"]),
        ("out/deep/**", "", ["out/deep/d.csv", "out/deep/er/e.csv"]),
        ("*", "", list(TREE)),
        ("out/*.csv", "results/", ["results/a.csv", "results/b.csv"]),
        ("out/**/*.csv", "r/", ["r/a.csv", "r/b.csv", "r/deep/d.csv", "r/deep/er/e.csv"]),
        ("out/a.csv", "r/", ["r/a.csv"]),
        ("out/a.csv", "renamed", ["renamed"]),
        ("out/deep", "r/", ["r/deep/d.csv", "r/deep/er/e.csv"]),
        ("out/deep", "r", ["r/d.csv", "r/er/e.csv"]),
        ("nothing*", "", []),
    ],
)
async def test_a_pattern_brings_what_it_matches_to_its_place(
    places: Places, pattern: str, to: str, expected: list[str]
) -> None:
    for name in TREE:
        places.write_there(name, name.encode())
    await places.fetch((pattern, to))
    assert sorted(tree(places.here)) == sorted(expected)
    assert places.parts() == []


async def test_what_came_back_is_told_with_size_and_hash_and_a_file_matched_twice_comes_once(places: Places) -> None:
    places.write_there("out/a", b"a", mode=0o755)
    places.write_there("out/empty", b"")
    assert await places.fetch("out/*", "out/a", "**/a") == staged(out__a=b"a", out__empty=b"")
    assert (places.here / "out/a").stat().st_mode & 0o777 == 0o755


async def test_a_named_output_that_is_not_there_is_an_error_unless_the_job_failed(places: Places) -> None:
    places.write_there("a", b"a")
    with pytest.raises(StagingFailed, match="left no output 'out/b'"):
        await places.fetch("a", "out/b")
    assert tree(places.here) == {}
    assert await places.fetch("a", "out/b", missing_ok=True) == staged(a=b"a")


async def test_an_empty_folder_is_there_and_brings_nothing(places: Places) -> None:
    (places.job / "out").mkdir(parents=True)
    assert await places.fetch("out") == ()


@pytest.mark.parametrize("digests", [True, False])
async def test_a_cut_leaves_no_half_file_here_and_the_next_try_goes_on_there(
    places: Places, files: FolderFiles, *, digests: bool
) -> None:
    files.digests = digests
    content = places.write_there("big", 4 * MEGABYTE).read_bytes()
    files.cut_after_bytes = 3 * MEGABYTE
    with pytest.raises(StagingInterrupted):
        await places.fetch("big")
    assert list(places.here.iterdir()) == places.parts() != []
    files.cut_after_bytes = None
    before = files.moved_bytes
    assert await places.fetch("big") == staged(big=content)
    assert tree(places.here) == {"big": content}
    assert (files.moved_bytes - before < 3 * MEGABYTE) == digests
    assert files.open_files == 0


async def test_a_part_here_that_holds_something_else_is_not_continued(places: Places, files: FolderFiles) -> None:
    places.write_there("big", 4 * MEGABYTE)
    files.cut_after_bytes = 3 * MEGABYTE
    with pytest.raises(StagingInterrupted):
        await places.fetch("big")
    files.cut_after_bytes = None
    with places.parts()[0].open("r+b") as part:
        part.write(b"not this")
    await places.fetch("big")
    assert tree(places.here) == tree(places.job)


async def test_an_output_that_is_here_already_is_not_fetched_again(places: Places, files: FolderFiles) -> None:
    content = places.write_there("big", 2 * MEGABYTE).read_bytes()
    await places.fetch("big")
    before = files.moved_bytes
    assert await places.fetch("big") == staged(big=content)
    assert files.moved_bytes == before


async def test_an_output_replaces_the_one_before(places: Places) -> None:
    places.write_there("a", b"new")
    places.write_here("a", b"old")
    await places.fetch("a")
    assert tree(places.here) == {"a": b"new"}


async def test_an_output_that_grows_while_it_is_fetched_is_refused(places: Places) -> None:
    places.write_there("big", 4 * MEGABYTE)

    class Growing(FolderFiles):
        async def status(self, path: str) -> Status | None:
            found = await super().status(path)
            if found is not None and found.kind is Kind.FILE:
                append(path, b"more")
            return found

    places.files = Growing()
    with pytest.raises(StagingFailed, match="changed while it was fetched"):
        await places.fetch("big")
    assert tree(places.here) == {}


@pytest.mark.parametrize("pattern", ["link", "*", "**/link", "folder", "folder/*"])
@pytest.mark.parametrize("outside", ["secret", "nowhere", "folder of secrets"])
async def test_a_link_there_that_leads_out_of_the_workdir_is_refused(
    places: Places, tmp_path: Path, pattern: str, outside: str
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "folder of secrets").mkdir()
    (tmp_path / "folder of secrets" / "secret").write_bytes(b"secret")
    places.write_there("folder/plain", b"plain")
    (places.job / "link").symlink_to(tmp_path / outside)
    (places.job / "folder" / "link").symlink_to(tmp_path / outside)
    with pytest.raises(StagingFailed, match="leads out of the workdir, or nowhere"):
        await places.fetch(pattern)
    assert tree(places.here) == {}


async def test_a_link_there_that_stays_in_the_workdir_is_fetched_as_what_it_leads_to(places: Places) -> None:
    places.write_there("data/a", b"a")
    (places.job / "link").symlink_to("data/a")
    (places.job / "folder").symlink_to("data")
    (places.job / "data" / "ring").symlink_to("../data")
    assert await places.fetch("link", "folder/a", "folder") == staged(folder__a=b"a", link=b"a")


@pytest.mark.parametrize("part_of_the_way", ["out", "out/deep"])
async def test_a_link_here_is_not_followed_on_the_way(places: Places, tmp_path: Path, part_of_the_way: str) -> None:
    (tmp_path / "outside").mkdir()
    places.write_there("out/deep/a", b"a")
    link = places.here / part_of_the_way
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "outside")
    with pytest.raises(StagingFailed, match="a link or a file stands on the way"):
        await places.fetch("out/deep/a")
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_link_here_at_the_place_is_replaced_and_what_it_leads_to_is_untouched(
    places: Places, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (places.here / "a").symlink_to(tmp_path / "precious")
    places.write_there("a", b"a")
    await places.fetch("a")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert tree(places.here) == {"a": b"a"}


async def test_a_link_here_in_the_place_of_a_part_is_refused(places: Places, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    places.write_there("a", b"a")
    (places.here / places.memory.part(str(places.here / "a"))).symlink_to(tmp_path / "precious")
    with pytest.raises(StagingFailed, match="none is followed"):
        await places.fetch("a")
    assert (tmp_path / "precious").read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "", "a\0b"])
async def test_a_name_that_the_other_machine_made_up_is_refused(places: Places, name: str) -> None:
    class Lying(FolderFiles):
        async def entries(self, path: str) -> list[tuple[str, Status]]:  # noqa: ARG002
            return [(name, Status(kind=Kind.FILE, bytes=1, modified_s=0, mode=0o644))]

    places.job.mkdir()
    places.files = Lying()
    for pattern in ("*", "**/*"):
        with pytest.raises(StagingFailed, match="not to be trusted"):
            await places.fetch(pattern)
    assert tree(places.here.parent, ["there"]) == {}


async def test_a_tree_without_an_end_is_given_up(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "SEEN_MAX", 20_000)

    class Endless(FolderFiles):
        async def entries(self, path: str) -> list[tuple[str, Status]]:  # noqa: ARG002
            return [(f"f{n}", Status(kind=Kind.FOLDER, bytes=0, modified_s=0, mode=0o755)) for n in range(500)]

    places.job.mkdir()
    places.files = Endless()
    with pytest.raises(StagingFailed, match="met more than 20000 entries"):
        await places.fetch("**/*.csv")


async def test_holdfasts_own_files_there_are_no_outputs(places: Places) -> None:
    places.write_there("a", b"a")
    places.write_there(".x.holdfast-part", b"half")
    places.folder = type(places.folder)(places.folder.workdir, "", places.folder.private)
    assert await places.fetch("*", "**/*", ".*") == (file_of("job/a", b"a"),)


async def test_two_outputs_with_one_place_are_refused(places: Places) -> None:
    places.write_there("x/a", b"1")
    places.write_there("y/a", b"2")
    with pytest.raises(StagingFailed, match="have the same place"):
        await places.fetch(("x/*", "r/"), ("y/*", "r/"))
    assert tree(places.here) == {}


async def test_a_folder_here_in_the_place_of_a_file_is_refused(places: Places) -> None:
    places.write_there("a", b"1")
    (places.here / "a").mkdir()
    with pytest.raises(StagingFailed, match="a folder stands at"):
        await places.fetch("a")


async def test_what_is_neither_file_nor_folder_is_refused(places: Places) -> None:
    places.job.mkdir()
    os.mkfifo(places.job / "pipe")
    with pytest.raises(StagingFailed, match="neither a file nor a folder"):
        await places.fetch("*")


async def test_cancellation_leaves_parts_alone(places: Places, files: FolderFiles) -> None:
    places.write_there("big", 4 * MEGABYTE)
    with trio.CancelScope() as scope:

        class Cancelling(FolderFiles):
            async def _answer(self, moved_bytes: int = 0) -> None:
                await super()._answer(moved_bytes)
                if self.moved_bytes > 2 * MEGABYTE:
                    scope.cancel()

        places.files = Cancelling()
        await places.fetch("big")
    assert scope.cancelled_caught
    assert list(places.here.iterdir()) == places.parts()
    places.files = files
    await places.fetch("big")
    assert tree(places.here) == tree(places.job)


def append(path: str, data: bytes) -> None:
    with Path(path).open("ab") as file:
        file.write(data)
