"""`holdfast show`: everything about one job: what was asked for, what it waits for, and each attempt."""

from __future__ import annotations

import sys
from argparse import Namespace

import msgspec

from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..reading.detail import detail_of
from ..reading.portrait import portrait
from .chosen import one_job


def execute(arguments: Namespace, home: Home) -> int:
    """Print it. Raises BadInput if the word means no one job."""
    with Reader(home) as reader:
        detail = detail_of(reader, one_job(reader, arguments.job))
    if arguments.json:
        sys.stdout.buffer.write(msgspec.json.encode(detail) + b"\n")
    else:
        sys.stdout.writelines(line + "\n" for line in portrait(detail))
    return 0
