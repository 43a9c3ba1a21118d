"""The language of templates: Jinja2's sandbox, and of its syntax only what can't grow or go on without bound.

Nothing but this module imports Jinja2, and it is imported when a script is to be made: a home without a cluster never
loads it. What is interpolated is quoted for a POSIX shell, unless it was composed here. A template may use variables,
conditions, loops over literals, `range` and `words`, and include others of its target; macros, imports and calls are
refused, because with them a template of ten lines can fill the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateRuntimeError,
    TemplateSyntaxError,
    Undefined,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from holdfast.events.errors import BadInput
from holdfast.events.quoting import shown

from .shellwords import Composed, quote

LOOP_MAX: Final = 1_000
LOOP_DEPTH_MAX: Final = 2
INCLUDES_MAX: Final = 100
OUTPUT_CHARACTERS_MAX: Final = 1_000_000

_FILTERS: Final = ("d", "default", "int", "length", "lower", "trim", "upper", "words")
_TESTS: Final = ("defined", "undefined")
_ALLOWED: Final = (
    nodes.And,
    nodes.Assign,
    nodes.Compare,
    nodes.CondExpr,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.If,
    nodes.List,
    nodes.Name,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.TemplateData,
    nodes.Tuple,
)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment whose templates are the given texts, by name, and no files."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        super().__init__(
            autoescape=False,
            cache_size=-1,
            finalize=_word,
            keep_trailing_newline=True,
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        self._texts = texts
        self.loader = FunctionLoader(self._find)
        self.globals = {"range": _bounded_range}
        self.filters["words"] = _words

    def _find(self, name: str) -> tuple[str, str, Callable[[], bool]] | None:
        text = self._texts.get(name)
        return None if text is None else (text, f"{_FILE}{name}", lambda: True)

    def check(self, name: str) -> None:
        """Check a template and those that it includes. Raises BadInput, with the template's name and line."""
        _Reader(self, self._texts).read(name, ())

    def expand(self, name: str, variables: Mapping[str, object]) -> str:
        """Check a template and fill it in. Raises BadInput, with the template's name and line."""
        self.check(name)
        parts: list[str] = []
        size = 0
        try:
            for part in self.get_template(name).generate(variables):
                parts.append(part)
                size += len(part)
                if size > OUTPUT_CHARACTERS_MAX:
                    break
        except TemplateError as error:
            raise BadInput(_said(error), where=_place(error, name), remedy=_REMEDY) from None
        except (TypeError, ValueError) as error:
            raise BadInput(str(error), where=_place(error, name), remedy=_REMEDY) from None
        except RecursionError:
            raise BadInput("it is nested too deeply", where=name, remedy="take it apart") from None
        except BadInput as error:
            raise error.at(_place(error, name)) from None
        if size > OUTPUT_CHARACTERS_MAX:
            problem = f"it becomes longer than {OUTPUT_CHARACTERS_MAX} characters"
            raise BadInput(problem, where=name, remedy="let it start a program that does the rest")
        return "".join(parts)


_FILE: Final = "template "
_REMEDY: Final = (
    "a template may use the job's `variables` and `needs`; `x | default(...)` stands in for what may be missing"
)


