"""The folder of a job is the one that the program was in when it submitted, whatever else it does meanwhile."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

import holdfast
from holdfast import desk, workingfolder
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


@pytest.mark.parametrize("lowest", [0, 16])
def test_the_folder_is_found_wherever_its_buffer_lies(lowest: int) -> None:
    """Once, a buffer whose address ends in a zero byte was taken for a failure: one in sixteen is there."""
    memory = ctypes.create_string_buffer(workingfolder._BYTES_MAX + 512)
    start = -ctypes.addressof(memory) % 256 + lowest
    path = workingfolder._Path.from_buffer(memory, start)
    assert workingfolder._getcwd(path, workingfolder._BYTES_MAX) == ctypes.addressof(memory) + start
    assert os.fsdecode(path.value) == os.getcwd()  # noqa: PTH109 - as text
    assert workingfolder._getcwd(path, 1) is None


def test_a_program_whose_folder_was_removed_submits_what_does_not_need_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    whole = str(tmp_path)
    with holdfast.open_sync(home) as hf:
        hf.pause()
        for job in (
            holdfast.Job(run="true", cwd=whole, inputs=["/etc/hosts"]),
            holdfast.Job(run=holdfast.call("later")),
        ):
            assert len(desk.submission([job]).flow.jobs) == 1
        hf.submit("true", cwd=whole)
        hf.submit(holdfast.call("later"))
        before = hf.status().seq
        for job, place in (
            (holdfast.Job(run="true"), "cwd"),
            (holdfast.Job(run="true", cwd="below"), "cwd"),
            (holdfast.Job(run="true", cwd=whole, inputs=["data"]), "inputs"),
            (holdfast.Job(run="true", cwd=whole, outputs=["out"]), "outputs"),
        ):
            with pytest.raises(holdfast.BadInput, match=rf"jobs.1.{place}: the folder .* has been removed; .*go to"):
                hf.submit(job)
        assert hf.status().seq == before
    with pytest.raises(holdfast.BadInput, match="home: the folder that this program is in has been removed; give"):
        holdfast.open_sync("work").__enter__()


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
