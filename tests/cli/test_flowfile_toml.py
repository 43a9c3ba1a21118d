"""A flow in TOML becomes the jobs, limits and targets that it says, with the defaults that are promised."""

from pathlib import Path

import pytest

from holdfast.cli.flows.flowfile import parse_flow
from holdfast.cli.flows.tomllines import line_of
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec

FULL = b"""
[jobs.align]
run = ["bwa", "mem", "ref.fa", "reads.fq"]
after = ["fetch"]
after_any = "clean"
after_failed = ["fetch", 12]
target = "cluster"
needs = { cpus = 4, memory = "8GB", scratch = "1GiB", gpus = 1 }
limits = ["licence", "host:alpha"]
priority = -5
retries = 3
retry_on = ["failed", "lost", "timeout"]
retry_delay = "2s"
retry_delay_max = "10m"
timeout = "2h"
grace = "1m"
max_output = "1MB"
env = { OMP_NUM_THREADS = "4", EMPTY = "" }
cwd = "runs/a"
secrets = ["API_KEY"]
key = "align-a"
hold = true

[jobs.fetch]
run = "curl -O x |\\n\\tcat"

[jobs.clean]
run = "rm -rf tmp"
cwd = "/scratch/./x/"

[limits.licence]
concurrent = 2
rate = "10/s"
burst = 5

[limits.host]
concurrent = 1

[targets.local]
capacity = { cpus = 8, gpus = 1, memory = "16GiB" }
"""


def read(text: bytes, source: str = "flow.toml") -> FlowSpec:
    return parse_flow(text, source=source, folder=Path("/w"))


def job(line: str) -> JobSpec:
    return read(f'[jobs.a]\nrun = "x"\n{line}'.encode()).jobs[0]


def test_every_field_is_understood() -> None:
    align, fetch, clean = read(FULL).jobs
    assert align == JobSpec(
        run=("bwa", "mem", "ref.fa", "reads.fq"),
        name="align",
        cwd="runs/a",
        after=("fetch",),
        after_any=("clean",),
        after_failed=("fetch", 12),
        target="cluster",
        needs={"cpus": 4, "memory": 8 * 10**9, "scratch": 2**30, "gpus": 1},
        limits=("licence", "host:alpha"),
        priority=-5,
        retries=3,
        retry_on=("failed", "lost", "timeout"),
        retry_delay_us=2_000_000,
        retry_delay_max_us=600_000_000,
        timeout_us=7_200_000_000,
        grace_us=60_000_000,
        max_output_bytes=1_000_000,
        env={"OMP_NUM_THREADS": "4", "EMPTY": ""},
        secrets=("API_KEY",),
        key="align-a",
        hold=True,
    )
    assert fetch == JobSpec("curl -O x |\n\tcat", name="fetch", cwd="/w")
    assert clean == JobSpec("rm -rf tmp", name="clean", cwd="/scratch/x")


def test_limits_and_targets_are_understood() -> None:
    flow = read(FULL)
    assert flow.limits == {"licence": LimitSpec(2, 100_000, 5), "host": LimitSpec(1)}
    assert flow.targets == {"local": TargetSpec({"cpus": 8, "gpus": 1, "memory": 16 * 2**30})}


def test_a_job_takes_one_cpu_unless_it_says_otherwise() -> None:
    assert job("").needs == {"cpus": 1}
    assert job('needs = { memory = "1GB" }').needs == {"cpus": 1, "memory": 10**9}
    assert job("needs = { cpus = 0 }").needs == {"cpus": 0}


def test_a_plain_number_of_memory_or_output_is_bytes() -> None:
    assert job("needs = { memory = 4096 }").needs["memory"] == 4096
    assert job("max_output = 4096").max_output_bytes == 4096


def test_one_thing_may_stand_for_a_list_of_one() -> None:
    found = job('limits = "l"\nsecrets = "K"\nretry_on = "lost"\nafter = 7')
    assert (found.limits, found.secrets, found.retry_on, found.after) == (("l",), ("K",), ("lost",), (7,))


