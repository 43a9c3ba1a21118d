"""Inputs reach the other machine whole or not at all, once, and never outside of the workdir."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from holdfast.actors.staging import sending
from holdfast.actors.staging.remotefiles import StagingFailed, StagingInterrupted

from .folder_files import BLOCK_BYTES, FolderFiles
from .staging_places import LONG_AGO_S, MEGABYTE, Places, file_of, staged, tree

UNDER_WAY_BYTES = sending.BLOCKS_UNDER_WAY * BLOCK_BYTES


@pytest.fixture
def files() -> FolderFiles:
    return FolderFiles()


@pytest.fixture
def places(tmp_path: Path, files: FolderFiles) -> Places:
    return Places(tmp_path, files)


async def test_files_and_folders_reach_their_places_and_what_was_sent_is_told(places: Places) -> None:
    places.write_here("a.dat", b"a")
    places.write_here("empty", b"")
    places.write_here("set/x/deep", b"deep")
    (places.here / "set/nothing").mkdir()
    sent = await places.send(("a.dat", "a.dat"), ("empty", "data/"), ("set", "data/"))
    assert sent == staged(a_dat=b"a", data__empty=b"", data__set__x__deep=b"deep")
    assert tree(places.job) == {"a.dat": b"a", "data/empty": b"", "data/set/x/deep": b"deep"}
    assert (places.job / "data/set/nothing").is_dir()
    assert places.parts() == []


async def test_the_mode_goes_along_as_far_as_the_umask_there_allows(places: Places) -> None:
    for mode in (0o755, 0o600, 0o444, 0o700):
        places.write_here(f"f{mode:o}", b"x", mode)
    await places.send(*((f"f{mode:o}", "./") for mode in (0o755, 0o600, 0o444, 0o700)))
    assert {path.name: path.stat().st_mode & 0o777 for path in places.job.iterdir()} == {
        "f755": 0o755,
        "f600": 0o600,
        "f444": 0o444,
        "f700": 0o700,
    }


@pytest.mark.parametrize(
    "name", ["a b", "-rf", "'", '"', "a\nb", "$(touch x)", "`x`", "*", "~", "ünïcødé 漢字", "\x07", "a\\b", "#", ";x"]
)
async def test_any_name_that_is_text_goes_and_comes_back_as_it_is(places: Places, name: str) -> None:
    places.write_here(name, b"content")
    assert await places.send((name, f"in/{name}"), (name, "same/")) == tuple(
        file_of(path, b"content") for path in sorted((f"in/{name}", f"same/{name}"), key=lambda each: each.split("/"))
    )
    (places.here / name).unlink()
    assert await places.fetch(("same", "./")) == (file_of(f"same/{name}", b"content"),)
    assert tree(places.here) == {f"same/{name}": b"content"}


async def test_an_unchanged_file_is_not_sent_again_also_by_the_next_supervisor(
    places: Places, files: FolderFiles
) -> None:
    places.write_here("a.dat", 3 * BLOCK_BYTES, modified_s=LONG_AGO_S)
    first = await places.send(("a.dat", "a.dat"))
    for _ in range(2):
        before, inode = files.moved_bytes, (places.job / "a.dat").stat().st_ino
        assert await places.send(("a.dat", "a.dat")) == first
        assert files.moved_bytes - before <= 500  # the notes of the manifest
        assert (places.job / "a.dat").stat().st_ino == inode
        places.restart()
    assert files.digested == []


@pytest.mark.parametrize("where", ["here", "there"])
async def test_a_file_that_changed_on_either_side_is_sent_again(places: Places, where: str) -> None:
    places.write_here("a.dat", b"old", modified_s=LONG_AGO_S)
    await places.send(("a.dat", "a.dat"))
    if where == "here":
        places.write_here("a.dat", b"new", modified_s=LONG_AGO_S)  # same size, same time
    else:
        (places.job / "a.dat").write_bytes(b"bad")  # same size
    content = (places.here / "a.dat").read_bytes()
    assert await places.send(("a.dat", "a.dat")) == staged(a_dat=content)
    assert tree(places.job) == {"a.dat": content}


async def test_a_file_changed_in_the_second_in_which_it_was_noted_is_not_believed(places: Places) -> None:
    source = places.write_here("a.dat", b"one")  # its time is now
    await places.send(("a.dat", "a.dat"))
    (places.job / "a.dat").write_bytes(b"two")
    os.utime(places.job / "a.dat", (source.stat().st_mtime, source.stat().st_mtime))
    places.restart()
    await places.send(("a.dat", "a.dat"))
    assert tree(places.job) == {"a.dat": b"one"}


async def test_a_large_file_whose_notes_are_lost_is_known_by_its_digest(places: Places, files: FolderFiles) -> None:
    places.write_here("a.dat", 2 * MEGABYTE, modified_s=LONG_AGO_S)
    first = await places.send(("a.dat", "a.dat"))
    for path in (places.there / ".holdfast").rglob("*.json"):
        path.write_bytes(b"{ not JSON")
    places.restart()
    before = files.moved_bytes
    assert await places.send(("a.dat", "a.dat")) == first
    assert files.moved_bytes - before < 1000
    os.utime(
        places.job / "a.dat", (LONG_AGO_S + 5, LONG_AGO_S + 5)
    )  # another time, but the same content: noted as well
    for _ in range(2):
        places.restart()
        assert await places.send(("a.dat", "a.dat")) == first
    assert len(files.digested) == 2


@pytest.mark.parametrize("digests", [True, False])
@pytest.mark.parametrize("cut_after_bytes", [0, 1, BLOCK_BYTES, UNDER_WAY_BYTES + MEGABYTE, 3 * MEGABYTE])
async def test_a_cut_leaves_no_half_file_and_the_next_try_goes_on_there(
    places: Places, files: FolderFiles, cut_after_bytes: int, *, digests: bool
) -> None:
    files.digests = digests
    content = places.write_here("big", 4 * MEGABYTE).read_bytes()
    places.write_here("small", b"small")
    files.cut_after_bytes = cut_after_bytes
    with pytest.raises(StagingInterrupted, match="broke"):
        await places.send(("big", "big"), ("small", "small"))
    assert tree(places.job, [path.name for path in places.parts()]) == {}
    files.cut_after_bytes = None
    places.restart()
    before = files.moved_bytes
    assert await places.send(("big", "big"), ("small", "small")) == staged(big=content, small=b"small")
    assert tree(places.job) == {"big": content, "small": b"small"}
    assert places.parts() == []
    resumed = digests and cut_after_bytes >= UNDER_WAY_BYTES + 2 * MEGABYTE
    assert (files.moved_bytes - before < 4 * MEGABYTE) == resumed
    assert files.open_files == 0


async def test_a_part_that_holds_something_else_is_not_continued(places: Places, files: FolderFiles) -> None:
    places.write_here("big", 4 * MEGABYTE)
    files.cut_after_bytes = 3 * MEGABYTE
    with pytest.raises(StagingInterrupted):
        await places.send(("big", "big"))
    files.cut_after_bytes = None
    with places.parts()[0].open("r+b") as part:
        part.seek(1000)
        part.write(b"not this")
    await places.send(("big", "big"))
    assert tree(places.job) == tree(places.here)


async def test_a_file_that_changes_while_it_is_sent_is_refused_and_leaves_nothing(places: Places) -> None:
    path = places.write_here("big", 4 * MEGABYTE)

    def change(done: int, _total: int) -> None:
        if done:
            os.utime(path)

    with pytest.raises(StagingFailed, match=r"here/big' changed while it was read; retry the job when it is complete"):
        await places.send(("big", "big"), progress=change)
    assert tree(places.job) == {}


async def test_a_file_that_shrinks_while_it_is_sent_is_refused(places: Places) -> None:
    path = places.write_here("big", 4 * MEGABYTE)

    def shrink(done: int, _total: int) -> None:
        if done:
            os.truncate(path, 10)

    with pytest.raises(StagingFailed, match="changed while it was read"):
        await places.send(("big", "big"), progress=shrink)
    assert tree(places.job) == {}


async def test_a_full_disk_there_is_told_and_leaves_neither_files_nor_parts(places: Places, files: FolderFiles) -> None:
    places.write_here("big", 4 * MEGABYTE)
    places.write_here("small", b"small")
    files.room_bytes = 2 * MEGABYTE
    with pytest.raises(StagingFailed, match="no room"):
        await places.send(("big", "big"), ("small", "small"))
    assert tree(places.job) == {}


async def test_cancellation_leaves_parts_alone_and_the_next_try_uses_them_up(places: Places) -> None:
    places.write_here("big", 4 * MEGABYTE)
    with trio.CancelScope() as scope:
        await places.send(("big", "big"), progress=lambda done, _: scope.cancel() if done > 3 * MEGABYTE else None)
    assert scope.cancelled_caught
    assert list(places.job.iterdir()) == places.parts()
    await places.send(("big", "big"))
    assert tree(places.job) == tree(places.here)


async def test_progress_ends_at_the_total_and_never_goes_back(places: Places) -> None:
    places.write_here("a", 3 * MEGABYTE)
    places.write_here("b", 10)
    told: list[tuple[int, int]] = []
    await places.send(("a", "a"), ("b", "b"), progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (3 * MEGABYTE + 10, 3 * MEGABYTE + 10)


async def test_many_jobs_that_bring_the_same_file_at_once_send_it_once(places: Places, files: FolderFiles) -> None:
    places.write_here("a", 2 * MEGABYTE, modified_s=LONG_AGO_S)
    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(places.send, ("a", "a"))
    assert tree(places.job) == tree(places.here)
    assert files.moved_bytes < 2 * MEGABYTE + 20 * 1000


async def test_a_link_there_that_leads_out_of_the_workdir_is_not_followed(places: Places, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    places.job.mkdir()
    (places.job / "data").symlink_to(tmp_path / "outside")
    places.write_here("a", b"a")
    with pytest.raises(StagingFailed, match="leads out of the workdir"):
        await places.send(("a", "data/a"))
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_job_folder_that_leads_out_of_the_workdir_is_not_used(places: Places, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    places.job.symlink_to(tmp_path / "outside")
    places.write_here("a", b"a")
    with pytest.raises(StagingFailed, match="leads out of the workdir"):
        await places.send(("a", "a"))
    with pytest.raises(StagingFailed, match="leads out of the workdir"):
        await places.fetch("*")
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_link_there_that_stays_in_the_workdir_is_followed(places: Places) -> None:
    (places.there / "shared").mkdir()
    places.job.mkdir()
    (places.job / "data").symlink_to(places.there / "shared")
    places.write_here("a", b"a")
    await places.send(("a", "data/a"))
    assert tree(places.there / "shared") == {"a": b"a"}


async def test_a_link_at_a_place_is_replaced_and_what_it_leads_to_is_untouched(places: Places, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    places.job.mkdir()
    (places.job / "a").symlink_to(tmp_path / "precious")
    part = places.job / places.memory.part(str(places.job / "a"))
    part.symlink_to(tmp_path / "precious")
    places.write_here("a", b"a")
    await places.send(("a", "a"))
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert tree(places.job) == {"a": b"a"}


async def test_a_link_in_a_folder_that_goes_along_is_followed_only_within_it(places: Places, tmp_path: Path) -> None:
    places.write_here("set/a", b"a")
    (places.here / "set/b").symlink_to("a")
    assert await places.send(("set", "set")) == staged(set__a=b"a", set__b=b"a")
    (tmp_path / "secret").write_bytes(b"secret")
    (places.here / "set/c").symlink_to(tmp_path / "secret")
    with pytest.raises(StagingFailed, match="leads to no file within the folder that goes along"):
        await places.send(("set", "other"))
    assert not (places.job / "other").exists()


@pytest.mark.parametrize("kind", ["missing", "pipe", "two", "both", "folder there"])
async def test_what_can_not_go_is_refused_before_anything_is_sent(
    places: Places, files: FolderFiles, kind: str
) -> None:
    places.write_here("a", b"a")
    asked = [("a", "a")]
    match kind:
        case "missing":
            asked.append(("b", "b"))
        case "pipe":
            os.mkfifo(places.here / "pipe")
            asked.append(("pipe", "b"))
        case "two":
            places.write_here("set/x", b"x")
            asked += [("set", "set"), ("a", "set/x")]
        case "both":
            asked.append(("a", "a/b"))
        case _:
            (places.job / "a").mkdir(parents=True)
    with pytest.raises(
        StagingFailed, match=r"can't be read|neither a file|the same place|a file and a folder|stands at"
    ):
        await places.send(*asked)
    assert tree(places.job) == {}


async def test_a_name_that_is_not_utf8_is_refused_in_words(places: Places) -> None:
    places.write_here(os.fsdecode(b"set/\xff"), b"")
    with pytest.raises(StagingFailed, match="not UTF-8"):
        await places.send(("set", "set"))
