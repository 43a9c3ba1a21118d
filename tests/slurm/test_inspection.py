"""What is found out about a cluster before its first job, from the texts of its commands; one wrong thing at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import pytest
import trio
import trio.testing

from holdfast.actors.connections.clusterside import INSPECT_S
from holdfast.actors.slurm.inspection import inspect
from holdfast.actors.slurm.site import Finished, NotRun, Unclear
from holdfast.events.messages import Finding, JobKind
from holdfast.events.spec import JobSpec, PilotSpec, SlurmSpec

NOW_S: Final = 1_800_000_000
CONFIG: Final = """\
Configuration data as of 2026-11-21T16:37:30
AccountingStorageEnforce = associations,limits,qos
AccountingStorageType   = accounting_storage/slurmdbd
ClusterName             = lab
MaxArraySize            = 10001
MaxJobCount             = 20000
MinJobAge               = 300 sec
SLURM_VERSION           = 22.05.8

Slurmctld(primary) at head is UP
"""
VERSION: Final = "slurm-wlm 22.05.8\n"
# What a sound cluster answers, by the words that a command begins with.
SOUND: Final[Mapping[str, str | int | Exception]] = {
    "/bin/sh": f"missing=\nclock={NOW_S}\nwritten=yes\nkind=nfs\nroom=900000000\n",
    "sbatch --version": VERSION,
    "squeue --version": VERSION,
    "scancel --version": VERSION,
    "scontrol --version": VERSION,
    "srun --version": VERSION,
    "python3 --version": "Python 3.11.7\n",
    "scontrol ping": "Slurmctld(primary) at head is UP\n",
    "scontrol show config": CONFIG,
    "squeue": "",
    "sacct": "",
    "sinfo": "main*|up|2|idle\nmain*|up|1|down*\nsmall|up|1|mixed\nold|inact|1|idle\nbroken|up|3|drained\n",
    "id -un": "ada\n",
    "sacctmgr": "chem||long,short|5\nphys|||\n",
    "sbatch --test-only": "",
}
SLURM: Final = SlurmSpec(partition="main", account="chem", sbatch={"qos": "long"}, max_queued=5)


class ToldSite:
    """A site whose commands answer as they are told to: a text, an exit code with a complaint, or an error."""

    workdir = "/shared/ada"
    folder = "/shared/ada/.holdfast/h"

    def __init__(self, answers: Mapping[str, str | int | Exception]) -> None:
        self.answers = {**SOUND, **answers}
        self.asked: list[tuple[str, ...]] = []

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
        del stdin, timeout_s
        await trio.lowlevel.checkpoint()
        self.asked.append(tuple(argv))
        words = " ".join(argv)
        known = max((each for each in self.answers if words.startswith(each)), key=len)
        answer = self.answers[known]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return Finished(answer, b"", f"{argv[0]}: error: it does not want to\n".encode())
        return Finished(0, answer.encode(), b"")


async def findings(slurm: SlurmSpec = SLURM, **answers: str | int | Exception) -> list[Finding]:
    """What is found; an answer is given by the command's name, with `__` for a blank."""
    site = ToldSite({name.replace("__", " "): answer for name, answer in answers.items()})
    return list((await inspect(site, slurm, lambda: NOW_S * 1_000_000)).findings)


async def test_a_sound_cluster_gets_nothing_but_ok_and_nothing_is_submitted() -> None:
    site = ToldSite({})
    found = (await inspect(site, SLURM, lambda: NOW_S * 1_000_000)).findings
    assert [(each.level, each.remedy) for each in found] == [("ok", "")] * len(found)
    told = "\n".join(each.what for each in found)
    for words in (
        "the workdir '/shared/ada' can be written in, and has 922 GB left (a quota may leave less), on nfs",
        "that the nodes see it too, only a job can show",
        "the clock there agrees with the one here",
        "Slurm 22.05.8: sbatch, squeue, scancel, scontrol are there",
        "the controller at head (primary) answers squeue in 0.00 s",
        "accounting answers",
        "the cluster takes arrays of up to 10,000 (MaxArraySize); max_queued is 5",
        "the partition main is up, with 3 nodes: 2 idle, 1 down*",
        "ada may use the account chem with the qos long",
        "sbatch would take a job with --account=chem --partition=main --qos=long",
    ):
        assert words in told, words
    submitted = [argv for argv in site.asked if argv[0] == "sbatch" and "--version" not in argv]
    assert [argv[1] for argv in submitted] == ["--test-only"]


