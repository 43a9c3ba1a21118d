"""Plain lines are read by a way of their own, which must make the same of them as the rules for all lines."""

from typing import Final

import msgspec
import pytest

from holdfast.cli.flows.jobfields import job_from
from holdfast.cli.flows.plainlines import plain_job

FOLDER: Final = "/flows"


@pytest.mark.parametrize(
    "line",
    [
        b'{"name": "a", "run": ["true"]}',
        b'{"run": ["echo", "", "\\u00e4 \xc3\xa4"], "name": "a.b-c_1"}\n',
        b'{"name": "b", "run": ["true"], "after": ["a", "of another flow?"]}',
        b'{"na\\u006de": "b", "run": ["true"]}',
    ],
)
def test_a_plain_line_is_the_job_that_the_rules_make_of_it(line: bytes) -> None:
    job = plain_job(line, FOLDER)
    assert job is not None
    assert job == job_from(msgspec.json.decode(line, type=dict[str, object]), FOLDER)
    assert msgspec.json.encode(job) == msgspec.json.encode(job_from(msgspec.json.decode(line), FOLDER))


@pytest.mark.parametrize(
    "line",
    [
        b'{"name": "a", "name": "b", "run": ["true"]}',
        b'{"name": "a", "run": ["false"], "run": ["true"]}',
        b'{"name": "a", "run": ["true"], "after": ["b"], "after": ["c"]}',
        b'{"name": "a", "run": ["true"], "after": ["b"], "after": []}',
        b'{"name": "a", "run": []}',
        b'{"name": "a", "run": [""]}',
        b'{"name": "a", "run": ["tr\\u0000ue"]}',
        b'{"name": "a", "run": ["true\\n"]}',
        b'{"name": "a", "run": ["true", 1]}',
        b'{"name": "a", "run": "true"}',
        b'{"name": "a", "run": null}',
        b'{"name": "", "run": ["true"]}',
        b'{"name": "a\\n", "run": ["true"]}',
        b'{"name": "a/b", "run": ["true"]}',
        b'{"name": "1", "run": ["true"]}',
        b'{"name": "' + b"a" * 201 + b'", "run": ["true"]}',
        b'{"name": "a", "run": ["true"], "after": [1]}',
        b'{"name": "a", "run": ["true"], "cwd": "b"}',
        b'{"name": "a"}',
        b'{"run": ["true"]}',
        b'{"name": "a", "run": ["\xff"]}',
        b'{"name": "a", "run": ["\\ud800"]}',
        b'{"name": "a", "run": ["true"]} {}',
        b'{"name": "a", "run": ["true"]',
        b"[" * 100_000,
        b"",
    ],
)
def test_any_other_line_is_left_to_the_rules(line: bytes) -> None:
    assert plain_job(line, FOLDER) is None
