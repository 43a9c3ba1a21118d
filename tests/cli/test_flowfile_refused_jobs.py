"""What a job may not say, and the whole sentence that refuses it, with its file, line and key."""

from pathlib import Path
from typing import Final

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.events.errors import BadInput

DURATIONS: Final = "write numbers with the units d, h, m (or min), s, ms, us, the largest first, as in 90s or 1h30m"
SIZES: Final = "use B, kB, MB, GB, TB, PB (powers of 1000) or KiB, MiB, GiB, TiB, PiB (powers of 1024)"
NAMES: Final = "use 1 to 200 printable characters, no blank at either end"
AMOUNTS: Final = "give a whole number from 0 to 9007199254740991"
TEXTS: Final = "only line breaks and tabs are allowed; take it out"

# A line of a job's table, and what is said of it behind the place.
JOBS: Final = [
    ('after = "a"', "after: 'a' depends on itself; take it out of its own list"),
    ("after = 5.5", "after: expected a name, an id, or a list of these, got the number 5.5"),
    ("after = [true]", "after: expected a name or an id, got true"),
    ("after = 0", "after: 0 is out of bounds; give a whole number from 1 to 9007199254740991"),
    (
        "zzz = 1",
        (
            "zzz: there is no such key; the known keys are: name, run, after, after_any, after_failed, "
            "target, needs, limits, priority, retries, retry_on, retry_delay, retry_delay_max, timeout,"
            " grace, max_output, env, cwd, secrets, key, hold, inputs, outputs, sbatch, template, variables"
        ),
    ),
    ("priority = 1_000_001", "priority: 1000001 is out of bounds; give a whole number from -1000000 to 1000000"),
    ("priority = true", "priority: expected a whole number, got true"),
    ("retries = -1", "retries: -1 is out of bounds; give a whole number from 0 to 1000000"),
    ("retries = 1_000_001", "retries: 1000001 is out of bounds; give a whole number from 0 to 1000000"),
    ("retries = nan", "retries: expected a whole number, got the number nan"),
    ("retries = inf", "retries: expected a whole number, got the number inf"),
    ("retries = 3.0", "retries: expected a whole number, got the number 3.0"),
    ('retries = "3"', "retries: expected a whole number, got a string"),
    ('timeout = "0s"', "timeout: a time-out of 0 would end the job before it began; leave it out for none"),
    (
        'timeout = "3651d"',
        "timeout: the duration '3651d' is longer than ten years; give a shorter one, or leave it out",
    ),
    ("timeout = 30", 'timeout: expected a duration, got a whole number; write it with its unit, as in "90s"'),
    ("timeout = true", 'timeout: expected a duration, got true; write it with its unit, as in "90s"'),
    ('timeout = "30"', f"timeout: the duration '30' has a number without a unit; {DURATIONS}"),
    ('timeout = "5y"', f"timeout: the duration '5y' has the unknown unit 'y'; {DURATIONS}"),
    ('timeout = "-5s"', f"timeout: '-5s' is no duration; {DURATIONS}"),
    ('timeout = "30m1h"', f"timeout: '30m1h' is no duration; {DURATIONS}"),
    ("timeout = 1979-05-27", 'timeout: expected a duration, got a date or time; write it with its unit, as in "90s"'),
    (
        'grace = "1.0000001s"',
        "grace: the duration '1.0000001s' is no whole number of microseconds; use fewer decimals, or a smaller unit",
    ),
    ('retry_on = ["crash"]', "retry_on: 'crash' is nothing to retry on; use: failed, timeout, lost"),
    ("retry_on = []", "retry_on: the list is empty; leave it out, or set retries = 0"),
    ('retry_on = ["lost", "lost"]', "retry_on: 'lost' stands in it twice; take one of them out"),
    ("retry_on = [1]", "retry_on: a whole number is nothing to retry on; use: failed, timeout, lost"),
    ('max_output = "64Mb"', f"max_output: the size '64Mb' has the unknown unit 'Mb'; {SIZES}"),
    ("max_output = -1", f"max_output: -1 is out of bounds; {AMOUNTS}"),
    ("needs = { cpus = true }", 'needs.cpus: expected a whole number, or a size such as "8GB", got true'),
    ("needs = { cpus = 0.5 }", 'needs.cpus: expected a whole number, or a size such as "8GB", got the number 0.5'),
    ("needs = { cpus = -1 }", f"needs.cpus: -1 is out of bounds; {AMOUNTS}"),
    ("needs = { cpus = 9007199254740992 }", f"needs.cpus: 9007199254740992 is out of bounds; {AMOUNTS}"),
    ('needs = { memory = "8G" }', f"needs.memory: the size '8G' has the unknown unit 'G'; {SIZES}"),
    ('needs = { memory = "8" }', f"needs.memory: the size '8' has a number without a unit; {SIZES}"),
    (
        'needs = { memory = "9007199254740992B" }',
        "needs.memory: the size '9007199254740992B' is 2**53 bytes or more; give a smaller one",
    ),
    ('needs = { "" = 1 }', f"needs.'': the name is empty; {NAMES}"),
    ("needs = 4", 'needs: expected a table such as { cpus = 4, memory = "8GB" }, got a whole number'),
    ("hold = 1", "hold: expected true or false, got a whole number"),
    ('limits = ["x", "x"]', "limits: 'x' stands in it twice; take one of them out"),
    ('limits = ["x:"]', "limits: the limit 'x:' lacks a part; write NAME, or NAME:KEY to count each key apart"),
    ("limits = { x = 1 }", "limits: expected a limit or a list of limits, got a table"),
    ('env = { "A=B" = "1" }', "env.'A=B': the name 'A=B' holds an '='; write env = { NAME = 'value' }"),
    ('env = { "" = "1" }', "env.'': the name of a variable is empty; give it a name, or take it out"),
    ("env = { A = 1 }", "env.A: expected a string, got a whole number; put it in quotes"),
    ('env = { A = "se\\u0007cret" }', f"env.A: the value holds the character U+0007 at position 3; {TEXTS}"),
    (
        'env = { "A\\u0000" = "x" }',
        "env.'A\\x00': the name holds the character U+0000 at position 2; no control character is allowed; take it out",
    ),
    ('env = ["A"]', 'env: expected a table such as { NAME = "value" }, got a list'),
    (
        'env = { HOLDFAST_TOKEN = "x" }',
        "env.HOLDFAST_TOKEN: HOLDFAST_TOKEN is set by Holdfast itself; use another name",
    ),
    ('secrets = ["HOLDFAST_JOB"]', "secrets: HOLDFAST_JOB is set by Holdfast itself; use another name"),
    ('secrets = ["MY-KEY"]', "secrets: 'MY-KEY' is no name of a variable; use letters, digits and _, no digit first"),
    ('secrets = ["K", "K"]', "secrets: 'K' stands in it twice; take one of them out"),
    ('cwd = ""', "cwd: the path is empty; leave it out for the flow's folder"),
    (
        'cwd = "a\\nb"',
        "cwd: the path holds the character U+000A at position 2; no control character is allowed; take it out",
    ),
    ('key = ""', f"key: the key is empty; {NAMES}"),
    ('key = "a\\u0000"', f"key: the key 'a\\x00' holds the character U+0000; {NAMES}"),
    ('name = "b"', "name: the job has a name already; it is the NAME in [jobs.NAME]"),
    ('target = ""', f"target: the target is empty; {NAMES}"),
]


