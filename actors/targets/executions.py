"""Commands that the supervisor has a runner run for itself, to know or to bring about something where that is.

They are no attempts: nothing remembers them. So what may have been sent and was not answered is `Unclear`, and whoever
asked must find out by other means what came of it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import trio
from msgspec import Struct

from ..slurm.site import Finished, NotRun, Unclear
from .link import Done, Outbox, Printed

AT_ONCE: Final = 8
"""As many as a runner runs at once: what waits here was surely not run."""

STDIN_BYTES_MAX: Final = 32 << 20
OUTPUT_BYTES_MAX: Final = 16 << 20
"""Of what a command prints on each of its two streams; the runner takes no more either."""

MARGIN_S: Final = 30.0
"""Beyond a command's own time: for its turn there (10 s), for its end after SIGTERM (5 s), and for the link."""

_US: Final = 1_000_000


class Way(Struct, frozen=True):
    """A connection to a runner that has welcomed us. `environ` is that of its commands; `pid` its own."""

    outbox: Outbox
    environ: Mapping[str, str]
    workdir: str
    pid: int
    executes: bool


class _Pending:
    """A command that was sent."""

    def __init__(self) -> None:
        self.printed = (bytearray(), bytearray())
        self.done: Done | None = None
        self.over = trio.Event()


class Executions:
    """All of one target, over one connection after the other."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._way: Way | None = None
        self._turns = trio.Semaphore(AT_ONCE)
        self._pending: dict[int, _Pending] = {}
        self._asked = 0

    def begin(self, way: Way) -> None:
        """A connection stands."""
        self._way = way

    def end(self) -> None:
        """It has ended, and what was not answered will not be."""
        self._way = None
        for pending in self._pending.values():
            pending.over.set()

    def hear(self, message: Printed | Done) -> None:
        """Take what the runner says of a command; if nobody waits for it any more, that is all."""
        pending = self._pending.get(message.id)
        if pending is None:
            return
        if isinstance(message, Printed):
            pending.printed[message.stream].extend(message.base64)
        else:
            pending.done = message
            pending.over.set()

    async def run(
        self, argv: Sequence[str], *, stdin: bytes, timeout_s: float, without: Callable[[str], bool]
    ) -> Finished:
        """Run a command there, without a shell, with the environment of the login, but for the variables `without`.

        `timeout_s` is counted from its start; waiting for one of AT_ONCE turns is not bounded. Cancelled, the caller
        may not know whether it runs; if it does, it runs on. Raises NotRun if it was surely never started, Unclear if
        that can't be known, if it took too long, or if it printed more than OUTPUT_BYTES_MAX.
        """
        async with self._turns:
            way = self._checked(stdin)
            self._asked += 1
            number, pending = self._asked, _Pending()
            self._pending[number] = pending
            way.outbox.put(
                {
                    "type": "execute",
                    "id": number,
                    "argv": argv,
                    "stdin": b64encode(stdin).decode(),
                    "cwd": way.workdir,
                    "without": [name for name in way.environ if without(name)],
                    "timeout_us": round(timeout_s * _US),
                    "max_output_bytes": OUTPUT_BYTES_MAX,
                }
            )
            try:
                with trio.move_on_after(timeout_s + MARGIN_S):
                    await pending.over.wait()
            finally:
                del self._pending[number]
            return self._outcome(argv[0], timeout_s, pending)

    def _checked(self, stdin: bytes) -> Way:
        if self._way is None:
            message = f"{self._target} is not connected just now; it is tried again by itself"
            raise NotRun(message)
        if not self._way.executes:
            message = (
                f"the runner at {self._target} (process {self._way.pid}) is of an older Holdfast, which runs no "
                "commands; wait until its jobs have ended and it has left, or choose another workdir for this target"
            )
            raise NotRun(message)
        if len(stdin) > STDIN_BYTES_MAX:
            message = f"the input for a command at {self._target} has {len(stdin)} bytes; {STDIN_BYTES_MAX} is the most"
            raise NotRun(message)
        return self._way

    def _outcome(self, program: str, timeout_s: float, pending: _Pending) -> Finished:
        done, what = pending.done, f"{program!r} at {self._target}"
        if done is None:
            why = "the connection ended first" if pending.over.is_set() else "nothing was heard of it"
            message = f"whether {what} has run is not known: {why}"
            raise Unclear(message)
        if done.not_run:
            message = f"{what} was not run: {done.error}"
            raise NotRun(message)
        if done.timed_out:
            message = f"{what} did not end within {timeout_s:g} s and was ended; what it has done is not known"
            raise Unclear(message)
        if done.truncated:
            message = f"{what} printed more than the {OUTPUT_BYTES_MAX} bytes that are taken, or left something behind"
            raise Unclear(message)
        code = -(done.signal or 0) if done.exit_code is None else done.exit_code
        return Finished(code, bytes(pending.printed[0]), bytes(pending.printed[1]))
