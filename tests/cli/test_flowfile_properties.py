"""Any input at all is a flow or BadInput, and nothing else; and any flow that can be written is read back as it was."""

import json
from pathlib import Path
from typing import Final, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.cli.flows.jobfields import FIELDS
from holdfast.cli.flows.tomllines import line_of
from holdfast.events.checks import check_job
from holdfast.events.errors import BadInput
from holdfast.events.graph import validate
from holdfast.events.spec import RETRY_ON, FlowSpec

SOURCES: Final = ("flow.toml", "flow.jsonl", "-")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
scripts = texts.map(lambda text: f"{text}\n\tx")
names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="/:"), min_size=1, max_size=30).filter(
    lambda name: name.isprintable() and not name.isdecimal()
)
variables = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
durations_us = st.integers(1, 10**12)
amounts = st.integers(0, 2**53 - 1)


# Made once: a strategy that is made for each job costs more than what is drawn from it.
optional: Final[dict[str, st.SearchStrategy[object]]] = {
    "needs": st.dictionaries(names, amounts, max_size=3),
    "limits": st.lists(names, max_size=3, unique=True),
    "priority": st.integers(-1_000_000, 1_000_000),
    "retries": st.integers(0, 1_000_000),
    "retry_on": st.lists(st.sampled_from(RETRY_ON), min_size=1, unique=True),
    "timeout": durations_us.map(lambda us: f"{us}us"),
    "grace": durations_us.map(lambda us: f"{us}us"),
    "max_output": amounts,
    "env": st.dictionaries(variables.map("E{}".format), scripts, max_size=3),
    "secrets": st.lists(variables.map("S{}".format), max_size=3, unique=True),
    "target": names,
    "hold": st.booleans(),
}
run = st.lists(scripts, min_size=1, max_size=4) | scripts
tables: Final[st.SearchStrategy[dict[str, object]]] = st.fixed_dictionaries({"run": run}, optional=optional)
many_names = st.lists(names, min_size=1, max_size=6, unique=True)
places = st.none() | st.lists(st.integers(0, 5), max_size=3)


@st.composite
def flows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Jobs as tables of plain values, each depending on none but those before it."""
    jobs: list[dict[str, object]] = []
    taken = draw(many_names)
    for position, name in enumerate(taken):
        after = {kind: draw(places) for kind in ("after", "after_any", "after_failed")}
        chosen = {
            kind: [taken[place % position] for place in found if position]
            for kind, found in after.items()
            if found is not None
        }
        jobs.append({"name": name, **draw(tables), **chosen})
    return jobs


def quoted(value: object) -> str:
    """A plain value as TOML writes it."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value).items()
        return "{" + ", ".join(f"{quoted(key)} = {quoted(each)}" for key, each in members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(quoted(each) for each in cast("list[object]", value)) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f") if not isinstance(value, str) else toml_string(value)


def toml_string(text: str) -> str:
    """A string as TOML writes it: it knows no surrogate pairs, so characters beyond the basic plane stand as such."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_toml(jobs: list[dict[str, object]]) -> bytes:
    lines: list[str] = []
    for job in jobs:
        lines.append(f"[jobs.{quoted(job['name'])}]")
        lines.extend(f"{key} = {quoted(value)}" for key, value in job.items() if key != "name")
    return "\n".join(lines).encode()


def as_jsonl(jobs: list[dict[str, object]]) -> bytes:
    return b"\n".join(json.dumps(job).encode() for job in jobs)


def read(data: bytes, source: str) -> FlowSpec:
    return parse_flow(data, source=source, folder=Path("/w"))


@given(jobs=flows())
def test_any_flow_is_read_as_it_was_written_in_both_formats(jobs: list[dict[str, object]]) -> None:
    from_toml, from_jsonl = read(as_toml(jobs), "f.toml"), read(as_jsonl(jobs), "f.jsonl")
    assert from_toml.jobs == from_jsonl.jobs
    for job, spec in zip(jobs, from_toml.jobs, strict=True):
        run = job["run"]
        assert spec.name == job["name"]
        assert spec.run == (tuple(cast("list[str]", run)) if isinstance(run, list) else run)
        for key in ("after", "limits", "secrets", "retry_on"):
            if key in job:
                assert list(getattr(spec, key)) == job[key]
        for key in ("priority", "retries", "env", "target", "hold"):
            if key in job:
                assert getattr(spec, key) == job[key]
        for key, name in (("timeout", "timeout_us"), ("grace", "grace_us")):
            if key in job:
                assert f"{getattr(spec, name)}us" == job[key]


@given(jobs=flows())
def test_what_is_read_passes_the_checks_of_submission(jobs: list[dict[str, object]]) -> None:
    flow = read(as_jsonl(jobs), "f.jsonl")
    for job in flow.jobs:
        check_job(job, "job")
    validate(
        [job.name for job in flow.jobs], {job.name: [("after", str(each)) for each in job.after] for job in flow.jobs}
    )


@pytest.mark.parametrize("source", SOURCES)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_flow_or_bad_input(source: str, data: bytes) -> None:
    flow_or_bad_input(data, source)


@pytest.mark.parametrize("source", SOURCES)
@given(text=st.text(max_size=200))
@example("[jobs.a]\nrun = 'x'\n[jobs.a.env]\n'\\\\' = ''")
def test_any_text_is_a_flow_or_bad_input(source: str, text: str) -> None:
    flow_or_bad_input(text.encode("utf-8", "surrogatepass"), source)


plain: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1s", "8GB", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    table=st.dictionaries(st.sampled_from([*FIELDS, "limits", "targets", "defaults"]) | st.text(), plain, max_size=5)
)
def test_any_json_object_is_a_job_or_bad_input(table: dict[str, object]) -> None:
    for job in (table, {"name": "a", "run": "x", **table}):
        flow_or_bad_input(json.dumps(job).encode("utf-8", "surrogatepass"), "flow.jsonl")
        flow_or_bad_input(b"[jobs.a]\n" + as_toml_lines(job), "flow.toml")


@given(jobs=flows(), data=st.data())
def test_a_damaged_flow_is_a_flow_or_bad_input(jobs: list[dict[str, object]], data: st.DataObject) -> None:
    for source, whole in (("flow.toml", as_toml(jobs)), ("flow.jsonl", as_jsonl(jobs))):
        start, end = sorted(data.draw(st.integers(0, len(whole))) for _ in range(2))
        flow_or_bad_input(whole[:start] + data.draw(st.binary(max_size=3)) + whole[end:], source)


@given(jobs=flows())
def test_the_line_of_any_job_is_that_of_its_table(jobs: list[dict[str, object]]) -> None:
    text = as_toml(jobs).decode()
    for job in jobs:
        line = line_of(text, ("jobs", str(job["name"])))
        if line is not None and quoted(job["name"]) == f'"{job["name"]}"':
            assert text.split("\n")[line - 1] == f"[jobs.{quoted(job['name'])}]"


def as_toml_lines(job: dict[str, object]) -> bytes:
    lines = [f"{quoted(key)} = {quoted(value)}" for key, value in job.items() if key != "name" and value is not None]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def flow_or_bad_input(data: bytes, source: str) -> None:
    refused: BadInput | None = None
    try:
        assert read(data, source).jobs
    except BadInput as error:
        refused = error
    if refused is not None:
        assert refused.where.startswith("standard input" if source == "-" else source), refused.where
        assert str(refused).isprintable()
