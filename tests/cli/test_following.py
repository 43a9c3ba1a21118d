"""`logs -f` goes along with a job through all its attempts, with real processes under a real supervisor."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.place import Place, Started, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the place looks for processes as Linux shows them")

# Writes a line, waits for the file that it is told of, and writes another.
WAITS = 'echo begun; echo oops >&2; until [ -e "$GO" ]; do sleep 0.02; done; echo done'


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def saw(follower: Started, text: str) -> None:
    until(lambda: text in follower.out + follower.err or not follower.running, f"the follower shows {text!r}")
    assert text in follower.out + follower.err


def test_it_waits_for_the_start_then_shows_output_as_it_comes_and_ends_with_the_job(place: Place) -> None:
    go = place.folder / "go"
    assert place.run("submit", "--name", "slow", "--env", f"GO={go}", "--", "sh", "-c", WAITS).code == 0
    follower = place.start("logs", "-f", "slow")
    saw(follower, "job 1 (slow) is ready; waiting for its attempt 1 to start (no supervisor is running")
    runner = place.start("run", "--quiet")
    saw(follower, "begun\n")
    saw(follower, "oops\n")
    assert "done" not in follower.out
    go.touch()
    ended = follower.finish()
    assert (ended.code, ended.out) == (0, "begun\ndone\n")
    assert ended.err.endswith("oops\n")
    assert runner.finish().code == 0


def test_it_goes_on_to_the_next_attempts_of_a_retry(place: Place) -> None:
    place.flow(
        """
        [jobs.flaky]
        run = 'echo try $HOLDFAST_ATTEMPT; sleep 0.2; [ $HOLDFAST_ATTEMPT = 3 ]'
        retries = 2
        retry_delay = "1ms"
        [jobs.beside]
        run = 'echo beside'
        after_any = ["flaky"]
        """
    )
    assert place.run("run", "flow.toml", "--quiet").code == 0
    assert place.run("logs", "-f", "flaky").out == "try 3\n"
    assert place.run("logs", "flaky", "--attempt", "2").out == "try 2\n"
    assert place.run("retry", "flaky").code == 1
    place.serve()
    go = place.folder / "go"
    command = 'echo try $HOLDFAST_ATTEMPT; until [ -e "$GO" ]; do sleep 0.02; done; [ $HOLDFAST_ATTEMPT = 2 ]'
    options = ("--name", "again", "--retries", "1", "--env", f"GO={go}")
    place.run("submit", *options, "--", "sh", "-c", command)
    follower = place.start("logs", "-f", "again")
    saw(follower, "try 1\n")
    go.touch()
    ended = follower.finish()
    assert (ended.code, ended.out) == (0, "try 1\ntry 2\n")


def test_it_shows_nothing_of_jobs_that_follow_in_the_same_segment(place: Place) -> None:
    jobs = "\n".join(f"[jobs.j{number}]\nrun = 'echo {number}; sleep 0.05; echo end {number}'" for number in range(12))
    place.flow(jobs)
    runner = place.start("run", "flow.toml", "--quiet", "--slots", "1")
    until(lambda: place.states().get("j5"), "the flow is submitted")
    followers = [place.start("logs", "-f", f"j{number}") for number in range(12)]
    for number, follower in enumerate(followers):
        assert follower.finish().out == f"{number}\nend {number}\n"
    assert runner.finish().code == 0


def test_ctrl_c_leaves_and_the_job_goes_on(place: Place) -> None:
    go = place.folder / "go"
    place.serve()
    place.run("submit", "--name", "slow", "--env", f"GO={go}", "--", "sh", "-c", WAITS)
    follower = place.start("logs", "-f", "slow")
    saw(follower, "begun\n")
    follower.signal(signal.SIGINT)
    assert follower.finish().code == 130
    assert place.state("slow") == "running"
    go.touch()
    place.until_state("slow", "succeeded")


def test_a_job_that_is_cancelled_before_its_start_ends_the_wait(place: Place) -> None:
    place.run("submit", "--name", "never", "--", "true")
    follower = place.start("logs", "-f", "never")
    saw(follower, "waiting for its attempt 1")
    assert place.run("cancel", "never").code == 0
    ended = follower.finish()
    assert ended.code == 0
    assert "job 1 (never) has ended without being started: it is cancelled" in ended.err
