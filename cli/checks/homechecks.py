"""`doctor` looks at the home: whose it is, and who else could get in."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.store.home import Home

from .checkup import Finding, nearest_folder, ok, warning, wrong

_OTHERS: Final = 0o077


def check_home(home: Home) -> Iterator[Finding]:
    """The findings about the folder and the files in it."""
    if not home.path.exists():
        yield _check_missing(home)
        return
    strangers = [*_not_private(home), *_no_files(home)]
    yield from strangers
    if not strangers:
        yield ok(f"the home {home.path} is private to you")
    if home.secrets.exists():
        yield from _check_secrets(home.secrets)


def _check_missing(home: Home) -> Finding:
    folder = nearest_folder(home.path)
    if not os.access(folder, os.W_OK | os.X_OK):
        return wrong(f"there is no home yet, and none can be made in {folder}", "choose another place with --home")
    return ok(f"there is no home yet; `holdfast run` or `holdfast submit` makes {home.path}, private to you (0700)")


def _not_private(home: Home) -> Iterator[Finding]:
    for path, right in ((home.path, 0o700), (home.output, 0o700), *((each, 0o600) for each in _files(home))):
        yield from _check_private(path, right)


def _no_files(home: Home) -> Iterator[Finding]:
    for path in (home.log, home.lock, home.control, home.runner_socket):
        if path.is_dir():
            yield wrong(f"{path} is a folder, where Holdfast keeps a file", "move it away")


def _files(home: Home) -> list[Path]:
    try:
        return sorted(each for each in home.path.iterdir() if not each.is_dir())
    except PermissionError:
        return []


def _check_private(path: Path, right: int) -> Iterator[Finding]:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except PermissionError:
        yield wrong(f"{path} can't be looked at", "it must belong to the user who runs Holdfast")
        return
    if found.st_uid != os.geteuid():
        yield wrong(f"{path} belongs to user {found.st_uid}, not to you", "use a home of your own, or run as its owner")
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & right != right:
        yield wrong(f"{path} has mode {mode:04o}: you can't use it yourself", f"chmod {right:o} {path}")
    elif mode & _OTHERS and path.name == "runner.log":
        yield warning(f"{path} has mode {mode:04o}: others can read it", f"chmod {right:o} {path}")
    elif mode & _OTHERS:
        yield wrong(f"{path} has mode {mode:04o}: others can get in", f"chmod {right:o} {path}")


def _check_secrets(folder: Path) -> Iterator[Finding]:
    findings = list(_check_private(folder, 0o700))
    try:
        files = sorted(folder.iterdir())
    except OSError:
        files = []
    for path in files:
        if path.is_symlink():
            findings.append(wrong(f"the secret {path} is a link, which is not followed", "put the file itself there"))
        else:
            findings.extend(_check_private(path, 0o600 if path.is_file() else 0o700))
    yield from findings
    if not findings:
        yield ok(f"the {len(files)} secrets in {folder} are private to you")
