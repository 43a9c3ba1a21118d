"""Random flows: every kind of dependency, need, limit and policy, most of them legal."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

import msgspec
from msgspec.structs import replace

from holdfast.events.spec import FUNCTIONS, Call, FlowSpec, JobSpec, LimitSpec, SlurmSpec, SshSpec, TargetSpec

from .calls import PLAIN, UNKNOWN, WORK
from .scripts import long_command, random_command
from .slurm_cluster import CLUSTER
from .slurm_commands import NOWHERE

CAPACITY: Final = {"cpus": 4, "gpus": 1}
HOST_CAPACITY: Final = {"cpus": 3, "gpus": 1}
LIMITS: Final = ("licence", "api", "both")
_KEYS: Final = ("licence", "api", "both", "licence:a", "licence:b", "api:a", "both:a")
_FAVOURITES: Final = ("licence", "licence", "both", "both", "api", "licence:a", "both:a")
_UNKNOWN_LIMIT: Final = "undeclared"
_RETRY_ON: Final = (("failed", "timeout"), ("failed", "timeout", "lost"), ("failed", "lost"), ())


def random_limit(random: Random) -> LimitSpec:
    """A limit on concurrency, on rate, or on both."""
    kind = random.randrange(3)
    concurrent = random.choice((1, 1, 2, 3)) if kind != 1 else None
    interval_us = random.choice((50_000, 300_000, 1_000_000)) if kind != 0 else None
    return LimitSpec(concurrent, interval_us, random.randint(1, 3) if interval_us else 1)


def first_flow(random: Random, number: int, hosts: Sequence[str]) -> FlowSpec:
    """A flow that also says what every limit is, so that later ones can name them."""
    limits = {name: random_limit(random) for name in LIMITS}
    return random_flow(random, number, (), hosts, limits)


def random_flow(
    random: Random,
    number: int,
    known: Sequence[int],
    hosts: Sequence[str],
    limits: dict[str, LimitSpec] | None = None,
) -> FlowSpec:
    """A flow of a few jobs; `number` makes its names unique. `known`: ids that it may depend on."""
    if CLUSTER in hosts and random.random() < (0.25 if number else 0.6):
        return _alike(random, number, limits or {})
    if CLUSTER in hosts and random.random() < 0.3:
        return _chain(random, number, known, limits or {})
    count = random.choice((1, 2, 3, 5, 8))
    names = [f"f{number}j{place}" for place in range(count)]
    # Jobs that start at the same moment and share a limit are what can exceed it.
    favourite = random.choice(_FAVOURITES)
    jobs = tuple(_job(random, names, place, known, favourite) for place in range(count))
    jobs = tuple(_elsewhere(random, job, hosts) for job in jobs)
    if limits is None:
        limits = {random.choice(LIMITS): random_limit(random)} if random.random() < 0.2 else {}
    targets: dict[str, TargetSpec] = {}
    if random.random() < 0.1:
        targets["local"] = TargetSpec({"cpus": random.randint(2, 5)})
    if hosts and random.random() < 0.1:
        host = random.choice(hosts)
        slurm = random_cluster(random) if host == CLUSTER else None
        ssh = SshSpec(host, python=random.choice(("", "python3")))
        targets[host] = TargetSpec({"cpus": random.randint(1, 3)}, ssh, slurm)
    digest = f"digest-{random.randrange(3)}" if random.random() < 0.1 else None
    name = f"flow{number}" if digest or random.random() < 0.5 else ""
    return FlowSpec(jobs, name, digest, random.random() < 0.3, limits, targets)


def _elsewhere(random: Random, job: JobSpec, hosts: Sequence[str]) -> JobSpec:
    """The same job on another machine, as a rule, if there are any."""
    if not hosts or random.random() < 0.4:
        return job
    host = random.choice(hosts)
    if host != CLUSTER:
        return replace(job, target=host, cwd="")
    job = replace(job, target=host, cwd="", sbatch={"partition": NOWHERE} if random.random() < 0.02 else {})
    if random.random() < 0.3:
        job = replace(job, run=long_command(random), timeout_us=random.choice((None, 1_000_000)))
    return job


def _alike(random: Random, number: int, limits: dict[str, LimitSpec]) -> FlowSpec:
    """Jobs that differ in their arguments alone, which go to a cluster as an array."""
    make = random.choice((random_command, long_command))
    first = replace(_job(random, ["each"], 0, (), random.choice(_FAVOURITES)), target=CLUSTER, cwd="", key=None)
    count = random.choice((2, 3, 5, 9))
    jobs = tuple(replace(first, name=f"f{number}j{place}", run=make(random)) for place in range(count))
    return FlowSpec(jobs, limits=limits)


def _chain(random: Random, number: int, known: Sequence[int], limits: dict[str, LimitSpec]) -> FlowSpec:
    """Jobs of a cluster that come after each other, and hold nothing that would keep them from its queue."""
    names = [f"f{number}j{place}" for place in range(random.choice((2, 3, 4, 6)))]
    jobs: list[JobSpec] = []
    for place in range(len(names)):
        run = random_command(random) if place else long_command(random)
        job = _job(random, names, place, known, "")
        jobs.append(
            replace(job, target=CLUSTER, cwd="", key=None, limits=(), run=run, retries=random.choice((0, 0, 1)))
        )
    chained = [
        job if job.after or not place else replace(job, after=(names[random.randrange(place)],))
        for place, job in enumerate(jobs)
    ]
    return FlowSpec(tuple(chained), limits=limits)


def random_cluster(random: Random) -> SlurmSpec:
    """How a cluster is used."""
    return SlurmSpec(
        partition=random.choice(("", "main")),
        poll_us=random.choice((1_000_000, 3_000_000, 10_000_000)),
        max_queued=random.choice((2, 4, 500, 500)),
        native_dependencies=random.random() < 0.7,
    )


def random_calls(random: Random, number: int) -> FlowSpec:
    """A few jobs that call functions of the program, some of them for the same order; one may follow another."""
    names = [f"f{number}c{place}" for place in range(random.choice((1, 2, 4)))]
    jobs = tuple(
        JobSpec(
            call=_call(random),
            target=FUNCTIONS,
            name=name,
            after_any=(names[0],) if place and random.random() < 0.2 else (),
            needs={"calls": random.choice((1, 1, 2))},
            retries=random.choice((0, 1, 3)),
            retry_on=random.choice(_RETRY_ON),
            retry_delay_us=random.choice((0, 100_000, 3_000_000)),
            retry_delay_max_us=5_000_000,
            timeout_us=random.choice((None, None, None, 300_000)),
            key=f"call{random.randrange(12)}-{place}" if random.random() < 0.15 else None,
        )
        for place, name in enumerate(names)
    )
    return FlowSpec(jobs, again=True)


def _call(random: Random) -> Call:
    if random.random() < 0.2:
        return _given(PLAIN, {"fails": random.random() < 0.3})
    arguments: dict[str, object] = {
        "order": f"order{random.randrange(20)}",
        "steps": random.choice((0, 1, 2, 4)),
        "duration_us": random.randint(0, random.choice((1_000, 100_000, 3_000_000))),
        "fails_before": random.choice((0, 0, 0, 2, 3)),
        "tidies": random.random() < 0.3,
    }
    return _given(UNKNOWN if random.random() < 0.03 else WORK, arguments)


def _given(function: str, arguments: dict[str, object]) -> Call:
    return Call(function, msgspec.json.encode(arguments).decode())


def _job(random: Random, names: Sequence[str], place: int, known: Sequence[int], favourite: str) -> JobSpec:
    after, after_any, after_failed = _dependencies(random, names[:place], known)
    return JobSpec(
        run=random_command(random),
        name=names[place],
        after=after,
        after_any=after_any,
        after_failed=after_failed,
        needs=_needs(random),
        limits=_limits(random, favourite),
        priority=random.choice((0, 0, 0, 5, -5)),
        retries=random.choice((0, 1, 1, 3)),
        retry_on=random.choice(_RETRY_ON),
        retry_delay_us=random.choice((0, 100_000, 3_000_000)),
        retry_delay_max_us=random.choice((100_000, 5_000_000)),
        timeout_us=random.choice((None, None, None, 10_000, 1_000_000)),
        grace_us=random.choice((0, 50_000, 2_000_000)),
        env={"MARK": names[place]},
        secrets=("HOLDFAST_SIMULATION_HAS_NO_SUCH_SECRET",) if random.random() < 0.02 else (),
        key=f"key{random.randrange(12)}-{place}" if random.random() < 0.15 else None,
        hold=random.random() < 0.08,
    )


def _limits(random: Random, favourite: str) -> tuple[str, ...]:
    if random.random() < 0.45:
        return (favourite,)
    keys = tuple(random.sample(_KEYS, random.choice((0, 0, 0, 1, 1, 2))))
    return (*keys, _UNKNOWN_LIMIT) if random.random() < 0.003 else keys


def _needs(random: Random) -> dict[str, int]:
    needs = {"cpus": random.choice((0, 0, 1, 1, 1, 2, 3))}
    if random.random() < 0.15:
        needs["gpus"] = 1
    return needs


Names = tuple[str | int, ...]


def _dependencies(random: Random, earlier: Sequence[str], known: Sequence[int]) -> tuple[Names, Names, Names]:
    candidates: list[str | int] = [*earlier, *random.sample(known, min(len(known), 2))]
    kinds: tuple[list[str | int], list[str | int], list[str | int]] = ([], [], [])
    if candidates and random.random() < 0.65:
        for each in random.sample(candidates, min(len(candidates), random.choice((1, 1, 2, 3)))):
            kinds[random.choice((0, 0, 0, 1, 1, 2))].append(each)
    return tuple(kinds[0]), tuple(kinds[1]), tuple(kinds[2])
