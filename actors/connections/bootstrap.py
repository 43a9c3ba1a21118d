"""How a runner is reached through a command's standard input and output: a Python is found, and the relay sent to it.

The command is one line that every login shell understands alike. What the relay and the runner are goes over the
stream, so nothing needs to be installed on the host; see `relay.py` for the other half.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
import trio

from holdfast.events.errors import BadInput, Unavailable

from ..targets.link import frame
from .relay import MARKER

_RELAY: Final = Path(__file__).with_name("relay.py")
_RUNNER: Final = Path(__file__).parent.parent / "runner.py"
_READ_BYTES: Final = 64 * 1024
NOISE_BYTES_MAX: Final = 64 * 1024
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024  # an environment, mostly: Linux takes no more than 6 MiB of it
_LENGTH_BYTES: Final = 4
_SHOWN_CHARACTERS: Final = 300

PYTHONS: Final = (
    "python3",
    *(f"python3.{minor}" for minor in range(14, 5, -1)),
    "/usr/libexec/platform-python",
    "python",
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+~,=@%:][A-Za-z0-9_./+~,=@%:-]*")
_NO_PYTHON: Final = b"holdfast-no-python:"
# One Python that is old, or lacks parts of its library as minimal installations do, must not hide the next.
_IS_USABLE: Final = "import ctypes,json,sys;print(sys.version_info>=(3,6))"
# Its length in eight digits, the relay, and not one byte more: what follows is for the relay.
_LOAD: Final = "import io;r=io.BufferedReader(io.FileIO(0,closefd=False),1).read;exec(r(int(r(8))))"


class NoPython(Unavailable):
    """The host has no Python that can run the runner."""


class NotARelay(Unavailable):
    """What answered on the host was no shell that runs what it is told to."""


class RelayRefused(Unavailable):
    """The host says itself why it can't serve."""


class RelayBroken(Unavailable):
    """The conversation ended or broke off; another try may succeed."""


class Ready(msgspec.Struct, frozen=True, tag="ready", tag_field="type"):
    """A host whose runner can be spoken to; `pid` is the relay's, `environ` the login's, `wall_us` the host's clock."""

    workdir: str  # absolute
    folder: str  # of the runner: private, in the workdir
    python: tuple[int, int, int]
    system: str
    machine: str
    node: str
    boot: str
    wall_us: int
    environ: dict[str, str]
    pid: int


class _Need(msgspec.Struct, frozen=True, tag="need", tag_field="type"):
    """The relay asks for the runner's file."""


class _Refused(msgspec.Struct, frozen=True, tag="refused", tag_field="type"):
    """The relay gives up."""

    error: str


_FromRelay = _Need | _Refused | Ready


class Sources(msgspec.Struct, frozen=True):
    """The two files that go to hosts, read once, so that a new version on this disk is never mixed with this one."""

    relay: bytes
    runner: bytes

    @classmethod
    def load(cls) -> Sources:
        """The files of this version."""
        return cls(_RELAY.read_bytes(), _RUNNER.read_bytes())


def remote_command(python: str | None = None, through: Sequence[str] = ()) -> str:
    """The command that turns a login into a relay, with `python` of the target's configuration tried first.

    `through`: a command that runs another one elsewhere, in words that mean the same to every shell.
    Shells differ in what they do inside single quotes to backslashes, `!` and newlines: there are none. Raises
    BadInput.
    """
    if python is not None and not _PLAIN.fullmatch(python):
        raise BadInput(
            f"the Python {python!r} of a target has characters that a login shell might change",
            remedy="letters, digits and _./+~,=@%:- can be used; make a link with such a name to it",
        )
    assert all(_PLAIN.fullmatch(word.lstrip("-")) for word in through), "a shell might change these words"
    names = " ".join(PYTHONS if python is None else (python, *PYTHONS))
    script = (
        f"s=; for p in {names}; do "
        f'case "$("$p" -I -S -c "{_IS_USABLE}" </dev/null 2>/dev/null)" in *True) exec "$p" -I -S -c "{_LOAD}";; esac; '
        'command -v "$p" >/dev/null 2>&1 && s="$s $p"; done; '
        # In two parts, so that who prints the command itself says something else.
        f'echo "holdfast""-no-python: looked for {names}; found and not usable:${{s:- none}}"; exit 127'
    )
    return " ".join(["exec", *through, f"/bin/sh -c '{script}'"])


def relay_words(python: str) -> tuple[str, ...]:
    """The command that becomes a relay on this machine, where no login has to be turned into one."""
    return python, "-I", "-S", "-c", _LOAD


class Wanted(msgspec.Struct, frozen=True):
    """Which runner is wanted: that of a home in a workdir, which ends after `idle_s` with nothing to do.

    `shared`: hosts share the workdir, and each has a runner of its own there; else one host alone may use it. `join`:
    the runner in the allocation of this number, where nothing is started.
    """

    home_id: str
    workdir: str
    idle_s: float = 10.0
    shared: bool = False
    join: int | None = None


