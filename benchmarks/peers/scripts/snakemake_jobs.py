"""Snakemake with two jobs at once: the whole command, from start to end, as a user sees it. VARIANT: `local`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

SNAKEFILE: Final = """\
import json
GRAPH = json.load(open("graph.json"))

rule all:
    input: expand("done/{number}", number=range(len(GRAPH)))

rule job:
    input: lambda wildcards: [f"done/{each}" for each in GRAPH[int(wildcards.number)]]
    output: touch("done/{number}")
    shell: "/bin/true"
"""


def main(variant: str, count: int) -> None:
    """Write the Snakefile, then run it."""
    del variant
    Path("Snakefile").write_text(SNAKEFILE)
    command = [str(Path(sys.executable).with_name("snakemake")), "--cores", "2", "--quiet", "all"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    assert len(list(Path("done").iterdir())) == count
    print(json.dumps({"seconds": took}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
