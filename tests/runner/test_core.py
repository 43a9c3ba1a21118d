"""The runner's rules alone, on a machine without processes, files or clock."""

import errno
import os
import re

import msgspec
import pytest

from holdfast.actors import runner
from holdfast.actors.runner import Malformed, Order, explain, recall

from .driving import Message, Range, Status
from .machine import SECOND_US, Bench


def statuses(messages: list[Message]) -> dict[str, Status]:
    return {status.token: status for message in messages for status in message.attempts}


def test_a_turn_says_everything_in_one_report() -> None:
    bench = Bench(cpus=3)
    attempts = [bench.attempt() for _ in range(3)]
    bench.launch(*attempts)
    for pid in list(bench.machine.living):
        bench.core.child_ended(pid, 0, 1000, 0)
    reports = [message for message in bench.turn() if message.type == "report"]
    assert [len(report.attempts) for report in reports] == [3]


def test_news_is_gathered_while_more_launches_are_left_than_news() -> None:
    bench = Bench(cpus=1)
    attempts = [bench.attempt() for _ in range(6)]
    bench.launch(*attempts)
    assert not statuses(bench.finish(attempts[0]))
    assert not statuses(bench.finish(attempts[1]))
    assert list(statuses(bench.finish(attempts[2]))) == [attempt.token for attempt in attempts[:3]]


def test_gathered_news_is_told_after_six_milliseconds() -> None:
    bench = Bench(cpus=1)
    attempts = [bench.attempt() for _ in range(6)]
    bench.launch(*attempts)
    bench.wait(1000)
    assert not statuses(bench.finish(attempts[0]))
    assert not statuses(bench.wait(3000))
    assert not statuses(bench.finish(attempts[1]))
    assert not statuses(bench.wait(2999))
    assert len(statuses(bench.wait(1))) == 2
    assert not statuses(bench.finish(attempts[2]))  # the next news waits anew
    assert not statuses(bench.wait(5999))
    assert len(statuses(bench.wait(1))) == 1


def test_gathered_news_goes_along_with_any_other_answer() -> None:
    bench = Bench(cpus=1)
    attempts = [bench.attempt() for _ in range(6)]
    bench.launch(*attempts)
    assert not statuses(bench.finish(attempts[0]))
    assert list(statuses(bench.say("ping", id=1))) == [attempts[0].token]


def test_news_that_is_gathered_stands_in_the_journal() -> None:
    bench = Bench(cpus=1)
    attempts = [bench.attempt() for _ in range(6)]
    bench.launch(*attempts)
    assert not statuses(bench.finish(attempts[0]))
    assert list(recall(bench.machine.journal.encode()).ended) == [attempts[0].token]


def test_running_is_told_twenty_milliseconds_after_the_start_and_once() -> None:
    bench = Bench()
    attempt = bench.attempt()
    bench.launch(attempt)
    assert not statuses(bench.wait(19_999))
    told = statuses(bench.wait(1))[attempt.token]
    assert (told.state, told.pid, told.process_start) == ("running", 101, 1010)
    assert not statuses(bench.wait(60 * SECOND_US))


def test_the_lines_of_a_turn_are_ends_then_claims_in_one_write() -> None:
    bench = Bench(cpus=1)
    first, second = bench.attempt(), bench.attempt()
    bench.launch(first, second)
    before = len(bench.machine.journal)
    bench.finish(first)
    kinds = [line.split('"')[1] for line in bench.machine.journal[before:].splitlines()]
    assert kinds == ["end", "claim"]


def test_no_more_than_32_attempts_start_in_a_turn_but_the_next_comes_at_once() -> None:
    bench = Bench(cpus=100)
    bench.core.receive({"type": "launch", "attempts": [entry(bench) for _ in range(100)]})
    bench.core.turn()
    assert len(bench.machine.started) == 32
    assert bench.core.next_due() == 0
    bench.turn()
    assert len(bench.machine.started) == 100


def entry(bench: Bench, **members: object) -> dict[str, object]:
    """An entry of a launch, as it comes from JSON."""
    return msgspec.json.decode(msgspec.json.encode(bench.attempt()), type=dict[str, object]) | members


def test_a_time_out_sends_sigterm_and_after_the_grace_kills_what_is_left() -> None:
    bench = Bench()
    attempt = bench.attempt(timeout_us=10 * SECOND_US, grace_us=5 * SECOND_US)
    bench.launch(attempt)
    bench.wait(10 * SECOND_US - 1)
    assert bench.machine.terminated == []
    bench.wait(1)
    assert bench.machine.terminated == [101]
    end = statuses(bench.finish(attempt, 15))[attempt.token]
    assert (end.how, end.signal) == ("timeout", 15)
    bench.say("acknowledge", tokens=[attempt.token])
    assert not bench.core.idle()  # the group may have members left
    bench.wait(5 * SECOND_US)
    assert bench.machine.killed == [attempt.token]
    assert bench.core.idle()


