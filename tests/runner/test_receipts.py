"""The newest receipt: said in every welcome, whatever became of the attempts that it was given for."""

import msgspec
import pytest

from holdfast.actors import runner
from holdfast.actors.runner import Malformed

from .machine import Bench


def said(bench: Bench) -> object:
    """The receipt in the welcome of a runner that starts on what the one before left behind."""
    welcome = bench.restart().turn()[0]
    return msgspec.json.decode(welcome, type=dict[str, object])["receipt"]


def acknowledge(bench: Bench, receipt: str) -> None:
    attempt = bench.attempt()
    bench.launch(attempt)
    bench.finish(attempt)
    bench.say("acknowledge", tokens=[attempt.token], receipt=receipt)


def test_a_runner_that_was_given_none_says_so() -> None:
    assert said(Bench()) == ""


def test_the_newest_receipt_outlives_the_attempts_and_the_runner() -> None:
    bench = Bench()
    acknowledge(bench, "first")
    acknowledge(bench, "second")
    assert said(bench) == "second"
    assert said(bench) == "second"


def test_it_outlives_the_compaction_of_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "JOURNAL_LIMIT_BYTES", 1)
    bench = Bench()
    acknowledge(bench, "kept")
    rewrites = bench.machine.rewrites
    while bench.machine.rewrites < rewrites + 2:
        attempt = bench.attempt()
        bench.launch(attempt)
        bench.finish(attempt)
    assert said(bench) == "kept"


def test_one_for_what_the_runner_does_not_have_is_not_noted() -> None:
    bench = Bench()
    acknowledge(bench, "mine")
    bench.say("acknowledge", tokens=["of another"], receipt="not mine")
    assert said(bench) == "mine"


def test_p2_an_end_is_forgotten_and_its_receipt_noted_in_one_line_or_not_at_all() -> None:
    bench = Bench()
    attempt = bench.attempt()
    bench.launch(attempt)
    bench.finish(attempt)
    bench.machine.full = True
    bench.say("acknowledge", tokens=[attempt.token], receipt="unwritten")
    bench.machine.full = False
    assert said(bench) == ""
    assert attempt.token in bench.core.ended


def test_one_that_is_no_text_is_refused_and_nothing_is_forgotten() -> None:
    bench = Bench()
    attempt = bench.attempt()
    bench.launch(attempt)
    bench.finish(attempt)
    with pytest.raises(Malformed):
        bench.say("acknowledge", tokens=[attempt.token], receipt=7)
    assert attempt.token in bench.core.ended
