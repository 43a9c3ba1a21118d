"""Scripts that a flow brings for its cluster: the files NAME.j2 and NAME.sh.j2 that lie in the folders it names.

They are read when the flow is, so what is recorded is what was there then. A name is the name of a file in one of those
folders and nothing else, so that none leads elsewhere; what is a link is refused, whatever it leads to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

from .names import check_label
from .places import Misfit, within

SUFFIXES: Final = (".sh.j2", ".j2")
FILE_MAX_BYTES: Final = 64 * 1024
FILES_MAX: Final = 100
_READABLE: Final = "give yourself the permission to read it"


def read_folders(folders: Sequence[str], base: str) -> dict[str, str]:
    """The templates in these folders by name. Raises Misfit, at the number of the folder.

    `base` is the absolute path that folders are relative to.
    """
    found: dict[str, str] = {}
    places: dict[str, str] = {}
    for position, folder in enumerate(folders, 1):
        try:
            path = os.path.join(base, folder)  # noqa: PTH118 - text, as it was given
            for name, file, text in _read_folder(path, folder):
                if name in places:
                    problem = f"the template {shown(name)} is in {places[name]} and in {file}"
                    raise Misfit(problem, remedy="give one of them another name")
                found[name], places[name] = text, file
        except BadInput as error:
            raise within(error, str(position)) from None
    if len(found) > FILES_MAX:
        raise Misfit(f"there are {len(found)} templates in all", remedy=f"a target may have {FILES_MAX}")
    return found


def _read_folder(path: str, shown_path: str) -> list[tuple[str, str, str]]:
    """The name, the file as the user would write it, and the text of each template in a folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            files = sorted(each for each in os.listdir(descriptor) if _name_of(each))  # noqa: PTH208 - of what was opened
            if len(files) > FILES_MAX:
                raise Misfit(f"{len(files)} templates are in {shown(shown_path)}", remedy=f"{FILES_MAX} are the most")
            return [(check_label(_name_of(file)), *_read(descriptor, file, shown_path)) for file in files]
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise Misfit(f"there is no folder {shown(shown_path)}", remedy="give it relative to the flow's file") from None
    except NotADirectoryError:
        raise Misfit(f"{shown(shown_path)} is no folder", remedy="name the folder that the templates are in") from None
    except OSError as error:
        raise Misfit(f"the folder {shown(shown_path)} can't be read: {error.strerror}", remedy=_READABLE) from None


def _name_of(file: str) -> str:
    """The name of the template in a file; empty for what is none."""
    if file.startswith("."):
        return ""
    return next((file.removesuffix(each) for each in SUFFIXES if file.endswith(each)), "")


def _read(folder: int, file: str, shown_folder: str) -> tuple[str, str]:
    place = f"{shown_folder.rstrip('/')}/{file}"
    data = _bytes(folder, file, place)
    if len(data) > FILE_MAX_BYTES:
        raise Misfit(f"the template {shown(place)} is larger than {FILE_MAX_BYTES} bytes", remedy="put less into it")
    try:
        return place, data.decode()
    except UnicodeDecodeError as error:
        problem = f"the template {shown(place)} is not UTF-8 at byte {error.start}"
        raise Misfit(problem, remedy="save it as UTF-8") from None


def _bytes(folder: int, file: str, place: str) -> bytes:
    """As many bytes as a template may have, and one more."""
    try:
        # Without O_NONBLOCK a named pipe would wait for its writer.
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        if stat.S_ISLNK(os.lstat(file, dir_fd=folder).st_mode):
            raise Misfit(f"the template {shown(place)} is a link", remedy="put the file itself there") from None
        raise Misfit(f"the template {shown(place)} can't be read: {error.strerror}", remedy=_READABLE) from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Misfit(f"the template {shown(place)} is no file", remedy="move it away")
        with os.fdopen(descriptor, "rb", closefd=False) as opened:
            return opened.read(FILE_MAX_BYTES + 1)
    finally:
        os.close(descriptor)
