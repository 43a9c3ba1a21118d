"""A link that delays, in a process of its own, so that it takes no turns of the supervisor's interpreter.

python -m benchmarks.slow_link PORT MILLISECONDS      prints the port that leads to PORT; ends with its standard input
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.hosts.proxy import Proxy


@contextmanager
def slow_link(port: int, delay_ms: int) -> Generator[int]:
    """A port that leads to `port`; what goes through comes so much later, in both directions."""
    command = [sys.executable, "-m", "benchmarks.slow_link", str(port), str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None, "it is a pipe"
        yield int(child.stdout.readline())
        child.communicate()


def _main(port: int, delay_ms: int) -> None:
    with Proxy(port) as proxy:
        proxy.delay(delay_ms / 1e3)
        print(proxy.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
