"""The folder that the program is in, asked for without letting go of Python's lock.

`os.getcwd` lets go of it, for a call that takes half a microsecond: another thread that waits for the lock, as the
engine's does while the program submits, has it then, and this one waits until that has nothing to do. With 1,000
callers that was a change of threads for each submission, and a fifth of its time.
"""

from __future__ import annotations

import ctypes
import os
from typing import Final

_BYTES_MAX: Final = 4096  # as Linux has it for any path
_Path: Final = ctypes.c_char * _BYTES_MAX
_getcwd: Final = ctypes.PyDLL(None).getcwd  # `PyDLL`, not `CDLL`: that one lets go as well
_getcwd.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
_getcwd.restype = ctypes.c_void_p  # of which `c_bool` would see the lowest byte alone


def working_folder() -> str:
    """Its path, as `os.getcwd` has it. Raises OSError if there is none any more."""
    path = _Path()
    if _getcwd(path, _BYTES_MAX) is None:
        return os.getcwd()  # noqa: PTH109 - text, as it is recorded
    return os.fsdecode(path.value)
