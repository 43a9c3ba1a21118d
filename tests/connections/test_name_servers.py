"""A name server that hangs holds up nobody who does not need it, and what it says too late ends no other connection."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import NoReturn

import pytest
import trio

from holdfast.actors.connections.ssh import SshDialler
from holdfast.events.errors import Unavailable
from holdfast.events.records import Target
from holdfast.events.spec import SshSpec

TARGET = Target("gpu", ssh=SshSpec("gpu1"))


async def test_a_look_up_that_is_given_up_is_not_waited_for_and_may_fail_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, answered = threading.Event(), threading.Event()

    def hang(*_: object, **__: object) -> NoReturn:
        answer.wait(60.0)
        answered.set()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    dialler = SshDialler("home")
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(dialler.run)
            began = trio.current_time()
            with trio.move_on_after(0.2) as patience:
                await dialler.dial(TARGET, None)
            assert patience.cancelled_caught
            assert trio.current_time() - began < 5.0
            # Nor does it hold one of the threads that the writer takes its own from.
            assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            answer.set()
            await trio.to_thread.run_sync(answered.wait)
            # The loop that all connections share is still there, and tells what the name server says by now.
            for _ in range(3):
                with pytest.raises(Unavailable, match=r"gpu1 can.t be reached: .*not known"):
                    await dialler.dial(TARGET, None)
            nursery.cancel_scope.cancel()
    finally:
        answer.set()
