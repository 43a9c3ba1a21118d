"""Commands that the supervisor has run for itself: whole answers, bounds in number, time and size, and no trace."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from .driving import Home, Link, Message, is_alive, until
from .test_pythons import lacking_python

LIMIT_BYTES = 16 << 20
AT_ONCE = 8


class Answer(msgspec.Struct):
    """What came of a command."""

    done: Message | None = None
    out: bytes = b""
    err: bytes = b""


class Asking:
    """Commands over one connection, and the answers as they come."""

    def __init__(self, home: Home, link: Link) -> None:
        self.home, self.link = home, link
        self.answers: dict[int, Answer] = {}

    def ask(self, *argv: str, stdin: bytes = b"", **members: object) -> int:
        number = len(self.answers) + 1
        self.answers[number] = Answer()
        known: dict[str, object] = {
            "id": number, "argv": argv, "stdin": base64.b64encode(stdin).decode(), "cwd": str(self.home.work),
            "without": [], "timeout_us": 60_000_000, "max_output_bytes": LIMIT_BYTES, **members,
        }  # fmt: skip
        self.link.send("execute", **known)
        return number

    def shell(self, script: str, stdin: bytes = b"", **members: object) -> int:
        return self.ask("/bin/sh", "-c", script, stdin=stdin, **members)

    def take(self) -> Message:
        message = self.link.receive()
        if message.type == "printed":
            answer = self.answers[message.id or 0]
            piece = base64.b64decode(message.base64 or "", validate=True)
            if message.stream == 0:
                answer.out += piece
            else:
                answer.err += piece
        elif message.type == "done":
            assert self.answers[message.id or 0].done is None
            self.answers[message.id or 0].done = message
        return message

    def end(self, number: int) -> tuple[Message, bytes, bytes]:
        answer = self.answers[number]
        while answer.done is None:
            self.take()
        return answer.done, answer.out, answer.err


@pytest.fixture
def asking(home: Home) -> Iterator[Asking]:
    yield Asking(home, home.begin())
    (home.work / "go").touch()  # what waits for it outlives its runner


def again(home: Home) -> Asking:
    """Another connection, which supersedes the one before."""
    return Asking(home, home.connect())


def test_a_command_is_answered_with_its_end_and_all_that_it_printed(asking: Asking) -> None:
    done, out, err = asking.end(asking.shell(r"cat; printf 'a\377\0z'; echo wrong >&2; exit 7", b"in\xff\0put"))
    assert (done.exit_code, done.signal, done.error) == (7, None, None)
    assert (done.not_run, done.timed_out, done.truncated) == (False, False, False)
    assert (out, err) == (b"in\xff\0puta\xff\0z", b"wrong\n")


def test_words_reach_a_command_as_they_are_and_no_shell_sees_them(asking: Asking) -> None:
    words = ["", "a b", "$HOME;`id`", "--x=\n*", "\udcff\u00e4"]
    _, out, _ = asking.end(asking.ask("/usr/bin/printf", "%s\\0", *words))
    assert out.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in words]


def test_it_has_the_environment_of_the_hello_less_what_is_named_and_the_folder_asked_for(home: Home) -> None:
    home.start()
    asking = Asking(home, home.connect(environ={"PATH": "/usr/bin:/bin", "KEPT": "\u00e4", "SQUEUE_STATES": "R"}))
    _, out, _ = asking.end(asking.ask("env", without=["SQUEUE_STATES", "NEVER_SET"]))
    assert sorted(line for line in out.decode().splitlines() if not line.startswith("_=")) == [
        "KEPT=\u00e4", "PATH=/usr/bin:/bin",
    ]  # fmt: skip
    assert asking.end(asking.shell("pwd"))[1].decode() == f"{home.work}\n"


def test_a_signal_that_ends_it_is_told(asking: Asking) -> None:
    done, _, _ = asking.end(asking.shell("kill -SEGV $$"))
    assert (done.exit_code, done.signal) == (None, signal.SIGSEGV)


def test_large_input_and_large_output_are_whole_and_others_are_not_kept_waiting(asking: Asking) -> None:
    script, rows = os.urandom(2 << 20), os.urandom(4 << 20)
    (asking.home.work / "rows").write_bytes(rows)
    first = asking.shell("cat; cat rows; cat rows >&2", script)
    asking.link.send("ping", id=77)
    done, out, err = asking.end(first)
    assert (done.exit_code, done.truncated) == (0, False)
    assert out == script + rows
    assert err == rows


def test_between_the_pieces_of_a_long_answer_other_messages_find_room(asking: Asking) -> None:
    number = asking.shell(f"head -c {LIMIT_BYTES} /dev/zero")
    while asking.take().type != "printed":
        pass
    asking.link.send("ping", id=77)
    while asking.take().type != "pong":
        pass
    assert asking.answers[number].done is None  # the whole of it is longer than sockets hold
    assert len(asking.end(number)[1]) == LIMIT_BYTES


@pytest.mark.parametrize("redirected", ["", ">&2"])
def test_an_answer_beyond_the_bound_says_that_it_is_cut_and_the_command_goes_on(
    asking: Asking, redirected: str
) -> None:
    script = f"head -c 100001 /dev/zero {redirected}; touch went-on"
    done, out, err = asking.end(asking.shell(script, max_output_bytes=100_000))
    assert (done.exit_code, done.truncated) == (0, True)
    assert len(out + err) == 100_000
    assert (asking.home.work / "went-on").exists()
    done, out, _ = asking.end(asking.shell("head -c 100000 /dev/zero", max_output_bytes=100_000))
    assert (done.truncated, len(out)) == (False, 100_000)


def test_the_runner_has_a_bound_of_its_own(asking: Asking) -> None:
    done, out, _ = asking.end(asking.shell(f"head -c {LIMIT_BYTES + 1} /dev/zero", max_output_bytes=1 << 40))
    assert (done.truncated, len(out)) == (True, LIMIT_BYTES)


def test_what_takes_too_long_is_ended_with_all_of_its_group(asking: Asking) -> None:
    script = "trap 'echo asked; exit 3' TERM; sleep 1000 & echo $!; wait"
    done, out, _ = asking.end(asking.shell(script, timeout_us=300_000))
    assert (done.timed_out, done.exit_code) == (True, 3)
    pid, word = out.split()
    assert word == b"asked"
    until(lambda: not is_alive(int(pid)), "its child ends")


def test_what_does_not_listen_is_killed(asking: Asking) -> None:
    begun = time.monotonic()
    done, out, _ = asking.end(asking.shell("trap '' TERM; echo $$; while :; do sleep 0.05; done", timeout_us=100_000))
    assert (done.timed_out, done.signal) == (True, signal.SIGKILL)
    assert 5 <= time.monotonic() - begun < 15
    assert not is_alive(int(out))


def test_what_a_command_leaves_behind_does_not_hold_up_its_answer(asking: Asking) -> None:
    done, out, _ = asking.end(asking.shell("sleep 1000 >/dev/null & echo $!"))  # it holds stderr
    assert (done.exit_code, done.truncated) == (0, False)
    os.kill(int(out), signal.SIGKILL)


def test_an_answer_to_which_somebody_might_add_is_not_taken_for_whole(asking: Asking) -> None:
    done, out, _ = asking.end(asking.shell("sleep 1000 2>/dev/null & echo $!"))
    assert (done.exit_code, done.truncated) == (0, True)
    os.kill(int(out), signal.SIGKILL)


@pytest.mark.parametrize(
    "argv, cwd, words",
    [
        (["no-such-program"], ".", "the program 'no-such-program' was not found: it must be .* PATH there"),
        (["./missing"], ".", "does not exist"),
        (["./plain"], ".", "may not be executed"),
        (["true"], "missing", "can't be entered"),
        (["true", "a\0b"], ".", "NUL"),
        (["true", "x" * (200 << 10)], ".", "longer than the system allows"),
    ],
)
def test_what_can_not_be_started_was_not_run_and_the_reason_is_said(
    asking: Asking, argv: list[str], cwd: str, words: str
) -> None:
    (asking.home.work / "plain").write_text("echo\n")
    done, out, err = asking.end(asking.ask(*argv, cwd=str(asking.home.work / cwd)))
    assert done.not_run
    assert done.exit_code is None
    assert (out, err) == (b"", b"")
    assert done.error is not None
    assert re.search(words, done.error), done.error


def test_a_few_run_at_once_and_the_others_in_their_order(asking: Asking) -> None:
    work = asking.home.work
    numbers = [asking.shell(f"touch {index}; while [ ! -e go ]; do sleep 0.01; done") for index in range(AT_ONCE)]
    until(lambda: len(list(work.iterdir())) == AT_ONCE, "as many run as may")
    numbers += [asking.shell(f"echo {index} >> order") for index in range(3)]
    asking.link.settle()
    assert len(list(work.iterdir())) == AT_ONCE
    (work / "go").touch()
    assert {asking.end(number)[0].exit_code for number in numbers} == {0}
    assert sorted((work / "order").read_text().split()) == ["0", "1", "2"]


def test_what_finds_no_turn_for_long_was_not_run(asking: Asking) -> None:
    held = [asking.shell("while [ ! -e go ]; do sleep 0.01; done") for _ in range(AT_ONCE)]
    late = asking.shell("touch ran")
    done, _, _ = asking.end(late)
    assert done.not_run
    assert done.error == "it waited for 10 s behind others that still run"
    (asking.home.work / "go").touch()
    assert {asking.end(number)[0].exit_code for number in held} == {0}
    assert not (asking.home.work / "ran").exists()


def test_no_more_than_some_hundreds_may_wait(asking: Asking) -> None:
    numbers = [asking.shell("while [ ! -e go ]; do sleep 0.01; done") for _ in range(AT_ONCE + 257)]
    done, _, _ = asking.end(numbers[-1])
    assert done.not_run
    assert done.error == "256 commands wait there already; run fewer at a time"
    assert sum(answer.done is not None for answer in asking.answers.values()) == 1


def test_what_has_begun_runs_on_when_its_connection_ends_and_what_waits_is_not_run(home: Home) -> None:
    asking = Asking(home, home.begin())
    script = "touch {0}; while [ ! -e go ]; do sleep 0.01; done; cat > {0}.in; head -c 300000 /dev/zero; touch {0}.end"
    for index in range(AT_ONCE):
        asking.shell(script.format(index), os.urandom(200_000))
    until(lambda: len(list(home.work.iterdir())) == AT_ONCE, "as many run as may")
    asking.shell("touch waited")
    asking.link.settle()
    asking.link.connection.close()
    (home.work / "go").touch()
    until(lambda: len(list(home.work.glob("*.end"))) == AT_ONCE, "all come to their end")
    assert {path.stat().st_size for path in home.work.glob("*.in")} == {200_000}
    other = again(home)
    assert other.end(other.shell("echo here"))[1] == b"here\n"
    assert not (home.work / "waited").exists()


def test_p2_who_looks_over_a_later_connection_does_not_look_while_an_earlier_command_still_acts(home: Home) -> None:
    asking = Asking(home, home.begin())
    asking.shell("touch began; while [ ! -e go ]; do sleep 0.01; done; sleep 0.2; touch done")
    until((home.work / "began").exists, "it runs")
    other = again(home)
    look = other.shell("ls")
    other.link.settle()
    assert other.answers[look].done is None
    (home.work / "go").touch()
    assert other.end(look)[1] == b"began\ndone\ngo\n"


def test_an_earlier_command_that_never_ends_is_waited_for_until_it_is_killed(home: Home) -> None:
    asking = Asking(home, home.begin())
    asking.shell("trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done", timeout_us=1_000_000)
    until((home.work / "pid").exists, "it runs")
    other = again(home)
    assert other.end(other.shell("echo later"))[1] == b"later\n"
    assert not is_alive(int((home.work / "pid").read_text()))


def test_p2_input_is_whole_even_if_the_runner_is_killed_before_it_is_read(home: Home) -> None:
    asking = Asking(home, home.begin())
    asking.shell("echo $$ > pid; while [ ! -e go ]; do sleep 0.01; done; cat > in; touch end", os.urandom(2 << 20))
    until((home.work / "pid").exists, "it runs")
    home.kill_runner()
    (home.work / "go").touch()
    until((home.work / "end").exists, "it ends")
    assert (home.work / "in").stat().st_size == 2 << 20


def test_who_reads_slowly_gets_all_answers_and_keeps_the_connection(asking: Asking) -> None:
    numbers = [asking.shell(f"head -c {LIMIT_BYTES} /dev/zero; touch {index}") for index in range(6)]
    until(lambda: len(list(asking.home.work.iterdir())) == 6, "all have ended")  # 128 MB wait: more than may be unsent
    assert [len(asking.end(number)[1]) for number in numbers] == [LIMIT_BYTES] * 6


def test_many_commands_leave_nothing_open_and_nothing_undead(asking: Asking) -> None:
    if sys.platform != "linux":
        pytest.skip("what a process holds open was NOT looked at: there is no /proc")
    folder = Path("/proc") / str(asking.home.runners[0].pid)

    def held() -> tuple[int, str]:
        return len(list((folder / "fd").iterdir())), (folder / f"task/{folder.name}/children").read_text()

    asking.end(asking.shell("echo"))
    before = held()
    assert before[1] == ""
    for _ in range(100):
        numbers = [asking.shell("cat; echo >&2", b"x") for _ in range(AT_ONCE)]
        numbers += [asking.ask("missing"), asking.shell("true", cwd="/missing")]
        for number in numbers:
            asking.end(number)
    assert held() == before


def test_commands_need_no_slot_and_leave_no_trace_in_the_journal(home: Home) -> None:
    home.start()
    asking = Asking(home, home.connect({"cpus": 0}))
    asking.link.settle()
    journal = (home.path / "runner.journal").read_bytes()
    assert asking.end(asking.shell("cat", b"input"))[1] == b"input"
    assert (home.path / "runner.journal").read_bytes() == journal
    assert {path.name for path in home.path.iterdir()} <= {
        "output", "runner.journal", "runner.lock", "runner.log", "runner.sock",
    }  # fmt: skip


def test_attempts_run_beside_commands_each_in_its_own_folder(asking: Asking) -> None:
    home, link = asking.home, asking.link
    (home.work / "other").mkdir()
    attempts = [home.shell("pwd; exit 3") for _ in range(20)]
    numbers: list[int] = []
    for attempt in attempts:
        link.launch(attempt)
        numbers.append(asking.shell("pwd", cwd=str(home.work / "other")))
    for number in numbers:
        assert asking.end(number)[1].decode() == f"{home.work}/other\n"
    for attempt in attempts:
        end = link.end(attempt)
        assert (end.exit_code, home.read(end.output[0]).decode()) == (3, f"{home.work}\n")


def test_a_runner_does_not_leave_while_a_command_runs(home: Home) -> None:
    runner = home.start("--idle-s", "0.1")
    asking = Asking(home, home.connect())
    asking.shell("touch began; while [ ! -e go ]; do sleep 0.01; done; echo out; touch end")
    until((home.work / "began").exists, "it runs")
    asking.link.connection.close()
    with pytest.raises(subprocess.TimeoutExpired):
        runner.wait(0.5)
    (home.work / "go").touch()
    assert runner.wait(20) == 0
    assert (home.work / "end").exists()


@pytest.mark.parametrize(
    "member, value",
    [
        ("id", "1"), ("argv", []), ("argv", "true"), ("argv", [1]), ("stdin", None), ("stdin", "\u00e4"), ("cwd", None),
        ("timeout_us", 0.5), ("max_output_bytes", None), ("without", "A"),
    ],
)  # fmt: skip
def test_a_command_that_breaks_the_protocol_is_not_run_and_closes_the_connection(
    home: Home, member: str, value: object
) -> None:
    asking = Asking(home, home.begin())
    known: dict[str, object] = {
        "id": 1, "argv": ["touch", "ran"], "stdin": "", "cwd": str(home.work), "without": [], "timeout_us": 1_000_000,
        "max_output_bytes": 100, member: value,
    }  # fmt: skip
    asking.link.send("execute", **known)
    assert asking.link.is_closed()
    assert home.connect().statuses == {}
    assert not (home.work / "ran").exists()


def test_the_welcome_says_that_commands_are_run(home: Home) -> None:
    home.start()
    link = home.open()
    link.send("hello", protocol=1, environ={})
    assert link.receive().executes


def test_where_much_is_missing_commands_run_as_well(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    home = Home(folder, lacking_python(tmp_path))
    try:
        asking = Asking(home, home.begin())
        script = os.urandom(2 << 20)
        done, out, err = asking.end(asking.shell("cat; echo wrong >&2; exit 7", script))
        assert (done.exit_code, out, err) == (7, script, b"wrong\n")
        assert asking.end(asking.shell("sleep 1000", timeout_us=100_000))[0].timed_out
        assert asking.end(asking.ask("missing"))[0].not_run
        assert not (folder / "stdin").exists()
    finally:
        home.close()