async def open_runner(
    stream: trio.abc.Stream, sources: Sources, wanted: Wanted, *, stderr: Callable[[], str] = str
) -> Ready:
    """Turn a stream to `remote_command` into one to the runner that is wanted, started if need be.

    Afterwards frames of `targets/link.py` go over the same stream. Time is the caller's to bound; `stderr` gives what
    the command has said there so far. Raises NoPython, NotARelay, RelayRefused or RelayBroken, and then the stream is
    of no more use.
    """
    digest = hashlib.sha256(sources.runner).hexdigest()
    hello: dict[str, object] = {
        "home": wanted.home_id,
        "workdir": wanted.workdir,
        "runner": digest,
        "idle_s": wanted.idle_s,
        "shared": wanted.shared,
    }
    if wanted.join is not None:
        hello["join"] = wanted.join
    first = b"%08d" % len(sources.relay) + sources.relay + frame({"type": "hello", **hello})
    needed = trio.Event()
    conversation = _Conversation(stream, stderr)

    async def send() -> None:
        # Beside what is read: a login shell that prints much must not wait for us while we wait for it.
        try:
            await stream.send_all(first)
            await needed.wait()
            await stream.send_all(frame({"type": "runner", "source": sources.runner.decode()}))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # whoever reads sees the end, and what was said before it

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        outcome = await conversation.outcome(needed)
        nursery.cancel_scope.cancel()
    if isinstance(outcome, Unavailable):
        raise outcome
    return outcome


class _Conversation:
    """What a relay says until it is ready."""

    def __init__(self, stream: trio.abc.ReceiveStream, stderr: Callable[[], str]) -> None:
        self._stream = stream
        self._stderr = stderr
        self._buffer = bytearray()

    async def outcome(self, needed: trio.Event) -> Ready | Unavailable:
        """Listen to the end of it; sets `needed` if the relay asks for the runner's file."""
        try:
            await self._skip_noise()
            while True:
                message = await self._receive()
                match message:
                    case Ready():
                        if self._buffer:
                            return RelayBroken("something else than the relay writes to its output on the host")
                        return message
                    case _Refused(error=error):
                        return RelayRefused(error)
                    case _Need():
                        needed.set()
        except Unavailable as error:
            return error

    async def _skip_noise(self) -> None:
        """Skip what a login shell prints before the relay speaks."""
        while MARKER not in self._buffer:
            if len(self._buffer) > NOISE_BYTES_MAX:
                raise NotARelay(
                    f"the host printed more than {NOISE_BYTES_MAX} bytes and did not start the relay, beginning with "
                    f"{_quote(self._buffer)}; a login that is given a command must run it in silence: see to what its "
                    "shell's start-up files print"
                )
            if not await self._read():
                raise self._no_relay()
        del self._buffer[: self._buffer.index(MARKER) + len(MARKER)]

    def _no_relay(self) -> Unavailable:
        _, found, rest = bytes(self._buffer).partition(_NO_PYTHON)
        if found:
            return NoPython(
                f"the host has no usable Python: {rest.decode(errors='replace').strip()}; the runner needs version 3.6 "
                "or newer with its standard library; install one, or name one as `python` in the target's configuration"
            )
        return NotARelay(
            f"the host ended the command before the relay could start, {self._said()}; the login must be allowed to "
            "run commands, its shell one that can `exec /bin/sh`: try it with `ssh HOST exec /bin/sh -c true`"
        )

    def _said(self) -> str:
        said = [("printed", bytes(self._buffer)), ("complained", self._stderr().encode(errors="replace"))]
        words = [f"{how} {_quote(content)}" for how, content in said if content.strip()]
        return "having " + " and ".join(words) if words else "in silence"

    async def _receive(self) -> _FromRelay:
        while len(self._buffer) < _LENGTH_BYTES:
            await self._read_more()
        length = int.from_bytes(self._buffer[:_LENGTH_BYTES], "big")
        if length > FRAME_BYTES_MAX:
            raise RelayBroken(
                f"the relay sent a frame of {length} bytes, and {FRAME_BYTES_MAX} are the most; something else writes "
                "to its output, or the login's environment is beyond all use"
            )
        while len(self._buffer) < _LENGTH_BYTES + length:
            await self._read_more()
        body = bytes(self._buffer[_LENGTH_BYTES : _LENGTH_BYTES + length])
        del self._buffer[: _LENGTH_BYTES + length]
        try:
            # The standard library takes text that stands for bytes which are no UTF-8, as variables may hold.
            message: _FromRelay = msgspec.convert(json.loads(body), _FromRelay)
        except (ValueError, RecursionError) as error:
            problem = f"what came from the host is not what a relay says: {error}"
            raise RelayBroken(problem) from error
        return message

    async def _read_more(self) -> None:
        if not await self._read():
            message = f"the relay on the host ended before it was ready, {self._said()}"
            raise RelayBroken(message)

    async def _read(self) -> bool:
        try:
            data = await self._stream.receive_some(_READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        self._buffer += data
        return bool(data)


def _quote(content: bytes | bytearray) -> str:
    """The beginning of what was said, on one line, without what would change a terminal."""
    text = " ".join(bytes(content[: 4 * _SHOWN_CHARACTERS]).decode(errors="replace").split())
    return repr(text[:_SHOWN_CHARACTERS])
