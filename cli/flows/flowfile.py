"""Flows as they are given: a file of TOML or JSON Lines, or standard input, to a FlowSpec or BadInput, nothing between.

`.toml` is TOML; `.jsonl`, `.ndjson` and `.json` are JSON Lines; where the name doesn't say, the first character does.

    jobfields   what a job may say         declarations          limits, targets, defaults
    jobvalues   what its values may be     flowjobs              what must hold between jobs
    units       durations, sizes, rates    tomlflow, jsonlflow   the two formats
    names       names and texts            flowinput             bytes, within bounds
    places      errors and their places    tomllines             the line of a key in TOML
    targetfields, slurmfields   what targets may say             templatefiles   scripts for clusters
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Final
from unicodedata import normalize

from msgspec.structs import replace

from holdfast.events.spec import FlowSpec

from .flowinput import STANDARD_INPUT, check_size, is_jsonl, read_input
from .jsonlflow import parse_jsonl
from .names import check_text
from .places import Misfit, in_file
from .tomlflow import parse_toml

NAME_CHARACTERS_MAX: Final = 100
_JSONL_SUFFIXES: Final = (".jsonl", ".ndjson", ".json")
_UNSAFE: Final = re.compile(r"[^\w.-]+")


def read_flow(path: Path) -> FlowSpec:
    """The flow in the file, or on standard input for `-`. Jobs run in the file's folder, or the working folder.

    Raises BadInput at the file and line; nothing was done then.
    """
    name = str(path)
    data = read_input(path, _shown_source(name), lines=_lines_by_suffix(name))
    return parse_flow(data, source=name, folder=Path() if name == STANDARD_INPUT else path.parent)


def parse_flow(data: bytes, *, source: str, folder: Path) -> FlowSpec:
    """The flow in `data`.

    `source` is the file's name, for its format, the flow's name, and messages; `-` for standard input. `folder` is what
    the jobs' `cwd` is relative to, and what tells equal texts in different folders apart. Raises BadInput.
    """
    shown = _shown_source(source)
    absolute = _absolute(folder, shown)
    lines = _lines_by_suffix(source)
    if lines is None:
        lines = is_jsonl(data)
    check_size(len(data), shown, lines=lines)
    flow = (parse_jsonl if lines else parse_toml)(data, shown, absolute)
    digest = hashlib.sha256(absolute.encode() + b"\0")
    digest.update(data)
    return replace(flow, name=_flow_name(source), digest=digest.hexdigest())


def _lines_by_suffix(source: str) -> bool | None:
    suffix = Path(source).suffix.lower()
    return True if suffix in _JSONL_SUFFIXES else False if suffix == ".toml" else None


def _shown_source(source: str) -> str:
    if source == STANDARD_INPUT:
        return "standard input"
    return source if source.isprintable() else repr(source)


def _absolute(folder: Path, source: str) -> str:
    """The folder from the root, as the user spelled it: other hosts may mount it there, but not where links lead."""
    try:
        absolute = os.path.abspath(folder)  # noqa: PTH100 - resolve() follows links
        if folder.exists() and not folder.samefile(absolute):
            absolute = str(folder.resolve())  # a '..' behind a link, which leads elsewhere than the text says
        return check_text(absolute, "the path of its folder", lines=False)
    except Misfit as error:
        raise in_file(error, source, None) from None


def _flow_name(source: str) -> str:
    if source == STANDARD_INPUT:
        return "stdin"
    # Composed, because macOS keeps names of files with letters and their accents apart.
    stem = normalize("NFC", Path(source).stem)
    return _UNSAFE.sub("-", stem).strip("-.")[:NAME_CHARACTERS_MAX] or "flow"