class _Reader:
    """Reads a template and those that it includes, and counts as it goes."""

    def __init__(self, sandbox: Sandbox, texts: Mapping[str, str]) -> None:
        self._sandbox = sandbox
        self._texts = texts
        self._read = 0

    def read(self, name: str, within: tuple[str, ...]) -> None:
        text = self._texts.get(name)
        if text is None:
            raise BadInput(
                f"there is no template {shown(name)}", remedy=f"there are {', '.join(self._texts) or 'none'}"
            )
        self._read += 1
        if name in within or self._read > INCLUDES_MAX:
            problem = f"{shown(name)} is included by itself, or there are more than {INCLUDES_MAX} includes"
            raise BadInput(problem, where=(within or (name,))[-1], remedy="take one of them out")
        try:
            tree = self._sandbox.parse(text, name)
        except TemplateSyntaxError as error:
            raise BadInput(_said(error), where=f"{name}:{error.lineno}", remedy="see how Jinja2 writes it") from None
        except RecursionError:
            raise BadInput("it is nested too deeply", where=name, remedy="take it apart") from None
        self._walk(tree, name, within, 0)

    def _walk(self, parent: nodes.Node, name: str, within: tuple[str, ...], depth: int) -> None:
        for node in parent.iter_child_nodes():
            place = f"{name}:{node.lineno}"
            inner = depth
            match node:
                case nodes.For():
                    inner = depth + 1
                    _check_loop(node, inner, place)
                case nodes.Include():
                    try:
                        self.read(_included(node, depth, place), (*within, name))
                    except BadInput as error:
                        raise error.at(place) from None
                case nodes.Call(node=nodes.Name(name="range")):
                    pass
                case nodes.Filter(name=used) if used not in _FILTERS:
                    raise BadInput(f"there is no filter {used}", where=place, remedy=f"there are {', '.join(_FILTERS)}")
                case nodes.Test(name=used) if used not in _TESTS:
                    raise BadInput(f"there is no test {used}", where=place, remedy=f"there are {', '.join(_TESTS)}")
                case nodes.Filter() | nodes.Test():
                    pass
                case nodes.List() | nodes.Tuple() if not all(map(_is_flat, node.items)):
                    problem = "a list that is written out holds text and numbers, and nothing else"
                    raise BadInput(problem, where=place, remedy="write it so")
                case _ if not isinstance(node, _ALLOWED):
                    problem = f"{_name_of(node)} can't be used in a template"
                    remedy = (
                        "it may have variables, if, for, set and include; let it start a program that does the rest"
                    )
                    raise BadInput(problem, where=place, remedy=remedy)
                case _:
                    pass
            self._walk(node, name, within, inner)


def _check_loop(node: nodes.For, depth: int, place: str) -> None:
    is_bounded = isinstance(node.iter, nodes.Call | nodes.List | nodes.Tuple) or (
        isinstance(node.iter, nodes.Filter) and node.iter.name == "words"
    )
    if not is_bounded or node.recursive:
        problem = "a loop goes over `VARIABLE | words`, a list written out, or a range, and is not recursive"
        raise BadInput(problem, where=place, remedy="write it so")
    if depth > LOOP_DEPTH_MAX:
        problem = f"there are more than {LOOP_DEPTH_MAX} loops in one another"
        raise BadInput(problem, where=place, remedy="take one out")


def _is_flat(item: nodes.Expr) -> bool:
    """Whether an item of a list can't be a list again, or is one of the names that a loop gives its values to."""
    return isinstance(item, nodes.Const) or (isinstance(item, nodes.Name) and item.ctx == "store")


def _included(node: nodes.Include, depth: int, place: str) -> str:
    if depth or not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
        problem = "an include has a name that is written out, and stands in no loop"
        raise BadInput(problem, where=place, remedy="write it so")
    return node.template.value


def _name_of(node: nodes.Node) -> str:
    return {"CallBlock": "call", "FilterBlock": "filter", "FromImport": "import", "AssignBlock": "set ... endset"}.get(
        type(node).__name__, type(node).__name__.lower()
    )


def _word(value: object) -> str:
    """What stands in a script for a value: text as one word, a list as words, numbers as they are."""
    match value:
        case Composed():
            return value
        case Undefined():
            return str(value)  # raises, and says what is missing
        case str():
            return quote(value)
        case bool():
            return quote("true" if value else "false")
        case int():
            return str(int(value))
        case list() | tuple():
            return " ".join(map(_word, cast("Sequence[object]", value)))
        case _:
            raise TemplateRuntimeError("only text, numbers and lists of them can stand in a script")


def _words(value: object) -> list[str]:
    """The filter `words`: a text's words, between blanks, as a list."""
    words = str(value).split()
    if len(words) > LOOP_MAX:
        raise TemplateRuntimeError(f"there are {len(words)} words, more than {LOOP_MAX}")
    return words


def _bounded_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > LOOP_MAX:
        raise TemplateRuntimeError(f"the range has more than {LOOP_MAX} numbers")
    return found


def _said(error: TemplateError) -> str:
    return (error.message or type(error).__name__).rstrip(".")


def _place(error: BaseException, name: str) -> str:
    """The innermost line of a template that the error went through; its file is the template's name, in brackets."""
    place, trace = name, error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(_FILE):
            place = f"{file.removeprefix(_FILE)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
