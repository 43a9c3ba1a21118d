"""Which home is meant, and what is in it."""

import os
from pathlib import Path

import pytest

from holdfast.store.home import Home, find_home
from holdfast.store.unix_path import ADDRESS_BYTES_MAX, short_address


def test_the_home_that_is_given_comes_first(tmp_path: Path) -> None:
    (tmp_path / ".holdfast").mkdir()
    assert find_home("given", {"HOLDFAST_HOME": "named"}, tmp_path).path == tmp_path / "given"
    assert find_home("/abs/../given", {}, tmp_path).path == Path("/given")


def test_then_comes_the_one_that_the_environment_names(tmp_path: Path) -> None:
    (tmp_path / ".holdfast").mkdir()
    assert find_home(None, {"HOLDFAST_HOME": "named"}, tmp_path).path == tmp_path / "named"
    assert find_home(None, {"HOLDFAST_HOME": ""}, tmp_path).path == tmp_path / ".holdfast"


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_then_the_nearest_one_at_or_above_the_folder(tmp_path: Path, depth: int) -> None:
    (tmp_path / "project" / ".holdfast").mkdir(parents=True)
    folder = (tmp_path / "project").joinpath(*["deeper"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    assert find_home(None, {}, folder).path == tmp_path / "project" / ".holdfast"


def test_without_any_it_is_one_to_be_made_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".holdfast").touch()
    assert find_home(None, {}, tmp_path / "a").path == tmp_path / "a" / ".holdfast"


def test_naming_a_home_makes_nothing_and_making_it_makes_it_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "home")
    assert list(tmp_path.iterdir()) == []
    home.create()
    home.create()
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_p1_a_home_and_the_folders_made_above_it_are_on_the_disk_before_anything_is_recorded_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def note(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "fsync", note)
    home = Home(tmp_path / "a" / "b" / "home")
    home.create()
    assert set(synced) == {each.stat().st_ino for each in (tmp_path, tmp_path / "a", tmp_path / "a" / "b")}
    synced.clear()
    home.create()
    assert synced == [home.path.parent.stat().st_ino], "whoever made it may have been killed before the sync"
    home.log.touch()
    synced.clear()
    home.create()
    assert synced == []


@pytest.mark.parametrize("length", [1, 200])
def test_a_socket_in_a_home_of_any_depth_has_an_address_that_fits(tmp_path: Path, length: int) -> None:
    folder = tmp_path / ("d" * length)
    folder.mkdir()
    (folder / "control.sock").touch()
    with short_address(folder / "control.sock") as address:
        assert len(address.encode()) <= max(ADDRESS_BYTES_MAX, len(str(tmp_path)) + 20)
        assert Path(address).samefile(folder / "control.sock")
