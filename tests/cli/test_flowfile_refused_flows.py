"""What a flow in TOML may not be, and the whole sentence that refuses it."""

from pathlib import Path
from typing import Final

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.events.errors import BadInput

RATES: Final = "write a whole number from 1 to 1000000 and a unit of s, min, h or d, as in 10/s"
NAMES: Final = "use 1 to 200 printable characters, no blank at either end"
TEXTS: Final = "only line breaks and tabs are allowed; take it out"

# A flow, and all that is said of it.
FLOWS: Final = [
    (
        '[jobs.a]\nrun = "x"\nafter = ["b"]\n[jobs.b]\nrun = "x"\nafter = "a"',
        "flow.toml:1: jobs.a: dependencies go round in a circle: a -> b -> a; take one of these dependencies out",
    ),
    (
        '[jobs.fetch]\nrun = "x"\n[jobs.b]\nrun = "x"\nafter_any = [\n  "fech",\n]',
        "flow.toml:5: jobs.b.after_any: there is no job 'fech'; did you mean 'fetch'?",
    ),
    ('[job.a]\nrun = "x"', "flow.toml:1: job: there is no such key; did you mean jobs?"),
    ('[jobs.a]\nrum = "x"', "flow.toml:2: jobs.a.rum: there is no such key; did you mean run?"),
    (
        "[jobs.a]\nafter = []",
        'flow.toml:1: jobs.a: the job has no run; give what it runs, as in run = ["echo", "hello"]',
    ),
    (
        "[jobs.a]\nrun = 5",
        "flow.toml:2: jobs.a.run: expected a string (for the shell) or a list of strings, got a whole number",
    ),
    ('[jobs.a]\nrun = ""', "flow.toml:2: jobs.a.run: the command is empty; give what the job runs"),
    ('[jobs.a]\nrun = "  "', "flow.toml:2: jobs.a.run: the command is empty; give what the job runs"),
    ("[jobs.a]\nrun = []", "flow.toml:2: jobs.a.run: the list is empty; its first string is the program"),
    ('[jobs.a]\nrun = ["", "x"]', "flow.toml:2: jobs.a.run: the first string of the list is empty; it is the program"),
    (
        '[jobs.a]\nrun = ["x", 4]',
        'flow.toml:2: jobs.a.run: number 2 of the list is a whole number; arguments are strings: write "4", not 4',
    ),
    (
        '[jobs.a]\nrun = "x\\u0000"',
        f"flow.toml:2: jobs.a.run: the command holds the character U+0000 at position 2; {TEXTS}",
    ),
    (
        '[jobs.a]\nrun = ["x", "\\u001b[0m"]',
        f"flow.toml:2: jobs.a.run: number 2 of the list holds the character U+001B at position 1; {TEXTS}",
    ),
    (
        '[jobs.a]\nrun = "x"\nretry_delay = "10s"\nretry_delay_max = "5s"',
        (
            "flow.toml:3: jobs.a.retry_delay: retry_delay is longer than retry_delay_max; the delay "
            "doubles from retry_delay up to retry_delay_max"
        ),
    ),
    (
        '[jobs.a]\nrun = "x"\nsecrets = "K"\nenv = { K = "hush" }',
        (
            "flow.toml:3: jobs.a.secrets: 'K' stands in env as well; take it out of env: only the name "
            "of a secret is recorded, never its value"
        ),
    ),
    (
        '[jobs.a]\nrun = "x"\nkey = "k"\n[jobs.b]\nrun = "x"\nkey = "k"',
        "flow.toml:6: jobs.b.key: the key 'k' is given to the job 'a' already; keys must be unique within a home",
    ),
    (
        '[jobs."a/b"]\nrun = "x"',
        "flow.toml:1: jobs.'a/b': the name 'a/b' holds a slash; use another character, such as - or .",
    ),
    ('[jobs.""]\nrun = "x"', f"flow.toml:1: jobs.'': the name is empty; {NAMES}"),
    ('[jobs." a"]\nrun = "x"', f"flow.toml:1: jobs.' a': the name ' a' begins or ends with a blank; {NAMES}"),
    ('[jobs.123]\nrun = "x"', "flow.toml:1: jobs.123: the name '123' would be taken for an id; put a letter into it"),
    (
        '[jobs."a\\u0007"]\nrun = "x"',
        f"flow.toml:1: jobs.'a\\x07': the name 'a\\x07' holds the character U+0007; {NAMES}",
    ),
    ("jobs = 5", "flow.toml:1: jobs: expected a table of jobs, got a whole number"),
    ('[jobs]\na = "x"', "flow.toml:2: jobs.a: expected a table of the job's fields, got a string"),
    (
        "[jobs]",
        'flow.toml: there are no jobs in it; a flow needs at least one job: [jobs.hello] with run = ["echo", "hello"]',
    ),
    (
        "",
        'flow.toml: there are no jobs in it; a flow needs at least one job: [jobs.hello] with run = ["echo", "hello"]',
    ),
    (
        '[limits.l]\nconcurrent = 0\n[jobs.a]\nrun = "x"',
        "flow.toml:2: limits.l.concurrent: 0 is out of bounds; give a whole number from 1 to 1000000000",
    ),
    (
        '[limits.l]\n[jobs.a]\nrun = "x"',
        'flow.toml:1: limits.l: the limit limits nothing; give it concurrent = 2, or rate = "10/s", or both',
    ),
    (
        "[limits.l]\nburst = 2\nconcurrent = 2",
        'flow.toml:2: limits.l.burst: a burst without a rate means nothing; give a rate, as in rate = "10/s"',
    ),
    ('[limits.l]\nrate = "0/s"', f"flow.toml:2: limits.l.rate: '0/s' is no rate; {RATES}"),
    ('[limits.l]\nrate = "10/fortnight"', f"flow.toml:2: limits.l.rate: '10/fortnight' is no rate; {RATES}"),
    ('[limits.l]\nrate = "1000001/d"', f"flow.toml:2: limits.l.rate: the rate '1000001/d' is too high; {RATES}"),
    (
        "[limits.l]\nrate = 5",
        'flow.toml:2: limits.l.rate: expected a rate, got a whole number; write it with its unit, as in "10/s"',
    ),
    (
        '[limits.l]\nrate = "1/d"\nburst = 3651',
        (
            "flow.toml:3: limits.l.burst: at this rate a burst of 3651 takes more than ten years to "
            "come back; give a smaller burst or a higher rate"
        ),
    ),
    ('[limits.l]\nrates = "1/d"', "flow.toml:2: limits.l.rates: there is no such key; did you mean rate?"),
    (
        '[limits."a:b"]\nrate = "1/d"',
        "flow.toml:1: limits.'a:b': the name 'a:b' holds a colon; jobs add a key to a limit as NAME:KEY",
    ),
    ("[limits]\nl = 5", "flow.toml:2: limits.l: expected a table, got a whole number"),
    (
        "[targets.local]",
        "flow.toml:1: targets.local: the target has no capacity; write capacity = { cpus = 8, gpus = 1 }",
    ),
    (
        "[targets.local]\ncapacity = { cpus = 1.5 }",
        (
            "flow.toml:2: targets.local.capacity.cpus: expected a whole number, or a size such as "
            '"8GB", got the number 1.5'
        ),
    ),
    (
        "[targets.local]\nslots = 1",
        "flow.toml:2: targets.local.slots: there is no such key; the known keys are: kind, capacity",
    ),
    (
        '[defaults]\nafter = "x"',
        "flow.toml:2: defaults.after: this can't be the same for all jobs; give it to each job itself",
    ),
    (
        '[defaults]\nretry_delay = "10s"\nretry_delay_max = "5s"',
        (
            "flow.toml:2: defaults.retry_delay: retry_delay is longer than retry_delay_max; the delay "
            "doubles from retry_delay up to retry_delay_max"
        ),
    ),
    (
        "[defaults]\nretries = -1",
        "flow.toml:2: defaults.retries: -1 is out of bounds; give a whole number from 0 to 1000000",
    ),
    ("[jobs.a]\nrun = x", "flow.toml:2:7: this is not TOML: invalid value"),
    ('[jobs.a]\nrun = "x', "flow.toml: this is not TOML: unterminated string, at the end of the text"),
    ('[jobs.a]\nrun = "x"\n[jobs.a]\nrun = "y"', "flow.toml:3:8: this is not TOML: cannot declare ('jobs', 'a') twice"),
    ("x", "flow.toml: this is not TOML: expected '=' after a key in a key/value pair, at the end of the text"),
]

