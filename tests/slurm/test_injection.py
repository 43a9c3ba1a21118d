"""Whatever a job is called and given, its process sees exactly that, through the real sbatch; and nothing else runs."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from holdfast.actors.slurm.script import sbatch_argv
from holdfast.actors.slurm.shellwords import directive, directive_words, quote
from holdfast.actors.targets.messages import Order
from holdfast.events.errors import BadInput
from holdfast.events.sbatch import OPTIONS, options
from holdfast.events.spec import JobSpec, SlurmSpec
from tests.system.place import until

from .batchfolder import SHELLS, BatchFolder, order
from .cluster import Cluster

# Its words and those variables that are asked for, both as bytes; nothing of Python's own start-up is in the way.
SAY: Final = (
    "import json, os, sys; e = os.environb; w = [os.fsencode(a).hex() for a in sys.argv[2:]]; "
    "print(json.dumps([w, {n: e[n.encode()].hex() for n in sys.argv[1].split(',') if n}]))"
)
NASTY: Final = [
    "$(touch owned)",
    "`touch owned`",
    "'; touch owned; '",
    '"; touch owned; "',
    "\ntouch owned\n",
    "\n#SBATCH --array=0-9\n",
    "\n#SBATCH --job-name=owned\n",
    "\n#PBS -N owned\n",
    "\n#BSUB -J owned\n",
    "line\r\nbreak\r",
    "{{ header }}{% raw %}",
    "\\",
    "-n",
    "--",
    "a=b",
    "%j",
    "~",
    "*",
    "!!",
    "",
    "é\u2028\U0001f600",
    "\x01\x7f\x1b[31m",
    ";;\nesac\ntouch owned\n",
    "holdfast_work='1.1'",
    "EOF\n)\n}\ntouch owned\n",
]
# Names that shells have uses of their own for are among them.
NAMES: Final = [
    "A",
    "_b",
    "IFS",
    "UID",
    "PPID",
    "OPTIND",
    "RANDOM",
    "ENV",
    "BASH_ENV",
    "PS4",
    "HOME",
    "holdfast_code",
    "LC_ALL",
]

texts = st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
environments = st.dictionaries(st.sampled_from(NAMES), texts, max_size=4)
wckeys = st.from_regex(OPTIONS["wckey"][0], fullmatch=True).filter(lambda text: len(text) <= 50)
folders = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 100
)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, object]:
    """What a job may be given; it says what it was given."""
    env = draw(environments)
    words = draw(st.lists(texts, max_size=6))
    return {
        "run": (sys.executable, "-I", "-S", "-c", SAY, ",".join(env), *words),
        "env": env,
        "cwd": draw(folders),
        "name": draw(texts),
    }


def expected(spec: JobSpec) -> list[object]:
    """What such a job's process must say."""
    words = [word.encode().hex() for word in spec.run[6:]]
    return [words, {name: value.encode().hex() for name, value in spec.env.items()}]


