"""`python -m benchmarks [NAME ...]`: run all benchmarks, or those named, one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from benchmarks import (
    actor_messages,
    load,
    memory,
    profile,
    runner_spawn,
    scheduling,
    spawn,
    startup,
    store_append,
    store_rebuild,
    store_restart,
    submission,
)

BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "actor_messages": actor_messages.main,
    "load": load.main,
    "memory": memory.main,
    "spawn": spawn.main,
    "runner_spawn": runner_spawn.main,
    "scheduling": scheduling.main,
    "startup": startup.main,
    "store_append": store_append.main,
    "store_rebuild": store_rebuild.main,
    "store_restart": store_restart.main,
    "submission": submission.main,
}
# Not measurements, and run only by name: `profile` writes pictures into docs/.
OTHERS: Final[dict[str, Callable[[], None]]] = {"profile": profile.main}


def main(names: list[str]) -> int:
    """Run these; 2 if there is no such benchmark."""
    known = BENCHMARKS | OTHERS
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.stderr.write(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(known)}\n")
        return 2
    for name in names or BENCHMARKS:
        print(f"\n== {name}", flush=True)
        known[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
