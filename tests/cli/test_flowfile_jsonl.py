"""A flow in JSON Lines: what it may be, and the whole sentence that refuses what it may not, with its line."""

import json
from pathlib import Path
from typing import Final

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.events.errors import BadInput
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec

ONE_LINE: Final = "each job is one JSON object on one line"
EXAMPLE: Final = 'a flow needs at least one job: {"name": "hello", "run": ["echo", "hello"]}'
HALF: Final = r"an escape \u in it stands for half a character"
NO_CONTROL: Final = "no control character is allowed; take it out"
RETRIES: Final = "give a whole number from 0 to 1000000"
BOTH: Final = "write both halves of the surrogate pair, or the character itself"

REFUSED: Final[list[tuple[bytes, str]]] = [
    (b"", f"flow.jsonl: there are no jobs in it; {EXAMPLE}"),
    (b'{"limits": {"l": {"concurrent": 1}}}\n\n', f"flow.jsonl: there are no jobs in it; {EXAMPLE}"),
    (b"[1]", f"flow.jsonl:1: expected an object, got a list; {ONE_LINE}"),
    (b'\n\n"a"', f"flow.jsonl:3: expected an object, got a string; {ONE_LINE}"),
    (b"{}", 'flow.jsonl:1: the job has no name; names tell jobs apart: add "name": "..."'),
    (b'{"run": "x"}', 'flow.jsonl:1: the job has no name; names tell jobs apart: add "name": "..."'),
    (
        b'{"name": "a"}',
        'flow.jsonl:1: the job has no run; give what it runs, as in run = ["echo", "hello"]',
    ),
    (b'{"name": "a" "run": "x"}', f"flow.jsonl:1:14: this is not JSON: expecting ',' delimiter; {ONE_LINE}"),
    (
        b'{"name": "\xc3\xa4", run: "x"}',
        f"flow.jsonl:1:15: this is not JSON: expecting property name enclosed in double quotes; {ONE_LINE}",
    ),
    (b'{"name": "a", "run": "x"} {}', f"flow.jsonl:1:27: this is not JSON: extra data; {ONE_LINE}"),
    (b'{\n"name": "a", "run": "x"\n}', f"flow.jsonl:1: the line ends before its JSON does; {ONE_LINE}"),
    (b'{"name": "a", "retries": NaN}', "flow.jsonl:1: NaN is no number in JSON; leave it out"),
    (b'{"name": "a", "retries": 1e999}', "flow.jsonl:1: a number in it is out of range; no field takes such a one"),
    (b'{"name": "a\x01"}', f"flow.jsonl:1:12: this is not JSON: invalid control character at; {ONE_LINE}"),
    (
        b'{"name": "a", "run": "x"}\n{"name": "b", "run": "\xff"}',
        "flow.jsonl:2: byte 23 of the line is 0xff, which is not UTF-8; save it as UTF-8",
    ),
    (b'{"name": "\\ud800", "run": "x"}', f"flow.jsonl:1: {HALF}; {BOTH}"),
    (b'{"name": "a", "run": "\\udc00"}', f"flow.jsonl:1: {HALF}; {BOTH}"),
    (
        b"[" * 100_000,
        f"flow.jsonl:1: expected an object, got a list; {ONE_LINE}",
    ),
    (
        b'{"name": "a", "run": ' + b'{"a":' * 100_000,
        f"flow.jsonl:1: lists or objects are nested too deeply in it; {ONE_LINE}",
    ),
    (
        b'\n{"name": "a", "run": "' + b"x" * 2**24 + b'"}',
        f"flow.jsonl:2: the line is longer than 16777216 bytes; {ONE_LINE}",
    ),
    (
        b'{"name": "a", "run": "x"}\n\n{"name": "a", "run": "y"}',
        "flow.jsonl:3: name: the name 'a' is given on line 1 already; names must be unique within a flow",
    ),
    (
        b'{"name": "a", "run": "x", "after": "b", "after": "c"}',
        "flow.jsonl:1: after: the key stands twice in one object; take one of them out",
    ),
    (
        b'{"name": "a", "run": "x:y", "env": {"A": "1", "A": "2"}}',
        "flow.jsonl:1: A: the key stands twice in one object; take one of them out",
    ),
    (
        b'{"name": "a", "run": "x"}\n{"name": "b", "run": "x", "after": ["a", "c"]}',
        "flow.jsonl:2: after: there is no job 'c'; name a job of this flow",
    ),
    (
        b'{"name": "a", "run": "x", "after_failed": "a"}',
        "flow.jsonl:1: after_failed: 'a' depends on itself; take it out of its own list",
    ),
    (
        b'{"name":"z","run":"x"}\n{"name":"a","run":"x","after":"b"}\n{"name":"b","run":"x","after_any":"a"}',
        "flow.jsonl:2: dependencies go round in a circle: a -> b -> a; take one of these dependencies out",
    ),
    (
        b'{"name": "a", "run": "x", "key": "k"}\n{"name": "b", "run": "x", "key": "k"}',
        "flow.jsonl:2: key: the key 'k' is given to the job 'a' already; keys must be unique within a home",
    ),
    (
        b'{"name": "a", "run": "x"}\n{"limits": {"l": {"concurrent": 1}}}',
        "flow.jsonl:2: the job has no name; only the first line may declare these",
    ),
    (
        b'{"limits": {"l": {"concurrent": true}}}\n{"name": "a", "run": "x"}',
        "flow.jsonl:1: limits.l.concurrent: expected a whole number, got true",
    ),
    (
        b'{"name": "a", "run": "x", "limits": {"l": {"concurrent": 1}}}',
        "flow.jsonl:1: limits: expected a limit or a list of limits, got a table",
    ),
    (b'{"name": "a", "runs": "x"}', "flow.jsonl:1: runs: there is no such key; did you mean run?"),
    (
        b'{"name": "a", "run": "x", "timeout": null}',
        'flow.jsonl:1: timeout: expected a duration, got null; write it with its unit, as in "90s"',
    ),
    (b'{"name": 5, "run": "x"}', "flow.jsonl:1: name: expected a string, got a whole number"),
    (b'{"name": "7", "run": "x"}', "flow.jsonl:1: name: the name '7' would be taken for an id; put a letter into it"),
    (
        b'{"name": "a", "run": "x", "cwd": "a\\u0000"}',
        f"flow.jsonl:1: cwd: the path holds the character U+0000 at position 2; {NO_CONTROL}",
    ),
    (
        b'{"name": "a", "run": "x", "retries": 99999999999999999999999999}',
        f"flow.jsonl:1: retries: a number of more than 20 digits is out of bounds; {RETRIES}",
    ),
    (
        b'{"name": "a", "run": "x", "needs": {"cpus": 1.5}}',
        'flow.jsonl:1: needs.cpus: expected a whole number, or a size such as "8GB", got the number 1.5',
    ),
]