def test_a_stop_after_a_time_out_changes_nothing() -> None:
    bench = Bench()
    attempt = bench.attempt(timeout_us=SECOND_US, grace_us=5 * SECOND_US)
    bench.launch(attempt)
    bench.wait(2 * SECOND_US)
    bench.say("stop", tokens=[attempt.token])
    bench.wait(10 * SECOND_US)
    assert bench.machine.terminated == [101]
    assert bench.machine.killed == [attempt.token]
    assert statuses(bench.finish(attempt, 9))[attempt.token].how == "timeout"


def test_timers_of_ended_attempts_do_not_pile_up() -> None:
    bench = Bench(cpus=1)
    for _ in range(1000):
        attempt = bench.attempt(timeout_us=3600 * SECOND_US)
        bench.launch(attempt)
        bench.finish(attempt)
        bench.say("acknowledge", tokens=[attempt.token])
    assert len(bench.core.timers) < 150


def test_an_idle_core_asks_for_no_turn() -> None:
    bench = Bench()
    attempt = bench.attempt(timeout_us=SECOND_US)
    bench.launch(attempt)
    bench.finish(attempt)
    assert bench.core.next_due() is None
    assert not bench.core.idle()
    bench.say("acknowledge", tokens=[attempt.token])
    assert bench.core.idle()


def test_while_the_journal_cannot_be_written_nothing_starts_and_it_is_tried_each_second() -> None:
    bench = Bench(cpus=1)
    running, queued = bench.attempt(), bench.attempt()
    bench.launch(running)
    bench.machine.full = True
    bench.launch(queued)
    told = bench.finish(running)
    assert [message.type for message in told] == ["trouble"]
    assert statuses(bench.wait(5 * SECOND_US)) == {}
    assert bench.running() == []
    bench.machine.full = False
    told = bench.wait(SECOND_US)
    assert [message.error for message in told if message.type == "trouble"] == [None]
    assert statuses(told)[running.token].exit_code == 0
    assert bench.running() == [queued.token]
    assert bench.machine.leased == {1}


def test_without_output_segments_ends_are_still_told() -> None:
    bench = Bench(cpus=2)
    running, queued = bench.attempt(), bench.attempt()
    bench.launch(running)
    bench.machine.no_segments = True
    bench.launch(queued)
    assert statuses(bench.finish(running)) == {}
    told = bench.wait(SECOND_US)
    assert statuses(told) == {}
    bench.machine.no_segments = False
    told = bench.wait(SECOND_US)
    assert statuses(told)[running.token].state == "ended"
    assert bench.running() == [queued.token]


def test_a_claim_that_could_not_be_started_is_told_as_not_started() -> None:
    bench = Bench(cpus=1)
    attempt, after = bench.attempt(), bench.attempt()
    bench.machine.unstartable.add(attempt.token)
    told = statuses(bench.launch(attempt, after))[attempt.token]
    assert (told.how, told.error, told.pid) == ("not_started", "it is not there", None)
    assert bench.running() == [after.token]


def test_the_journal_is_compacted_and_keeps_what_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "JOURNAL_LIMIT_BYTES", 4000)
    bench = Bench(cpus=3)
    long, kept, revoked = bench.attempt(), bench.attempt(), bench.attempt()
    bench.launch(long, kept)
    bench.wait(SECOND_US)
    bench.finish(kept, 3 << 8)
    bench.say("revoke", tokens=[revoked.token])
    name = bench.core.journal
    for _ in range(200):
        attempt = bench.attempt()
        bench.launch(attempt)
        bench.finish(attempt)
        bench.say("acknowledge", tokens=[attempt.token])
    assert len(bench.machine.journal) < 6000
    assert 5 < bench.machine.rewrites < 100
    past = recall(bench.machine.journal.encode())
    assert past.journal == name
    assert set(past.claims) == {long.token}
    assert {kept.token, revoked.token} <= set(past.ended)
    assert past.garbage == []


def test_a_journal_of_unacknowledged_ends_is_not_compacted_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "JOURNAL_LIMIT_BYTES", 4000)
    bench = Bench(cpus=1)
    for _ in range(500):
        attempt = bench.attempt()
        bench.launch(attempt)
        bench.finish(attempt)
    assert bench.machine.rewrites < 12


def test_output_past_the_limit_is_dropped_in_steps_and_trimmed_at_the_end() -> None:
    bench = Bench()
    mib = 1 << 20
    attempt = bench.attempt(max_output_bytes=4 * mib)
    bench.launch(attempt)
    bench.wait(SECOND_US)
    for size in (4 * mib, 4 * mib + 1000, 5 * mib, 6 * mib + 5):
        bench.machine.length[1] = (size, 10)
        bench.wait(SECOND_US)
    assert bench.machine.punched == [(1, 0, 2 * mib, 3 * mib), (1, 0, 3 * mib, 4 * mib + 5)]
    bench.machine.length[1] = (6 * mib + 77, 10)
    output = statuses(bench.finish(attempt))[attempt.token].output
    assert output[0] == Range("000001.out", 0, 6 * mib + 77, 2 * mib, 4 * mib + 77)
    assert output[1] == Range("000001.err", 0, 10, 10, 10)


