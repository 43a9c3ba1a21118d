"""Functions that jobs call: their registry, the types of what they take and return, and what a call is told of itself.

@hf.function("resize", limits=["gpu"], retries=3)
def resize(path: str, width: int) -> str: ...

job = await hf.submit(holdfast.call("resize", path="a.png", width=640))
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Final, Generic, ParamSpec, TypeVar, get_args, get_type_hints

import msgspec

from holdfast.events.checks import CALL_BYTES_MAX
from holdfast.events.errors import BadInput, HoldfastError
from holdfast.events.spec import Call

from .jobs import PolicyOptions
from .kinds import text_of

P = ParamSpec("P")
R = TypeVar("R")

_MESSAGE_CHARACTERS_MAX: Final = 500
_NAMED: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


# The job whose function runs in this task or thread, for the steps that it takes.
CALLING: Final[ContextVar[int | None]] = ContextVar("CALLING", default=None)
# How long the program itself gives what runs there, on the loop's clock: what gives it less ends by itself.
GIVEN_UNTIL: Final[ContextVar[float]] = ContextVar("GIVEN_UNTIL", default=math.inf)


class CallStopped(HoldfastError):
    """Raised by `Attempt.check` in a function whose job was cancelled, or whose time is up."""

    def __init__(self) -> None:
        super().__init__("this call is to stop: its job was cancelled, or its time is up")


class Attempt:
    """What a call is told of itself: it gets one by a parameter of this type. Any thread may use it.

    `job` is the job's id, `number` counts its attempts from 1, and `token` is unique for ever, and the same for no two
    attempts: fit to tell them apart in a log. It does not make an effect elsewhere idempotent, as a retry has another
    one: hand over the job's id for that, or a step's key.
    """

    def __init__(self, job: int, number: int, token: str, report: Callable[[float | None, str], None]) -> None:
        self.job = job
        self.number = number
        self.token = token
        self._report = report
        self._stopped = False

    def progress(self, fraction: float | None = None, message: str = "") -> None:
        """Say how far it is: `fraction` of the whole, from 0 to 1, and a word. Recorded now and then, and the last one.

        Raises BadInput for a fraction that is none.
        """
        try:
            part = None if fraction is None else float(fraction)
        except (TypeError, ValueError):
            part = -1.0
        if part is not None and not 0 <= part <= 1:
            raise BadInput(f"{fraction!r} is no fraction", remedy="give a number from 0 to 1")
        self._report(part, str(message).encode(errors="replace").decode()[:_MESSAGE_CHARACTERS_MAX])

    @property
    def stopped(self) -> bool:
        """Whether it is to stop. An async function is cancelled besides; any other has to look, here or by `check`."""
        return self._stopped

    def check(self) -> None:
        """Raise CallStopped if it is to stop."""
        if self.stopped:
            raise CallStopped

    def stop(self) -> None:
        """Have it stop; for Holdfast."""
        self._stopped = True


class Callee:
    """A function as jobs call it: by name, with arguments and a result that JSON holds."""

    def __init__(self, name: str, function: Callable[..., object], options: PolicyOptions) -> None:
        """Raises BadInput for a signature whose arguments can't be recorded by name."""
        self.name = name
        self.options = options
        self._function = function
        self.is_async = inspect.iscoroutinefunction(function)
        parameters, hints = _parameters(name, function), _hints(name, function)
        fields: list[tuple[str, object] | tuple[str, object, object]] = []
        self.attempt_name: str | None = None
        for parameter in parameters:
            hint = hints.get(parameter.name, object)
            if hint is Attempt or Attempt in get_args(hint):  # `Attempt | None` as well
                self.attempt_name = parameter.name
            elif parameter.kind not in _NAMED:
                problem = f"its parameter {parameter} can't be given by name"
                raise BadInput(problem, where=f"function {name}", remedy="arguments are recorded by name: name each")
            elif parameter.default is inspect.Parameter.empty:
                fields.append((parameter.name, hint))
            else:
                fields.append((parameter.name, hint, _default(parameter.default)))
        try:
            shape = msgspec.defstruct("Arguments", fields, kw_only=True, frozen=True, forbid_unknown_fields=True)
            self._arguments = msgspec.json.Decoder(shape)
            self._result = msgspec.json.Decoder(hints["return"]) if "return" in hints else None
        except TypeError as error:
            raise _unusable(name, error) from error

    def invoke(self, given: Call, attempt: Attempt) -> object:
        """Call it; raises what it raises, and BadInput for arguments that it does not take."""
        arguments = self.arguments(given)
        CALLING.set(attempt.job)
        if self.attempt_name is not None:
            arguments[self.attempt_name] = attempt
        return self._function(**arguments)

    def arguments(self, given: Call) -> dict[str, object]:
        """The arguments by name. Raises BadInput for those that the function does not take."""
        try:
            found = self._arguments.decode(given.arguments)
        except msgspec.DecodeError as error:
            problem = f"it does not take these arguments: {error}"
            raise BadInput(problem, where=f"function {self.name}", remedy="see its signature") from error
        return msgspec.structs.asdict(found)

    def encode(self, result: object) -> str:
        """A result as it is recorded. Raises BadInput if it can't be."""
        where = f"function {self.name}"
        remedy = "return what JSON can hold, of the type it names"
        text = text_of(result, "its result", where, remedy)
        try:
            if self._result is not None:
                self._result.decode(text)
        except msgspec.DecodeError as error:
            raise BadInput(f"its result can't be recorded: {error}", where=where, remedy=remedy) from error
        size_bytes = len(text) if text.isascii() else len(text.encode())
        if size_bytes > CALL_BYTES_MAX:
            problem = f"its result takes {size_bytes} bytes, more than the {CALL_BYTES_MAX} that are recorded"
            raise BadInput(problem, where=where, remedy="write it to a file and return its name")
        return text


