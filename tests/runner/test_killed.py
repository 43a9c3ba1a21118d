"""kill -9 of the runner: nothing runs twice, what runs is adopted, what ended is told again, the rest is lost."""

import os
import random
import signal
import sys
from pathlib import Path

import pytest

from .driving import Attempt, Home, Link, is_alive, until

MARK = "echo $HOLDFAST_TOKEN >> ran"
DIED = "its runner died; the exit status can't be known"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows whose a process is")


def ran(home: Home) -> list[str]:
    path = home.work / "ran"
    return path.read_text().split() if path.exists() else []


def replace_runner(home: Home) -> Link:
    home.kill_runner()
    return home.begin()


def lasting(home: Home, link: Link, **members: object) -> Attempt:
    """A job that is known to run until the file `go` is there."""
    attempt = home.shell(f"{MARK}; while [ ! -e go ]; do sleep 0.005; done; exit 3", **members)
    link.launch(attempt)
    link.until(attempt, "running")
    return attempt


def test_a_running_attempt_is_adopted_and_its_end_is_lost(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    before = link.statuses[attempt.token]
    link = replace_runner(home)
    after = link.statuses[attempt.token]
    assert (after.state, after.pid, after.process_start) == ("running", before.pid, before.process_start)
    assert after.started_at == before.started_at
    link.launch(attempt)
    (home.work / "go").touch()
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.signal, end.error) == ("lost", None, None, DIED)
    assert end.ended_at is not None
    assert ran(home) == [attempt.token]


