"""`inputs` and `outputs` of a job: the files that it takes along to another machine, and brings back.

Each is a path, a table `{ from = "x/y", to = "data/" }`, or a list of these. An input's path is relative to the flow's
folder, and it goes to the same place in the job's folder there; where that can't be, because the path is absolute or
goes upwards, or isn't wished, `to` says where. An output's path is a pattern in the job's folder, and comes to the same
place in the flow's folder, or to `to`. A `to` that ends in `/` is a folder. What the rules are beyond that stands in
`events.staging`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown
from holdfast.events.spec import HERE, LOCAL
from holdfast.events.staging import Pair, check_staging, placed, refuse_staging

from .names import check_text
from .places import Misfit, expected, unknown_key, within

_KEYS: Final = ("from", "to")
_TABLE: Final = 'as in { from = "x/y", to = "data/" }'


def read_inputs(value: object) -> list[Pair]:
    """Files that go along, each with its place, which is "" where it wasn't given."""
    return _pairs(value, _read_input)


def read_outputs(value: object) -> list[Pair]:
    """Patterns of files that come back, each with its place, which is "" where it wasn't given."""
    return _pairs(value, _read_pair)


def place_files(fields: dict[str, object], folder: str) -> None:
    """Put absolute paths in place of what `read_inputs` and `read_outputs` made. Raises Misfit at the entry."""
    target = str(fields.get("target", LOCAL))
    inputs, outputs = (cast("list[Pair]", fields.get(key, ())) for key in ("inputs", "outputs"))
    there, back = placed(inputs, outputs, folder)
    try:
        if target in HERE:
            raise refuse_staging(target, "inputs" if there else "outputs")
        check_staging(there, back, "")
    except BadInput as error:
        keys = tuple(key for key in error.where.split(".") if key)
        raise within(BadInput(error.problem, remedy=error.remedy), *keys) from None
    fields.update(msgspec.to_builtins({"inputs": there, "outputs": back}))


def _pairs(value: object, read: Callable[[object], Pair]) -> list[Pair]:
    if not isinstance(value, list):
        return [read(value)]
    pairs: list[Pair] = []
    for number, each in enumerate(cast("list[object]", value), 1):
        try:
            pairs.append(read(each))
        except BadInput as error:
            raise within(error, str(number)) from None
    return pairs


def _read_pair(value: object) -> Pair:
    if isinstance(value, str):
        if not value:
            raise Misfit("the path is empty", remedy="leave it out")
        return check_text(value, "the path"), ""
    if not isinstance(value, dict):
        raise expected("a path or a table", value, _TABLE)
    table = cast("dict[str, object]", value)
    pair = {"from": "", "to": ""}
    for key, text in table.items():
        if key not in _KEYS:
            raise unknown_key(key, _KEYS)
        try:
            if not isinstance(text, str):
                raise expected("a string", text, "put it in quotes")
            pair[key] = check_text(text, "the path")
        except BadInput as error:
            raise within(error, key) from None
    if not (pair["from"] and pair["to"]):
        raise Misfit("the table lacks a from or a to", remedy=f"give both, {_TABLE}")
    return pair["from"], pair["to"]


def _read_input(value: object) -> Pair:
    source, to = _read_pair(value)
    if not to and (source.startswith("/") or ".." in source.split("/")):
        problem = f"{shown(source)} lies outside of the flow's folder, so its place there is not plain"
        raise Misfit(problem, remedy=f'say where it goes, as in {{ from = "{source}", to = "./" }}')
    return source, to