BYTES: Final = [
    (b'[jobs.a]\nrun = "\xff"\n', "flow.toml:2: byte 8 of the line is 0xff, which is not UTF-8; save it as UTF-8"),
    (
        '[jobs.a]\nrun = "x"\n'.encode("utf-16"),
        "flow.toml:1: byte 1 of the line is 0xff, which is not UTF-8; it looks like UTF-16; save it as UTF-8",
    ),
    (b'[jobs.a]\nrun = "a\0b"\n', "flow.toml:2:9: this is not TOML: illegal character '\\x00'"),
    (b'a = "\\ud800"', "flow.toml:1:12: this is not TOML: escaped character is not a Unicode scalar value"),
    (b"a = " + b"[" * 100_000, "flow.toml: lists or tables are nested too deeply in it; flows need few levels"),
    (b"a = " + b"1" * 5000, "flow.toml: a number in it has too many digits; no field takes such a one"),
    (
        b"#" * (16 * 2**20 + 1),
        (
            "flow.toml: TOML of more than 16777216 bytes; "
            "write big flows as JSON Lines (.jsonl), which are read several times faster"
        ),
    ),
]


def refusal(flow: bytes) -> str:
    with pytest.raises(BadInput) as refused:
        parse_flow(flow, source="flow.toml", folder=Path("/w"))
    return str(refused.value)


