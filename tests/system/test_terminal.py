"""What a user sees: a live bar on a terminal, plain lines elsewhere, events with --json, and little with --quiet."""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.tools import need

from .gates import gate, mid_run, open_gate
from .place import COMMAND, Place, until

TEN = "".join(f'[jobs.q{number}]\nrun = "true"\n' for number in range(10))


class Terminal:
    """A terminal of 100 columns that a shell command runs in, under tmux."""

    def __init__(self, tmux: str, place: Place, command: str) -> None:
        self._words = [tmux, "-f", "/dev/null", "-S", str(place.folder.parent / "tmux")]
        start = ["new-session", "-d", "-x", "100", "-y", "30", "-c", str(place.folder), command]
        subprocess.run([*self._words, *start], check=True, env={**place.environment, "TERM": "xterm-256color"})

    def screen(self) -> str:
        done = subprocess.run([*self._words, "capture-pane", "-p"], check=False, capture_output=True, text=True)
        return done.stdout

    def type(self, *keys: str) -> None:
        subprocess.run([*self._words, "send-keys", *keys], check=True)

    def close(self) -> None:
        subprocess.run([*self._words, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def terminal(place: Place) -> Iterator[Terminal]:
    made = Terminal(need("tmux", "apt-get install tmux"), place, "sh")
    yield made
    made.close()


def typed(place: Place, *words: str) -> str:
    del place
    return shlex.join([*COMMAND, *words]) + "; echo ended with $?"


@pytest.mark.slow
def test_a_terminal_shows_a_live_bar_with_counts_by_state(place: Place, terminal: Terminal) -> None:
    place.flow(gate("a") + TEN)
    terminal.type(typed(place, "run", "flow.toml", "--slots", "2"), "Enter")
    until(lambda: "10/11" in terminal.screen(), "the bar shows how many are done")
    assert "1 running" in terminal.screen()
    assert "10 succeeded" in terminal.screen()
    open_gate(place, "a")
    until(lambda: "ended with 0" in terminal.screen(), "the flow ends")
    assert "11/11" in terminal.screen()
    assert terminal.screen().count("running") == 0


@pytest.mark.slow
def test_a_narrow_terminal_still_shows_how_many_are_done(place: Place, terminal: Terminal) -> None:
    place.flow(gate("a") + TEN)
    terminal.type("stty columns 40; clear; " + typed(place, "run", "flow.toml", "--slots", "2"), "Enter")
    until(lambda: "10/11 1 running 10 succeeded" in terminal.screen(), "counts, and no bar")
    assert "█" not in terminal.screen()
    open_gate(place, "a")
    until(lambda: "11/11 11 succeeded" in terminal.screen(), "the flow ends")


@pytest.mark.slow
def test_a_terminal_without_a_cursor_gets_plain_lines(place: Place, terminal: Terminal) -> None:
    place.flow(gate("a") + TEN)
    terminal.type("TERM=dumb " + typed(place, "run", "flow.toml", "--slots", "2"), "Enter")
    until(lambda: "\n1 running, 10 succeeded" in terminal.screen(), "a line of counts")
    open_gate(place, "a")
    until(lambda: "\n11 succeeded\nended with 0" in terminal.screen(), "the flow ends")


@pytest.mark.slow
def test_ctrl_c_on_a_terminal_reaches_the_supervisor_and_no_job(place: Place, terminal: Terminal) -> None:
    place.flow(gate("a") + '[jobs.b]\nrun = "true"\nafter = ["a"]\n')
    terminal.type(typed(place, "run", "flow.toml"), "Enter")
    place.until_state("a", "running")
    until(lambda: "1 running" in terminal.screen(), "the bar is there")
    terminal.type("C-c")
    until(lambda: "nothing more is started" in terminal.screen(), "it says what it does")
    terminal.type("C-c")
    until(lambda: "ended with 130" in terminal.screen(), "it leaves at once")
    assert place.state("a") == "running"
    open_gate(place, "a")
    assert place.run("run").code == 0
    assert place.states() == {"a": "succeeded", "b": "succeeded"}


@pytest.mark.slow
def test_a_refusal_on_a_terminal_is_one_line_and_no_bar(place: Place, terminal: Terminal) -> None:
    place.flow('[jobs.a]\nrun = "x"\nneeds = { gpus = 1 }\n')
    terminal.type("clear; " + typed(place, "run", "flow.toml"), "Enter")
    until(lambda: "ended with 2" in terminal.screen(), "it is refused")
    assert "0/" not in terminal.screen()
    assert "█" not in terminal.screen()


def test_without_a_terminal_there_are_plain_lines(place: Place) -> None:
    done = place.run("run", place.flow(TEN))
    assert done.out == ""
    assert "\x1b" not in done.err
    assert done.err.splitlines()[0] == "flow flow-1: 10 jobs submitted"
    assert done.err.splitlines()[-1] == "10 succeeded"


@pytest.mark.slow
def test_quiet_says_only_what_goes_wrong(place: Place) -> None:
    done = place.run("run", "--quiet", place.flow(TEN + '[jobs.bad]\nrun = "exit 3"\n'))
    assert (done.code, done.out) == (1, "")
    assert done.err == "job 11 (bad) failed: exit code 3\n"


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contract of events as JSON."""

    seq: int
    time: str
    type: str
    author: str
    cause: int | None
    data: dict[str, object]


def lines(text: str) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in text.splitlines()]


def test_json_prints_every_event_of_the_run_and_nothing_else_on_standard_output(place: Place) -> None:
    done = place.run("run", "--json", place.flow(TEN))
    assert done.code == 0
    told = lines(done.out)
    assert [line.seq for line in told] == list(range(told[0].seq, told[0].seq + len(told)))
    kinds = [line.type for line in told]
    assert kinds.count("job_submitted") == kinds.count("attempt_ended") == 10
    logged = lines(place.run("log", "--json").out)
    assert told == [line for line in logged if line.seq >= told[0].seq][: len(told)]


@pytest.mark.slow
def test_a_watching_run_prints_events_as_well(place: Place) -> None:
    run = mid_run(place, gate("a"))
    second = place.start("run", "--json")
    until(lambda: "watching" in second.err, "it watches")
    open_gate(place, "a")
    assert (run.finish().code, second.finish().code) == (0, 0)
    assert [line.type for line in lines(second.out)].count("attempt_ended") == 1


@pytest.mark.slow
def test_a_run_whose_reader_goes_away_sees_its_flow_to_the_end(place: Place) -> None:
    place.flow('[jobs.a]\nrun = "true"\n[jobs.b]\nrun = "sleep 0.5; touch ran"\nafter = ["a"]\n')
    command = shlex.join([*COMMAND, "run", "--json", "flow.toml"])
    done = subprocess.run(
        ["sh", "-c", f"({command}; echo $? > code) | head -n 1"],
        cwd=place.folder,
        env=place.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    assert "mistake" not in done.stderr
    assert place.states() == {"a": "succeeded", "b": "succeeded"}
    assert Path(place.folder / "code").read_text() == "0\n"


@pytest.mark.slow
def test_p5_a_reader_of_events_that_stops_reading_stops_no_job(place: Place) -> None:
    place.flow("".join(f'[jobs.q{number}]\nrun = "true"\n' for number in range(600)))
    command = [*COMMAND, "run", "--json", "flow.toml"]
    with subprocess.Popen(command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE) as child:
        until(lambda: place.jobs() and not place.unfinished(), "all jobs have run while nobody reads")
        assert child.stdout is not None
        told = lines(child.stdout.read().decode())
        assert child.wait(60) == 0
    assert [line.type for line in told].count("attempt_ended") == 600


@pytest.mark.slow
def test_a_second_ctrl_c_leaves_at_once_although_nobody_reads_the_events(place: Place) -> None:
    quick = "".join(f'[jobs.q{number}]\nrun = "true"\n' for number in range(600))
    place.flow(quick + gate("a"))
    command = [*COMMAND, "run", "--json", "flow.toml"]
    with subprocess.Popen(
        command, cwd=place.folder, env=place.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        until(lambda: place.jobs() and place.unfinished() == 1, "all but one have run")
        child.send_signal(signal.SIGINT)
        assert child.stderr is not None
        until(lambda: "nothing more is started" in (child.stderr.readline() if child.stderr else ""), "it says so")
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 130
        assert "Fatal" not in child.stderr.read()
    assert place.state("a") == "running"


@pytest.mark.slow
def test_a_run_that_finds_its_target_paused_says_so(place: Place) -> None:
    assert place.run("submit", "--", "true").code == 0
    assert place.run("pause").code == 0
    run = place.start("run")
    until(lambda: "is paused: nothing starts until `holdfast resume`" in run.err, "it says why nothing starts")
    assert place.run("resume").code == 0
    assert run.finish().code == 0
