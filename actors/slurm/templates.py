"""Templates of a target: what a user's must keep to, and how the pieces that Holdfast makes stand in it.

A template has `{{ header }}` first (the directives for sbatch), then `{{ claim }}` with nothing but comments before it,
and `{{ command }}`, each once and on a line of its own. What stands after the claim is the user's: modules that are
loaded, folders that are made. Marks stand for the three while the template is filled in, so that nothing can be done to
them, and the pieces take their places afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

from .shellwords import Composed

PIECES: Final = ("header", "claim", "command")
RESERVED: Final = (*PIECES, "loop", "needs", "range")

_DIRECTIVE: Final = re.compile(r"[ \t]*#[ \t]*(SBATCH|PBS|BSUB)\b")
_COMMENTS: Final = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
_MARKS: Final[Mapping[str, Composed]] = {name: Composed(f"\0{name}\0") for name in PIECES}  # no text holds a NUL


def check_template(name: str, templates: Mapping[str, str]) -> None:
    """Check what can be seen of a template without a job. Raises BadInput, with the template's name and line.

    Templates that are only included need not pass: they have no header of their own.
    """
    from .sandbox import Sandbox  # noqa: PLC0415 - Jinja2 is loaded where there are clusters, and nowhere else

    for each, text in templates.items():
        _check_text(each, text)
    Sandbox(templates).check(name)
    text = templates[name]
    for piece in PIECES:
        found = len(re.findall(rf"\{{\{{-?\s*{piece}\s*-?\}}\}}", text))
        if found != 1:
            problem = f"{{{{ {piece} }}}} stands in it {found} times"
            raise BadInput(problem, where=name, remedy=_ORDER)


def _check_text(name: str, text: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        place = f"{name}:{number}"
        if _DIRECTIVE.match(line):
            problem = f"{shown(line.strip())} is a directive, and those are composed from checked values"
            raise BadInput(
                problem, where=place, remedy="give sbatch = { ... } to the job or the target, and take it out"
            )
        if "\r" in line or "\0" in line:
            problem = "there is a carriage return or a NUL in it, which sbatch doesn't take"
            raise BadInput(problem, where=place, remedy="save it with the line breaks of Unix")


def fill_in(name: str, templates: Mapping[str, str], pieces: Mapping[str, str], variables: Mapping[str, object]) -> str:
    """The script that a template makes of these pieces and variables. Raises BadInput, with the template's name."""
    from .sandbox import Sandbox  # noqa: PLC0415 - as above

    for each, text in templates.items():
        _check_text(each, text)
    text = Sandbox(templates).expand(name, {**variables, **_MARKS})
    places = [_find(name, text, piece) for piece in PIECES]
    if places != sorted(places) or text[: places[0]] or not _COMMENTS.fullmatch(_between(text, places)):
        problem = "the pieces are not where they must be"
        raise BadInput(problem, where=name, remedy=_ORDER)
    for piece in PIECES:
        text = text.replace(_MARKS[piece], pieces[piece].rstrip("\n"))
    return text


_ORDER: Final = (
    "begin it with {{ header }}, then {{ claim }} with nothing but comments before it, then, where the command is to "
    "run, {{ command }}; each once, on a line of its own"
)


def _find(name: str, text: str, piece: str) -> int:
    mark = _MARKS[piece]
    found = [each.start() for each in re.finditer(rf"^{re.escape(mark)}$", text, re.MULTILINE)]
    if len(found) != 1 or text.count(mark) != 1:
        raise BadInput(f"{{{{ {piece} }}}} is not in it once, on a line of its own", where=name, remedy=_ORDER)
    return found[0]


def _between(text: str, places: list[int]) -> str:
    return text[places[0] + len(_MARKS["header"]) + 1 : places[1]]
