"""`inputs` and `outputs` in a flow become absolute paths here and relative ones there, or are refused at their line."""

from pathlib import Path

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.events.errors import BadInput
from holdfast.events.spec import JobSpec
from holdfast.events.staging import InputFile, OutputFile


def parsed(*lines: str, source: str = "flow.toml") -> JobSpec:
    text = "\n".join(('[jobs.a]\nrun = "x"\ntarget = "gpu"', *lines)) if source.endswith("toml") else "\n".join(lines)
    return parse_flow(text.encode(), source=source, folder=Path("/flows/f")).jobs[0]


def test_inputs_are_found_from_the_flows_folder_and_go_to_the_same_place_there() -> None:
    job = parsed('inputs = ["a.dat", "./x//y", {from = "x/y", to = "data/"}, {from = "/abs", to = "./"}]')
    assert job.inputs == (
        InputFile("/flows/f/a.dat", "a.dat"),
        InputFile("/flows/f/x/y", "./x//y"),
        InputFile("/flows/f/x/y", "data/"),
        InputFile("/abs", "./"),
    )


def test_outputs_come_to_the_flows_folder() -> None:
    job = parsed('outputs = ["out/*.csv", {from = "log", to = "logs/a"}]')
    assert job.outputs == (OutputFile("out/*.csv", "/flows/f"), OutputFile("log", "/flows/f", "logs/a"))


def test_one_path_needs_no_list_and_json_lines_say_the_same() -> None:
    line = '{"name": "a", "run": "x", "target": "gpu", "inputs": "a", "outputs": {"from": "b", "to": "c"}}'
    assert parsed('inputs = "a"', 'outputs = {from = "b", to = "c"}') == parsed(line, source="flow.jsonl")


def test_defaults_may_hold_files_for_jobs_that_have_a_target_of_their_own() -> None:
    jobs = b'[jobs.a]\nrun = "x"\ntarget = "gpu"\n[jobs.b]\nrun = "x"\ntarget = "cpu"\ninputs = []'
    flow = b'[defaults]\ninputs = "a"\n' + jobs
    first, second = parse_flow(flow, source="flow.toml", folder=Path("/f")).jobs
    assert (first.inputs, second.inputs) == ((InputFile("/f/a", "a"),), ())


ELSEWHERE = "leave this out and use their paths, or take a target elsewhere"
TABLE = 'as in { from = "x/y", to = "data/" }'
OUTSIDE = "lies outside of the flow's folder, so its place there is not plain; say where it goes, as in"

REFUSED = [
    ('inputs = ["a", 4]', f"inputs.2: expected a path or a table, got a whole number; {TABLE}"),
    ('inputs = ""', "inputs: the path is empty; leave it out"),
    ('inputs = {from = "a"}', f"inputs: the table lacks a from or a to; give both, {TABLE}"),
    ('inputs = {from = "a", too = "b"}', "inputs.too: there is no such key; did you mean to?"),
    ('inputs = ["/etc/x"]', f'inputs.1: \'/etc/x\' {OUTSIDE} {{ from = "/etc/x", to = "./" }}'),
    ('inputs = "../x"', f'inputs: \'../x\' {OUTSIDE} {{ from = "../x", to = "./" }}'),
    (
        'inputs = ["b", {from = "a", to = "x/../../y"}]',
        "inputs.2: the path 'x/../../y' has '..' in it; it must stay in the job's folder",
    ),
    (
        'inputs = ["a", {from = "b", to = "a"}]',
        ("inputs.2: 'a' is the place of number 1 already; give each file a place of its own, as in to = 'data/b.dat'"),
    ),
    (
        'inputs = "a\\u0000"',
        (
            "inputs: the path holds the character U+0000 at position 2; "
            "only line breaks and tabs are allowed; take it out"
        ),
    ),
    ('outputs = "/etc/x"', "outputs.1: the path '/etc/x' is absolute; give one relative to the job's folder"),
    ('outputs = ["a", "../b"]', "outputs.2: the path '../b' has '..' in it; it must stay in the job's folder"),
    (
        'outputs = {from = "a", to = "/b"}',
        "outputs.1: the path '/b' is absolute; give one relative to the flow's folder",
    ),
    (
        'outputs = {from = "*", to = "b"}',
        (
            "outputs.1: '*' may match many files, and 'b' is the place of one; "
            "end it in '/' to bring them into that folder"
        ),
    ),
]


@pytest.mark.parametrize("line,message", REFUSED)
def test_a_file_is_refused_at_its_line_and_entry(line: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        parsed(line)
    assert str(refused.value) == f"flow.toml:4: jobs.a.{message}"


@pytest.mark.parametrize("target", ["", 'target = "local"', 'target = "functions"'])
@pytest.mark.parametrize("key", ["inputs", "outputs"])
def test_files_for_a_target_on_this_machine_are_refused(target: str, key: str) -> None:
    with pytest.raises(BadInput, match="are on this machine already") as refused:
        parse_flow(f'[jobs.a]\nrun = "x"\n{target}\n{key} = "a"'.encode(), source="flow.toml", folder=Path("/f"))
    assert refused.value.remedy == ELSEWHERE
