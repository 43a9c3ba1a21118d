"""The program that processes of a sweep run: notes the clock, waits, notes it again.

It is called with a number, microseconds to sleep and, if it is to wait until released, the path of a FIFO to open. With
a C compiler it costs about what `/bin/true` does. Without one it is a Python program, which costs twenty times as much:
then the sweep says so, and measures little else.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 60
"""After so long it ends, released or not: nothing that it belongs to lives for longer."""

_IN_C: Final = """
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void say(const char *number, char what)
{
    struct timespec now;
    char line[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    int length = snprintf(line, sizeof line, "%s %c %lld\\n", number, what, now.tv_sec * 1000000000LL + now.tv_nsec);
    if (write(1, line, length) != length) exit(1);
}

int main(int count, char **words)
{
    long us = atol(words[2]);
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    alarm(PATIENCE);
    say(words[1], '+');
    if (count > 3 && open(words[3], O_RDONLY) < 0) return 2;
    if (us > 0) nanosleep(&pause, NULL);
    say(words[1], '-');
    return 0;
}
""".replace("PATIENCE", str(PATIENCE_S))

_IN_PYTHON: Final = """
import os, signal, sys, time

def say(what):
    os.write(1, b"%s %s %d\\n" % (os.fsencode(sys.argv[1]), what, time.monotonic_ns()))

signal.alarm(PATIENCE)
say(b"+")
if len(sys.argv) > 3:
    os.open(sys.argv[3], os.O_RDONLY)
time.sleep(int(sys.argv[2]) / 1e6)
say(b"-")
""".replace("PATIENCE", str(PATIENCE_S))


def make_program(folder: Path) -> tuple[str, ...]:
    """The words to call it with, ahead of its arguments; compiled into `folder` where there is a compiler."""
    compiler = shutil.which("cc")
    if compiler is not None:
        program = folder / "clocked"
        made = subprocess.run(
            [compiler, "-O1", "-x", "c", "-", "-o", program], input=_IN_C.encode(), capture_output=True, check=False
        )
        if made.returncode == 0:
            return (str(program),)
    return (sys.executable, "-I", "-S", "-c", _IN_PYTHON)


def is_small(program: tuple[str, ...]) -> bool:
    """Whether it is the compiled one."""
    return len(program) == 1
