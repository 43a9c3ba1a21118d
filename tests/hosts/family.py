"""Which processes descend from which: sshd hides the environment of its own, so they are told by their parents."""

from __future__ import annotations

from pathlib import Path


def below(ancestor: int) -> list[tuple[int, str]]:
    """The descendants of the process `ancestor`, without those whose parents have ended: each pid with its command."""
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                head, _, tail = (entry / "stat").read_text(errors="replace").rpartition(") ")
            except OSError:  # it has just ended
                continue
            children.setdefault(int(tail.split()[1]), []).append((int(entry.name), head.partition(" (")[2]))
    found: list[tuple[int, str]] = []
    waiting = [ancestor]
    while waiting:
        next_ones = children.get(waiting.pop(), [])
        found += next_ones
        waiting += [pid for pid, _ in next_ones]
    return found