@pytest.mark.parametrize("line,message", JOBS)
def test_a_job_is_refused_at_its_line_and_key(line: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_flow(f'[jobs.a]\nrun = "x"\n{line}\n'.encode(), source="flow.toml", folder=Path("/w"))
    assert str(refused.value) == f"flow.toml:3: jobs.a.{message}"


def test_a_value_of_env_is_never_shown() -> None:
    flow = b'[jobs.a]\nrun = "x"\nenv = { A = "hush\\u0007hush" }'
    with pytest.raises(BadInput) as refused:
        parse_flow(flow, source="flow.toml", folder=Path("/w"))
    assert "hush" not in str(refused.value)


def test_a_name_of_more_than_200_characters_is_refused_and_shown_cut_off() -> None:
    name = "a" * 201
    with pytest.raises(BadInput) as refused:
        parse_flow(f'[jobs.{name}]\nrun = "x"'.encode(), source="flow.toml", folder=Path("/w"))
    shown = f"'{name[:57]}'..."
    sentence = f"the name {shown} has 201 characters; {NAMES}"
    assert str(refused.value) == f"flow.toml:1: jobs.{shown}: {sentence}"


def test_a_number_of_thousands_of_digits_is_refused_without_writing_it_out() -> None:
    with pytest.raises(BadInput) as refused:
        parse_flow(b'[jobs.a]\nrun = "x"\nretries = 0x' + b"f" * 9000, source="flow.toml", folder=Path("/w"))
    sentence = "a number of more than 20 digits is out of bounds; give a whole number from 0 to 1000000"
    assert str(refused.value) == f"flow.toml:3: jobs.a.retries: {sentence}"
