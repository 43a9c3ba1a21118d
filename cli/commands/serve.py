"""`holdfast serve`: be the home's supervisor until SIGTERM (or Ctrl-C); what runs then goes on under its runner."""

from __future__ import annotations

import os
import signal
import traceback
from argparse import Namespace

import trio

from holdfast.store.home import Home
from holdfast.supervisor import open_supervisor

from ..screen.remarks import remark
from .run import slots_of


def execute(arguments: Namespace, home: Home) -> int:
    """Serve; 0 after SIGTERM, 130 after Ctrl-C."""
    return trio.run(_serve, home, slots_of(arguments))


async def _serve(home: Home, slots: int | None) -> int:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with open_supervisor(home, slots=slots, on_trouble=_trouble, on_crash=_crash) as supervisor:
            _say(f"serving {home.path} as process {os.getpid()}; SIGTERM or Ctrl-C ends it, jobs that run go on")
            async for number in signals:
                await supervisor.drain()
                running = (await supervisor.status()).counts.get("running", 0)
                _say(f"leaving; {running} running, which the next `holdfast run` or `holdfast serve` picks up")
                return 0 if number == signal.SIGTERM else 128 + number
    return 0


def _trouble(trouble: str | None) -> None:
    _say(f"trouble: {trouble}; trying on" if trouble else "the trouble is over")


def _crash(name: str, error: Exception, crashes: int) -> None:
    if crashes:
        what = "".join(traceback.format_exception_only(error)).strip()
        _say(f"the {name} failed and is started anew: {what}")


def _say(text: str) -> None:
    remark(f"holdfast: {text}")
