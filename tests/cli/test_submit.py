"""`submit` and `map` name the option that is wrong, and say on standard error what of it will not run."""

from __future__ import annotations

import pytest

from .commands import Caller
from .staging import Stage, job


@pytest.fixture(autouse=True)
def closed(stage: Stage) -> None:
    """A home with a job that failed, one that is ready and has a key, and nobody at work on it."""
    stage.submit(job("bad"), job("known", key="k"))
    stage.ran(1, exit_code=1)
    stage.close()


@pytest.mark.parametrize(
    "option,value,place",
    [
        ("--needs", "gpus=1", "--needs gpus"),
        ("--needs", "cpus=many", "--needs cpus"),
        ("--limit", "licence", "--limit"),
        ("--timeout", "5", "--timeout"),
        ("--name", "a/b", "--name"),
        ("--retries", "x", "--retries"),
        ("--retry-on", "x", "--retry-on"),
        ("--env", "A", "--env"),
        ("--env", "HOLDFAST_JOB=1", "--env HOLDFAST_JOB"),
        ("--secret", "1", "--secret"),
        ("--priority", "99999999999", "--priority"),
        ("--after-any", "nobody", "--after-any"),
        ("--sbatch", "qoss=long", "--sbatch qoss"),
        ("--sbatch", "qos=a b", "--sbatch qos"),
        ("--sbatch", "qos=long", "--sbatch"),
        ("--template", "gpu", "--template"),
        ("--variable", "threads", "--variable"),
        ("--variable", "a-b=1", "--variable a-b"),
    ],
)
@pytest.mark.parametrize("command", ["submit", "map"])
def test_p7_what_is_wrong_is_named_by_its_option(
    call: Caller, command: str, option: str, value: str, place: str
) -> None:
    said = call(command, option, value, "--", "true", *([":::", "x"] if command == "map" else []))
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"holdfast: {place}: "), said.err


def test_a_word_of_the_command_that_can_not_be_run_is_named_as_such(call: Caller) -> None:
    assert call("submit", "--", "").err.startswith("holdfast: the command: the first string of the list is empty")


def test_a_job_that_is_skipped_at_once_is_told_with_its_reason(call: Caller) -> None:
    said = call("submit", "--after", "bad", "--", "true")
    assert (said.code, said.out) == (0, "3\n")
    assert said.err == (
        "job 3 is skipped at once: it was to run after job 1, which failed; `holdfast explain 3` says more\n"
    )


def test_of_many_jobs_that_are_skipped_at_once_the_first_are_told_and_the_rest_counted(call: Caller) -> None:
    said = call("map", "--after", "bad", "true", ":::", *"abcdefgh")
    assert said.out.split() == [str(number) for number in range(3, 11)]
    assert len(said.err.splitlines()) == 6
    assert said.err.splitlines()[-1] == "3 more jobs skipped likewise: `holdfast jobs --state skipped`"


def test_a_key_that_is_known_is_told(call: Caller) -> None:
    said = call("submit", "--key", "k", "--", "true")
    assert (said.code, said.out) == (0, "2\n")
    assert said.err == "known by its key, so not submitted again: job 2\n"


def test_what_will_run_is_worth_no_word(call: Caller) -> None:
    assert call("submit", "--after", "known", "--", "true").err == ""
