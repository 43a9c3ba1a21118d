"""The home: the folder that holds the log and all that goes with it, private to its user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import NoHome, NoPermission, ReadOnly

NAME: Final = ".holdfast"
VARIABLE: Final = "HOLDFAST_HOME"


class Home:
    """A home's paths. Making one touches nothing on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "log.db"
        self.lock = path / "lock"
        self.control = path / "control.sock"
        self.runner_socket = path / "runner.sock"
        self.output = path / "output"
        self.secrets = path / "secrets"

    def create(self) -> None:
        """Make the folder, 0700 from the first moment. Raises NoPermission or ReadOnly."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
        except PermissionError as error:
            raise NoPermission(self.path, "make") from error
        except NotADirectoryError as error:
            raise NoPermission(self.path, "make a folder below a file:") from error
        except FileExistsError as error:
            raise NoPermission(self.path, "use as a folder the file") from error
        except OSError as error:
            raise ReadOnly(self.path) from error

    def must_exist(self) -> None:
        """Raise NoHome if there is no log here, NoPermission if that can't be found out."""
        try:
            there = self.log.stat().st_size >= 0
        except PermissionError as error:
            raise NoPermission(self.log, "read") from error
        except (FileNotFoundError, NotADirectoryError):
            there = False
        if not there:
            raise NoHome(self.path)


def find_home(given: str | None, environment: Mapping[str, str], folder: Path) -> Home:
    """The home to use: `given`, else HOLDFAST_HOME, else the nearest `.holdfast` at or above `folder`, else below it."""
    chosen = given or environment.get(VARIABLE)
    if chosen:
        return Home(Path(os.path.abspath(folder / chosen)))  # noqa: PTH100 - resolve() would follow links
    for candidate in (folder, *folder.parents):
        if (candidate / NAME).is_dir():
            return Home(candidate / NAME)
    return Home(folder / NAME)
