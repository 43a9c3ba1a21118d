"""The way to this machine's runner: its socket in the home, and how it is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import trio

from holdfast.events.errors import Unavailable
from holdfast.store.home import Home
from holdfast.store.unix_path import short_address

RUNNER: Final = Path(__file__).parent.parent / "runner.py"
START_S: Final = 15.0
_LOOK_S: Final = 0.01
# What the runner itself needs; the environment of jobs goes over its socket, so that no secret stands in its own.
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "HOLDFAST_TEST_SESSION")


class RunnerTransport:
    """Connects to the home's runner, and starts it where there is none."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def connect(self) -> trio.abc.Stream:
        """A stream to the runner. Raises Unavailable if none can be started or reached."""
        stream = await self._try()
        if stream is not None:
            return stream
        child = self._start()
        try:
            with trio.move_on_after(START_S):
                while child.poll() is None:  # noqa: ASYNC110 - until it holds the home's folder; then it detaches
                    await trio.sleep(_LOOK_S)
                while child.poll() == 0:
                    stream = await self._try()
                    if stream is not None:
                        return stream
                    await trio.sleep(_LOOK_S)
        finally:
            code = child.poll()
            if code is None:
                child.kill()
                child.wait()
        raise Unavailable(self._explain(code))

    async def _try(self) -> trio.abc.Stream | None:
        with short_address(self._home.runner_socket) as address:
            try:
                return await trio.open_unix_socket(address)
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            except OSError as error:
                message = f"the runner's socket {self._home.runner_socket} can't be used: {error.strerror}"
                raise Unavailable(message) from error

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", str(RUNNER), "--detach", str(self._home.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            message = f"the runner can't be started: {error.strerror}"
            raise Unavailable(message) from error

    def _explain(self, code: int | None) -> str:
        what = f"ended at once (exit code {code})" if code else "does not open its socket"
        return f"the runner {what}; look into {self._home.path / 'runner.log'}"
