"""The policy of a job: equal ones have one text, however and wherever the job was made."""

import msgspec
import pytest

from holdfast.events.evolve import policy_of
from holdfast.events.records import Policy
from holdfast.events.spec import JobSpec

ALL_GIVEN = b"""{
    "run": "true", "target": "local", "needs": {"cpus": 1}, "limits": [], "retries": 0,
    "retry_on": ["failed", "timeout"], "retry_delay_us": 1000000, "retry_delay_max_us": 300000000
}"""


def test_p4_a_policy_whose_defaults_were_written_out_has_the_text_of_one_that_left_them_out() -> None:
    spec = msgspec.json.decode(ALL_GIVEN, type=JobSpec)
    assert policy_of(spec) == policy_of(JobSpec("true")) == Policy()
    assert msgspec.json.encode(policy_of(spec)) == msgspec.json.encode(Policy()) == b"{}"


@pytest.mark.parametrize(
    "other,text",
    [
        (b'"retries": 3', b'{"retries":3}'),
        (b'"needs": {"gpus": 1, "cpus": 2}', b'{"needs":[["cpus",2],["gpus",1]]}'),
        (b'"retry_delay_us": 2000000', b'{"retry_delay_us":2000000}'),
        (b'"retry_on": ["lost"]', b'{"retry_on":["lost"]}'),
    ],
)
def test_p4_a_policy_holds_no_more_than_what_differs_from_the_defaults(other: bytes, text: bytes) -> None:
    spec = msgspec.json.decode(ALL_GIVEN.rstrip(b"}\n") + b", " + other + b"}", type=JobSpec)
    assert msgspec.json.encode(policy_of(spec)) == text
