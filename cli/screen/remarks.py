"""Remarks on standard error: they help whoever reads them, and change neither what a command does nor how it ends."""

from __future__ import annotations

import sys
from contextlib import suppress


def remark(text: str) -> None:
    """Write a line; where it can't be written, because the reader has gone or a disk is full, nothing is."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
