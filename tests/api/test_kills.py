"""Promises P1 and P2 against kill -9 of the program that Holdfast is embedded in, at random, again and again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.system.marks import MARK, check_log, check_ran_once, new_seed
from tests.system.place import Place, wait_s

JOBS = 60
KILLS = 25

# Submits what is not there yet, says each id once it is told, and waits for all.
PROGRAM = f"""
import sys, anyio, holdfast

async def main():
    async with holdfast.open(sys.argv[1], slots=4) as hf:
        async def one(number):
            job = await hf.submit({MARK!r}, name=f"j{{number}}", key=f"k{{number}}", cwd=sys.argv[2], retries=1)
            sys.stdout.write(f"{{number}} {{job.id}}\\n")
            sys.stdout.flush()
            await job.wait()
        async with anyio.create_task_group() as group:
            for number in range({JOBS}):
                group.start_soon(one, number)

anyio.run(main, backend=sys.argv[3])
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["trio", "asyncio"])
def test_p1_p2_a_program_that_is_killed_loses_nothing_and_runs_nothing_twice(tmp_path: Path, backend: str) -> None:
    place = Place(tmp_path)
    random = Random(new_seed())
    told: dict[str, str] = {}

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", "-c", PROGRAM, str(place.home.path), str(place.folder), backend]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    try:
        for _ in range(KILLS):
            program = start()
            wait_s(random.uniform(0.1, 0.5))
            program.kill()
            said, _ = program.communicate()
            for line in said.split("\n")[:-1]:  # the last one may be cut off by the kill
                number, _, job = line.partition(" ")
                assert told.setdefault(number, job) == job, "a key is one job for ever"
        last = start()
        last.communicate(timeout=60)
        assert last.returncode == 0
        assert check_ran_once(place, {f"j{number}" for number in range(JOBS)}) == {"succeeded": JOBS}
        ids = {job.name: str(job.id) for job in place.jobs()}
        assert {number: ids[f"j{number}"] for number in told} == told
        check_log(place)
    finally:
        place.close()
