"""make and ninja with two jobs at once: the whole command, from start to end, as a user sees it.

VARIANT: `make` (nothing is recorded), `make-stamps` (each job touches a file) or `ninja` (a line of its log for each).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

PROGRAM: Final = "/bin/true"
AT_ONCE: Final = "-j2"

Graph = list[list[int]]


def main(variant: str, count: int) -> None:
    """Write the build file, then build."""
    graph: Graph = json.loads(Path("graph.json").read_text())
    assert len(graph) == count
    if variant == "ninja":
        Path("build.ninja").write_text(
            "\n".join([f"rule run\n  command = {PROGRAM}", *_lines("build ", ": run", graph), ""])
        )
        command = ["ninja", AT_ONCE, "--quiet"]
    else:
        Path("Makefile").write_text(_makefile(graph, stamps=variant == "make-stamps"))
        command = ["make", "--silent", "--no-builtin-rules", AT_ONCE, "all"]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    took = time.perf_counter() - began
    if variant == "ninja":
        assert len(Path(".ninja_log").read_text().splitlines()) == count + 1  # a line says which version it is
    if variant == "make-stamps":
        assert len(list(Path().glob("j*"))) == count
    print(json.dumps({"seconds": took}))


def _makefile(graph: Graph, *, stamps: bool) -> str:
    recipe = "\t@touch $@" if stamps else f"\t@{PROGRAM}"
    everything = " ".join(f"j{number}" for number in range(len(graph)))
    first = [f"all: {everything}"] if stamps else [f".PHONY: all {everything}", f"all: {everything}"]
    return "\n".join([*first, *(f"{line}\n{recipe}" for line in _lines("", ":", graph)), ""])


def _lines(before: str, after: str, graph: Graph) -> list[str]:
    return [
        f"{before}j{number}{after} {' '.join(f'j{each}' for each in needed)}".rstrip()
        for number, needed in enumerate(graph)
    ]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
