"""Jobs that run until a test lets them end, so that what happens in mid-run happens then and at no other time."""

from __future__ import annotations

from .marks import MARK
from .place import Place, Started


def gate(name: str, more: str = "") -> str:
    """A job that marks its start and then waits until `open_gate`; `more` are further lines of its table."""
    wait = f"while ! test -e open-{name}; do sleep 0.02; done"
    return f'[jobs.{name}]\nrun = "{MARK}; {wait}"\n{more}\n'


def open_gate(place: Place, *names: str) -> None:
    for name in names:
        (place.folder / f"open-{name}").touch()


def mid_run(place: Place, text: str, slots: int = 8) -> Started:
    """A supervisor in the middle of the flow `text`, whose job `a` runs."""
    run = place.start("run", place.flow(text), "--slots", str(slots))
    place.until_state("a", "running")
    return run