async def test_a_pilot_needs_srun_and_a_python() -> None:
    pilot = SlurmSpec(partition="main", account="chem", max_queued=5, pilot=PilotSpec())
    assert any("Python 3.11.7 is there, and srun" in each.what for each in await findings(pilot))
    missing = await findings(pilot, **{"srun --version": NotRun("it was not found")})
    (wrong,) = [each for each in missing if each.level == "wrong"]
    assert wrong.what == "the command srun can't be run, and pilots are reached by it: it was not found"
    (odd,) = [each for each in await findings(pilot, **{"python3 --version": 1}) if each.level != "ok"]
    assert odd.level == "warning"


def machine(clock: int = NOW_S, written: str = "yes", kind: str = "nfs", room: int = 900_000_000) -> str:
    """What is said of the machine there."""
    return f"clock={clock}\nwritten={written}\nkind={kind}\nroom={room}\n"


NO_ACCOUNTS: Final = CONFIG.replace("slurmdbd", "none")


@pytest.mark.parametrize(
    "changes, level, what",
    [
        ({"/bin/sh": machine(written="no")}, "wrong", "nothing can be written in '/shared/ada/.holdfast/h'"),
        ({"/bin/sh": "missing= date rm\n"}, "wrong", "a login without a terminal has no date, rm on its PATH"),
        ({"/bin/sh": 1}, "wrong", "the folder '/shared/ada/.holdfast/h' can't be looked at: /bin/sh: error: it does"),
        ({"/bin/sh": machine(kind="xfs")}, "warning", "the workdir '/shared/ada' is on xfs, which only this machine"),
        ({"/bin/sh": machine(room=500_000)}, "warning", "the file system of '/shared/ada' has 512 MB left"),
        ({"/bin/sh": machine(room=1_000)}, "wrong", "the file system of '/shared/ada' has 1 MB left"),
        ({"/bin/sh": machine(clock=NOW_S - 60)}, "warning", "the clock there is 60 s behind the one here"),
        ({"/bin/sh": machine(clock=NOW_S + 600)}, "wrong", "the clock there is 600 s ahead of the one here"),
        ({"sbatch --version": NotRun("it was not found")}, "wrong", "sbatch can't be run: it was not found"),
        ({"squeue --version": Unclear("it took too long")}, "wrong", "squeue does not work there: it took too long"),
        (
            {"scancel --version": "slurm-wlm 21.08.1\n"},
            "warning",
            "Slurm's commands are of several versions: sbatch 22",
        ),
        ({"scontrol ping": "Slurmctld(primary) at head is DOWN\n"}, "wrong", "controller does not answer at head"),
        ({"scontrol ping": 1}, "wrong", "whether Slurm's controller is up can't be told: scontrol: error: it does"),
        ({"squeue": 1}, "wrong", "squeue does not answer: squeue: error: it does not want to"),
        ({"scontrol show config": "nonsense"}, "warning", "the cluster's configuration can't be read"),
        ({"sacct": 1}, "warning", "accounting is configured, but sacct does not answer: sacct: error"),
        (
            {"scontrol show config": NO_ACCOUNTS.replace("300", "15")},
            "warning",
            "there is no accounting: Slurm knows an ended job for 15 s",
        ),
        (
            {"scontrol show config": CONFIG.replace("20000", "5")},
            "warning",
            "max_queued is 5, and the whole cluster tak",
        ),
        ({"sinfo": 1}, "warning", "the partitions can't be looked at"),
        ({"sinfo": "small*|up|1|idle\n"}, "wrong", "there is no partition 'main'"),
        ({"sinfo": "main*|inact|1|idle\n"}, "warning", "the partition main is not up: it starts nothing now"),
        ({"sinfo": "main*|up|3|drained\n"}, "warning", "the partition main has no node that works: 3 drained"),
        ({"sacctmgr": ""}, "wrong", "the cluster knows no account that ada may use"),
        ({"sacctmgr": "phys||long|\n"}, "wrong", "ada may not use the account 'chem'"),
        ({"sacctmgr": "chem||short|\n"}, "wrong", "ada may not use the qos 'long'"),
        ({"sacctmgr": "chem||long|4\n"}, "warning", "max_queued is 5, and ada may have 4 jobs in the queue"),
        ({"sacctmgr": 1}, "warning", "what ada may use can't be looked at"),
        ({"sbatch --test-only": 1}, "wrong", "sbatch would refuse a job with --account=chem"),
    ],
)
async def test_what_is_wrong_is_found_with_its_remedy_and_nothing_else_is(
    changes: Mapping[str, str | int | Exception], level: str, what: str
) -> None:
    site = ToldSite(changes)
    found = (await inspect(site, SLURM, lambda: NOW_S * 1_000_000)).findings
    (odd,) = [each for each in found if each.level != "ok"]
    assert odd.level == level
    assert what in odd.what
    assert odd.remedy or "can't be looked at" in odd.what


