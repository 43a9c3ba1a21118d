"""What jobs do to those who run them: leave processes behind, ignore signals, close their output, read their input."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .gates import gate, mid_run, open_gate
from .place import Place, until
from .processes import alive, kill

STUBBORN = """\
trap '' TERM
sh -c 'echo $$ >> pids; exec sleep 600' &
echo $$ >> pids
while :; do sleep 600; done
"""


def pids(place: Place, count: int) -> list[int]:
    """The pids that a job wrote down, once there are so many."""
    path = place.folder / "pids"
    until(lambda: path.exists() and len(path.read_text().split()) >= count, "the job has said its pids")
    return [int(word) for word in path.read_text().split()]


@pytest.mark.slow
def test_a_process_that_a_job_leaves_behind_neither_blocks_it_nor_mixes_into_other_output(place: Place) -> None:
    leave = "(echo $$ >> pids; while ! test -e open-x; do sleep 0.02; done; echo late; echo late >&2) & echo early"
    others = "".join(f'[jobs.q{number}]\nrun = "echo q{number}"\nafter = ["a"]\n' for number in range(20))
    place.flow(f'[jobs.a]\nrun = "{leave}"\n{others}')
    assert place.run("run", "flow.toml", "--slots", "2").code == 0
    (left,) = pids(place, 1)
    open_gate(place, "x")
    until(lambda: "late" in all_output(place), "the process left behind has written")
    assert place.output("a") == b"early\n"
    assert [place.output(f"q{number}") for number in range(20)] == [b"q%d\n" % number for number in range(20)]
    # Nor do later jobs get what it wrote.
    place.flow('[jobs.z]\nrun = "echo z"\n', "later.toml")
    assert place.run("run", "later.toml").code == 0
    assert place.output("z") == b"z\n"
    kill(left)


def all_output(place: Place) -> str:
    return "".join(path.read_text() for path in place.home.output.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_job_that_ignores_sigterm_is_killed_with_its_group_after_the_grace_time(place: Place, how: str) -> None:
    (place.folder / "stubborn.sh").write_text(STUBBORN)
    timeout = 'timeout = "300ms"\n' if how == "timeout" else ""
    place.flow(f'[jobs.a]\nrun = ["sh", "stubborn.sh"]\ngrace = "300ms"\n{timeout}')
    run = place.start("run", "flow.toml")
    both = pids(place, 2)
    if how == "cancel":
        assert place.run("cancel", "a").code == 0
    assert run.finish().code == 1
    until(lambda: not any(map(alive, both)), "the whole group has gone")
    assert place.state("a") == ("failed" if how == "timeout" else "cancelled")
    assert place.job("a").reason == ("timed out" if how == "timeout" else "cancelled")


@pytest.mark.slow
def test_a_job_that_obeys_sigterm_is_given_its_grace_time_to_clean_up(place: Place) -> None:
    place.flow(
        """[jobs.a]\nrun = "trap 'sleep 0.3; echo clean; exit 3' TERM; touch up; while :; do sleep 0.02; done"\n"""
    )
    run = place.start("run", "flow.toml")
    until((place.folder / "up").exists, "the job is up")
    assert place.run("cancel", "a").code == 0
    assert run.finish().code == 1
    assert (place.state("a"), place.output("a")) == ("cancelled", b"clean\n")


@pytest.mark.slow
def test_a_cancelled_job_that_ends_well_all_the_same_has_succeeded(place: Place) -> None:
    place.flow("""[jobs.a]\nrun = "trap 'exit 0' TERM; touch up; while :; do sleep 0.02; done"\n""")
    run = place.start("run", "flow.toml")
    until((place.folder / "up").exists, "the job is up")
    assert place.run("cancel", "a").code == 0
    run.finish()
    assert place.state("a") in {"succeeded", "cancelled"}


@pytest.mark.slow
def test_a_job_that_closes_its_output_goes_on_to_its_own_end(place: Place) -> None:
    place.flow('[jobs.a]\nrun = "echo before; exec >&- 2>&-; sleep 0.3; touch after; exit 5"\n')
    assert place.run("run", "flow.toml").code == 1
    assert (place.folder / "after").exists()
    assert (place.job("a").exit_code, place.output("a")) == (5, b"before\n")


def test_a_job_that_reads_its_input_finds_its_end_at_once(place: Place) -> None:
    place.flow('[jobs.a]\nrun = "cat; echo read; test ! -t 0"\n')
    assert place.run("run", "flow.toml", data="not for the job\n").code == 0
    assert place.output("a") == b"read\n"


@pytest.mark.slow
def test_a_job_killed_by_a_signal_says_which(place: Place) -> None:
    place.flow('[jobs.a]\nrun = "kill -11 $$"\n')
    done = place.run("run", "flow.toml")
    assert done.code == 1
    assert "killed by signal 11" in done.err


def test_what_can_not_be_started_fails_with_a_sentence(place: Place) -> None:
    (place.folder / "data.txt").write_text("no program\n")
    place.flow("""
        [jobs.missing]
        run = ["no-such-program"]
        [jobs.nofolder]
        run = ["true"]
        cwd = "no/such/folder"
        [jobs.plain]
        run = ["./data.txt"]
    """)
    done = place.run("run", "flow.toml")
    assert done.code == 1
    assert "the program 'no-such-program' was not found" in (place.job("missing").reason or "")
    assert "can't be entered" in (place.job("nofolder").reason or "")
    assert "may not be executed" in (place.job("plain").reason or "")


def test_a_job_sees_the_environment_its_own_variables_and_what_holdfast_tells_it(place: Place) -> None:
    place.flow("""
        [jobs.a]
        run = 'echo "$FROM_SHELL $OWN $HOLDFAST_JOB $HOLDFAST_ATTEMPT ${HOLDFAST_TOKEN#*.}"; pwd; umask'
        env = { OWN = "grüße" }
        cwd = "sub"
    """)
    (place.folder / "sub").mkdir()
    assert place.run("run", "flow.toml", environment={"FROM_SHELL": "shell"}).code == 0
    umask = os.umask(0o22)
    os.umask(umask)
    wanted = f"shell grüße 1 1 1.1\n{place.folder / 'sub'}\n{umask:04o}\n"
    assert place.output("a").decode() == wanted


@pytest.mark.slow
def test_an_environment_that_is_not_utf_8_reaches_the_job_unchanged(place: Place) -> None:
    place.flow('[jobs.a]\nrun = "printenv ODD"\n')
    assert place.run("run", "flow.toml", environment={"ODD": os.fsdecode(b"a\xff\xfeb")}).code == 0
    assert place.output("a") == b"a\xff\xfeb\n"


@pytest.mark.slow
def test_a_job_has_no_descriptors_but_its_three(place: Place) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("descriptors are listed in /proc on Linux only")
    place.flow('[jobs.a]\nrun = ["ls", "/proc/self/fd"]\n')
    assert place.run("run", "flow.toml").code == 0
    # The fourth is the one that ls lists the folder with.
    assert place.output("a").split() == [b"0", b"1", b"2", b"3"]


@pytest.mark.slow
def test_p2_a_job_goes_on_in_mid_run_when_its_runner_is_killed_and_nothing_starts_in_its_place(place: Place) -> None:
    run = mid_run(place, gate("a") + '[jobs.b]\nrun = "touch b"\n', slots=1)
    kill(place.until_runner())
    until(lambda: place.runner_pid() is not None, "another runner")
    assert place.run("submit", "--name", "c", "--", "true").code == 0
    assert not (place.folder / "b").exists()
    open_gate(place, "a")
    assert run.finish().code == 1
    assert place.states()["a"] == "lost"
    assert place.states()["b"] == "succeeded"
