"""Which attempts go to Slurm together: an array of those that differ only in what a row of the script can hold.

That is the command, its variables and its folder. What Slurm is asked for, the template and what stands in it are the
script's, so attempts that differ there go in different batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Final

from holdfast.events.errors import BadInput
from holdfast.events.sbatch import options
from holdfast.events.spec import JobSpec, SlurmSpec

from ..targets.messages import Order
from .script import task_words
from .shellwords import quote

TASKS_MAX: Final = 500
SCRIPT_BYTES_MAX: Final = 500_000
"""How long a script may become by being an array's: sbatch takes 4 MB, but each task has all of it, sent by the
controller, written by its node and read by its shell.

Of five hundred short commands that is some milliseconds, a tenth of what Slurm needs for a task; of ten thousand it
would be twice as much as all the rest.
"""

_ROW_BYTES: Final = 50  # what is written around the words of a row


def batches(orders: Sequence[Order], slurm: SlurmSpec, most: int) -> list[tuple[Order, ...]]:
    """These orders as batches of at most `most` tasks each (the cluster's MaxArraySize), and of TASKS_MAX.

    Orders of a batch stand as they were given, and batches by their first. Raises BadInput if a job asks Slurm for what
    it can't be asked for.
    """
    most = max(1, min(most, TASKS_MAX))
    alike: dict[Hashable, list[list[Order]]] = defaultdict(list)
    sizes: dict[Hashable, int] = {}
    made: list[list[Order]] = []
    for order in orders:
        kind = _kind(order, slurm)
        size_bytes = _row_bytes(order.spec)
        open_ones = alike[kind]
        if not open_ones or len(open_ones[-1]) >= most or sizes[kind] + size_bytes > SCRIPT_BYTES_MAX:
            open_ones.append([])
            made.append(open_ones[-1])
            sizes[kind] = 0
        open_ones[-1].append(order)
        sizes[kind] += size_bytes
    return [tuple(each) for each in made]


def _kind(order: Order, slurm: SlurmSpec) -> Hashable:
    """What is equal for all tasks of an array."""
    spec = order.spec
    return (
        options(spec, slurm),
        spec.template,
        tuple(sorted(spec.variables.items())),
        tuple(sorted(spec.needs.items())),
        bool(spec.secrets),
        tuple(sorted(order.after.items())),
    )


def _row_bytes(spec: JobSpec) -> int:
    words = (spec.cwd, *task_words(spec))
    return _ROW_BYTES + sum(len(quote(word).encode()) + 1 for word in words)


def grouped(
    orders: Sequence[Order], slurm: SlurmSpec, most: int
) -> tuple[list[tuple[Order, ...]], list[tuple[Order, str]]]:
    """Orders as batches, and those that can't be given to Slurm as the target is by now, each with the reason."""
    good: list[Order] = []
    refused: list[tuple[Order, str]] = []
    for order in orders:
        try:
            options(order.spec, slurm)
        except BadInput as error:
            refused.append((order, str(error)))
        else:
            good.append(order)
    return batches(good, slurm, most), refused
