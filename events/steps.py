"""Steps: a part of a program's work that is done once; what came of it is recorded, and given back ever after."""

from __future__ import annotations

from .checks import CALL_BYTES_MAX, check_text
from .draft import ROOT, Draft
from .errors import BadInput
from .facts import StepRecorded
from .messages import RecordStep, StepTaken


def record_step(draft: Draft, request: RecordStep) -> StepTaken:
    """Record the result of a step, unless one was recorded before: then that one counts. Raises BadInput."""
    where = f"step {request.step}"
    if not request.step.strip() or not request.key:
        raise BadInput("a step needs a name and a key", where=where, remedy="the key says which of its kind it is")
    size_bytes = len(request.result.encode(errors="surrogatepass"))
    if size_bytes > CALL_BYTES_MAX:
        problem = f"its result takes {size_bytes} bytes, more than the {CALL_BYTES_MAX} that are recorded"
        raise BadInput(problem, where=where, remedy="write it to a file and record its name")
    check_text((request.step, request.key, request.result), where)
    place = request.step, request.key
    before = draft.steps.get(place) or draft.base.step(place)
    if before is not None:
        return StepTaken(before, fresh=False)
    draft.record(StepRecorded(request.step, request.key, request.result, request.job), ROOT)
    draft.steps[place] = request.result
    return StepTaken(request.result, fresh=True)
