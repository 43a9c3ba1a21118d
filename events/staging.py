"""Files that a job takes along to another machine and brings back: what may be asked for, and what was moved.

Places on the target are relative to the job's folder there, places here to the folder of the flow, and neither can
leave its folder. `*`, `?` and `[...]` in a pattern match within one name, `**` any number of folders; names that begin
with a dot are matched only by what begins with one, as in a shell. A folder comes and goes whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from .errors import BadInput
from .quoting import shown

ENTRIES_MAX: Final = 1000
PATH_BYTES_MAX: Final = 4096  # Linux takes no longer path,
NAME_BYTES_MAX: Final = 255  # and no longer name
PRIVATE_FOLDER: Final = ".holdfast"  # where the runner keeps its own files, in the target's workdir
PART_SUFFIX: Final = ".holdfast-part"  # what is under way has such a name, next to its place
_WILDCARDS: Final = frozenset("*?[")


class InputFile(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A file or folder of this machine, by its absolute path, and its place in the job's folder on the target.

    `to` ends in `/` where it names the folder that the file goes into, under its own name.
    """

    source: str
    to: str


class OutputFile(Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Files of the job's folder on the target that come back, and where they come to.

    They come below `folder`, an absolute path of this machine: to the place there that they have in the job's folder,
    or to `to`. If that ends in `/`, they come into it by what their paths add to those of the pattern's folders that
    have no wildcards: `out/*.csv` with `results/` brings `out/a.csv` to `results/a.csv`.
    """

    pattern: str
    folder: str
    to: str = ""


class StagedFile(Struct, frozen=True, gc=False):
    """A file that was moved or was there already: its path in the job's folder on the target, its size and SHA-256."""

    path: str
    bytes: int
    sha256: str


Pair = tuple[str, str]
"""A path and its place elsewhere, which is "" where it wasn't given."""


def placed(
    inputs: Iterable[Pair], outputs: Iterable[Pair], folder: str
) -> tuple[tuple[InputFile, ...], tuple[OutputFile, ...]]:
    """What is recorded of files that go along from `folder`, an absolute path, and come back to it."""
    there = tuple(InputFile(_absolute(folder, source), to or source) for source, to in inputs)
    return there, tuple(OutputFile(pattern, folder, to) for pattern, to in outputs)


def _absolute(folder: str, source: str) -> str:
    if not source:
        return ""
    # '..' stays as it is: what it means depends on links.
    return "/" + "/".join(parts_of(f"{folder}/{source}" if not source.startswith("/") else source))


def parts_of(path: str) -> tuple[str, ...]:
    """The names in a relative path, without what means nothing."""
    return tuple(name for name in path.split("/") if name not in {"", "."})


def has_wildcards(path: str) -> bool:
    """Whether a pattern can match more than the one path that it spells."""
    return not _WILDCARDS.isdisjoint(path)


def input_place(file: InputFile) -> tuple[str, ...]:
    """The names of an input's place in the job's folder."""
    own_name = (_own_name(file.source),) if _is_folder(file.to) else ()
    return (*parts_of(file.to), *own_name)


def output_place(file: OutputFile, found: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the place below `file.folder` for what was found at these names below the job's folder."""
    if not file.to:
        return found
    pattern = parts_of(file.pattern)
    if not _is_folder(file.to):
        return (*parts_of(file.to), *found[len(pattern) :])
    plain = next((at for at, name in enumerate(pattern) if has_wildcards(name)), len(pattern))
    return (*parts_of(file.to), *found[min(plain, len(pattern) - 1) :])


def staging_texts(inputs: tuple[InputFile, ...], outputs: tuple[OutputFile, ...]) -> Iterator[str]:
    """All the text in them, for the check that it can be recorded and passed on."""
    for each in inputs:
        yield from (each.source, each.to)
    for output in outputs:
        yield from (output.pattern, output.folder, output.to)


def check_staging(inputs: tuple[InputFile, ...], outputs: tuple[OutputFile, ...], where: str) -> None:
    """Check what can be seen without the files. Raises BadInput at the entry, counted from 1."""
    for entries, key in ((inputs, "inputs"), (outputs, "outputs")):
        if len(entries) > ENTRIES_MAX:
            problem = f"{len(entries)} entries are more than the {ENTRIES_MAX} that a job may have"
            raise BadInput(problem, where=f"{where}.{key}", remedy="name a folder, which goes whole, or use a pattern")
    places: dict[tuple[str, ...], int] = {}
    for number, file in enumerate(inputs, 1):
        place = f"{where}.inputs.{number}"
        _check_input(file, place)
        other = places.setdefault(input_place(file), number)
        if other != number:
            problem = f"{shown(file.to)} is the place of number {other} already"
            raise BadInput(problem, where=place, remedy="give each file a place of its own, as in to = 'data/b.dat'")
    seen: set[tuple[tuple[str, ...], str]] = set()
    for number, output in enumerate(outputs, 1):
        place = f"{where}.outputs.{number}"
        _check_output(output, place)
        what = (parts_of(output.pattern), output.to)
        if what in seen:
            raise BadInput(f"{shown(output.pattern)} stands in it twice", where=place, remedy="take one of them out")
        seen.add(what)


def refuse_staging(target: str, where: str) -> BadInput:
    """The refusal of files for a target on this machine, which could only be copied beside themselves."""
    problem = f"the files of a job on {target!r} are on this machine already"
    return BadInput(problem, where=where, remedy="leave this out and use their paths, or take a target elsewhere")


def _own_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _is_folder(to: str) -> bool:
    return to.endswith("/") or to.rpartition("/")[2] == "."


def _check_input(file: InputFile, where: str) -> None:
    if not file.source.startswith("/"):
        problem = f"the path {shown(file.source)} is not absolute"
        raise BadInput(problem, where=where, remedy="record where the file is, whatever folder one is in")
    own_name = _own_name(file.source)
    if own_name in {"", ".", ".."}:
        problem = f"{shown(file.source)} has no name of its own"
        raise BadInput(problem, where=where, remedy="name the file or the folder itself")
    _check_place(file.to, where, "the job's folder")
    if _is_folder(file.to):
        _check_place(own_name, where, "the job's folder")
    elif not parts_of(file.to):
        raise BadInput("the place has no name", where=where, remedy="give one, or './' for the job's folder itself")


def _check_output(file: OutputFile, where: str) -> None:
    if not file.folder.startswith("/"):
        problem = f"the folder {shown(file.folder)} is not absolute"
        raise BadInput(problem, where=where, remedy="record where files come to, whatever folder one is in")
    _check_place(file.pattern, where, "the job's folder")
    if not parts_of(file.pattern):
        raise BadInput(f"{shown(file.pattern)} names no file", where=where, remedy="use '*' for all that is there")
    if not file.to:
        return
    _check_place(file.to, where, "the flow's folder")
    if has_wildcards(file.pattern) and not _is_folder(file.to):
        problem = f"{shown(file.pattern)} may match many files, and {shown(file.to)} is the place of one"
        raise BadInput(problem, where=where, remedy="end it in '/' to bring them into that folder")


def _check_place(path: str, where: str, folder: str) -> None:
    if not path:
        raise BadInput("the path is empty", where=where, remedy=f"give one in {folder}")
    if path.startswith("/"):
        raise BadInput(f"the path {shown(path)} is absolute", where=where, remedy=f"give one relative to {folder}")
    names = parts_of(path)
    if ".." in names:
        problem = f"the path {shown(path)} has '..' in it"
        raise BadInput(problem, where=where, remedy=f"it must stay in {folder}")
    if names[:1] == (PRIVATE_FOLDER,) or any(name.endswith(PART_SUFFIX) for name in names):
        problem = f"{shown(path)} is a name that Holdfast keeps for itself"
        raise BadInput(problem, where=where, remedy="take another")
    if len(_encoded(path)) > PATH_BYTES_MAX or any(len(_encoded(name)) > NAME_BYTES_MAX for name in names):
        problem = f"the path {shown(path)} is too long"
        raise BadInput(problem, where=where, remedy=f"names have at most {NAME_BYTES_MAX} bytes")


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # what is no UTF-8 is refused elsewhere, with a sentence of its own
