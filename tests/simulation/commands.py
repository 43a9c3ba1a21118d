"""The commands of a run: when each comes and from what source it is made. A prefix of them is a run of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from msgspec import Struct

from holdfast.events.messages import (
    AskStatus,
    Cancel,
    Configure,
    Dial,
    Hold,
    Pause,
    Prioritise,
    RecordStep,
    Release,
    Request,
    Resume,
    Retry,
    Submit,
)

from .flows import first_flow, random_calls, random_flow
from .slurm_cluster import CLUSTER
from .ways import HOSTS

COMMANDS_MAX: Final = 32
UNKNOWN_JOB: Final = 100_000
CLUSTERS: Final = 0.2
"""How many runs (0 to 1) have a cluster."""


class Moment(Struct, frozen=True):
    """One command: its number, how many seconds after the one before it comes, and the seed of all else about it."""

    number: int
    pause_s: float
    seed: str


def moments(seed: int, *, slurm: bool = False) -> list[Moment]:
    """When the commands of the run `seed` come; `slurm`: to a cluster alone, where everything takes longer."""
    random = Random(f"{seed}/commands")
    count = random.randint(6, COMMANDS_MAX)
    hurry_s = random.choice((0.01, 0.5, 2.0)) * (4 if slurm else 1)
    return [
        Moment(number, random.random() * hurry_s * random.choice((0.1, 1, 2)), f"{seed}/command/{number}")
        for number in range(count)
    ]


def hosts_of(seed: int) -> tuple[str, ...]:
    """The other machines that the run `seed` has."""
    return HOSTS[: Random(f"{seed}/hosts").choice((0, 0, 1, 2, 3, 3))]


def clusters_of(seed: int) -> tuple[str, ...]:
    """The clusters that the run `seed` has."""
    return (CLUSTER,) if Random(f"{seed}/clusters").random() < CLUSTERS else ()


def make(moment: Moment, random: Random, known: Sequence[int], hosts: Sequence[str]) -> Request:
    """The command itself, for jobs that are `known` by now."""
    if moment.number == 0:
        return Submit(first_flow(random, 0, hosts))
    if random.random() < 0.15:
        return Submit(random_calls(random, moment.number))
    if not known or random.random() < 0.35:
        return Submit(random_flow(random, moment.number, known, hosts))
    if hosts and random.random() < 0.15:
        return random.choice(_OF_HOSTS)(random, random.choice(hosts))
    kind = random.choice(_KINDS)
    return kind(random, known)


def _some(random: Random, known: Sequence[int]) -> tuple[int, ...]:
    # The newest are the likeliest to be alive.
    recent = known[-12:] if random.random() < 0.7 else known
    jobs = random.sample(recent, min(len(recent), random.choice((1, 1, 2, 4))))
    return (*jobs, UNKNOWN_JOB) if random.random() < 0.05 else tuple(jobs)


def _configure(random: Random, known: Sequence[int]) -> Request:
    del known
    return Configure({"local": {"cpus": random.choice((2, 3, 4, 6)), "gpus": random.choice((0, 1, 2))}})


_OF_HOSTS: Final[tuple[Callable[[Random, str], Request], ...]] = (
    lambda random, host: Configure({host: {"cpus": random.choice((1, 2, 4))}}),
    lambda _, host: Pause(host),
    lambda _, host: Resume(host),
    lambda _, host: Dial((host,)),
)
_KINDS: Final[tuple[Callable[[Random, Sequence[int]], Request], ...]] = (
    lambda random, known: Cancel(_some(random, known)),
    lambda random, known: Cancel(_some(random, known)),
    lambda random, known: Retry(_some(random, known)),
    lambda random, known: Retry(_some(random, known)),
    lambda random, known: Hold(_some(random, known)),
    lambda random, known: Release(_some(random, known)),
    lambda random, known: Prioritise(_some(random, known), random.randint(-9, 9)),
    lambda random, _: Pause(random.choice((None, "local", "local", "nowhere"))),
    lambda random, _: Resume(random.choice((None, "local"))),
    _configure,
    lambda _, __: AskStatus(),
    lambda random, _: RecordStep("charge", f"order {random.randrange(3)}", f'"{random.randrange(1000)}"'),
)
