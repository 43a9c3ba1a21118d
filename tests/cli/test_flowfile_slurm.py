"""Clusters as flows declare them, and what jobs say to them; what is wrong is refused at its line, with the remedy."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.cli.flows.templatefiles import FILE_MAX_BYTES, FILES_MAX
from holdfast.events.errors import BadInput
from holdfast.events.sbatch import OPTIONS
from holdfast.events.spec import FlowSpec, JobSpec, PilotSpec, SlurmSpec, SshSpec, TargetSpec
from tests.tree import ROOT

CLUSTER = ("[targets.cluster]", 'kind = "slurm"')
TEMPLATE = "{{ header }}\n{{ claim }}\nmodule load {{ modules | words }}\n{{ command }}\n"


def parsed(*lines: str, folder: Path = Path("/flows/f"), job: tuple[str, ...] = ()) -> FlowSpec:
    text = "\n".join((*CLUSTER, *lines, "[jobs.a]", 'run = "x"', 'target = "cluster"', *job))
    return parse_flow(text.encode(), source="flow.toml", folder=folder)


def refusal(*lines: str, folder: Path = Path("/flows/f"), job: tuple[str, ...] = ()) -> str:
    with pytest.raises(BadInput) as refused:
        parsed(*lines, folder=folder, job=job)
    return str(refused.value)


def test_a_cluster_needs_nothing_but_its_kind() -> None:
    assert parsed().targets == {"cluster": TargetSpec({}, None, SlurmSpec())}


def test_a_cluster_says_how_its_jobs_are_given_to_slurm() -> None:
    target = parsed(
        'host = "login"',
        'workdir = "/shared/ada"',
        'partition = "main"',
        'account = "chem"',
        'sbatch = { qos = "long", exclusive = true, nice = 100 }',
        'poll = "30s"',
        "max_queued = 200",
        "capacity = { licence = 3 }",
        'pilot = { nodes = 1, time = "1h", max = 4, cpus = 8, idle = "5m" }',
    ).targets["cluster"]
    assert target == TargetSpec(
        {"licence": 3},
        SshSpec("login", "/shared/ada"),
        SlurmSpec(
            partition="main",
            account="chem",
            sbatch={"qos": "long", "exclusive": "true", "nice": "100"},
            poll_us=30_000_000,
            max_queued=200,
            pilot=PilotSpec(1, 3_600_000_000, 4, 8, 300_000_000),
        ),
    )


def test_without_a_host_the_workdir_is_the_clusters_own() -> None:
    assert parsed('workdir = "/shared/ada"').targets["cluster"].slurm == SlurmSpec(workdir="/shared/ada")


def test_a_job_says_options_a_template_and_variables() -> None:
    job = parsed(
        job=(
            'sbatch = { constraint = "avx2", contiguous = true }',
            'template = "gpu"',
            'variables = { modules = "gcc/12", threads = 4, share = 0.5, fast = true }',
        )
    ).jobs[0]
    assert job == JobSpec(
        "x",
        "a",
        "",
        target="cluster",
        sbatch={"constraint": "avx2", "contiguous": "true"},
        template="gpu",
        variables={"modules": "gcc/12", "threads": "4", "share": "0.5", "fast": "true"},
    )


def test_json_lines_say_the_same() -> None:
    target = {"kind": "slurm", "partition": "main", "sbatch": {"qos": "long"}, "poll": "20s"}
    job = {"name": "a", "run": "x", "target": "cluster", "sbatch": {"nice": 5}, "variables": {"n": 1}}
    lines = "\n".join(json.dumps(each) for each in ({"targets": {"cluster": target}}, job))
    flow = parse_flow(lines.encode(), source="flow.jsonl", folder=Path("/flows/f"))
    assert flow.targets["cluster"].slurm == SlurmSpec(partition="main", sbatch={"qos": "long"}, poll_us=20_000_000)
    assert (flow.jobs[0].sbatch, flow.jobs[0].variables) == ({"nice": "5"}, {"n": "1"})


@pytest.mark.parametrize(
    "line, message",
    [
        ("partiton = 'x'", "partiton: there is no such key; did you mean partition?"),
        ("partition = 4", "partition: expected a string, got a whole number"),
        ("sbatch = 'x'", "sbatch: expected a table such as"),
        ("sbatch = { qoss = 'x' }", "sbatch.qoss: 'qoss' is none of the options of sbatch"),
        ('sbatch = { qos = "a\\n#SBATCH -x" }', "sbatch.qos: "),
        ("sbatch = { qos = 'a b' }", "sbatch.qos: 'a b' can't be its value; give a name without blanks"),
        ("sbatch = { qos = [] }", "sbatch.qos: expected a string, a number, true or false, got a list"),
        ("sbatch = { time = 5 }", "sbatch.time: sbatch's option time is Holdfast's to give; give the job's `timeout`"),
        ("poll = 10", "poll: expected a duration"),
        ("poll = '10ms'", "poll: '10ms' is shorter than a second; give a second at least"),
        ("max_queued = 0", "max_queued: 0 is out of bounds"),
        ("native_dependencies = 1", "native_dependencies: expected true or false, got a whole number"),
        ("pilot = true", "pilot: expected a table such as"),
        ("pilot = { nods = 1 }", "pilot.nods: there is no such key; did you mean nodes?"),
        ("pilot = { nodes = 0 }", "pilot.nodes: 0 is out of bounds"),
        ("pilot = { time = '10s' }", "pilot.time: '10s' is shorter than a minute; give a minute at least"),
        ("python = 'x'", "python: an interpreter is given, and no host"),
        ("template = 'gpu'", "template: there is no template 'gpu'; name the folder it is in"),
        ("templates = 4", "templates: expected a folder or a list of folders"),
        ("templates = [4]", "templates.1: expected a folder, got a whole number"),
        ("templates = '/nowhere/at/all'", "templates.1: there is no folder '/nowhere/at/all'"),
        ("capacity = { cpus = -1 }", "capacity.cpus: "),
    ],
)
def test_p7_a_cluster_that_is_wrong_is_refused_at_its_line(line: str, message: str) -> None:
    assert refusal(line).startswith(f"flow.toml:3: targets.cluster.{message}")


@pytest.mark.parametrize(
    "line, message",
    [
        ("sbatch = { qoss = 'x' }", "sbatch.qoss: 'qoss' is none of the options of sbatch"),
        ("variables = { 'a b' = 1 }", "variables.'a b': 'a b' is no name of a variable"),
        ('variables = { a = "\\u001b[1m" }', "variables.a: the value holds the character U+001B"),
    ],
)
def test_p7_what_a_job_says_to_slurm_is_refused_at_its_line(line: str, message: str) -> None:
    assert refusal(job=(line,)).startswith(f"flow.toml:6: jobs.a.{message}")


@pytest.mark.parametrize("key", ["partition", "poll", "pilot", "templates"])
def test_what_is_a_clusters_alone_is_refused_of_other_targets_with_the_kind_that_has_it(key: str) -> None:
    text = f'[targets.gpu]\nhost = "gpu1"\n{key} = "x"\ncapacity = {{ cpus = 1 }}\n[jobs.a]\nrun = "x"\n'
    with pytest.raises(BadInput) as refused:
        parse_flow(text.encode(), source="flow.toml", folder=Path("/w"))
    problem = 'a target of kind ssh has no such key; it belongs to targets with kind = "slurm"'
    assert str(refused.value) == f"flow.toml:3: targets.gpu.{key}: {problem}"


def test_templates_are_the_files_of_their_folders_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "modules.sh.j2").write_text(TEMPLATE)
    (folder / "other.j2").write_text("{# räksmörgås #}")
    (folder / "notes.txt").write_bytes(b"\xff")
    (folder / ".hidden.j2").write_bytes(b"\xff")
    (folder / "deeper").mkdir()
    (folder / "deeper" / "other.j2").touch()
    slurm = parsed('templates = ["templates"]', 'template = "modules"', folder=tmp_path).targets["cluster"].slurm
    assert slurm is not None
    assert slurm.templates == {"modules": TEMPLATE, "other": "{# räksmörgås #}"}
    assert slurm.template == "modules"


def test_p7_files_that_can_be_no_templates_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    place = folder / "gpu.j2"

    def said() -> str:
        told = refusal("templates = 'templates'", folder=tmp_path)
        assert told.startswith("flow.toml:3: targets.cluster.templates.1: ")
        place.rmdir() if place.is_dir() else place.unlink()
        return told

    (tmp_path / "elsewhere").write_text(TEMPLATE)
    place.symlink_to(tmp_path / "elsewhere")
    assert "'templates/gpu.j2' is a link; put the file itself there" in said()
    place.symlink_to(folder / "missing")
    assert "is a link" in said()
    place.mkdir()
    assert "is no file" in said()
    os.mkfifo(place)
    assert "is no file" in said()
    place.write_bytes(b"\xff")
    assert "is not UTF-8 at byte 0" in said()
    place.write_bytes(b"#" * (FILE_MAX_BYTES + 1))
    assert f"is larger than {FILE_MAX_BYTES} bytes" in said()
    for number in range(FILES_MAX + 1):
        (folder / f"{number}.j2").touch()
    place.touch()
    assert f"{FILES_MAX} are the most" in said()


def test_p7_one_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "gpu.j2").write_text(TEMPLATE)
    told = refusal("templates = ['a', 'b/']", folder=tmp_path)
    assert "templates.2: the template 'gpu' is in a/gpu.j2 and in b/gpu.j2" in told


def test_p7_a_template_with_a_directive_is_refused_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "gpu.j2").write_text("#SBATCH --qos=long\n" + TEMPLATE)
    told = refusal("templates = '.'", "template = 'gpu'", folder=tmp_path)
    assert told.startswith("flow.toml:4: targets.cluster.template: gpu:1: '#SBATCH --qos=long' is a directive")


def test_the_page_for_users_shows_flows_that_can_be_read(tmp_path: Path) -> None:
    page = (ROOT / "docs/slurm.md").read_text()
    (tmp_path / "templates").mkdir()
    (template,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "templates/modules.sh.j2").write_text(template)
    flows = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(flows) == 4
    for text in flows:
        flow = parse_flow(text.encode(), source="flow.toml", folder=tmp_path)
        assert flow.targets
        assert all(target.slurm is not None for target in flow.targets.values())


def test_the_page_for_users_lists_the_options_of_sbatch_that_are_passed_on() -> None:
    page = (ROOT / "docs/slurm.md").read_text()
    (listed,) = re.findall(r"The options are (.*?)\. One without a value", page, re.DOTALL)
    assert re.findall(r"`([a-z-]+)`", listed) == sorted(OPTIONS)
