"""The queue ahead of free capacity: order, needs, rates, and taking back what has not run."""

from itertools import pairwise

import pytest

from .driving import Attempt, Home, until

MARK = "echo $HOLDFAST_TOKEN >> ran"


def ran(home: Home) -> list[str]:
    path = home.work / "ran"
    return path.read_text().split() if path.exists() else []


def gate(home: Home, number: int, **members: object) -> Attempt:
    """A job that runs until the file `go<number>` is there."""
    return home.shell(f"while [ ! -e go{number} ]; do sleep 0.005; done; {MARK}", **members)


def let_go(home: Home, number: int) -> None:
    (home.work / f"go{number}").touch()


def test_nothing_starts_before_the_capacity_is_known(home: Home) -> None:
    home.start()
    link = home.open()
    link.send("hello", protocol=1, environ={"PATH": "/bin:/usr/bin"})
    attempt, free = home.shell(MARK), home.shell(MARK, needs={})
    link.launch(attempt, free)
    link.settle()
    assert ran(home) == []
    link.send("capacity", capacity={"cpus": 1})
    link.end(attempt)
    link.end(free)


def test_attempts_start_in_order_and_never_past_the_capacity(home: Home) -> None:
    link = home.begin(cpus=2)
    attempts = [gate(home, number) for number in range(4)]
    link.launch(*attempts)
    link.until(attempts[0], "running")
    link.until(attempts[1], "running")
    assert [status.state for status in home.connect().statuses.values()] == ["queued"] * 2 + ["running"] * 2
    link = home.connect()
    let_go(home, 1)
    link.until(attempts[2], "running")
    assert link.statuses[attempts[3].token].state == "queued"
    for number in (0, 2, 3):
        let_go(home, number)
    for attempt in attempts:
        assert link.end(attempt).exit_code == 0


def test_a_head_that_does_not_fit_holds_back_the_smaller_ones_behind_it(home: Home) -> None:
    link = home.begin(cpus=4)
    small, big, last = gate(home, 0, needs={"cpus": 1}), gate(home, 1, needs={"cpus": 4}), gate(home, 2)
    link.launch(small, big, last)
    link.until(small, "running")
    let_go(home, 2)
    link.settle()
    assert ran(home) == []
    let_go(home, 0)
    link.until(big, "running")
    let_go(home, 1)
    link.end(last)
    assert ran(home) == [small.token, big.token, last.token]


def test_every_need_is_counted(home: Home) -> None:
    link = home.begin(cpus=8, gpus=1)
    one, two = gate(home, 0, needs={"cpus": 1, "gpus": 1}), gate(home, 1, needs={"cpus": 1, "gpus": 1})
    link.launch(one, two)
    link.until(one, "running")
    link = home.connect({"cpus": 8, "gpus": 1})
    assert link.statuses[two.token].state == "queued"
    let_go(home, 0)
    let_go(home, 1)
    assert link.end(two).exit_code == 0


@pytest.mark.parametrize("needs", [{"cpus": 3}, {"gpus": 1}])
def test_what_could_never_fit_is_handed_back_with_the_reason(home: Home, needs: dict[str, int]) -> None:
    link = home.begin(cpus=2)
    attempt, other = home.shell(MARK, needs=needs), home.shell(MARK)
    link.launch(attempt, other)
    error = link.until(attempt, "revoked").error
    assert error is not None
    assert "it could never start" in error
    assert link.end(other).exit_code == 0


def test_a_capacity_that_shrinks_hands_back_what_no_longer_fits(home: Home) -> None:
    link = home.begin(cpus=2)
    running, queued = gate(home, 0, needs={"cpus": 2}), home.shell(MARK, needs={"cpus": 2})
    link.launch(running, queued)
    link.until(running, "running")
    link.send("capacity", capacity={"cpus": 1})
    assert link.until(queued, "revoked").error is not None
    let_go(home, 0)
    assert link.end(running).exit_code == 0


def test_what_was_revoked_never_runs_even_if_it_is_launched_again(home: Home) -> None:
    link = home.begin(cpus=1)
    running, queued = gate(home, 0), home.shell(MARK)
    link.launch(running, queued)
    link.until(running, "running")
    link.send("revoke", tokens=[queued.token, running.token])
    assert link.until(queued, "revoked").error is None
    link.launch(queued)
    home.kill_runner()
    home.start()
    link = home.connect()
    assert link.statuses[queued.token].state == "revoked"
    link.launch(queued)
    let_go(home, 0)
    link.end(running)
    link.settle()
    assert ran(home) == [running.token]


def test_a_revoke_that_overtakes_its_launch_holds(home: Home) -> None:
    link = home.begin()
    attempt = home.shell(MARK)
    link.send("revoke", tokens=[attempt.token])
    link.until(attempt, "revoked")
    link.launch(attempt)
    link.settle()
    assert link.statuses[attempt.token].state == "revoked"
    assert ran(home) == []


def test_a_stop_takes_a_queued_attempt_back(home: Home) -> None:
    link = home.begin(cpus=1)
    running, queued = gate(home, 0), home.shell(MARK)
    link.launch(running, queued)
    link.send("stop", tokens=[queued.token])
    link.until(queued, "revoked")
    let_go(home, 0)
    link.end(running)
    assert ran(home) == [running.token]