def test_a_fast_writer_is_looked_at_every_fifty_milliseconds() -> None:
    bench = Bench()
    bench.launch(bench.attempt())
    bench.wait(20_000)
    due = bench.core.next_due()
    assert due == 520_000
    bench.machine.length[1] = (9 << 20, 0)
    bench.wait(500_000)
    assert bench.core.next_due() == 570_000
    bench.wait(50_000)
    assert bench.core.next_due() == 1_070_000


def test_rates_are_granted_on_time_to_the_microsecond() -> None:
    bench = Bench(cpus=10)
    attempts = [bench.attempt(rates=[("a", 300, 2), ("b", 500, 1)]) for _ in range(4)]
    bench.launch(*attempts)
    bench.wait(SECOND_US)
    assert [time_us for time_us, _ in bench.machine.started] == [0, 500, 1000, 1500]


def test_a_rate_holds_over_two_deaths_of_the_runner_while_an_attempt_that_took_it_runs() -> None:
    bench = Bench(cpus=10)
    bench.launch(bench.attempt(rates=[("a", SECOND_US, 2)]), ended := bench.attempt(rates=[("a", SECOND_US, 2)]))
    bench.finish(ended)
    for _ in range(2):
        bench.restart()
        bench.turn()
    bench.launch(*[bench.attempt(rates=[("a", SECOND_US, 2)]) for _ in range(2)])
    bench.wait(3 * SECOND_US)
    assert [time_us for time_us, _ in bench.machine.started] == [0, 0, SECOND_US, 2 * SECOND_US]


def test_what_was_granted_at_a_quick_rate_counts_as_many_at_a_slow_one() -> None:
    bench = Bench(cpus=10)
    bench.launch(*[bench.attempt(rates=[("a", 10, 2)]) for _ in range(2)])
    bench.launch(*[bench.attempt(rates=[("a", SECOND_US, 2)]) for _ in range(2)])
    bench.wait(3 * SECOND_US)
    assert [time_us for time_us, _ in bench.machine.started] == [0, 0, SECOND_US, 2 * SECOND_US]


def test_attempts_that_wait_go_by_the_newest_interval_of_their_rate() -> None:
    bench = Bench(cpus=1)
    bench.launch(first := bench.attempt())
    bench.launch(*[bench.attempt(rates=[("a", 10, 2)]) for _ in range(2)])
    bench.launch(bench.attempt(rates=[("a", SECOND_US, 2)]))
    bench.core.capacity = {"cpus": 10}
    bench.finish(first)
    bench.wait(3 * SECOND_US)
    assert [time_us for time_us, _ in bench.machine.started][1:] == [0, 0, SECOND_US]


def test_the_table_of_rates_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "GRANTS_LIMIT", 20)
    bench = Bench(cpus=1)
    for number in range(100):
        attempt = bench.attempt(rates=[(f"key {number}", 10, 1)])
        bench.launch(attempt)
        bench.finish(attempt)
        bench.say("acknowledge", tokens=[attempt.token])
        bench.wait(20)
    assert len(bench.core.grants) <= 20


@pytest.mark.parametrize(
    "number, remedy",
    [
        (errno.ENOENT, "correct its path"),
        (errno.EACCES, "chmod \\+x"),
        (errno.ENOEXEC, "#! line"),
        (errno.E2BIG, "in a file"),
        (errno.EAGAIN, "ulimit -u"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_why_a_program_can_not_be_started_is_said_with_a_remedy(number: int, remedy: str) -> None:
    order = Order(entry(Bench(), argv=["program", "secret"]), {})
    said = explain(OSError(number, os.strerror(number)), order, b"/bin/program")
    assert re.fullmatch(f"the program 'program' can't be started: .*{remedy}.*", said)
    assert "secret" not in said


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "hello", "protocol": 1},
        {"type": "hello", "protocol": True, "environ": {}},
        {"type": "launch"},
        {"type": "launch", "attempts": [7]},
        {"type": "acknowledge", "tokens": "t"},
        {"type": "capacity", "capacity": {"cpus": True}},
        {"type": "capacity", "capacity": {"cpus": 1.5}},
    ],
)
def test_a_bad_message_is_refused_and_changes_nothing(message: dict[str, object]) -> None:
    bench = Bench()
    bench.turn()
    journal = bench.machine.journal
    with pytest.raises(Malformed):
        bench.core.receive(message)
    assert bench.turn() == []
    assert bench.machine.journal == journal
    assert bench.core.capacity == {"cpus": 2}


@pytest.mark.parametrize("rate", [["k", 1], ["k", 1, 0], [1, 1, 1], ["k", "1", 1], "k"])
def test_a_bad_rate_is_refused(rate: object) -> None:
    bench = Bench()
    with pytest.raises((Malformed, ValueError)):
        bench.core.receive({"type": "launch", "attempts": [entry(bench, rates=[rate])]})
    assert not bench.core.queue
