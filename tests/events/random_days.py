"""Random days in the world: what clients, time, the runner and its link might do next, by how often they do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from holdfast.events.messages import Cancel, Command, Hold, Pause, Prioritise, Release, Resume, Retry
from holdfast.events.spec import JobSpec

from .cluster_side import CLUSTER
from .home import spec
from .world import World

KINDS: Final = ("after", "after", "after_any", "after_failed")
NEEDS: Final[tuple[dict[str, int], ...]] = (
    {"cpus": 1},
    {"cpus": 1},
    {"cpus": 2, "memory": 3},
    {"cpus": 4},
    {"memory": 10},
    {},
)
LIMITS: Final[tuple[tuple[str, ...], ...]] = ((), (), ("seats",), ("api",), ("both", "seats"), ("seats:a", "api:a"))
RETRY_ON: Final = (("failed", "timeout"), ("lost",), ("failed", "timeout", "lost"))


def submit(world: World) -> None:
    """A flow of some jobs that depend on each other, listed either way round, and on older ones."""
    random, there = world.random, world.jobs[-8:]
    size = random.randint(1, 6)
    jobs: list[JobSpec] = []
    for place in range(size):
        after: dict[str, list[str | int]] = {}
        for needed in range(place):
            if random.random() < 0.4:
                after.setdefault(random.choice(KINDS), []).append(f"j{needed}")
        if there and random.random() < 0.3:
            after.setdefault(random.choice(KINDS), []).append(random.choice(there))
        fields: dict[str, object] = {
            "needs": random.choice(NEEDS),
            "limits": random.choice(LIMITS),
            "retries": random.choice((0, 0, 1, 2)),
            "retry_on": random.choice(RETRY_ON),
            "retry_delay_us": 100,
            "priority": random.randint(-1, 1),
            "hold": random.random() < 0.1,
            "key": f"k{place}" if random.random() < 0.1 else None,
        }
        if random.random() < 0.3:
            fields |= {"target": CLUSTER, "cwd": ""}
        jobs.append(spec(f"j{place}", **fields, **after))
    name, digest = random.choice((("", None), ("flow", None), ("flow", "d")))
    world.submit(jobs[:: random.choice((1, -1))], name, digest)


def submit_a_chain_there(world: World) -> None:
    """Jobs on the cluster, each after the one before it in one way or another, and some after others as well."""
    random = world.random
    jobs: list[JobSpec] = []
    for place in range(random.randint(2, 5)):
        after: dict[str, list[str | int]] = {random.choice(KINDS): [f"j{place - 1}"]} if place else {}
        if place > 1 and random.random() < 0.3:
            after.setdefault(random.choice(KINDS), []).append(f"j{random.randrange(place - 1)}")
        retries = random.choice((0, 0, 0, 1))
        fields = {"needs": random.choice(NEEDS), "retries": retries, "retry_on": random.choice(RETRY_ON)}
        jobs.append(spec(f"j{place}", **fields, retry_delay_us=20, target=CLUSTER, cwd="", **after))
    world.submit(jobs)


def _some_jobs(world: World) -> tuple[int, ...]:
    return tuple(world.random.choices(world.jobs, k=world.random.randint(1, 4))) if world.jobs else ()


def _some_command(world: World) -> Command:
    wish: Callable[[tuple[int, ...]], Command] = world.random.choice((Cancel, Retry, Retry, Hold, Release))
    return wish(_some_jobs(world))


def somebody_wishes_something(world: World) -> None:
    """One command in a tick."""
    world.command(_some_command(world))


def several_wish_something_in_the_same_tick(world: World) -> None:
    """Each sees what those before it did."""
    world.command(*(_some_command(world) for _ in range(3)))


def a_tick_fails(world: World) -> None:
    """Its commit is refused, and nothing of it may be left."""
    world.command_in_vain(_some_command(world))


def somebody_changes_a_priority(world: World) -> None:
    """Of some jobs."""
    world.command(Prioritise(_some_jobs(world), world.random.randint(-3, 3)))


def the_target_is_paused_or_resumed(world: World) -> None:
    """More often the latter."""
    world.command(world.random.choice((Pause(), Resume(), Resume())))


def time_passes(world: World) -> None:
    """Less than a back-off, or more."""
    world.pass_time(world.random.choice((0, 1, 30, 300)))


def launch_in_vain(world: World) -> None:
    """The commit of launches is refused."""
    world.launch(in_vain=True)


def launch_unsent(world: World) -> None:
    """The link breaks after the commit of launches, before the runner hears of them."""
    world.launch(unsent=True)


def _anything_in_flight_may_go_on(world: World) -> None:
    for _ in range(world.random.randint(1, 4)):
        world.random.choice((world.start_one, world.start_one, world.end_one))()


def launch_on_the_cluster_in_vain(world: World) -> None:
    """The commit of launches there is refused."""
    world.launch_there(in_vain=True)


def jobs_go_behind_others_there_in_vain(world: World) -> None:
    """The commit of launches behind others is refused."""
    world.launch_behind(in_vain=True)


def a_batch_is_planned(world: World) -> None:
    """Or its commit is refused, and it is planned later."""
    world.cluster.plan(in_vain=world.random.random() < 0.2)


def something_happens_to_a_batch(world: World) -> None:
    """It is sent, looked up, waits for something else, or is over."""
    side = world.cluster
    world.random.choice((side.send, side.send, side.send, side.look_up, side.wait, side.close))()


def the_cluster_goes_on(world: World) -> None:
    """Attempts start and end there."""
    there = world.cluster
    for _ in range(world.random.randint(1, 4)):
        world.random.choice((there.start_one, there.start_one, there.end_one, there.cluster.take_out))()


def the_cluster_is_asked(world: World) -> None:
    """And answers, as far as it can be understood."""
    world.cluster.report()


def the_cluster_does_not_answer(world: World) -> None:
    """Nothing is known of what is there."""
    world.cluster.disconnect()


ACTIONS: Final[dict[Callable[[World], None], int]] = {
    submit: 4,
    somebody_wishes_something: 4,
    several_wish_something_in_the_same_tick: 3,
    a_tick_fails: 1,
    somebody_changes_a_priority: 1,
    the_target_is_paused_or_resumed: 1,
    time_passes: 8,
    World.launch: 10,
    launch_in_vain: 1,
    launch_unsent: 1,
    _anything_in_flight_may_go_on: 14,
    World.report: 10,
    World.report_late: 3,
    World.stage: 1,
    World.disconnect: 1,
    World.connect: 3,
    World.restart_runner: 1,
    World.replace_runner: 1,
    World.forget_one: 1,
    World.launch_there: 6,
    launch_on_the_cluster_in_vain: 1,
    a_batch_is_planned: 5,
    something_happens_to_a_batch: 8,
    World.launch_behind: 3,
    jobs_go_behind_others_there_in_vain: 1,
    the_cluster_goes_on: 6,
    the_cluster_is_asked: 6,
    the_cluster_does_not_answer: 1,
}


ON_THE_CLUSTER: Final[dict[Callable[[World], None], int]] = {
    submit_a_chain_there: 4,
    somebody_wishes_something: 2,
    several_wish_something_in_the_same_tick: 1,
    the_target_is_paused_or_resumed: 1,
    time_passes: 4,
    World.launch_there: 10,
    World.launch_behind: 16,
    jobs_go_behind_others_there_in_vain: 1,
    a_batch_is_planned: 14,
    something_happens_to_a_batch: 20,
    the_cluster_goes_on: 10,
    the_cluster_is_asked: 10,
    the_cluster_does_not_answer: 1,
}


def live_through(seed: int, actions: int, chances: Mapping[Callable[[World], None], int] = ACTIONS) -> World:
    """A world after so many random actions, brought to its end. The same seed gives the same day."""
    random = Random(seed)
    world = World(seed, keeps_unmet=random.random() < 0.5)
    for action in random.choices(list(chances), list(chances.values()), k=actions):
        action(world)
    world.finish()
    return world