def test_a_retry_delay_above_the_default_maximum_raises_it() -> None:
    found = job('retry_delay = "10m"')
    assert (found.retry_delay_us, found.retry_delay_max_us) == (600_000_000, 600_000_000)


def test_a_maximum_below_the_default_retry_delay_lowers_it() -> None:
    found = job('retry_delay_max = "10ms"')
    assert (found.retry_delay_us, found.retry_delay_max_us) == (10_000, 10_000)


def test_a_tilde_in_cwd_is_not_expanded() -> None:
    assert job('cwd = "~/x"').cwd == "/w/~/x"


def test_two_dots_in_cwd_stay_for_the_host_to_follow() -> None:
    assert job('cwd = "../x"').cwd == "/w/../x"


def test_a_job_wins_over_the_defaults_and_env_is_merged() -> None:
    flow = read(
        b"""
        [defaults]
        retries = 2
        timeout = "1h"
        env = { A = "default", B = "default" }
        [jobs.a]
        run = "x"
        retries = 0
        env = { B = "own" }
        [jobs.b]
        run = "x"
        """
    )
    a, b = flow.jobs
    assert (a.retries, a.timeout_us, a.env) == (0, 3_600_000_000, {"A": "default", "B": "own"})
    assert (b.retries, b.timeout_us, b.env) == (2, 3_600_000_000, {"A": "default", "B": "default"})


def test_a_job_of_the_defaults_env_does_not_share_it_with_another() -> None:
    a, b = read(b'[defaults]\nenv = { A = "1" }\n[jobs.a]\nrun = "x"\n[jobs.b]\nrun = "x"').jobs
    assert a.env == b.env
    assert a.env is not b.env


def test_jobs_keep_the_order_of_the_file() -> None:
    text = "".join(f'[jobs.j{each}]\nrun = "x"\n' for each in (3, 1, 2))
    assert [job.name for job in read(text.encode()).jobs] == ["j3", "j1", "j2"]


@pytest.mark.parametrize("depth", [5_000])
def test_a_long_chain_of_dependencies_is_no_cycle_in_either_order(depth: int) -> None:
    lines = [f'[jobs.j{each}]\nrun = "x"\nafter = "j{each + 1}"\n' for each in range(depth)]
    text = "".join(lines) + f'[jobs.j{depth}]\nrun = "x"\n'
    assert len(read(text.encode()).jobs) == depth + 1


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf[jobs.a]\r\nrun = "x"\r\n').jobs[0].name == "a"


LINES = '''# jobs.a.retries = 1
[limits.l]
rate = "1/s"
[jobs.a]
run = """
retries = 7
[jobs.b]
"""
  retries    = 3 # retries
needs = { memory = 1, cpus = 2 }
"quo\\u0074ed" = 1
after = [
   "b",
]
jobs.inner = 1
[jobs.b]
run = "x"
[jobs.a.env]
A = "1"
'''


@pytest.mark.parametrize(
    "path,line",
    [
        (("limits", "l", "rate"), 3),
        (("jobs", "a"), 4),
        (("jobs", "a", "run"), 5),
        (("jobs", "a", "retries"), 9),
        (("jobs", "a", "needs", "cpus"), 10),
        (("jobs", "a", "after"), 12),
        (("jobs", "b"), 16),
        (("jobs", "b", "run"), 17),
        (("jobs", "a", "env"), 18),
        (("jobs", "a", "env", "A"), 19),
    ],
)
def test_the_line_of_a_key_is_where_its_statement_begins(path: tuple[str, ...], line: int) -> None:
    assert line_of(LINES, path) == line


def test_a_key_that_is_written_another_way_is_placed_at_its_table() -> None:
    assert line_of(LINES, ("jobs", "a", "quoted")) == 4


def test_a_key_that_is_not_there_has_the_line_of_what_is_around_it() -> None:
    assert line_of(LINES, ("jobs", "a", "nothing")) == 4
    assert line_of(LINES, ("nothing",)) is None


def test_in_a_long_text_no_line_is_looked_for() -> None:
    assert line_of(LINES + "#" * 2**20, ("jobs", "a")) is None
