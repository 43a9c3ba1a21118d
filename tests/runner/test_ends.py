"""How attempts end: by themselves, by a signal, by a stop or a time-out, or by never having started."""

import signal
import sys
import time

import pytest

from .driving import Attempt, Home, is_alive, until

IGNORES_TERM = "trap '' TERM; echo ready; sleep 1000 & wait; wait; wait"


def output_of(home: Home, suffix: str = "out") -> bytes:
    return b"".join(path.read_bytes() for path in (home.path / "output").glob(f"*.{suffix}"))


@pytest.mark.parametrize("code", [0, 1, 42, 255])
def test_an_exit_code_is_reported(home: Home, code: int) -> None:
    link = home.begin()
    before_us = time.time_ns() // 1000
    attempt = home.shell(f"exit {code}")
    link.launch(attempt)
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.signal, end.error) == ("exited", code, None, None)
    assert end.started_at is not None
    assert end.ended_at is not None
    assert before_us <= end.started_at <= end.ended_at <= time.time_ns() // 1000


def test_a_signal_is_reported(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("kill -SEGV $$")
    link.launch(attempt)
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.signal) == ("exited", None, signal.SIGSEGV)


def test_running_is_reported_once_a_job_has_lasted(home: Home) -> None:
    link = home.begin()
    short, long = home.shell("exit 0"), home.shell("exec sleep 1000")
    link.launch(short, long)
    running = link.until(long, "running")
    assert link.end(short).process_start is None  # it was never looked at
    assert is_alive(running.pid)
    assert running.process_start is not None
    link.send("stop", tokens=[long.token])
    end = link.end(long)
    assert (end.pid, end.process_start, end.started_at) == (running.pid, running.process_start, running.started_at)


def test_a_stop_ends_a_job_by_sigterm(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exec sleep 1000")
    link.launch(attempt)
    link.until(attempt, "running")
    link.send("stop", tokens=[attempt.token])
    link.send("stop", tokens=[attempt.token])
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.signal) == ("stopped", None, signal.SIGTERM)
    link.send("stop", tokens=[attempt.token])
    link.settle()
    assert link.statuses[attempt.token] == end