def read(data: bytes) -> FlowSpec:
    return parse_flow(data, source="flow.jsonl", folder=Path("/w"))


@pytest.mark.parametrize("data,message", REFUSED, ids=range(len(REFUSED)))
def test_a_flow_is_refused_at_its_line_with_the_rule_and_the_remedy(data: bytes, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(data)
    assert str(refused.value) == message


def test_each_line_is_a_job_and_blank_lines_are_passed_over() -> None:
    flow = read(b'\n{"name":"a","run":["x","y"]}\r\n  \t\n{"name":"b","run":"x","after":["a"],"cwd":"s"}')
    assert flow.jobs == (
        JobSpec(("x", "y"), name="a", cwd="/w"),
        JobSpec("x", name="b", cwd="/w/s", after=("a",)),
    )


def test_the_fields_are_those_of_toml() -> None:
    fields = (
        'after_failed=[7]\nneeds={gpus=1}\nlimits="l:k"\nretries=2\ntimeout="1h"\nenv={A="\\u00e4"}\nsecrets=["K"]\n'
        'key="k"\nhold=true\npriority=3\nretry_on="lost"\nretry_delay="1s"\nretry_delay_max="2s"\ngrace="3s"\nmax_output="1MB"'
    )
    (toml,) = parse_flow(f'[jobs.a]\nrun="x"\n{fields}'.encode(), source="f.toml", folder=Path("/w")).jobs
    line = {
        "name": "a", "run": "x", "after_failed": [7], "needs": {"gpus": 1}, "limits": "l:k", "retries": 2,
        "timeout": "1h", "env": {"A": "\u00e4"}, "secrets": ["K"], "key": "k", "hold": True, "priority": 3,
        "retry_on": "lost", "retry_delay": "1s", "retry_delay_max": "2s", "grace": "3s", "max_output": "1MB",
    }  # fmt: skip
    assert read(json.dumps(line).encode()).jobs == (toml,)
    assert read(json.dumps(line, ensure_ascii=False).encode()).jobs == (toml,)


def test_the_first_line_may_declare_limits_targets_and_defaults() -> None:
    flow = read(
        b'\n{"limits": {"l": {"rate": "2/s"}}, '
        b'"targets": {"local": {"capacity": {"cpus": 2}}}, "defaults": {"retries": 1}}\n'
        b'{"name": "a", "run": "x"}\n{"name": "b", "run": "x", "retries": 0}'
    )
    assert flow.limits == {"l": LimitSpec(interval_us=500_000)}
    assert flow.targets == {"local": TargetSpec({"cpus": 2})}
    assert [job.retries for job in flow.jobs] == [1, 0]


def test_a_job_may_depend_on_one_that_comes_later() -> None:
    flow = read(b'{"name": "a", "run": "x", "after": "b"}\n{"name": "b", "run": "x"}')
    assert flow.jobs[0].after == ("b",)


def test_colons_and_quotes_in_values_are_not_taken_for_keys() -> None:
    flow = read(b'{"name": "a", "run": "echo \\"a\\":1, a: b", "env": {"A": "x:y", "B": ":"}}')
    assert flow.jobs[0].run == 'echo "a":1, a: b'


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf{"name": "a", "run": "x"}').jobs[0].name == "a"


def test_a_hundred_thousand_jobs_in_a_chain_from_last_to_first_are_no_cycle() -> None:
    last = 100_000
    lines = [b'{"name":"j%d","run":["x"],"after":["j%d"]}' % (each, each + 1) for each in range(last)]
    assert len(read(b"\n".join([*lines, b'{"name":"j%d","run":["x"]}' % last])).jobs) == last + 1
