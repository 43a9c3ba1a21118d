"""Promise P7 at the command line: bad input is refused whole, with exit 2 and one message, and leaves nothing."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.events.facts import FlowSubmitted, JobSubmitted, LimitConfigured, TargetConfigured

from .place import Place

JOB: Final = '[jobs.a]\nrun = ["true"]\n'

# What is wrong with it: the file, and what the message must name.
TOML: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "a cycle": (
        '[jobs.a]\nrun = "x"\nafter = ["b"]\n[jobs.b]\nrun = "x"\nafter = ["a"]\n',
        ("flow.toml:1: jobs.a", "a -> b -> a"),
    ),
    "a job after itself": ('[jobs.a]\nrun = "x"\nafter = ["a"]\n', ("flow.toml:3: jobs.a.after", "'a'")),
    "an unknown name": ('[jobs.align]\nrun = "x"\nafter = ["fetsch"]\n[jobs.fetch]\nrun = "x"\n', ("fetsch", "fetch")),
    "a name twice": (JOB + JOB, ("flow.toml:3", "'a'", "twice")),
    "an unknown key": (JOB + 'tiemout = "2h"\n', ("flow.toml:3", "tiemout", "did you mean timeout?")),
    "an unknown table": (JOB + "[limts.x]\nconcurrent = 1\n", ("limts", "did you mean limits?")),
    "a wrong type": (JOB + "retries = true\n", ("flow.toml:3: jobs.a.retries", "whole number")),
    "a negative number": (JOB + "needs = { cpus = -1 }\n", ("jobs.a.needs.cpus", "-1")),
    "an absurd number": (JOB + "retries = 99999999999999999999999\n", ("jobs.a.retries",)),
    "a fraction": (JOB + "needs = { cpus = 1.5 }\n", ("jobs.a.needs.cpus", "1.5")),
    "an unknown unit": (JOB + 'timeout = "5 parsecs"\n', ("jobs.a.timeout", "parsecs")),
    "no unit": (JOB + 'timeout = "5"\n', ("jobs.a.timeout", "without a unit")),
    "a NUL": ('[jobs.a]\nrun = ["echo", "a\\u0000b"]\n', ("jobs.a.run", "U+0000")),
    "a control character": ('[jobs.a]\nrun = "x"\nenv = { X = "a\\u001bb" }\n', ("jobs.a.env.X", "U+001B")),
    "a name with a slash": ('[jobs."a/b"]\nrun = "x"\n', ("a/b", "slash")),
    "a name over 200 characters": (f"[jobs.{'a' * 201}]\nrun = 'x'\n", ("201 characters",)),
    "a name that is an id": ('[jobs.7]\nrun = "x"\n', ("'7'", "id")),
    "no jobs": ("[limits.x]\nconcurrent = 1\n", ("no jobs",)),
    "nothing at all": ("", ("no jobs",)),
    "no command": ("[jobs.a]\nrun = []\n", ("jobs.a.run",)),
    "a job without run": ("[jobs.a]\npriority = 1\n", ("jobs.a", "run")),
    "an unknown target": (JOB + 'target = "mars"\n', ("flow.toml: jobs.a.target", "mars")),
    "needs beyond capacity": (JOB + "needs = { cpus = 1000000 }\n", ("flow.toml: jobs.a.needs.cpus", "1000000")),
    "a need that is not there": (JOB + "needs = { gpus = 1 }\n", ("flow.toml: jobs.a.needs.gpus",)),
    "an unknown limit": (JOB + 'limits = ["licence"]\n', ("flow.toml: jobs.a.limits", "licence")),
    "a limit that limits nothing": (JOB + "[limits.x]\n", ("limits.x",)),
    "a secret with its value": (JOB + 'secrets = ["K"]\nenv = { K = "v" }\n', ("jobs.a", "K")),
    "TOML syntax": ('[jobs.a\nrun = "x"\n', ("flow.toml:1",)),
    "too deep": ("x = " + "[" * 100_000 + "\n", ("flow.toml",)),
}
LINES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "JSON syntax": ('{"name": "a", "run": "x"}\n{"name": "b", "run": }\n', ("flow.jsonl:2",)),
    "nested 100,000 deep": ('{"name": "a", "run": ' + "[" * 100_000 + "}\n", ("flow.jsonl:1",)),
    "a name twice": ('{"name": "a", "run": "x"}\n{"name": "a", "run": "y"}\n', ("flow.jsonl:2", "a")),
    "a key twice": ('{"name": "a", "run": "x", "run": "y"}\n', ("flow.jsonl:1", "run")),
    "no object": ('["a"]\n', ("flow.jsonl:1",)),
    "empty lines only": ("\n\n", ("no jobs",)),
    "a lone surrogate": ('{"name": "a", "run": ["\\ud800"]}\n', ("flow.jsonl:1",)),
    "not a number": ('{"name": "a", "run": "x", "retries": NaN}\n', ("flow.jsonl:1",)),
}


def check_refused(place: Place, flow: str, wanted: tuple[str, ...]) -> None:
    """The flow is refused with one message that says all of `wanted`; no home is made, no log knows of it."""
    new = not place.home.path.exists()
    done = place.run("run", flow)
    assert done.code == 2, done
    assert done.out == ""
    assert done.err.startswith("holdfast: "), done.err
    assert done.err.count("\n") == 1, done.err
    assert len(done.err) < 1000, done.err
    assert [each for each in wanted if each not in done.err] == [], done.err
    if new:
        assert not place.home.path.exists()
        return
    told = place.events()
    ours = (JobSubmitted, FlowSubmitted, LimitConfigured)
    assert [event for event in told if isinstance(event, ours)] == []
    assert sum(isinstance(event, TargetConfigured) for event in told) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("what", TOML)
def test_p7_a_flow_in_toml_is_refused_for(place: Place, what: str) -> None:
    text, wanted = TOML[what]
    check_refused(place, place.flow(text), wanted)


@pytest.mark.slow
@pytest.mark.parametrize("what", LINES)
def test_p7_a_flow_in_json_lines_is_refused_for(place: Place, what: str) -> None:
    text, wanted = LINES[what]
    check_refused(place, place.flow(text, "flow.jsonl"), wanted)


def test_p7_one_bad_job_among_a_thousand_good_ones_refuses_them_all(place: Place) -> None:
    good = "".join(f'[jobs.j{number}]\nrun = "touch ran"\n' for number in range(1000))
    check_refused(place, place.flow(good + '[jobs.bad]\nrun = "x"\nafter = ["j1000"]\n'), ("jobs.bad.after", "j1000"))
    assert not (place.folder / "ran").exists()


def test_p7_a_flow_that_is_not_utf_8_is_refused(place: Place) -> None:
    (place.folder / "flow.toml").write_bytes(b'[jobs.a]\nrun = "caf\xe9"\n')
    check_refused(place, "flow.toml", ("flow.toml:2", "UTF-8"))


@pytest.mark.slow
def test_p7_one_line_of_200_mb_is_refused_without_being_held(place: Place) -> None:
    with (place.folder / "flow.jsonl").open("wb") as file:
        file.write(b'{"name": "a", "run": "')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n')
    check_refused(place, "flow.jsonl", ("flow.jsonl:1",))


@pytest.mark.slow
def test_p7_a_flow_file_that_is_not_there_or_a_folder_is_refused(place: Place) -> None:
    check_refused(place, "missing.toml", ("missing.toml",))
    (place.folder / "folder.toml").mkdir()
    check_refused(place, "folder.toml", ("folder.toml",))


@pytest.mark.slow
def test_p7_bad_input_to_a_living_supervisor_is_refused_whole_as_well(place: Place) -> None:
    serve = place.serve()
    check_refused(place, place.flow(JOB + "needs = { cpus = 1000000 }\n"), ("flow.toml: jobs.a.needs.cpus", "1000000"))
    refused = place.run("submit", "--needs", "gpus=1", "--", "true")
    assert (refused.code, refused.out) == (2, "")
    assert place.jobs() == []
    assert serve.running


@pytest.mark.parametrize(
    "words",
    [
        ("submit",),
        ("submit", "--retries", "x", "--", "true"),
        ("submit", "--after", "99", "--", "true"),
        ("submit", "--needs", "cpus=1000000", "--", "true"),
        ("submit", "--limit", "licence", "--", "true"),
        ("submit", "--env", "novalue", "--", "true"),
        ("map", "echo", "{2}", ":::", "a"),
        ("run", "--slots", "0", "flow.toml"),
        ("run", "--slots", "many", "flow.toml"),
        ("run", "--bogus"),
        ("frobnicate",),
        (),
    ],
    ids=" ".join,
)
def test_p7_bad_usage_ends_with_2_and_makes_no_home(place: Place, words: tuple[str, ...]) -> None:
    place.flow(JOB)
    done = place.run(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err
    assert not place.home.path.exists()
