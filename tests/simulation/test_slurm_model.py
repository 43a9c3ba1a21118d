"""The simulated cluster does what real Slurm does; `tests/slurm/test_model_of_slurm` holds its words against that."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from holdfast.actors.slurm import attempt_folders
from holdfast.actors.slurm.script import SECOND_COPY
from tests.actors.stepping import pause

from .slurm_bench import PLACE, Bench, on_bench
from .slurm_commands import Ended
from .slurm_files import LOGIN

SHORT, LONG = "1000:0:0:obeys", "60000000:0:0:obeys"
FAILS = "1000:3:0:obeys"


def test_a_job_runs_writes_down_how_it_ended_and_leaves_the_queue() -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.submit(FAILS)).stdout == "1\n"
        await pause(5)
        (row,) = await bench.queue()
        assert (row.id, row.state, row.name) == (1, "FAILED", "home.1.1")
        found = (await bench.folders("1.1", "9.1"))["1.1"]
        assert found.claim is not None
        assert (found.claim.slurm_id, found.claim.restart) == (1, 0)
        assert found.exit is not None
        assert found.exit.status == 3
        (account,) = await bench.accounts("1")
        assert (account.state, account.exit_code, account.name) == ("FAILED", 3, "home.1.1")
        bench.cluster.controller.minimal_age_us = 1
        await pause(1)
        assert await bench.queue() == []

    on_bench(scenario)


def test_an_array_waits_in_one_row_and_what_starts_of_it_has_a_row_of_its_own() -> None:
    async def scenario(bench: Bench) -> None:
        bench.cluster.controller.slots = 2
        await bench.submit(LONG, LONG, LONG, LONG)
        await pause(1)
        rows = await bench.queue()
        assert [(row.array, str(row.tasks), row.state) for row in rows] == [
            (1, "0", "RUNNING"),
            (1, "1", "RUNNING"),
            (1, "2-3", "PENDING"),
        ]
        assert [str(each.tasks) for each in await bench.details()] == ["0", "1", "2-3"]
        accounts = [(each.array, str(each.tasks)) for each in await bench.accounts("1")]
        assert sorted(accounts) == [(1, "0"), (1, "1"), (1, "2-3")]

    on_bench(scenario)


def test_a_task_that_is_taken_out_of_an_array_that_waits_is_nowhere_afterwards() -> None:
    async def scenario(bench: Bench) -> None:
        bench.cluster.controller.held = True
        await bench.submit(LONG, LONG, LONG)
        await bench.run(("scancel", "1_1"))
        (row,) = await bench.queue()
        assert str(row.tasks) == "0,2"
        await bench.run(("scancel", "--name=another", "1"))
        assert [row.state for row in await bench.queue()] == ["PENDING"]
        await bench.run(("scancel", "--name=home.1.1", "1"))
        assert [row.state for row in await bench.queue()] == ["CANCELLED"]

    on_bench(scenario)


def test_what_a_controller_that_is_stopped_was_asked_it_does_when_it_goes_on() -> None:
    async def scenario(bench: Bench) -> None:
        bench.cluster.controller.stop()
        ended = await bench.submit(SHORT)
        assert ended == Ended(1, "", f"sbatch: error: Batch job submission failed: {_TIMED_OUT}\n")
        bench.cluster.controller.go_on()
        assert [row.name for row in await bench.queue()] == ["home.1.1"]

    on_bench(scenario)


def test_a_controller_that_is_killed_forgets_what_it_had_not_saved_and_gives_its_numbers_again() -> None:
    async def scenario(bench: Bench) -> None:
        controller = bench.cluster.controller
        await bench.submit(LONG)
        await pause(0.5)
        assert len(bench.cluster.machine.running()) == 1
        controller.kill()
        unreached = await bench.run(("scancel", "1"))
        assert unreached == Ended(8, "", f"scancel: error: Kill job error on job id 1: {_UNREACHED}\n")
        controller.start()
        assert await bench.queue() == []
        assert len(bench.cluster.machine.running()) == 1, "what it had started runs on"
        assert (await bench.submit(SHORT, attempt=2)).stdout == "1\n"

    on_bench(scenario)


def test_a_second_copy_however_it_came_ends_without_running_the_command() -> None:
    async def scenario(bench: Bench) -> None:
        await bench.submit(LONG)
        await pause(1)
        await bench.submit(LONG)
        await pause(2)
        assert [row.state for row in await bench.queue()] == ["RUNNING", "FAILED"]
        (task,) = [task for task in bench.cluster.controller.memory.tasks if task.id == 2]
        assert task.exit_code == SECOND_COPY
        assert len(bench.cluster.machine.ever) == 1
        assert (await bench.folders("1.1"))["1.1"].seconds == ("2.0",)

    on_bench(scenario)


def test_a_job_that_is_put_back_has_another_submission_time_and_finds_its_claim() -> None:
    async def scenario(bench: Bench) -> None:
        controller = bench.cluster.controller
        await bench.submit(LONG)
        await pause(1)
        (before,) = await bench.queue()
        controller.requeue(controller.running()[0])
        (after,) = await bench.queue()
        assert (after.id, after.state, after.reason) == (1, "PENDING", "BeginTime")
        assert after.submitted_at > before.submitted_at
        await pause(40)
        assert (await bench.folders("1.1"))["1.1"].seconds == ("1.1",)

    on_bench(scenario)


def test_accounting_shows_late_what_happened_and_nothing_where_there_is_none() -> None:
    async def scenario(bench: Bench) -> None:
        accounting = bench.cluster.accounting
        accounting.lag_us = 20_000_000
        await bench.submit(SHORT)
        await pause(1)
        assert await bench.accounts("1") == []
        await pause(40)
        assert [each.state for each in await bench.accounts("1")] == ["COMPLETED"]
        accounting.absent = True
        ended = await bench.run(("sacct", "-n", "-o", "JobID"))
        assert "accounting storage is disabled" in ended.stderr

    on_bench(scenario)


@pytest.mark.parametrize("state", ["read", "void", "close"])
def test_the_shells_answers_about_attempts_are_those_of_a_real_shell(tmp_path: Path, state: str) -> None:
    files = {  # of two attempts
        "attempts/1.1": b"slurm 4\narray \nstatus 0\n",
        "seconds/1.1/5.0": b"host n1\n",
        "attempts/2.1": b"void x\n",
    }
    works = ("1.1", "2.1", "3.1")
    argv = {
        "read": attempt_folders.read_argv,
        "void": attempt_folders.void_argv,
        "close": attempt_folders.close_argv,
    }[state]

    async def scenario(bench: Bench) -> list[Ended]:
        shared = bench.cluster.files
        for name, content in files.items():
            shared.write(f"{PLACE.folder}/{name}", content, LOGIN)
        shared.write(f"{PLACE.folder}/output/1.1.out", b"ten bytes\n", LOGIN)
        shared.write(f"{PLACE.folder}/output/1.1.err", b"", LOGIN)
        asked = await bench.run(argv(PLACE.folder), attempt_folders.read_stdin(works))
        return [asked, await bench.run(attempt_folders.read_argv(PLACE.folder), attempt_folders.read_stdin(works))]

    def ask(command: list[str]) -> Ended:
        ran = subprocess.run(command, input=attempt_folders.read_stdin(works), capture_output=True, check=False)
        text = "".join(line for line in ran.stdout.decode().splitlines(keepends=True) if not line.endswith(" .\n"))
        return Ended(ran.returncode, text)

    folder = str(tmp_path / "folder")
    subprocess.run(attempt_folders.prepare_argv(folder), check=True)
    for name, content in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "folder/output/1.1.out").write_bytes(b"ten bytes\n")
    (tmp_path / "folder/output/1.1.err").write_bytes(b"")
    real = [ask(argv(folder)), ask(attempt_folders.read_argv(folder))]
    simulated = [Ended(each.exit_code, each.stdout.replace("size 4096 .\n", "")) for each in on_bench(scenario)]
    assert simulated == real


_TIMED_OUT = "Socket timed out on send/recv operation"
_UNREACHED = "Unable to contact slurm controller (connect failure)"
