"""What a job asks of Slurm: needs become options, options are allowed one by one, and nothing else gets through."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.errors import BadInput
from holdfast.events.sbatch import (
    MINUTE_US,
    OPTIONS,
    canonical,
    check_job_on_cluster,
    check_options,
    check_slurm,
    options,
    resources,
)
from holdfast.events.spec import JobSpec, PilotSpec, SlurmSpec

GOOD: Final = [
    ("account", "chem"),
    ("begin", "now+2hours"),
    ("begin", "2030-01-31T20:00"),
    ("constraint", "[rack1|rack2]&avx2*2"),
    ("contiguous", "true"),
    ("deadline", "2030-01-31"),
    ("distribution", "block:cyclic"),
    ("exclude", "n[1-3,7],gpu01"),
    ("exclusive", ""),
    ("exclusive", "user"),
    ("gpus", "a100:2"),
    ("gpus-per-node", "a100:2,h100:1"),
    ("gres", "gpu:a100:2,nvme:1"),
    ("gres-flags", "enforce-binding"),
    ("hint", "nomultithread"),
    ("mem-per-cpu", "4G"),
    ("nice", "-5"),
    ("nodelist", "n1"),
    ("ntasks-per-node", "8"),
    ("partition", "main,gpu"),
    ("qos", "long"),
    ("reservation", "class_1"),
    ("spread_job", "false"),
    ("switches", "1@30:00"),
    ("tmp", "500M"),
    ("wckey", "project.7"),
]
BAD: Final = [
    ("account", ""),
    ("account", "-chem"),
    ("begin", "now + 1hour"),
    ("constraint", "a b"),
    ("exclude", "/etc/passwd"),
    ("exclude", "-n1"),
    ("exclusive", "yes"),
    ("gpus", "a100:0"),
    ("gres", "gpu;id"),
    ("mem-per-cpu", "0"),
    ("mem-per-cpu", "4GB"),
    ("nice", "5x"),
    ("ntasks-per-node", "0"),
    ("partition", "main,"),
    ("qos", "long\n#SBATCH --uid=0"),
    ("qos", "long --uid=0"),
    ("qos", "l" * 1025),
    ("qos", "'long'"),
    ("qos", "$(id)"),
    ("reservation", "`id`"),
    ("wckey", "a#b"),
    ("wckey", "ä"),
]
HOLDFASTS: Final = [
    ("array", "arguments"),
    ("chdir", "cwd"),
    ("clusters", "target"),
    ("dependency", "after"),
    ("export", "env"),
    ("job_name", "name"),
    ("mem", "needs.memory"),
    ("nodes", "needs.nodes"),
    ("output", "holdfast logs"),
    ("requeue", "retries"),
    ("time", "timeout"),
    ("wrap", "run"),
]
TRICKS: Final = " \t\n\r\0'\"\\#;$`<>(){}"


@pytest.mark.parametrize("name,value", GOOD)
def test_an_option_may_be_given(name: str, value: str) -> None:
    check_options({name: value}, "jobs.a.sbatch")


@pytest.mark.parametrize("name,value", BAD)
def test_p7_a_value_that_its_option_does_not_take_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=rf"^jobs\.a\.sbatch\.{name}: .*; (?:give|use)"):
        check_options({name: value}, "jobs.a.sbatch")


@pytest.mark.parametrize("name,instead", HOLDFASTS)
def test_p7_what_holdfast_says_itself_is_refused_with_the_key_that_says_it(name: str, instead: str) -> None:
    with pytest.raises(BadInput, match=instead):
        check_options({name: "1"}, "jobs.a.sbatch")


@pytest.mark.parametrize("name", ["uid", "get-user-env", "reboot", "container", "--qos", "qos ", "", "qos\n"])
def test_p7_an_option_that_is_not_on_the_list_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="none of the options"):
        check_options({name: "1"}, "jobs.a.sbatch")


def test_p7_an_option_that_is_nearly_known_is_named() -> None:
    with pytest.raises(BadInput, match="did you mean constraint"):
        check_options({"constrain": "avx2"}, "jobs.a.sbatch")


def test_names_have_one_form_whichever_way_they_are_written() -> None:
    assert canonical({"mem_per_cpu": "1G", "ntasks-per-node": "2"}, "") == {"mem-per-cpu": "1G", "ntasks-per-node": "2"}


def test_p7_an_option_given_in_both_forms_is_refused() -> None:
    with pytest.raises(BadInput, match="twice"):
        canonical({"mem_per_cpu": "1G", "mem-per-cpu": "2G"}, "jobs.a.sbatch")


@given(st.sampled_from(sorted(OPTIONS)), st.text(max_size=12), st.sampled_from(TRICKS), st.text(max_size=12))
def test_p7_no_value_brings_a_blank_a_quote_or_a_second_line(name: str, head: str, trick: str, tail: str) -> None:
    if name == "constraint" and trick in "()":
        return  # these two belong to its expressions
    with pytest.raises(BadInput):
        check_options({name: head + trick + tail}, "jobs.a.sbatch")


@given(st.sampled_from(sorted(OPTIONS)), st.text(max_size=30))
def test_p7_what_is_allowed_is_plain_text_that_no_option_begins_with(name: str, value: str) -> None:
    try:
        check_options({name: value}, "jobs.a.sbatch")
    except BadInput:
        return
    assert value.isascii()
    assert value.isprintable()
    assert " " not in value
    assert not value.startswith("-") or name == "nice"


def test_needs_become_options() -> None:
    needs = {"cpus": 4, "memory": 8 * 10**9, "gpus": 2, "nodes": 3, "tasks": 12, "matlab": 1, "ansys@server": 2}
    assert dict(resources(needs, 90_000_000)) == {
        "cpus-per-task": "4",
        "mem": "7630M",
        "gpus": "2",
        "nodes": "3",
        "ntasks": "12",
        "licenses": "matlab:1,ansys@server:2",
        "time": "2",
    }


@pytest.mark.parametrize(
    "memory_bytes,option", [(0, None), (1, "1M"), (2**20, "1M"), (2**20 + 1, "2M"), (8 * 2**30, "8192M")]
)
def test_memory_is_rounded_up_to_whole_mebibytes(memory_bytes: int, option: str | None) -> None:
    assert dict(resources({"memory": memory_bytes}, None)).get("mem") == option


@pytest.mark.parametrize(
    "timeout_us,minutes", [(1, "1"), (MINUTE_US, "1"), (MINUTE_US + 1, "2"), (7200_000_000, "120")]
)
def test_time_is_rounded_up_to_whole_minutes(timeout_us: int, minutes: str) -> None:
    assert resources({}, timeout_us) == (("time", minutes),)


def test_a_need_of_0_is_left_out_so_that_slurm_gives_its_own() -> None:
    assert resources({"cpus": 0, "memory": 0, "gpus": 0, "nodes": 0, "tasks": 0, "matlab": 0}, None) == ()


@pytest.mark.parametrize("name", ["mat lab", "1a", "a:2", "a,b", "", "a\n", "-a", "a" * 200])
def test_p7_a_need_that_can_be_no_licence_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="licence"):
        resources({name: 1}, None, "jobs.a")


@pytest.mark.parametrize("name,amount", [("cpus", 65_534), ("memory", 2**53), ("tasks", 10**8), ("matlab", 2**40)])
def test_p7_more_than_slurm_can_count_is_refused(name: str, amount: int) -> None:
    if name == "memory":
        amount *= 2**8
    with pytest.raises(BadInput, match=rf"^jobs\.a\.needs\.{name}: "):
        resources({name: amount}, None, "jobs.a")


def _options(job: JobSpec, slurm: SlurmSpec | None = None) -> dict[str, str]:
    return dict(options(job, slurm or SlurmSpec(), "jobs.a"))


def test_the_jobs_options_stand_before_the_targets() -> None:
    slurm = SlurmSpec(partition="main", account="chem", sbatch={"qos": "long", "constraint": "avx2"})
    job = JobSpec("true", sbatch={"qos": "short", "partition": "gpu"})
    expected = {"account": "chem", "constraint": "avx2", "cpus-per-task": "1", "partition": "gpu", "qos": "short"}
    assert _options(job, slurm) == expected
    assert list(_options(job, slurm)) == sorted(expected)


def test_a_flag_has_no_value_and_false_takes_the_targets_off() -> None:
    slurm = SlurmSpec(sbatch={"exclusive": "true", "contiguous": ""})
    assert _options(JobSpec("true"), slurm) == {"cpus-per-task": "1", "exclusive": "", "contiguous": ""}
    assert _options(JobSpec("true", sbatch={"exclusive": "false"}), slurm) == {"cpus-per-task": "1", "contiguous": ""}


@pytest.mark.parametrize(
    "needs,sbatch",
    [
        ({"memory": 10**9}, {"mem_per_cpu": "1G"}),
        ({}, {"mem_per_cpu": "1G", "mem_per_gpu": "1G"}),
        ({"gpus": 2}, {"gpus_per_node": "2"}),
        ({"gpus": 2}, {"gres": "gpu:2"}),
        ({"gpus": 2}, {"gpus": "a100:3"}),
        ({"cpus": 2}, {"cpus_per_gpu": "2"}),
        ({}, {"exclusive": "true", "oversubscribe": "true"}),
    ],
)
def test_p7_two_ways_of_asking_for_one_thing_are_refused(needs: dict[str, int], sbatch: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"^jobs\.a: "):
        _options(JobSpec("true", needs=needs, sbatch=sbatch))


def test_the_kind_of_gpus_goes_with_their_number() -> None:
    assert _options(JobSpec("true", needs={"gpus": 2}, sbatch={"gpus": "a100:2"}))["gpus"] == "a100:2"


def test_the_jobs_way_of_asking_takes_the_place_of_the_targets() -> None:
    slurm = SlurmSpec(sbatch={"mem_per_cpu": "2G", "gres": "gpu:1"})
    assert _options(JobSpec("true", needs={"memory": 2**30, "gpus": 2}), slurm) == {"gpus": "2", "mem": "1024M"}
    assert _options(JobSpec("true", needs={}), slurm) == {"gres": "gpu:1", "mem-per-cpu": "2G"}
    other = SlurmSpec(sbatch={"gres": "nvme:1"})
    assert _options(JobSpec("true", needs={"gpus": 2}), other) == {"gpus": "2", "gres": "nvme:1"}
    mixed = SlurmSpec(sbatch={"gres": "gpu:1,nvme:1"})
    with pytest.raises(BadInput, match="of its own"):
        _options(JobSpec("true", needs={"gpus": 2}), mixed)


def test_a_job_that_says_nothing_of_cpus_leaves_them_to_its_gpus() -> None:
    job = JobSpec("true", sbatch={"gpus": "1", "cpus_per_gpu": "8"})
    assert _options(job) == {"cpus-per-gpu": "8", "gpus": "1"}


GOOD_TARGETS: Final = [
    SlurmSpec(),
    SlurmSpec(partition="main", account="chem", sbatch={"qos": "long"}),
    SlurmSpec(templates={"mpi": "{{ command }}"}, template="mpi"),
    SlurmSpec(pilot=PilotSpec(time_us=MINUTE_US, max=4)),
]
BAD_TARGETS: Final = [
    (SlurmSpec(partition="ma in"), "partition"),
    (SlurmSpec(partition="main", sbatch={"partition": "main"}), "sbatch.partition"),
    (SlurmSpec(account="a;b"), "account"),
    (SlurmSpec(sbatch={"time": "1"}), "sbatch.time"),
    (SlurmSpec(poll_us=999_999), "poll"),
    (SlurmSpec(max_queued=0), "max_queued"),
    (SlurmSpec(templates={"../mpi": ""}), "templates.../mpi"),
    (SlurmSpec(templates={"mpi": "\0"}), "templates.mpi"),
    (SlurmSpec(templates={"mpi": "x" * 65_537}), "templates.mpi"),
    (SlurmSpec(template="mpi"), "template"),
    (SlurmSpec(pilot=PilotSpec(nodes=0)), "pilot.nodes"),
    (SlurmSpec(pilot=PilotSpec(nodes=2)), "pilot.nodes"),
    (SlurmSpec(pilot=PilotSpec(max=0)), "pilot.max"),
    (SlurmSpec(pilot=PilotSpec(time_us=MINUTE_US - 1)), "pilot.time"),
    (SlurmSpec(pilot=PilotSpec(cpus=-1)), "pilot.cpus"),
    (SlurmSpec(pilot=PilotSpec(idle_us=0)), "pilot.idle"),
]


@pytest.mark.parametrize("spec", GOOD_TARGETS)
def test_a_target_is_taken(spec: SlurmSpec) -> None:
    check_slurm(spec, "targets.cluster")


@pytest.mark.parametrize("spec,where", BAD_TARGETS)
def test_p7_a_target_that_breaks_a_rule_is_refused_with_its_place(spec: SlurmSpec, where: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_slurm(spec, "targets.cluster")
    assert caught.value.where == f"targets.cluster.{where}"
    assert caught.value.remedy


@pytest.mark.parametrize(
    "job,where",
    [
        (JobSpec("true", sbatch={"uid": "0"}), "sbatch.uid"),
        (JobSpec("true", template="../x"), "template"),
        (JobSpec("true", variables={"a-b": "1"}), "variables"),
        (JobSpec("true", variables={"": "1"}), "variables"),
    ],
)
def test_p7_what_a_job_says_to_a_cluster_is_checked_without_it(job: JobSpec, where: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_job_on_cluster(job, "jobs.a")
    assert caught.value.where == f"jobs.a.{where}"
