"""Numbers as Slurm writes sets of tasks: 0-3,7."""

from __future__ import annotations

from collections.abc import Sequence


def shown_ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, each once, as Slurm's options take them: [0, 1, 2, 7] is 0-2,7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
