"""Unix sockets below folders of any depth: their address has room for about 100 bytes, a home's path may be longer."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ADDRESS_BYTES_MAX: Final = 100


@contextmanager
def short_address(path: Path) -> Generator[str]:
    """An address for the socket at `path` that fits, valid inside the `with`: `path` itself, or one through a link."""
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    import tempfile  # noqa: PLC0415 - rarely needed, and slow to import

    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        link = Path(folder) / "h"
        link.symlink_to(path.parent)
        yield str(link / path.name)