def test_a_revoke_of_what_ran_is_answered_with_the_truth(home: Home) -> None:
    link = home.begin()
    attempt = home.shell("exit 3")
    link.launch(attempt)
    end = link.end(attempt)
    link.statuses.clear()
    link.send("revoke", tokens=[attempt.token])
    assert link.end(attempt) == end


def test_a_token_launched_twice_runs_once(home: Home) -> None:
    link = home.begin(cpus=1)
    attempt = gate(home, 0)
    link.launch(attempt, attempt)
    link.launch(attempt)
    link.until(attempt, "running")
    link.launch(attempt)
    let_go(home, 0)
    end = link.end(attempt)
    link.launch(attempt)
    link.settle()
    assert link.statuses[attempt.token] == end
    assert ran(home) == [attempt.token]


def test_an_acknowledged_outcome_is_forgotten(home: Home) -> None:
    link = home.begin()
    attempts = [home.shell("exit 3"), home.shell("exit 4")]
    link.launch(*attempts)
    for attempt in attempts:
        link.end(attempt)
    link.send("acknowledge", tokens=[attempts[0].token])
    link.settle()
    assert set(home.connect().statuses) == {attempts[1].token}
    home.kill_runner()
    home.start()
    assert set(home.connect().statuses) == {attempts[1].token}


def test_acknowledging_what_runs_changes_nothing(home: Home) -> None:
    link = home.begin()
    attempt = gate(home, 0)
    link.launch(attempt)
    link.until(attempt, "running")
    link.send("acknowledge", tokens=[attempt.token])
    link.settle()
    let_go(home, 0)
    assert link.end(attempt).exit_code == 0


def start_times(home: Home, attempts: list[Attempt]) -> list[int]:
    """When the jobs started by their own clock, in nanoseconds, in order."""
    folder = home.work / "times"
    return sorted(int((folder / attempt.token).read_text()) for attempt in attempts)


def timed(home: Home, **members: object) -> Attempt:
    (home.work / "times").mkdir(exist_ok=True)
    return home.shell("date +%s%N > times/$HOLDFAST_TOKEN", **members)


# A job reads its own clock some time after its start; on a busy machine that takes one job longer than another.
JITTER_NS = 70_000_000


def test_jobs_never_see_their_rate_exceeded(home: Home) -> None:
    link = home.begin(cpus=100)
    attempts = [timed(home, rates=[["licence", 150_000, 1]]) for _ in range(7)]
    link.launch(*attempts)
    claimed_us = sorted(link.end(attempt).started_at or 0 for attempt in attempts)
    assert all(after - before >= 149_000 for before, after in pairwise(claimed_us)), claimed_us
    gaps = [after - before for before, after in pairwise(start_times(home, attempts))]
    assert all(gap >= 150_000_000 - JITTER_NS for gap in gaps), gaps
    assert sum(gaps) >= 6 * 150_000_000 - JITTER_NS


def test_a_burst_is_granted_once_and_then_the_rate_holds(home: Home) -> None:
    link = home.begin(cpus=100)
    attempts = [timed(home, rates=[["api", 200_000, 3]]) for _ in range(5)]
    link.launch(*attempts)
    for attempt in attempts:
        link.end(attempt)
    times = start_times(home, attempts)
    assert times[2] - times[0] < 150_000_000
    assert times[3] - times[0] >= 200_000_000 - JITTER_NS
    assert times[4] - times[0] >= 400_000_000 - JITTER_NS


def test_a_rate_holds_across_the_death_of_the_runner(home: Home) -> None:
    link = home.begin(cpus=100)
    one, two = (timed(home, rates=[["licence", 700_000, 1]]) for _ in range(2))
    link.launch(one)
    link.end(one)
    home.kill_runner()
    home.start()
    link = home.connect({"cpus": 100})
    link.launch(two)
    link.end(two)
    times = start_times(home, [one, two])
    assert times[1] - times[0] >= 700_000_000 - JITTER_NS


def test_what_waits_for_its_rate_lets_the_others_pass(home: Home) -> None:
    link = home.begin(cpus=1)
    first, limited = (home.shell(MARK, rates=[["slow", 3_600_000_000, 1]]) for _ in range(2))
    other = home.shell(MARK)
    link.launch(first, limited, other)
    link.end(other)
    assert ran(home) == [first.token, other.token]
    link.send("revoke", tokens=[limited.token])
    link.until(limited, "revoked")


def test_hundreds_of_jobs_pass_through_two_slots(home: Home) -> None:
    link = home.begin(cpus=2)
    attempts = [home.shell(MARK) for _ in range(300)]
    link.launch(*attempts)
    for attempt in attempts:
        assert link.end(attempt).exit_code == 0
    assert sorted(ran(home)) == sorted(attempt.token for attempt in attempts)
    assert link.reports < 600
    until(lambda: len(list((home.path / "output").iterdir())) == 4, "the reuse of two pairs of segments")