def _parameters(name: str, function: Callable[..., object]) -> Sequence[inspect.Parameter]:
    """What it takes. Raises BadInput for what can't be called, or doesn't say."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        problem = f"nobody can tell what it takes: {error}"
        raise BadInput(problem, where=f"function {name}", remedy="register a `def` that calls it") from error


def _default(value: object) -> object:
    """A parameter's own default: the same object at each call, as Python has it, also where that is a list."""
    return msgspec.field(default_factory=lambda: value)


def _hints(name: str, function: Callable[..., object]) -> dict[str, object]:
    """The types that the function names. Raises BadInput for one that is none, or that can't be found."""
    try:
        return get_type_hints(function)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise _unusable(name, error) from error


def _unusable(name: str, error: Exception) -> BadInput:
    problem = f"the types that it names can't be used: {error}"
    remedy = "annotate with types that JSON can hold, known where the function is defined"
    return BadInput(problem, where=f"function {name}", remedy=remedy)


class Function(Generic[P, R]):
    """A registered function: calling it calls it, here and now; `call` makes what a job is submitted with.

    `function` is the one that was registered.
    """

    def __init__(self, function: Callable[P, R], callee: Callee) -> None:
        self.function = function
        self._callee = callee
        signature = inspect.signature(function)
        given = [each for each in signature.parameters.values() if each.name != callee.attempt_name]
        self._signature = signature.replace(parameters=given)

    @property
    def name(self) -> str:
        """What jobs know it by."""
        return self._callee.name

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """Call it, here and now, without a job."""
        return self.function(*arguments, **named)

    def call(self, *arguments: P.args, **named: P.kwargs) -> Call:
        """What to submit, so that a job calls it with these, but for an `Attempt`, which it gets when it is called.

        Raises BadInput for arguments that it does not take.
        """
        try:
            bound = self._signature.bind(*arguments, **named)
        except TypeError as error:
            problem = f"it does not take these arguments: {error}"
            raise BadInput(problem, where=f"function {self.name}", remedy="see its signature") from error
        made = call(self.name, **bound.arguments)
        self._callee.arguments(made)
        return made


def call(function: str, /, **arguments: object) -> Call:
    """What to submit, so that a job calls the function of this name. Raises BadInput if JSON can't hold an argument."""
    return Call(function, text_of(arguments, "an argument", f"function {function}", "give what JSON can hold"))


class Registry:
    """The functions of a program, by name."""

    def __init__(self) -> None:
        self._functions: dict[str, Callee] = {}

    def check(self, name: str, options: PolicyOptions) -> None:
        """Check what a function is to be registered with. Raises BadInput, also if there is one of this name."""
        if name in self._functions:
            problem = f"there is a function {name!r} already"
            raise BadInput(problem, where=f"function {name}", remedy="take another name: jobs know functions by it")
        odd = next((option for option in options if option not in PolicyOptions.__annotations__), None)
        if odd is not None:
            problem = f"{odd!r} is nothing that a function says of its jobs"
            remedy = f"give some of: {', '.join(PolicyOptions.__annotations__)}; `submit` takes the rest"
            raise BadInput(problem, where=f"function {name}", remedy=remedy)

    def add(self, name: str, function: Callable[P, R], options: PolicyOptions) -> Function[P, R]:
        """Register a function that was checked. Raises BadInput if it can't be called by name."""
        callee = self._functions[name] = Callee(name, function, options)
        return Function(function, callee)

    def find(self, name: str) -> Callee | None:
        """The function of this name, if it is registered."""
        return self._functions.get(name)
