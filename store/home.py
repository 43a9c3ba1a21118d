"""The home: the folder that holds the log and all that goes with it, private to its user."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .errors import DamagedLog, NoHome, NoPlace, NotAFolder
from .translation import of_system

NAME: Final = ".holdfast"
VARIABLE: Final = "HOLDFAST_HOME"


def check_unused(log: Path) -> None:
    """Raise DamagedLog if a runner has worked for the home: a log begun anew would forget what ran."""
    if (log.parent / "runner.journal").exists():
        raise DamagedLog(log, "it is missing or empty, although attempts have run here (runner.journal says so)")


class Home:
    """A home's paths. Making one touches nothing on disk."""

    def __init__(self, path: Path) -> None:
        """`path`: the folder."""
        self.path = path
        self.log = path / "log.db"
        self.lock = path / "lock"
        self.control = path / "control.sock"
        self.runner_socket = path / "runner.sock"
        self.output = path / "output"
        self.secrets = path / "secrets"

    def create(self) -> None:
        """Make the folder, 0700 from the first moment, for good. Raises NotAFolder, NoPlace or what `of_system` gives.

        What is recorded in a folder that the power takes away is lost with it. SQLite syncs what it makes in the home;
        the home itself, and the folders above that had to be made, are for us to sync. Also where the home is there
        and its log is not: whoever made it may not have come that far.
        """
        try:
            missing = [each for each in (self.path, *self.path.parents) if not each.exists()]
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            if not self.log.exists():
                for each in missing or [self.path]:
                    _sync(each.parent)
        except (FileExistsError, NotADirectoryError) as error:
            raise NotAFolder(Path(error.filename)) from error
        except FileNotFoundError as error:
            # Not for want of a folder above, which would have been made: it is a place where none can be, as in /proc.
            raise NoPlace(self.path) from error
        except OSError as error:
            raise of_system(self.path, error, "make") from error

    def must_exist(self) -> None:
        """Raise NoHome, or DamagedLog if there was a log once; NoPermission or LogFailed if that can't be found out."""
        try:
            self.log.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            check_unused(self.log)
            raise NoHome(self.path) from error
        except OSError as error:
            raise of_system(self.log, error, "read") from error


def _sync(folder: Path) -> None:
    """Let what was made in a folder be on the disk; in one that we may not read, it is left to the system."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_home(given: str | None, environment: Mapping[str, str], folder: Path) -> Home:
    """The home to use.

    `given`, else HOLDFAST_HOME in `environment`, else the nearest `.holdfast` at or above `folder`, else one in it.
    """
    chosen = given or environment.get(VARIABLE)
    if chosen:
        return Home(Path(os.path.abspath(folder / chosen)))  # noqa: PTH100 - resolve() would follow links
    for candidate in (folder, *folder.parents):
        if (candidate / NAME).is_dir():
            return Home(candidate / NAME)
    return Home(folder / NAME)
