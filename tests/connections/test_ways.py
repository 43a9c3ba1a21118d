"""What SSH takes may not be there: that is told of what is dialled so, and costs nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import trio

from holdfast.actors.connections.ways import Ways
from holdfast.events.errors import Unavailable
from holdfast.events.records import Target
from holdfast.events.spec import SlurmSpec, SshSpec

FAR = Target("gpu", ssh=SshSpec("user@gpu.invalid:77"))


async def test_a_library_that_cannot_be_loaded_is_told_of_each_host_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ways, told = Ways("home"), list[str]()

    async def ask() -> None:
        with pytest.raises(Unavailable) as raised:
            await ways.gateway(FAR)
        told.append(str(raised.value))

    async with trio.open_nursery() as nursery:
        await nursery.start(ways.run)
        with monkeypatch.context() as patched, trio.fail_after(10):
            # Loading it fails.
            patched.setitem(sys.modules, "holdfast.actors.connections.ssh", None)
            async with trio.open_nursery() as both:
                both.start_soon(ask)
                both.start_soon(ask)
            await ask()
            assert await ways.gateway(Target("here", slurm=SlurmSpec())) == "alongside here"
        assert len(told) == 3
        for each in told:
            assert each.startswith("what SSH takes can't be loaded: ModuleNotFoundError: import of holdfast")
            assert "install asyncssh and cryptography anew" in each
        with trio.fail_after(10):
            assert await ways.gateway(FAR) == "gpu.invalid:77"
        nursery.cancel_scope.cancel()
