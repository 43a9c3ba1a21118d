"""Targets on other machines as flows declare them; what is wrong with one is refused at its line, with the remedy."""

from pathlib import Path

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.events.errors import BadInput
from holdfast.events.spec import FlowSpec, SshSpec, TargetSpec

GPU = ("[targets.gpu]", 'kind = "ssh"', 'host = "gpu1"', "capacity = { cpus = 16, gpus = 2 }")


def parsed(*lines: str) -> FlowSpec:
    text = "\n".join((*lines, "[jobs.a]", 'run = "x"', 'target = "gpu"'))
    return parse_flow(text.encode(), source="flow.toml", folder=Path("/flows/f"))


def test_a_target_says_how_it_is_reached_and_what_it_offers() -> None:
    assert parsed(*GPU).targets == {"gpu": TargetSpec({"cpus": 16, "gpus": 2}, SshSpec("gpu1"))}
    more = parsed(*GPU, 'workdir = "/scratch/me"', 'python = "/opt/python"').targets["gpu"].ssh
    assert more == SshSpec("gpu1", "/scratch/me", "/opt/python")


def test_the_kind_can_be_left_out_where_there_is_a_host() -> None:
    assert parsed(*(line for line in GPU if not line.startswith("kind"))).targets == parsed(*GPU).targets


def test_a_job_there_has_a_folder_below_the_workdir_and_none_of_this_machine() -> None:
    assert parsed(*GPU).jobs[0].cwd == ""
    flow = "\n".join((*GPU, "[jobs.a]", 'run = "x"', 'target = "gpu"', 'cwd = "runs/a"')).encode()
    assert parse_flow(flow, source="flow.toml", folder=Path("/flows/f")).jobs[0].cwd == "runs/a"


@pytest.mark.parametrize(
    "lines, says",
    [
        (('kind = "slurp"', 'host = "a"'), ("flow.toml:2", "'slurp' is no kind of target", "local, ssh, slurm")),
        (('kind = "ssh"', 'host = "a"', 'poll = "1s"'), ("flow.toml:4", "kind ssh has no such key", 'kind = "slurm"')),
        (('kind = "ssh"', "capacity = { cpus = 1 }"), ("targets.gpu", "the target has no host", "~/.ssh/config")),
        (('host = "a"', 'hots = "b"'), ("flow.toml:3", "hots")),
        (('kind = ["ssh"]', 'host = "a"'), ("flow.toml:2", "is no kind of target")),
        (('host = "a"', "workdir = 4", "capacity = { cpus = 1 }"), ("flow.toml:3", "workdir")),
        (('kind = "local"', 'host = "a"'), ("flow.toml:3", "host")),
        (('host = "a"', "capacity = { cpus = -1 }"), ("flow.toml:3", "cpus")),
    ],
)
def test_p7_a_declaration_that_is_wrong_is_refused_at_its_line_with_the_remedy(
    lines: tuple[str, ...], says: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as raised:
        parsed("[targets.gpu]", *lines)
    for each in says:
        assert each in str(raised.value)
