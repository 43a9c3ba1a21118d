"""Files that go into and out of jobs' folders on this very machine, and what is said where they can't."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from holdfast.actors.staging.localfiles import LocalFiles
from holdfast.actors.staging.remotefiles import Kind, StagingFailed

from .staging_places import MEGABYTE, Places, staged, tree


@pytest.fixture
def files() -> LocalFiles:
    return LocalFiles()


@pytest.fixture
def places(tmp_path: Path, files: LocalFiles) -> Places:
    return Places(tmp_path, files)


async def test_files_of_any_name_go_there_and_come_back(places: Places) -> None:
    names = ["plain", "a b", "-rf", "a\nb", "$(touch x)", "*", "\u00fcn\u00ef"]
    for name in names:
        places.write_here(f"set/{name}", name.encode(), 0o755)
    await places.send(("set", "in/"))
    assert {path.name: path.read_bytes() for path in (places.job / "in" / "set").iterdir()} == {
        name: name.encode() for name in names
    }
    assert all(os.access(path, os.X_OK) for path in (places.job / "in" / "set").iterdir())
    await places.fetch(("in/set/*", "back/"))
    assert sorted(tree(places.here / "back").values()) == sorted(name.encode() for name in names)
    assert places.parts() == []


async def test_what_is_there_already_is_not_sent_again(places: Places) -> None:
    places.write_here("data", b"x" * (3 * MEGABYTE))
    assert await places.send(("data", "in/")) == staged(in__data=b"x" * (3 * MEGABYTE))
    before = (places.job / "in" / "data").stat()
    places.restart()
    assert await places.send(("data", "in/")) == staged(in__data=b"x" * (3 * MEGABYTE))
    assert (places.job / "in" / "data").stat().st_ino == before.st_ino


async def test_what_stands_there_is_told_as_it_is(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    await files.make_folder(str(tmp_path / "folder"))
    await files.make_folder(str(tmp_path / "folder"))
    kinds = {name: status.kind for name, status in await files.entries(str(tmp_path))}
    assert kinds == {"file": Kind.FILE, "link": Kind.LINK, "pipe": Kind.OTHER, "folder": Kind.FOLDER}
    assert await files.status(str(tmp_path / "none")) is None
    assert await files.status(str(tmp_path / "file" / "none")) is None
    assert await files.real_path(str(tmp_path / "link")) == str(tmp_path / "file")
    assert await files.real_path(str(tmp_path / "none")) is None
    assert await files.digest(str(tmp_path / "file"), 2) == hashlib.sha256(b"ab").hexdigest()
    await files.remove(str(tmp_path / "none"))


async def test_a_file_is_made_only_where_nothing_is_and_never_through_a_link(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(StagingFailed, match="something else stands in its place"):
        await files.create(str(tmp_path / "link"), 0o600)
    assert not (tmp_path / "victim").exists()


async def test_a_pipe_in_place_of_a_file_holds_nobody_up(files: LocalFiles, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    opened = await files.open(str(tmp_path / "pipe"))
    with pytest.raises(StagingFailed, match="can't be used"):
        await opened.read(0, 10)
    await opened.close()
    await opened.close()


@pytest.mark.parametrize(
    "number, words",
    [
        (errno.ENOENT, "which was there before; retry the job"),
        (errno.EACCES, "this user may not use .*; change its permissions"),
        (errno.ENOSPC, "the disk or your quota is full; make room"),
        (errno.EDQUOT, "the disk or your quota is full; make room"),
        (errno.EIO, "Input/output error; look there"),
    ],
)
async def test_what_the_system_refuses_is_a_sentence_with_a_remedy(
    files: LocalFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    file = await files.create(str(tmp_path / "file"), 0o600)
    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(StagingFailed, match=words):
        await file.write(0, b"x")
    await file.close()