def test_a_job_that_ignores_sigterm_is_killed_when_its_grace_is_over(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(IGNORES_TERM, grace_us=300_000)
    link.launch(attempt)
    link.until(attempt, "running")
    until(lambda: b"ready" in output_of(home), "the trap")
    asked_us = time.time_ns() // 1000
    link.send("stop", tokens=[attempt.token])
    end = link.end(attempt)
    assert (end.how, end.signal) == ("stopped", signal.SIGKILL)
    assert end.ended_at is not None
    assert 290_000 <= end.ended_at - asked_us < 5_000_000


def test_a_repeated_stop_does_not_lengthen_the_grace(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(IGNORES_TERM, grace_us=500_000)
    link.launch(attempt)
    until(lambda: b"ready" in output_of(home), "the trap")
    asked = time.monotonic()
    while attempt.token not in link.statuses or link.statuses[attempt.token].state != "ended":
        link.send("stop", tokens=[attempt.token])
        link.settle()
        assert time.monotonic() - asked < 10
    assert link.statuses[attempt.token].signal == signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows whose a process is")
def test_a_stop_reaches_the_whole_group_and_in_the_end_what_left_it(home: Home) -> None:
    link = home.begin()
    deaf, apart = "(trap '' TERM; echo deaf; exec sleep 1001)", "setsid sh -c 'echo apart; exec sleep 1002'"
    attempt = home.shell(f"trap 'exit 9' TERM; sleep 1000 & {deaf} & {apart} & echo ready; wait", grace_us=1_000_000)
    link.launch(attempt)
    until(lambda: set(output_of(home).split()) == {b"deaf", b"apart", b"ready"}, "each is what it shall be")
    until(lambda: len(list(home.carriers())) == 4, "its four processes")
    link.send("stop", tokens=[attempt.token])
    end = link.end(attempt)
    assert (end.how, end.exit_code) == ("stopped", 9)
    # The deaf one, and the one with a session of its own, live on until the grace is over.
    until(lambda: len(list(home.carriers())) == 2, "the end of those that heard it, and of no others")
    until(lambda: not list(home.carriers()), "the end of what was left")


@pytest.mark.skipif(sys.platform != "linux", reason="the group of a dead leader is found in Linux's /proc")
def test_a_member_of_the_group_that_hides_its_token_is_killed_too(home: Home) -> None:
    link = home.begin()
    hidden = "env -i /bin/sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait"
    attempt = home.shell(f"trap 'exit 9' TERM; {hidden}", grace_us=300_000)
    link.launch(attempt)
    until(lambda: output_of(home).endswith(b"\n"), "the hidden member")
    pid = int(output_of(home))
    link.send("stop", tokens=[attempt.token])
    assert link.end(attempt).exit_code == 9
    assert is_alive(pid)
    until(lambda: not is_alive(pid), "the end of the hidden member")


def test_a_time_out_ends_a_job_and_says_so(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exec sleep 1000", timeout_us=200_000)
    link.launch(attempt)
    end = link.end(attempt)
    assert (end.how, end.signal) == ("timeout", signal.SIGTERM)
    assert end.started_at is not None
    assert end.ended_at is not None
    assert 200_000 <= end.ended_at - end.started_at < 5_000_000


def test_a_job_that_ends_before_its_time_out_just_ends(home: Home) -> None:
    link = home.begin()
    attempts = [home.shell("exit 0", timeout_us=60_000_000) for _ in range(200)]
    link.launch(*attempts)
    assert {link.end(attempt).how for attempt in attempts} == {"exited"}


def test_a_job_that_answers_sigterm_with_an_exit_code_keeps_it(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done", timeout_us=300_000)
    link.launch(attempt)
    end = link.end(attempt)
    assert (end.how, end.exit_code, end.signal) == ("timeout", 7, None)


def test_processor_time_is_what_the_job_used(home: Home) -> None:
    link = home.begin()
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    attempt, idle = home.python_job(burn), home.shell("exit 0")
    link.launch(attempt, idle)
    used, unused = link.end(attempt).cpu_us, link.end(idle).cpu_us
    assert used is not None
    assert unused is not None
    assert 300_000 <= used < 600_000
    assert unused < 100_000


def test_memory_is_the_most_that_the_job_held(home: Home) -> None:
    link = home.begin()
    attempt, small = home.python_job("held = b'x' * (60 << 20)"), home.shell("exit 0")
    link.launch(attempt, small)
    most, least = link.end(attempt).memory_bytes, link.end(small).memory_bytes
    assert most is not None
    assert least is not None
    assert 60 << 20 <= most < 120 << 20
    assert least < 40 << 20  # no less than the runner itself, whose memory a job shares until its exec


def not_started(home: Home, attempt: Attempt) -> str:
    link = home.begin()
    link.launch(attempt)
    end = link.end(attempt)
    assert (end.how, end.pid, end.exit_code, end.signal) == ("not_started", None, None, None)
    assert end.error is not None
    after = home.shell("exit 0")
    link.launch(after)
    assert link.end(after).exit_code == 0
    return end.error


def test_a_missing_program_is_named(home: Home) -> None:
    error = not_started(home, home.attempt("no-such-program"))
    assert (
        error
        == "the program 'no-such-program' was not found: a name without a slash must be in a folder of the job's PATH"
    )


def test_a_missing_program_with_a_path_is_named(home: Home) -> None:
    error = not_started(home, home.attempt("./no-such-program"))
    assert error.startswith("the program './no-such-program' can't be started: it, or the interpreter")


def test_a_missing_interpreter_is_named_as_a_possibility(home: Home) -> None:
    script = home.work / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    assert "interpreter" in not_started(home, home.attempt("./script"))


def test_a_file_that_is_no_program_is_named(home: Home) -> None:
    script = home.work / "script"
    script.write_text("echo\n")
    script.chmod(0o755)
    assert "#! line" in not_started(home, home.attempt("./script"))
    script.chmod(0o644)


def test_a_file_that_may_not_be_executed_is_named(home: Home) -> None:
    (home.work / "script").write_text("#!/bin/sh\n")
    assert "chmod +x" in not_started(home, home.attempt("./script"))


def test_a_missing_working_folder_is_named(home: Home) -> None:
    folder = str(home.work / "missing")
    assert f"the working folder {folder!r} can't be entered" in not_started(home, home.shell("exit 0", cwd=folder))


def test_too_long_a_command_is_named(home: Home) -> None:
    assert "longer than the system allows" in not_started(home, home.attempt("/bin/true", "x" * (8 << 20)))


@pytest.mark.parametrize("members", [{"argv": ["/bin/echo", "a\0b"]}, {"env": {"A": "a\0b"}}, {"env": {"A=B": "c"}}])
def test_what_no_system_can_pass_on_is_named(home: Home, members: dict[str, object]) -> None:
    assert "can't be started" in not_started(home, home.attempt("/bin/true", **members))
