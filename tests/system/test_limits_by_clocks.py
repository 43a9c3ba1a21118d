"""Promise P3, by the jobs' own clocks: no limit is exceeded, over kill -9 of supervisor and runner in the middle."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import pytest

from .marks import check_log, new_seed
from .place import Place, Started, until, wait_s
from .processes import kill

PROGRAM: Final = Path(__file__).with_name("clocked.py")
SECOND_NS: Final = 1_000_000_000
TICK_NS: Final = 10_000_000
KILLED: Final = ("nobody", "supervisor", "runner", "both")


class Span(NamedTuple):
    """One attempt by its own clock: it ran at least from `began_ns` to `ends_ns`."""

    name: str
    token: str
    process_ns: int
    began_ns: int
    ends_ns: int


def job(name: str, seconds: float, more: str = "") -> str:
    words = [sys.executable, "-I", "-S", str(PROGRAM), "clocks", name, str(seconds)]
    return f"[jobs.{name}]\nrun = {words}\n{more}\n"


def clocks(place: Place) -> list[str]:
    path = place.folder / "clocks"
    return path.read_text().splitlines() if path.exists() else []


def spans(place: Place) -> list[Span]:
    """What the attempts said, by their process's start; each exactly once."""
    said: dict[tuple[str, str], dict[str, int]] = {}
    for line in clocks(place):
        name, token, what, at_ns = line.split()
        moments = said.setdefault((name, token), {})
        assert what not in moments, f"{token} ran twice"
        moments[what] = int(at_ns)
    found = [Span(*key, each["process"], each["began"], each["ends"]) for key, each in said.items()]
    return sorted(found, key=lambda span: span.process_ns)


def most(found: Iterable[Span], weight: Callable[[Span], int] = lambda _: 1) -> int:
    """The greatest sum of weights of spans that overlap in one instant."""
    changes = [change for span in found for change in ((span.began_ns, weight(span)), (span.ends_ns, -weight(span)))]
    height = highest = 0
    for _, change in sorted(changes):
        height += change
        highest = max(highest, height)
    return highest


def check_rate(found: Sequence[Span], per_s: int, burst: int) -> None:
    """In no window start more than the burst and what the rate adds in its length, to the tick of the kernel."""
    starts = [span.process_ns for span in found]
    for first in range(len(starts)):
        for last in range(first + burst, len(starts)):
            length_ns = starts[last] - starts[first] + 2 * TICK_NS
            assert last - first + 1 <= burst + length_ns * per_s / SECOND_NS, found[first : last + 1]


def run_killing(place: Place, flow: str, victim: str, lines: int) -> None:
    """Run the flow to its end; once jobs have said `lines` lines, kill the victim, and go on."""
    random = Random(new_seed())
    run: Started = place.start("run", flow)
    if victim != "nobody":
        until(lambda: len(clocks(place)) >= lines, "the flow is in its middle")
        wait_s(random.uniform(0.0, 0.1))
        assert run.running, run.err
        if victim in {"runner", "both"}:
            kill(place.until_runner())
        if victim in {"supervisor", "both"}:
            run.kill()
            run = place.start("run", flow)
    assert run.finish().code == 0
    check_log(place)


@pytest.mark.slow
@pytest.mark.parametrize("victim", KILLED)
def test_p3_processors_and_named_keyed_limits_are_never_exceeded(place: Place, victim: str) -> None:
    # What a killed runner leaves running goes on to be counted; it is lost when it ends, and runs again.
    again = 'retries = 1\nretry_on = ["lost"]\nretry_delay = "1ms"\n'
    text = "[targets.local]\ncapacity = { cpus = 5 }\n[limits.few]\nconcurrent = 2\n"
    for number in range(24):
        cpus = 2 if number % 4 == 0 else 1
        text += job(f"wide{number}", 0.1, again + f"needs = {{ cpus = {cpus} }}")
    for number in range(12):
        text += job(f"few{number}", 0.1, again + 'limits = ["few"]')
        text += job(f"key{number}", 0.1, again + f'limits = ["few:{number % 2}"]')
    run_killing(place, place.flow(text), victim, lines=60)
    found = spans(place)
    assert len(found) >= 48
    # That the limits are reached shows that they are what holds.
    assert most(found, lambda span: 2 if span.name.startswith("wide") and int(span.name[4:]) % 4 == 0 else 1) == 5
    assert most(span for span in found if span.name.startswith("few")) == 2
    for parity in (0, 1):
        assert most(span for span in found if span.name.startswith("key") and int(span.name[3:]) % 2 == parity) <= 2


@pytest.mark.slow
@pytest.mark.parametrize("victim", KILLED)
def test_p3_a_rate_is_never_exceeded(place: Place, victim: str) -> None:
    again = 'retries = 1\nretry_on = ["lost"]\nretry_delay = "1ms"\n'
    text = '[targets.local]\ncapacity = { cpus = 20 }\n[limits.calls]\nrate = "10/s"\nburst = 3\n'
    for number in range(30):
        text += job(f"call{number}", 0.05, again + 'limits = ["calls"]')
    run_killing(place, place.flow(text), victim, lines=40)
    found = spans(place)
    assert len(found) >= 30
    check_rate(found, per_s=10, burst=3)


@pytest.mark.slow
def test_p3_a_limit_that_comes_with_a_flow_holds_for_the_first_of_its_jobs(place: Place) -> None:
    serve = place.serve("--slots", "8")
    until(place.runner_pid, "the runner is up")
    assert place.run("run", place.flow('[jobs.first]\nrun = "true"\n', "first.toml")).code == 0
    text = "[limits.one]\nconcurrent = 1\n" + "".join(job(f"j{number}", 0.1, 'limits = ["one"]') for number in range(5))
    assert place.run("run", place.flow(text)).code == 0
    assert most(spans(place)) == 1
    assert serve.running


@pytest.mark.slow
def test_p3_slots_that_come_with_a_flow_hold_for_the_first_of_its_jobs(place: Place) -> None:
    serve = place.serve("--slots", "8")
    until(place.runner_pid, "the runner is up")
    assert place.run("run", place.flow('[jobs.first]\nrun = "true"\n', "first.toml")).code == 0
    text = "".join(job(f"j{number}", 0.1) for number in range(6))
    assert place.run("run", place.flow(text), "--slots", "2").code == 0
    assert most(spans(place)) == 2
    assert serve.running
