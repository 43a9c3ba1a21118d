"""`holdfast explain`: why a job is where it is: its events with their causes, then what holds it, down to the root."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator

import msgspec

from holdfast.store.home import Home
from holdfast.store.listing import JobLine
from holdfast.store.reader import Reader

from ..explaining.conclusions import conclude
from ..explaining.hindrance import Hindrance
from ..explaining.history import Happened, history
from ..explaining.scene import Scene
from ..screen.tables import Column, Table
from ..screen.terminal import Paint, printable, terminal_width
from .chosen import one_job

_COLUMNS = (Column("EVENT", right=True), Column("TIME"), Column("BY"), Column("WHAT"))


class Explanation(msgspec.Struct, frozen=True):
    """The contract of `explain --json`; `held_by` is empty for a job that runs or has ended."""

    job: JobLine
    events: list[Happened]
    conclusion: str
    held_by: list[Hindrance]


def execute(arguments: Namespace, home: Home) -> int:
    """Print it. Raises BadInput if the word means no one job."""
    with Reader(home) as reader:
        explanation = _explain(Scene(reader), one_job(reader, arguments.job))
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.encode(explanation) + b"\n")
    else:
        sys.stdout.writelines(line + "\n" for line in _lines(explanation))
    return 0


def _explain(scene: Scene, number: int) -> Explanation:
    job = scene.job(number)
    line = next(scene.reader.jobs("id = ?", (number,)))
    conclusion = conclude(scene, job, "it")
    text = conclusion.text[0].upper() + conclusion.text[1:]
    return Explanation(line, list(history(scene, number)), text, conclusion.held_by)


def _lines(explanation: Explanation) -> Iterator[str]:
    paint = Paint(sys.stdout)
    job = explanation.job
    flow = f" of flow {printable(job.flow)}" if job.flow is not None else ""
    name = f" ({printable(job.name)})" if job.name else ""
    yield f"{paint(f'job {job.id}{name}{flow}', 'bold')}: {paint.state(job.state)}"
    yield ""
    # Sentences are the point here: the terminal may break them, nothing cuts them.
    table = Table(_COLUMNS, None)
    rows = [(str(each.seq), each.local, printable(each.author), each.sentence) for each in explanation.events]
    yield paint(table.header(rows), "dim")
    yield from table.lines(rows)
    yield ""
    yield from _wrapped(explanation.conclusion)


def _wrapped(text: str) -> list[str]:
    width = terminal_width()
    if width is None:
        return [text]
    from textwrap import wrap  # noqa: PLC0415 - needed only where a line has an end

    return wrap(text, width, break_long_words=False, break_on_hyphens=False)
