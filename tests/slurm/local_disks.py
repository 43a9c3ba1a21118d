"""What a runner on a login node has on that node's own disk, which is /tmp here: removed with the workdir."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

_BASE: Final = Path(f"/tmp/holdfast-{os.geteuid()}")


def forget(workdir: Path) -> None:
    """Remove what belongs to the homes that worked in `workdir`; their runners have ended."""
    for folder in workdir.glob(".holdfast/*"):
        place = os.uname().nodename.encode() + b":" + bytes(folder)
        shutil.rmtree(_BASE / hashlib.sha256(place).hexdigest()[:16], ignore_errors=True)
