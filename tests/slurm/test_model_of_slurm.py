"""What the simulation's model of Slurm prints is what real Slurm prints, but for numbers, times and names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from holdfast.actors.slurm import attempt_folders, sacct, scontrol, script, squeue
from tests.actors.stepping import pause
from tests.simulation.slurm_bench import PLACE, Bench, batch, on_bench
from tests.simulation.slurm_commands import NOWHERE, Ended
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters

LONG: Final = "60000000:0:0:obeys"
_FORMAT: Final = ("squeue", "-h", "-t", "all", "-o", "%i|%F|%K|%T|%r|%N|%j|%k")
_NUMBERS: Final = re.compile(r"[0-9]+")


def shape(text: str) -> list[str]:
    """The lines without what differs from one cluster to the next."""
    return sorted(_NUMBERS.sub("0", line) for line in text.splitlines())


def real(cluster: Cluster, *words: str) -> Ended:
    """What a command says on the real cluster."""
    ran = cluster.run(*words)
    return Ended(ran.returncode, ran.stdout, ran.stderr)


def submit(cluster: Cluster, text: str) -> str:
    """Give sbatch a script; the number that it prints."""
    ran = cluster.run(*script.sbatch_argv(text), data=text)
    assert ran.returncode == 0, ran
    return ran.stdout.strip()


def test_rows_of_an_array_that_runs_in_part_and_is_cancelled_in_part(own_cluster: Clusters, tmp_path: Path) -> None:
    cluster = own_cluster(accounting=True, nodes=2, cpus=1)
    place = script.Place(str(tmp_path), str(tmp_path / "folder"))
    subprocess.run(attempt_folders.prepare_argv(place.folder), check=True)
    number = submit(cluster, batch(*["600"] * 5, place=place, program="/bin/sleep"))
    until(lambda: real(cluster, *_FORMAT).stdout.count("RUNNING") == 2, "two of its tasks run")
    until(lambda: real(cluster, *_FORMAT).stdout.count("Resources") == 1, "the others wait for nodes")
    real_rows = [_rows(cluster)]
    real(cluster, "scancel", f"{number}_3")
    real_rows.append(_rows(cluster))

    async def scenario(bench: Bench) -> list[str]:
        bench.cluster.controller.slots = 2
        await bench.submit(*[LONG] * 5)
        await pause(1)
        found = [(await bench.run(_FORMAT)).stdout]
        await bench.run(("scancel", "1_3"))
        return [*found, (await bench.run(_FORMAT)).stdout]

    simulated = [shape(each) for each in on_bench(scenario)]
    assert [_without_nodes(each) for each in simulated] == [_without_nodes(each) for each in real_rows]
    _compare_details(cluster)


def _rows(cluster: Cluster) -> list[str]:
    return shape(real(cluster, *_FORMAT).stdout)


def _without_nodes(lines: Sequence[str]) -> list[str]:
    return [re.sub(r"\|n0\|", "|n|", line) for line in lines]


def _compare_details(cluster: Cluster) -> None:
    """Of `scontrol show job` the words that are read, in their order."""
    keys = re.compile(r"(JobId|ArrayJobId|ArrayTaskId|JobName|JobState|Reason|Restarts|ExitCode|SubmitTime|NodeList)=")

    async def scenario(bench: Bench) -> str:
        bench.cluster.controller.slots = 2
        await bench.submit(*[LONG] * 5)
        await pause(1)
        return (await bench.run(scontrol.JOBS)).stdout

    def order(text: str) -> set[tuple[str, ...]]:
        return {
            tuple(keys.findall(line.replace("ReqNodeList=", "").replace("ExcNodeList=", "")))
            for line in text.splitlines()
        }

    assert order(on_bench(scenario)) == order(real(cluster, *scontrol.JOBS).stdout)


def test_accounts_of_what_ended(own_cluster: Clusters, tmp_path: Path) -> None:
    cluster = own_cluster(accounting=True)
    place = script.Place(str(tmp_path), str(tmp_path / "folder"))
    subprocess.run(attempt_folders.prepare_argv(place.folder), check=True)
    number = submit(cluster, batch("true", place=place))  # there is no program of the model's, so it ends with 127
    (argv,) = sacct.argv([number])
    until(lambda: "FAILED" in real(cluster, *argv).stdout and ".batch" in real(cluster, *argv).stdout, "it has ended")

    async def scenario(bench: Bench) -> str:
        await bench.submit("absent")
        await pause(5)
        return (await bench.run(argv)).stdout

    fields = [line.split("\x1f") for line in real(cluster, *argv).stdout.splitlines()]
    simulated = [line.split("\x1f") for line in on_bench(scenario).splitlines()]
    said = [[bool(each) for each in (*line[:8], *line[9:])] for line in fields]  # memory is not seen of what is short
    assert [[bool(each) for each in (*line[:8], *line[9:])] for line in simulated] == said
    assert [line[2:4] for line in simulated] == [line[2:4] for line in fields] == [["FAILED", "127:0"]] * 2
    assert [each.exit_code for each in sacct.parse("".join(on_bench(scenario)).encode())] == [127]


@pytest.mark.parametrize("what", [pytest.param("dead", marks=pytest.mark.thorough), "well"])
def test_what_commands_say_that_can_do_nothing(own_cluster: Clusters, what: str) -> None:
    cluster = own_cluster()
    text = batch(LONG, place=PLACE)
    commands = [
        ["scancel", "4711"],
        ["scontrol", "ping"],
        list(squeue.argv("root")),
        list(scontrol.JOBS),
        [*script.sbatch_argv(text), *([f"--partition={NOWHERE}"] if what == "well" else [])],
    ]
    if what == "dead":
        cluster.controller.kill()
        said = [cluster.run(*words, data=text) for words in commands]
    else:
        said = [cluster.run(*words, data=text) for words in commands]

    async def scenario(bench: Bench) -> list[Ended]:
        if what == "dead":
            bench.cluster.controller.kill()
        return [await bench.run(words, text.encode()) for words in commands]

    for words, ours, ran in zip(commands, on_bench(scenario), said, strict=True):
        theirs = Ended(ran.returncode, _anywhere(ran.stdout), ran.stderr)
        assert Ended(ours.exit_code, _anywhere(ours.stdout), ours.stderr) == theirs, words


def _anywhere(text: str) -> str:
    """Without the name of the machine, and the banner that scontrol shows people."""
    return "\n".join(re.sub(r" at \S+ is ", " is ", line) for line in text.splitlines() if not line.startswith("**"))
