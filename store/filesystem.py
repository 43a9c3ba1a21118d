"""Which file system a folder is on, and whether a log can be trusted to it.

WAL needs shared memory and locks that hold; on network file systems they hold on one machine at best (SQLite's 'How To
Corrupt An SQLite Database File', 2.1). Magic numbers are those of statfs(2).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

NETWORK_MAGIC: Final = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
    0x5346414F: "AFS",
    0x73757245: "Coda",
    0x00C36400: "Ceph",
    0x01021997: "9P",
    0x65735546: "FUSE",
    0x19830326: "BeeGFS",
    0x7461636F: "OCFS2",
    0x01161970: "GFS2",
    0xAAD7AAEA: "PanFS",
}
_BUFFER_BYTES: Final = 4096
_DARWIN_FLAGS_OFFSET: Final = 64
_DARWIN_NAME_OFFSET: Final = 72
_DARWIN_NAME_BYTES: Final = 16
_MNT_LOCAL: Final = 0x1000


def network_filesystem(path: Path) -> str | None:
    """The name of the network file system that `path` lies on, or None if it is local. Raises OSError."""
    buffer = ctypes.create_string_buffer(_BUFFER_BYTES)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.statfs(os.fsencode(path), buffer) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    if sys.platform == "darwin":
        return _darwin_network(buffer.raw)
    return NETWORK_MAGIC.get(_linux_magic(buffer.raw))


def _linux_magic(raw: bytes) -> int:
    # struct statfs begins with f_type, a machine word; magic numbers have 32 bits.
    return int.from_bytes(raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder) & 0xFFFFFFFF


def _darwin_network(raw: bytes) -> str | None:
    flags = int.from_bytes(raw[_DARWIN_FLAGS_OFFSET : _DARWIN_FLAGS_OFFSET + 4], sys.byteorder)
    if flags & _MNT_LOCAL:
        return None
    name = raw[_DARWIN_NAME_OFFSET : _DARWIN_NAME_OFFSET + _DARWIN_NAME_BYTES]
    return name.partition(b"\0")[0].decode(errors="replace")
