"""What a job's command wrote, as bytes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import holdfast
from tests.system.place import until

Loop = Callable[[Callable[[], Awaitable[None]]], None]


def test_what_a_command_wrote_is_read_byte_for_byte(home: Path, loop: Loop) -> None:
    async def main() -> None:
        async with holdfast.open(home) as hf:
            both = await hf.submit(r"printf 'a\0b\377'; echo wrong >&2; exit 3")
            silent = await hf.submit("true")
            assert await both.output() == holdfast.Output(b"a\0b\xff", b"wrong\n")
            assert await silent.output() == holdfast.Output()
            assert await hf.output(both.id) == await both.output()

    loop(main)


def test_what_was_left_out_is_counted(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        job = hf.submit("head -c 1000000 /dev/zero | tr '\\0' x", max_output_bytes=100_000)
        output = job.output(timeout=60)
        assert output.dropped_bytes > 0
        assert len(output.stdout) + output.dropped_bytes == 1_000_000
        assert set(output.stdout) == set(b"x")


def test_output_that_can_not_be_known_is_refused(home: Path) -> None:
    with holdfast.open_sync(home) as hf:
        held = hf.submit("true", hold=True)
        assert hf.output(held.id) == holdfast.Output()
        running = hf.submit("sleep 60")
        until(lambda: running.record().state == "running", "it runs")
        with pytest.raises(holdfast.BadInput, match="has not ended; wait for it"):
            hf.output(running.id)
        hf.cancel(running)
        gone = hf.submit("echo kept")
        gone.wait(timeout=60)
        for segment in (home / "output").iterdir():
            segment.unlink()
        with pytest.raises(holdfast.Damaged, match="is gone if removed there"):
            gone.output()
