"""`submit` and `map` on a cluster: options become what a flow file would say, and are checked against the target."""

from __future__ import annotations

import pytest

from holdfast.events.spec import SlurmSpec

from .clusters import CLUSTER, ClusterStage
from .commands import Caller
from .staging import Stage

TEMPLATE = "{{ header }}\n{{ claim }}\nmodule load {{ modules | words }}\n{{ command }}\n"


@pytest.fixture(autouse=True)
def cluster(stage: Stage) -> None:
    """A home that knows a cluster with a template, and nobody at work on it."""
    ClusterStage(stage, SlurmSpec(templates={"gpu": TEMPLATE}))
    stage.close()


def test_options_become_what_a_flow_would_say(call: Caller) -> None:
    options = (
        "--sbatch",
        "qos=long",
        "--sbatch",
        "exclusive",
        "--template",
        "gpu",
        "--variable",
        "modules=gcc/12 fftw",
    )
    said = call("submit", "--target", CLUSTER, "--needs", "memory=8GB", "--timeout", "2h", *options, "--", "./solve")
    assert (said.code, said.out) == (0, "1\n")
    shown = call("show", "1").out
    for words in (
        "sbatch        qos = long, exclusive = true",
        "template      gpu",
        "variable      modules=gcc/12 fftw",
    ):
        assert words in shown, words


def test_map_gives_them_to_each_job(call: Caller) -> None:
    assert call("map", "--target", CLUSTER, "--sbatch", "nice=5", "echo", ":::", "a", "b").code == 0
    for number in (1, 2):
        assert "sbatch        nice = 5" in call("show", str(number)).out


@pytest.mark.parametrize(
    "options, place",
    [
        (("--template", "cpu"), "--template: there is no template 'cpu'; the target has gpu"),
        (("--template", "gpu"), "gpu:3: "),  # modules is not given
        (("--variable", "modules=x"), "--variable: "),
        (("--sbatch", "mem-per-cpu=1G", "--needs", "memory=1GB"), "needs.memory and sbatch.mem-per-cpu ask"),
        (("--sbatch", "gpus=2", "--needs", "gpus=1"), "needs.gpus is 1, and sbatch.gpus asks for 2"),
        (("--env", "a-b=1"), "--env: 'a-b' can't be the name of a variable in a script"),
        (("--cwd", "/tmp"), "--cwd: "),
    ],
)
def test_p7_what_does_not_fit_the_cluster_is_refused_before_anything_is_recorded(
    call: Caller, options: tuple[str, ...], place: str
) -> None:
    said = call("submit", "--target", CLUSTER, *options, "--", "true")
    assert (said.code, said.out) == (2, "")
    assert place in said.err, said.err
    assert call("jobs").out == ""