async def test_the_jobs_of_a_flow_are_tried_by_kind_and_none_is_submitted() -> None:
    kinds = [JobKind(JobSpec("true", name=f"j{cpus}", needs={"cpus": cpus}), 5) for cpus in range(1, 33)]
    site = ToldSite({"sbatch --test-only --job-name=holdfast-doctor --account=chem --cpus-per-task=7": 1})
    found = (await inspect(site, SLURM, lambda: NOW_S * 1_000_000, kinds)).findings
    refused, rest = [each for each in found if each.level != "ok"]
    assert (refused.level, rest.level) == ("wrong", "warning")
    assert refused.what.startswith("sbatch would refuse the job 'j7' and 4 like it with --account=chem")
    assert "needs" in refused.remedy
    assert rest.what == "the flow has 32 kinds of jobs, by what they ask for; the first 30 were tried"
    assert sum(argv[:2] == ("sbatch", "--test-only") for argv in site.asked) == 31
    sound = (await inspect(ToldSite({}), SLURM, lambda: NOW_S * 1_000_000, kinds[:2])).findings
    assert sound[-1] == Finding("ok", "sbatch would take all 10 jobs of the flow")


@pytest.mark.parametrize(
    "answer_s, told",
    [
        (5, r"the flow has 20 kinds of jobs, .*; the first \d were tried, as the cluster is slow to answer"),
        (12, r"the flow has 20 kinds of jobs, .*; none was tried, as the cluster is slow to answer"),
    ],
)
async def test_a_slow_controller_is_not_asked_for_so_long_that_nothing_is_told(
    answer_s: int, told: str, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock

    class Slow(ToldSite):
        async def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0) -> Finished:
            if "--version" not in argv and argv[0] != "/bin/sh":
                await trio.sleep(answer_s)
            return await super().run(argv, stdin=stdin, timeout_s=timeout_s)

    def now() -> int:
        return NOW_S * 1_000_000 + int(1_000_000 * trio.current_time())

    kinds = [JobKind(JobSpec("true", name=f"j{cpus}", needs={"cpus": cpus}), 5) for cpus in range(1, 21)]
    began = trio.current_time()
    found = (await inspect(Slow({}), SLURM, now, kinds)).findings
    assert trio.current_time() - began < INSPECT_S
    assert any(re.fullmatch(told, each.what) and each.remedy for each in found)


async def test_commands_of_slurm_that_are_missing_come_before_all_else_that_is() -> None:
    gone = NotRun("it was not found")
    site = ToldSite({"sbatch --version": gone, "squeue --version": gone, "/bin/sh": machine(written="no")})
    slurm, folder = (await inspect(site, SLURM, lambda: NOW_S * 1_000_000)).findings
    assert (slurm.level, slurm.what) == ("wrong", "sbatch, squeue can't be run: it was not found")
    assert "nothing can be written" in folder.what


async def test_without_a_partition_the_cluster_must_have_one_by_default() -> None:
    free = SlurmSpec(account="chem", max_queued=5)
    assert any("the partition main is up" in each.what for each in await findings(free))
    (odd,) = [each for each in await findings(free, sinfo="a|up|1|idle\nb|up|1|idle\n") if each.level != "ok"]
    assert (odd.level, odd.remedy) == ("wrong", "give one as partition: a, b")


async def test_accounts_that_nobody_checks_are_taken_as_they_are() -> None:
    config = CONFIG.replace("associations,limits,qos", "none")
    found = await findings(scontrol__show__config=config, sacctmgr=1)
    assert all(each.level == "ok" for each in found)
    assert any("the cluster does not check accounts" in each.what for each in found)


async def test_a_cluster_without_accounting_is_as_good() -> None:
    found = await findings(scontrol__show__config=NO_ACCOUNTS, sacct=1)
    assert all(each.level == "ok" for each in found)
    assert any("there is no accounting: Slurm knows an ended job for 300 s" in each.what for each in found)


async def test_a_controller_that_is_slow_asks_for_a_longer_poll() -> None:
    times = iter(range(NOW_S * 1_000_000, NOW_S * 1_000_000 + 10**9, 3_000_000))
    found = (await inspect(ToldSite({}), SLURM, lambda: next(times))).findings
    assert any("takes 3.00 s to answer squeue" in each.what and "longer poll" in each.remedy for each in found)
