"""Steps: parts of a function whose results are recorded once, and found by all attempts after that.

async with hf.step("charge", key=order) as step:
    if step.fresh:
        step.result = await charge(order, idempotency_key=step.key)
receipt = step.result_as(Receipt)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from holdfast.events.errors import BadInput
from holdfast.events.messages import Answer, RecordStep, StepTaken

from .functions import CALLING
from .kinds import text_of, value_of

if TYPE_CHECKING:
    from typing_extensions import TypeForm

T = TypeVar("T")


class Step:
    """One step, of this `name` and `key`; made by `Holdfast.step`.

    `fresh`: no result of it is recorded, so it is to be done now.
    That no result is recorded does not say that it was never begun: see `Holdfast.step`.

    `result`: what came of it, to be set where it is fresh; anything that JSON can hold. One that is not set is None:
    of some steps there is nothing to keep but that they were done. It is in the log, synced, once the `with` is left
    without an error; nothing is recorded where it is left with one.
    """

    def __init__(self, name: str, key: str, recorded: str | None) -> None:
        self.name = name
        self.key = key
        self.fresh = recorded is None
        self._recorded = recorded
        self._result: object = None if recorded is None else msgspec.json.decode(recorded)

    @property
    def result(self) -> object:
        """What came of it."""
        return self._result

    @result.setter
    def result(self, result: object) -> None:
        """Set what came of it. Raises BadInput if it was done before."""
        if not self.fresh:
            problem = "the step was done before, and its result is recorded"
            raise BadInput(problem, where=f"step {self.name}", remedy="set it only where `step.fresh` is true")
        self._result = result

    def result_as(self, kind: TypeForm[T]) -> T:
        """What came of it, as a value of `kind`. Raises BadInput if it is of another kind."""
        return value_of(self.text(), kind, "its result", f"step {self.name}")

    def text(self) -> str:
        """The result as JSON. Raises BadInput for what JSON can't hold."""
        if self._recorded is not None:
            return self._recorded
        return text_of(self._result, "its result", f"step {self.name}", "set what JSON can hold")

    def request(self) -> RecordStep:
        """What records it. Raises BadInput for what JSON can't hold."""
        return RecordStep(self.name, self.key, self.text(), CALLING.get())

    def take(self, answer: Answer) -> None:
        """Take over what was recorded: somebody may have been quicker, and then that result counts."""
        assert isinstance(answer, StepTaken), "a step is answered by the result that counts"
        self._recorded = answer.result
        self._result = msgspec.json.decode(answer.result)
