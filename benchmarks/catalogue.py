"""All benchmarks, in the order of `./dev bench all`, and those that have options of their own."""

from __future__ import annotations

from typing import Final

from benchmarks import (
    acknowledge,
    actor_messages,
    callers,
    calls,
    footprint,
    hosts,
    imports,
    load,
    memory,
    runner_spawn,
    scheduling,
    slurm_arrays,
    slurm_large,
    slurm_latency,
    slurm_pilot,
    spawn,
    ssh_connections,
    ssh_latency,
    ssh_rate,
    staging,
    startup,
    store_append,
    store_rebuild,
    store_restart,
    submission,
)
from benchmarks.benchmark import Benchmark, Command
from benchmarks.limits import command as limits
from benchmarks.peers import command as peers

BENCHMARKS: Final[dict[str, Benchmark]] = {
    each.name: each
    for each in (
        spawn.BENCHMARK,
        runner_spawn.BENCHMARK,
        acknowledge.BENCHMARK,
        calls.BENCHMARK,
        callers.BENCHMARK,
        submission.BENCHMARK,
        store_append.BENCHMARK,
        store_rebuild.BENCHMARK,
        store_restart.BENCHMARK,
        scheduling.BENCHMARK,
        actor_messages.BENCHMARK,
        startup.BENCHMARK,
        imports.BENCHMARK,
        memory.BENCHMARK,
        footprint.BENCHMARK,
        load.BENCHMARK,
        staging.BENCHMARK,
        hosts.BENCHMARK,
        ssh_rate.BENCHMARK,
        ssh_latency.BENCHMARK,
        ssh_connections.BENCHMARK,
        slurm_arrays.BENCHMARK,
        slurm_pilot.BENCHMARK,
        slurm_latency.BENCHMARK,
        slurm_large.BENCHMARK,
    )
}
COMMANDS: Final[dict[str, Command]] = {each.name: each for each in (limits.COMMAND, peers.COMMAND)}
