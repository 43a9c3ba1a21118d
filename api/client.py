"""Sending a request: to the supervisor that lives on the home, or, when none does, straight into its log.

Synchronous and without Trio, so that commands start quickly.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from holdfast.events.errors import Unavailable
from holdfast.events.messages import Answer, Changed, Command, Refusal, Spoken, Submitted
from holdfast.store.errors import HomeLocked
from holdfast.store.home import Home, find_home
from holdfast.store.unix_path import short_address

from .opening import judge, locked, record
from .unrecordable import recordable_command

PATIENCE_S: Final = 10.0
ANSWER_S: Final = 120.0
_LOOK_S: Final = 0.05
_READ_BYTES: Final = 256 * 1024

_decoder: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


class NoAnswer(Unavailable):
    """The supervisor ended, or fell silent, with a request in hand."""

    def __init__(self) -> None:
        super().__init__(
            "the supervisor ended, or was stopped, before it answered; the request may or may not have taken effect: "
            "look with `holdfast jobs` before asking again"
        )


class Delivery(msgspec.Struct, frozen=True):
    """What came of a command. `heard`: by a supervisor, which acts on it; else it is recorded for the next one."""

    answer: Submitted | Changed
    heard: bool


def send(home: Home | str | os.PathLike[str], command: Command) -> Submitted | Changed:
    """Have a command carried out, by a supervisor or here; returns once it is recorded.

    `home`: its folder, made if it is missing. Raises BadInput (nothing was done), NoAnswer (it may have been) or
    Unavailable.
    """
    place = home if isinstance(home, Home) else find_home(os.fspath(home), {}, Path())
    return deliver(place, recordable_command(command)).answer


def deliver(home: Home, command: Command) -> Delivery:
    """The same as `send`, and whether a supervisor has heard it; for commands whose values are of their types."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = ask(home, command)
        if answer is not None:
            assert isinstance(answer, Submitted | Changed), "a command is answered by what it changed"
            return Delivery(answer, heard=True)
        try:
            return Delivery(_record(home, command), heard=False)
        except HomeLocked:
            # A supervisor is just starting or leaving, or another command records something.
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def ask(home: Home, request: Spoken) -> Answer | None:
    """The supervisor's answer, or None if none lives on the home. Raises BadInput, NoAnswer or Unavailable."""
    connection = connect(home)
    if connection is None:
        return None
    with connection:
        connection.settimeout(ANSWER_S)
        try:
            _send_line(connection, msgspec.json.encode(request))
            line = _read_line(connection)
        except OSError as error:
            raise NoAnswer from error
    if not line:
        raise NoAnswer
    answer = _decoder.decode(line)
    if isinstance(answer, Refusal):
        raise answer.error()
    return answer


def _send_line(connection: socket.socket, line: bytes) -> None:
    # One that is not let in, or says too much, is told why while it speaks; so what is to be read comes first.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(line + b"\n")


def connect(home: Home) -> socket.socket | None:
    """A connection to the supervisor that lives on the home, or None if none does. Raises Unavailable."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_address(home.control) as address:
            connection.connect(address)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        return None
    except OSError as error:
        connection.close()
        message = f"the supervisor's socket {home.control} can't be used: {error.strerror}"
        raise Unavailable(message) from error
    return connection


def _read_line(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    while data := connection.recv(_READ_BYTES):
        parts.append(data)
        if data.endswith(b"\n"):
            return b"".join(parts)
    return b""


def _record(home: Home, command: Command) -> Submitted | Changed:
    """Record a command without a supervisor; it takes effect at the next `run`. Raises HomeLocked."""
    judge(home, command)
    with locked(home):
        return record(home, command)


def supervisor_lives(home: Home) -> bool:
    """Whether a supervisor answers on the home's socket."""
    connection = connect(home)
    if connection is None:
        return False
    connection.close()
    return True