@pytest.mark.parametrize("flow,message", FLOWS)
def test_a_flow_is_refused_with_its_place_the_rule_and_the_remedy(flow: str, message: str) -> None:
    assert refusal(flow.encode()) == message


@pytest.mark.parametrize("flow,message", BYTES, ids=range(len(BYTES)))
def test_bytes_that_are_no_toml_are_refused_with_their_place(flow: bytes, message: str) -> None:
    assert refusal(flow) == message


def test_a_cycle_is_written_out_from_its_first_job_back_to_it() -> None:
    jobs = "".join(f'[jobs.{name}]\nrun = "x"\nafter = "{needed}"\n' for name, needed in ("ab", "bc", "cd", "db"))
    sentence = "dependencies go round in a circle: b -> c -> d -> b; take one of these dependencies out"
    assert refusal(jobs.encode()) == f"flow.toml:4: jobs.b: {sentence}"


def test_a_job_whose_name_looks_like_the_key_of_another_gets_no_wrong_place() -> None:
    flow = '[jobs.a]\nrun = "x"\nafter = "a"\n[jobs."a.after"]\nrun = "x"'
    assert refusal(flow.encode()) == "flow.toml:1: jobs: 'a' depends on itself; take it out of its own list"


def test_a_conflict_with_the_defaults_is_placed_at_the_job() -> None:
    flow = '[defaults]\nenv = { K = "v" }\n[jobs.a]\nrun = "x"\nsecrets = ["K"]'
    remedy = "take it out of env: only the name of a secret is recorded, never its value"
    assert refusal(flow.encode()) == f"flow.toml:5: jobs.a.secrets: 'K' stands in env as well; {remedy}"