def check_that_it_saw_what_was_asked(place: BatchFolder, orders: Sequence[Order]) -> None:
    """Each attempt's process has said exactly what it was to see, and nobody made anything else."""
    for each in orders:
        work = f"{each.job}.{each.attempt}"
        assert place.output(work, "err") == b""
        assert json.loads(place.output(work)) == expected(each.spec)
    assert list(place.workdir.rglob("owned")) == []
    assert {path.name for path in (place.folder / "attempts").iterdir()} <= {f"{n}.1" for n in range(1, 10_000)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(given_jobs=st.lists(jobs(), min_size=1, max_size=3), shell=st.sampled_from(SHELLS))
def test_no_shell_makes_anything_of_what_a_job_is_given(
    tmp_path_factory: pytest.TempPathFactory, given_jobs: list[dict[str, object]], shell: Sequence[str]
) -> None:
    place = BatchFolder(tmp_path_factory.mktemp("work"))
    orders = [order(number, **fields) for number, fields in enumerate(given_jobs, 1)]
    script = place.script(*orders)
    for task in range(len(orders)):
        code, log = place.end(script, shell=shell, job=task + 1, task=task if len(orders) > 1 else None)
        assert (code, log) == (0, "")
    check_that_it_saw_what_was_asked(place, orders)


@pytest.mark.slow
def test_sbatch_makes_nothing_of_what_a_job_is_given(cluster: Cluster, tmp_path: Path) -> None:
    place = BatchFolder(tmp_path / 'it\'s a "work" %dir')
    asked: list[Order] = []
    everything = {
        "run": (sys.executable, "-I", "-S", "-c", SAY, "A,IFS", *NASTY),
        "env": {"A": "".join(NASTY), "IFS": "x"},
        "cwd": "a '$b'",
        "name": "\n#SBATCH -p small",
    }

    @settings(
        max_examples=25,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @example(given_jobs=[everything], value="\n#PBS -N owned\n", wckey="a@b")
    @example(given_jobs=[everything] * 3, value="\r\n$(touch owned)", wckey="x")
    @given(given_jobs=st.lists(jobs(), min_size=1, max_size=6), value=texts, wckey=wckeys)
    def check(given_jobs: list[dict[str, object]], value: str, wckey: str) -> None:
        seen = place.workdir / f"seen {len(asked)}"
        variables = {"value": value}
        shared: dict[str, object] = {"variables": variables, "sbatch": {"wckey": wckey}}
        orders = [order(len(asked) + 1 + n, **fields, **shared) for n, fields in enumerate(given_jobs)]
        asked.extend(orders)
        text = f"{{{{ header }}}}\n{{{{ claim }}}}\nprintf %s {{{{ value }}}} >{quote(str(seen))}\n{{{{ command }}}}\n"
        submit_and_wait(cluster, place, orders, SlurmSpec(templates={"main": text}, template="main"))
        check_that_it_saw_what_was_asked(place, orders)
        assert seen.read_bytes() == value.encode()

    check()
    assert len(list((place.folder / "attempts").iterdir())) == len(asked)
    said = [line for file in (place.folder / "slurm").iterdir() for line in file.read_text().splitlines()]
    assert [line for line in said if not line.startswith("slurmstepd: ")] == []  # Slurm may have its own troubles


def submit_and_wait(cluster: Cluster, place: BatchFolder, orders: Sequence[Order], slurm: SlurmSpec) -> None:
    """Submit orders as one batch; it has the name, the options and the tasks that it must have, and all succeed."""
    script = place.script(*orders, slurm=slurm, options=options(orders[0].spec, slurm))
    before = cluster.submitted_count()
    ran = cluster.run(*sbatch_argv(script), data=script)
    assert (ran.returncode, ran.stderr) == (0, "")
    works = [f"{each.job}.{each.attempt}" for each in orders]
    until(lambda: all(found.exit for found in place.read(*works).values()), "all have ended")
    job = ran.stdout.strip()
    until(lambda: states(cluster, job) == ["COMPLETED"] * len(orders), "Slurm knows that they have")
    assert cluster.submitted_count() - before == len(orders)
    wckeys_seen = cluster.run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%w").stdout.split()
    assert set(wckeys_seen) == {orders[0].spec.sbatch["wckey"].lower()}  # as Slurm keeps the names of accounting
    shown = cluster.run("scontrol", "show", "job", job).stdout
    assert shown.count(f"JobName={orders[0].token}\n") == len(orders)
    assert "owned" not in re.sub(r"Comment=.*", "", shown)


def states(cluster: Cluster, job: str) -> list[str]:
    """The states of a job's tasks."""
    return [row.state for row in cluster.jobs() if row.id.partition("_")[0] == job]


@given(value=texts | st.text(max_size=5), name=st.sampled_from(sorted(OPTIONS)))
def test_an_options_value_is_refused_or_reaches_sbatch_as_it_is(value: str, name: str) -> None:
    try:
        found = options(JobSpec(run="x", sbatch={name: value}, needs={}), SlurmSpec())
    except BadInput:
        return
    script = "\n".join(["#!/bin/sh", *(directive(*each) for each in found), "true"])
    assert directive_words(script) == [f"--{name}={value}" if value else f"--{name}" for name, value in found]


@given(data=st.data(), name=st.sampled_from(sorted(OPTIONS)))
def test_every_value_that_an_option_may_have_is_read_back_as_it_is(data: st.DataObject, name: str) -> None:
    value = data.draw(st.from_regex(OPTIONS[name][0], fullmatch=True).filter(bool))
    assert directive_words(f"#!/bin/sh\n{directive(name, value)}\ntrue") == [f"--{name}={value}"]


@pytest.mark.slow
def test_options_reach_slurm_through_directives_as_through_the_command_line(cluster: Cluster, tmp_path: Path) -> None:
    place = BatchFolder(tmp_path / "work")
    sbatch = {"nice": "7", "gres": "gpu:2", "constraint": "avx2", "nodelist": "n[1-2]", "exclusive": "user"}
    job = order(sbatch=sbatch, needs={"cpus": 2, "memory": 300 * 2**20, "matlab": 1}, timeout_us=90_000_000)
    script = place.script(job, options=options(job.spec, SlurmSpec()))
    shown: list[Mapping[str, str]] = []
    for argv in (["sbatch", "--parsable", "--hold"], [*sbatch_argv(script), "--hold"]):
        ran = cluster.run(*argv, data=script)
        assert ran.returncode == 0, ran.stderr
        lines = cluster.run("scontrol", "show", "job", ran.stdout.strip()).stdout.split()
        shown.append(dict(pair.split("=", 1) for pair in lines if "=" in pair))
    for found in shown:
        assert found["Features"] == "avx2"
        assert found["ReqNodeList"] == "n[1-2]"
        assert found["Licenses"] == "matlab:1"
        assert found["TimeLimit"] == "00:02:00"
        assert found["MinMemoryNode"] == "300M"
        assert found["CPUs/Task"] == "2"
        assert found["TresPerNode"] == "gres:gpu:2"


@pytest.mark.parametrize("value", NASTY)
def test_what_would_be_a_second_directive_is_refused_before_anything_is_sent(value: str) -> None:
    for name in ("qos", "constraint", "gres", "partition", "nodelist"):
        if any(each in value for each in "\n\r$`'\"\\") or value.startswith("-"):
            with pytest.raises(BadInput):
                options(JobSpec(run="x", sbatch={name: value}), SlurmSpec())
