"""Events to JSON and back; what can't be read is never guessed at."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from holdfast.events.codec import EVENT_TYPES, TYPE_NAMES, decode_event, encode
from holdfast.events.errors import Damaged
from holdfast.events.facts import Event, JobHeld, JobPrioritised, JobSubmitted
from holdfast.events.spec import JobSpec

from .samples import EVENTS


def test_there_is_a_sample_of_every_event_and_each_has_a_name_of_its_own() -> None:
    assert {type(event) for event in EVENTS} == set(EVENT_TYPES) == set(get_args(Event))
    assert len(set(TYPE_NAMES.values())) == len(EVENT_TYPES)
    assert TYPE_NAMES[JobSubmitted] == "job_submitted"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_comes_back_from_its_json_as_it_was(event: Event) -> None:
    text = encode(event)
    name = TYPE_NAMES[type(event)]
    assert decode_event(name, event.VERSION, text) == event
    assert decode_event(name, event.VERSION, text.encode()) == event


def test_a_job_event_shows_its_job_and_leaves_out_what_is_as_usual() -> None:
    assert json.loads(encode(JobSubmitted(7, "ready", JobSpec(("true",))))) == {
        "job": 7,
        "state": "ready",
        "spec": {"run": ["true"], "needs": {"cpus": 1}},
    }


def test_an_event_of_an_unknown_type_is_not_read() -> None:
    with pytest.raises(Damaged, match="unknown type 'job_teleported'"):
        decode_event("job_teleported", 1, "{}")


@pytest.mark.parametrize("version", [2, 3])
def test_an_event_of_a_newer_version_is_not_read(version: int) -> None:
    with pytest.raises(Damaged, match="newer than this Holdfast"):
        decode_event("job_held", version, '{"job": 1}')


def test_an_event_of_an_old_version_that_nothing_here_knows_is_not_read() -> None:
    with pytest.raises(Damaged, match="version 0, which nothing here can read"):
        decode_event("job_held", 0, '{"job": 1}')


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"job": "one"}', '{"job": 1', '{"job": 1.5}', b'{"job": \xff}', b"\xff"]
)
@pytest.mark.parametrize("version", [0, 1])
def test_what_is_no_such_event_is_damaged(text: str | bytes, version: int) -> None:
    with pytest.raises(Damaged):
        decode_event("job_held", version, text, {("job_held", 0): lambda data: data})


def test_text_that_is_not_utf_8_is_damaged() -> None:
    with pytest.raises(Damaged):
        decode_event("job_cancelled", 1, b'{"job": 1, "reason": "\xff"}')


def test_an_upcaster_makes_an_old_event_a_new_one_one_version_at_a_time() -> None:
    def from_0(data: dict[str, object]) -> dict[str, object]:
        return {"job": data["number"], "level": data["level"]}

    def from_minus_1(data: dict[str, object]) -> dict[str, object]:
        return {"number": data["id"], "level": data["level"]}

    upcasters = {
        ("job_prioritised", 0): _with_priority,
        ("job_prioritised", -1): from_0,
        ("job_prioritised", -2): from_minus_1,
    }
    event = JobPrioritised(7, 5)
    assert decode_event("job_prioritised", 1, '{"job": 7, "priority": 5}', upcasters) == event
    assert decode_event("job_prioritised", 0, '{"job": 7, "level": 5}', upcasters) == event
    assert decode_event("job_prioritised", -1, '{"number": 7, "level": 5}', upcasters) == event
    assert decode_event("job_prioritised", -2, '{"id": 7, "level": 5}', upcasters) == event


def _with_priority(data: dict[str, object]) -> dict[str, object]:
    return {"job": data["job"], "priority": data["level"]}


def test_an_old_event_that_lacks_what_its_upcaster_needs_is_damaged() -> None:
    with pytest.raises(Damaged):
        decode_event("job_prioritised", 0, '{"job": 7}', {("job_prioritised", 0): _with_priority})


def test_a_field_that_is_not_known_is_let_pass_as_a_later_minor_version_may_have_added_it() -> None:
    assert decode_event("job_held", 1, '{"job": 1, "mood": "good"}') == JobHeld(1)
