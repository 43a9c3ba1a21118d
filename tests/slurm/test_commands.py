"""Counted commands do what the real ones do, are counted, and fail as they are told."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.system.place import until
from tests.system.processes import alive

from .cluster import Cluster
from .clusters import Clusters
from .commands import Whim, babbles, dies, fails, slow, times_out

ODD = ("--comment", 'it\'s "odd"\n#SBATCH $HOME `id` %s \\x41 é', "")


def call(cluster: Cluster, *words: str, data: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a client does that finds it by PATH."""
    environment = {**os.environ, **cluster.environ}
    return subprocess.run(words, env=environment, input=data, capture_output=True, text=True, check=False, timeout=60)


def submit(cluster: Cluster, name: str) -> subprocess.CompletedProcess[str]:
    return call(cluster, "sbatch", "--parsable", f"--job-name={name}", "--output=/dev/null", data="#!/bin/sh\ntrue\n")


def test_a_counted_command_is_the_real_one_with_its_input_and_any_argument(cluster: Cluster, tmp_path: Path) -> None:
    script = '#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n'
    ran = call(cluster, "sbatch", "--parsable", f"--output={tmp_path}/out", "--wait", "/dev/stdin", *ODD, data=script)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out").read_text() == "".join(f"{word}\0" for word in ODD)
    (counted,) = cluster.calls("sbatch")
    assert counted.words[-len(ODD) :] == ODD


def test_calls_are_counted_in_their_order_and_those_of_the_lab_are_not(cluster: Cluster) -> None:
    for words in (["squeue", "--me"], ["sinfo"], ["squeue"]):
        assert call(cluster, *words).returncode == 0
    cluster.jobs()
    assert [each.words for each in cluster.calls("squeue")] == [("--me",), ()]
    calls = cluster.calls()
    assert [each.words for each in calls] == [("--me",), (), ()]
    assert sorted(each.up_s for each in calls) == [each.up_s for each in calls]
    cluster.commands.forget_calls()
    assert cluster.calls() == []


def test_a_record_that_is_cut_off_counts_for_nothing(cluster: Cluster) -> None:
    call(cluster, "scontrol", "ping")
    folder = cluster.commands.bin.parent / "calls" / "scontrol"
    (record,) = folder.iterdir()
    whole = record.read_bytes()
    for size in range(len(whole)):
        record.write_bytes(whole[:size])
        assert cluster.calls("scontrol") == []
    record.write_bytes(whole)
    assert [each.words for each in cluster.calls("scontrol")] == [("ping",)]


def test_many_at_a_time_are_all_counted_and_a_whim_for_some_is_had_by_as_many(cluster: Cluster) -> None:
    cluster.commands.misbehave("sinfo", fails("no\n", 3), times=5)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(call, cluster, "sinfo") for _ in range(40)]
    codes = [each.result().returncode for each in calls]
    assert sorted(codes) == [0] * 35 + [3] * 5
    assert len(cluster.calls("sinfo")) == 40


def test_one_that_fails_has_no_effect(cluster: Cluster) -> None:
    cluster.commands.misbehave("sbatch", fails("sbatch: error: it's 'full'\n", 7), times=1)
    ran = submit(cluster, "fails")
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, "", "sbatch: error: it's 'full'\n")
    assert cluster.submitted_count("fails") == 0
    assert submit(cluster, "fails").returncode == 0
    assert cluster.submitted_count("fails") == 1


@pytest.mark.parametrize("after", [False, True])
def test_one_that_dies_does_so_before_or_after_its_effect(cluster: Cluster, *, after: bool) -> None:
    name = f"dies{after}"
    cluster.commands.misbehave("sbatch", dies(after=after), times=1)
    ran = submit(cluster, name)
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGKILL, "", "")
    assert cluster.submitted_count(name) == after


@pytest.mark.parametrize("works", [False, True])
def test_one_that_says_it_timed_out_had_an_effect_or_none(cluster: Cluster, *, works: bool) -> None:
    name = f"late{works}"
    cluster.commands.misbehave("sbatch", times_out("sbatch", works=works), times=1)
    ran = submit(cluster, name)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "Socket timed out on send/recv operation" in ran.stderr
    assert cluster.submitted_count(name) == works


def test_one_that_babbles_has_its_effect(cluster: Cluster) -> None:
    cluster.commands.misbehave("sbatch", babbles("Welcome to $HOST!\n"), times=1)
    ran = submit(cluster, "babbles")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "Welcome to $HOST!\n", "")
    assert cluster.submitted_count("babbles") == 1


def test_a_slow_one_waits_before_its_effect_or_after_it(cluster: Cluster) -> None:
    environment = {**os.environ, **cluster.environ}
    for name, whim, effect in (("before", slow(before_s=600), 0), ("after", slow(after_s=600), 1)):
        cluster.commands.misbehave("sbatch", whim, times=1)
        words = ["sbatch", f"--job-name={name}", "--wrap=true", "--output=/dev/null"]
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as client:
            until(partial(child_of, client.pid, "sleep"), "it waits")
            assert cluster.submitted_count(name) == effect
            client.kill()
            assert client.stdout is not None
            assert client.stdout.read() == b""  # for whatever could write to it has ended, too


def child_of(pid: int, program: str) -> int | None:
    """The child of a process that has become `program`, if there is one."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # it has just ended
            if Path(f"/proc/{child}/exe").readlink().name == program:
                return int(child)
    return None


def test_the_real_one_ends_with_the_command_that_stands_for_it(own_cluster: Clusters) -> None:
    cluster = own_cluster()
    cluster.controller.stop()
    cluster.commands.misbehave("squeue", slow(after_s=0.1))
    environment = {**os.environ, **cluster.environ}
    with subprocess.Popen(["squeue"], env=environment) as client:
        until(partial(child_of, client.pid, "squeue"), "it asks the controller")
        real = child_of(client.pid, "squeue")
        client.kill()
    assert real is not None
    until(lambda: not alive(real), "the real one ends")


def test_a_whim_without_end_ends_when_it_behaves(cluster: Cluster) -> None:
    cluster.commands.misbehave("sinfo", Whim(works=False, code=9))
    assert [call(cluster, "sinfo").returncode for _ in range(3)] == [9, 9, 9]
    cluster.commands.behave("sinfo")
    assert call(cluster, "sinfo").returncode == 0
