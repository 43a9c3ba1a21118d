"""The folder of a job is the one that the program was in when it submitted, whatever else it does meanwhile."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

import holdfast
from holdfast.events.facts import JobSubmitted
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from holdfast.workingfolder import working_folder

Loop = Callable[[Callable[[], Awaitable[None]]], None]


@pytest.mark.parametrize("name", [b"plain", "grün".encode(), b"no text \xff", b"deep/" * 40 + b"end"])
def test_the_folder_is_as_the_system_has_it(name: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert working_folder() == os.getcwd() == str(folder)  # noqa: PTH109 - as text


def test_a_folder_that_was_removed_is_told_as_the_system_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        working_folder()


def test_tasks_that_go_elsewhere_and_submit_at_the_same_moment_have_each_its_own_folder(
    home: Path, loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / str(number) for number in range(20)]
    for folder in folders:
        folder.mkdir()
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with holdfast.open(home) as hf:
            await hf.pause()

            async def submit(folder: Path) -> None:
                os.chdir(folder)
                await hf.submit(["true"], name=folder.name)

            async with anyio.create_task_group() as group:
                for folder in folders:
                    group.start_soon(submit, folder)

    loop(main)
    with Reader(Home(home)) as reader:
        specs = [event.spec for _, event in reader.events() if isinstance(event, JobSubmitted)]
    assert sorted(spec.cwd for spec in specs) == sorted(map(str, folders))
    assert all(Path(spec.cwd).name == spec.name for spec in specs)
