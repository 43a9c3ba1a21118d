"""Control groups, which a cluster has where jobs beyond their memory are to be OUT_OF_MEMORY: one cluster at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

from tests.system.place import until
from tests.tools import refuse

ROOT: Final = Path("/sys/fs/cgroup")
MEMORY: Final = ROOT / "memory"
OTHERS_S: Final = 300.0  # until tests of other processes are done with theirs


class Cgroups:
    """The right to use the memory groups of nodes: Slurm names them by the node alone, so that two would share them."""

    def __init__(self, nodes: int) -> None:
        """Wait for it."""
        if not (MEMORY / "memory.limit_in_bytes").exists() or not os.access(MEMORY, os.W_OK):
            refuse(f"this test needs the memory controller of cgroup v1, mounted and writable at {MEMORY}")
        self.folders = [MEMORY / f"slurm_n{number}" for number in range(1, nodes + 1)]
        # Slurm itself locks folders within.
        self._descriptor = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
        until(self._lock, f"nobody else has locked {ROOT}", OTHERS_S)
        self.descriptors = (self._descriptor,)

    def close(self) -> None:
        """Let others have it, once whoever was given the descriptors has ended, too."""
        os.close(self._descriptor)

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