def test_an_attempt_that_ended_while_no_runner_lived_is_lost(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    pid = link.statuses[attempt.token].pid
    home.kill_runner()
    (home.work / "go").touch()
    until(lambda: not is_alive(pid), "the end of the job")
    link = home.begin()
    assert (link.statuses[attempt.token].how, link.statuses[attempt.token].error) == ("lost", DIED)
    link.launch(attempt)
    link.settle()
    assert ran(home) == [attempt.token]


def test_an_adopted_attempt_holds_its_needs(home: Home) -> None:
    link = home.begin()
    adopted = lasting(home, link, needs={"cpus": 2})
    link = replace_runner(home)
    waiting = home.shell(MARK)
    link.launch(waiting)
    link.settle()
    assert home.connect().statuses[waiting.token].state == "queued"
    (home.work / "go").touch()
    link = home.connect()
    link.end(adopted)
    link.end(waiting)


def test_an_adopted_attempt_can_be_stopped(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    pid = link.statuses[attempt.token].pid
    link = replace_runner(home)
    link.send("stop", tokens=[attempt.token])
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.error) == ("stopped", None, DIED)
    assert not is_alive(pid)


def test_an_adopted_attempt_that_ignores_sigterm_is_killed(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(f"trap '' TERM; {MARK}; sleep 1000 & wait; wait", grace_us=200_000)
    link.launch(attempt)
    until(lambda: ran(home), "the trap")
    link.until(attempt, "running")
    link = replace_runner(home)
    link.send("stop", tokens=[attempt.token])
    assert link.end(attempt).how == "stopped"
    until(lambda: not list(home.carriers()), "the end of the group")


def test_the_time_out_of_an_adopted_attempt_counts_from_its_start(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link, timeout_us=1_000_000)
    link = replace_runner(home)
    assert link.statuses[attempt.token].state == "running"
    end = link.end(attempt)
    assert end.how == "timeout"
    assert end.started_at is not None
    assert end.ended_at is not None
    assert 1_000_000 <= end.ended_at - end.started_at < 4_000_000


def test_the_output_limit_of_an_adopted_attempt_holds(home: Home) -> None:
    link = home.begin()
    script = f"{MARK}; while [ ! -e go ]; do sleep 0.005; done; head -c 30000000 /dev/zero; exec sleep 1000"
    attempt = home.shell(script, max_output_bytes=1 << 20)
    link.launch(attempt)
    link.until(attempt, "running")
    link = replace_runner(home)
    (home.work / "go").touch()
    path = home.path / "output" / "000001.out"
    until(lambda: path.stat().st_size == 30_000_000 and path.stat().st_blocks * 512 < 4 << 20, "the hole")
    link.send("stop", tokens=[attempt.token])
    out = link.end(attempt).output[0]
    assert out.dropped_end - out.dropped_start == 30_000_000 - (1 << 20)


def test_an_outcome_that_was_not_acknowledged_is_told_again(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(f"{MARK}; exit 3")
    link.launch(attempt)
    end = link.end(attempt)
    link = replace_runner(home)
    assert link.statuses[attempt.token] == end
    link = replace_runner(home)
    link.launch(attempt)
    link.settle()
    assert link.statuses[attempt.token] == end
    assert ran(home) == [attempt.token]


def test_a_claim_whose_process_never_came_to_be_is_lost(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(MARK)
    link.launch(attempt)
    link.end(attempt)
    home.kill_runner()
    journal = home.path / "runner.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'{"end"' not in line))
    link = home.begin()
    assert (link.statuses[attempt.token].how, link.statuses[attempt.token].error) == ("lost", DIED)
    link.launch(attempt)
    link.settle()
    assert ran(home) == [attempt.token]


def test_a_process_that_started_just_before_the_kill_is_found_by_its_token(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    pid = link.statuses[attempt.token].pid
    home.kill_runner()
    journal = home.path / "runner.journal"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'{"process"' not in line))
    link = home.begin()
    assert (link.statuses[attempt.token].state, link.statuses[attempt.token].pid) == ("running", pid)


def test_another_process_with_the_same_pid_is_not_taken_for_the_attempt(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    status = link.statuses[attempt.token]
    home.kill_runner()
    journal = home.path / "runner.journal"
    content = journal.read_bytes()
    was = f"{status.pid},{status.process_start}]".encode()
    assert was in content
    journal.write_bytes(content.replace(was, f"{os.getpid()},{status.process_start}]".encode()))  # this very process
    link = home.begin()
    assert link.statuses[attempt.token].how == "lost"


def test_after_a_restart_of_the_machine_every_open_claim_is_lost(home: Home) -> None:
    link = home.begin()
    running, ended = lasting(home, link), home.shell("exit 5")
    link.launch(ended)
    link.end(ended)
    home.kill_runner()
    journal = home.path / "runner.journal"
    boot = (Path("/proc") / "sys/kernel/random/boot_id").read_text().strip().encode()
    journal.write_bytes(journal.read_bytes().replace(boot, b"an-earlier-boot"))
    link = home.begin()
    end = link.statuses[running.token]
    assert (end.how, end.exit_code) == ("lost", None)
    assert end.error is not None
    assert "restarted" in end.error
    assert link.statuses[ended.token].exit_code == 5
    assert is_alive(end.pid)  # whatever has that pid now is nobody to be killed


@pytest.mark.parametrize("tail", [b'{"claim":{"token":"torn', b"\0" * 1000, b"\xff\xfe"])
def test_a_torn_tail_is_ignored(home: Home, tail: bytes) -> None:
    link = home.begin()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    link.end(attempt)
    home.kill_runner()
    with (home.path / "runner.journal").open("ab") as journal:
        journal.write(tail)
    link = home.begin()
    assert link.statuses[attempt.token].exit_code == 3
    after = home.shell("exit 4")
    link.launch(after)
    link.end(after)
    link = replace_runner(home)
    assert [link.statuses[each.token].exit_code for each in (attempt, after)] == [3, 4]


def test_garbage_in_the_middle_is_skipped_and_logged(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    link.end(attempt)
    home.kill_runner()
    journal = home.path / "runner.journal"
    first, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first + b"\0\0\0\n{}\n[]\n" + b'{"claim":{"token":"x"}}\n' + b"".join(others))
    link = home.begin()
    assert set(link.statuses) == {attempt.token}
    assert "the journal's lines [2, 3, 4, 5] are no lines of a journal" in (home.path / "runner.log").read_text()


def test_a_file_that_is_no_journal_at_all_is_replaced(home: Home) -> None:
    (home.path / "runner.journal").write_bytes(random.Random(1).randbytes(100_000))
    link = home.begin()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    assert link.end(attempt).exit_code == 3


def test_an_adopted_attempt_survives_a_second_death(home: Home) -> None:
    link = home.begin()
    attempt = lasting(home, link)
    pid = link.statuses[attempt.token].pid
    for _ in range(3):
        link = replace_runner(home)
        assert (link.statuses[attempt.token].state, link.statuses[attempt.token].pid) == ("running", pid)
    (home.work / "go").touch()
    assert link.end(attempt).how == "lost"
    assert ran(home) == [attempt.token]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_nothing_runs_twice_and_every_attempt_gets_an_end(home: Home, seed: int) -> None:
    chance = random.Random(seed)
    attempts = [home.shell(f"{MARK}; sleep 0.0{chance.randrange(5)}") for _ in range(150)]
    wanted = {attempt.token for attempt in attempts}
    ended: dict[str, str | None] = {}
    while set(ended) != wanted:
        link = home.begin(cpus=6)
        link.launch(*[attempt for attempt in attempts if attempt.token not in ended])  # as a supervisor would
        turns = chance.randrange(1, 80)
        while turns and set(ended) != wanted:
            done = {token: each.how for token, each in link.statuses.items() if each.state == "ended"}
            link.statuses.clear()
            for token, how in done.items():
                assert ended.setdefault(token, how) == how, "an end was told again as another"
            link.send("acknowledge", tokens=list(done))
            link.send("ping", id=turns)  # so that there is an answer even if nothing is left to end
            link.receive()
            turns -= 1
        home.kill_runner()
    times = ran(home)
    assert len(times) == len(set(times))
    assert set(times) <= wanted
    assert {token for token, how in ended.items() if how == "exited"} <= set(times)
    assert set(ended.values()) <= {"exited", "lost"}
    assert min(list(ended.values()).count(how) for how in ("exited", "lost")) > 5  # both were tried


def test_a_kill_in_the_middle_of_the_journal_s_compaction_loses_no_claim(home: Home) -> None:
    # The new journal takes the old one's name in one step: whatever stands in the unfinished file is never read.
    link = home.begin()
    attempts = [lasting(home, link), home.shell("exit 3")]
    link.launch(attempts[1])
    link.end(attempts[1])
    for cut in range(0, 400, 37):
        home.kill_runner()
        whole = (home.path / "runner.journal").read_bytes()
        (home.path / "runner.journal.new").write_bytes(whole[:cut] + b'{"acknowledge":["x"]}\n')
        link = home.begin()
        assert link.statuses[attempts[0].token].state == "running"
        assert link.statuses[attempts[1].token].exit_code == 3
        link.launch(*attempts)
        link.settle()
    assert ran(home) == [attempts[0].token]
    link.send("stop", tokens=[attempts[0].token])
    assert link.end(attempts[0]).how == "stopped"


def test_a_stopped_runner_is_no_lost_runner(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exit 3")
    home.runners[0].send_signal(signal.SIGSTOP)
    link.launch(attempt)
    home.runners[0].send_signal(signal.SIGCONT)
    assert link.end(attempt).exit_code == 3
