"""Everything at once, in any order: after every commit the log, the records and the bounds agree; at the end all ended."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from holdfast.events.messages import Cancel, Command, Hold, Pause, Prioritise, Release, Resume, Retry
from holdfast.events.spec import JobSpec

from .home import spec
from .world import World

KINDS = ("after", "after_any", "after_failed")
NEEDS = ({"cpus": 1}, {"cpus": 2, "memory": 3}, {"cpus": 4}, {"memory": 10}, {})
LIMIT_KEYS = ((), (), ("seats",), ("api",), ("both", "seats"), ("seats:a", "api:a"))
RETRY_ON = (("failed", "timeout"), ("lost",), ("failed", "timeout", "lost"))
COMMANDS = (Cancel, Retry, Retry, Hold, Release)

Edge = tuple[int, int, str]


@st.composite
def flows(draw: st.DrawFn) -> tuple[list[dict[str, object]], list[Edge], list[Edge]]:
    """Jobs, edges inside (from one to an earlier one) and edges to what is there already (by its place)."""
    size = draw(st.integers(1, 5))
    fields = [
        {
            "needs": draw(st.sampled_from(NEEDS)),
            "limits": draw(st.sampled_from(LIMIT_KEYS)),
            "retries": draw(st.integers(0, 2)),
            "retry_on": draw(st.sampled_from(RETRY_ON)),
            "retry_delay_us": 100,
            "priority": draw(st.integers(-1, 1)),
            "hold": draw(st.sampled_from([False, False, False, True])),
            "key": draw(st.sampled_from([None, None, None, "k1", "k2"])),
        }
        for _ in range(size)
    ]
    edge = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.sampled_from(KINDS))
    inside = draw(st.lists(edge.filter(lambda each: each[1] < each[0]), max_size=6))
    outside = draw(
        st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, 100), st.sampled_from(KINDS)), max_size=3)
    )
    return fields, inside, outside


class EverythingAtOnce(RuleBasedStateMachine):
    """Clients, time, the runner and its link take turns."""

    world: World

    @initialize(seed=st.integers(0, 2**32), keeps_unmet=st.booleans())
    def begin(self, seed: int, *, keeps_unmet: bool) -> None:
        self.world = World(seed, keeps_unmet=keeps_unmet)

    @rule(flow=flows(), backwards=st.booleans(), named=st.booleans(), digest=st.sampled_from([None, None, "d"]))
    def submit(
        self,
        flow: tuple[list[dict[str, object]], list[Edge], list[Edge]],
        digest: str | None,
        *,
        backwards: bool,
        named: bool,
    ) -> None:
        fields, inside, outside = flow
        there = self.world.jobs
        jobs: list[JobSpec] = []
        keys: set[object] = set()
        for place, each in enumerate(fields):
            after: dict[str, list[str | int]] = {kind: [] for kind in KINDS}
            for job, needed, kind in inside:
                if job == place:
                    after[kind].append(f"j{needed}")
            for job, needed, kind in outside:
                if job == place and there:
                    after[kind].append(there[needed % len(there)])
            key = None if each["key"] in keys else each["key"]
            keys.add(key)
            jobs.append(spec(f"j{place}", **each | after | {"key": key}))
        self.world.submit(jobs[::-1] if backwards else jobs, "flow" if named else "", digest)

    def some_jobs(self, data: st.DataObject) -> tuple[int, ...]:
        jobs = self.world.jobs
        return tuple(data.draw(st.lists(st.sampled_from(jobs), max_size=4))) if jobs else ()

    def some_command(self, data: st.DataObject) -> Command:
        return data.draw(st.sampled_from(COMMANDS))(self.some_jobs(data))

    @rule(data=st.data())
    def somebody_wishes_something(self, data: st.DataObject) -> None:
        self.world.command(self.some_command(data))

    @rule(data=st.data())
    def several_wish_something_in_the_same_tick(self, data: st.DataObject) -> None:
        self.world.command(*[self.some_command(data) for _ in range(3)])

    @rule(data=st.data())
    def a_tick_fails(self, data: st.DataObject) -> None:
        self.world.command_in_vain(self.some_command(data))

    @rule(data=st.data(), priority=st.integers(-3, 3))
    def somebody_changes_a_priority(self, data: st.DataObject, priority: int) -> None:
        self.world.command(Prioritise(self.some_jobs(data), priority))

    @rule()
    def the_target_is_paused(self) -> None:
        self.world.command(Pause())

    @rule()
    def the_target_is_resumed(self) -> None:
        self.world.command(Resume())

    @rule(passed_us=st.integers(0, 300))
    def time_passes(self, passed_us: int) -> None:
        self.world.pass_time(passed_us)

    @rule()
    def what_fits_is_launched(self) -> None:
        self.world.launch()

    @rule()
    def what_fits_is_launched_and_the_commit_fails(self) -> None:
        self.world.launch(in_vain=True)

    @rule()
    def what_fits_is_launched_and_the_link_breaks_before_the_runner_hears_of_it(self) -> None:
        self.world.launch(unsent=True)

    @rule()
    def work_goes_on(self) -> None:
        self.world.launch()
        self.world.start_one()
        self.world.start_one()
        self.world.report()
        self.world.end_one()
        self.world.report()

    @rule()
    def an_attempt_starts(self) -> None:
        self.world.start_one()

    @rule()
    def an_attempt_ends(self) -> None:
        self.world.end_one()

    @rule()
    def the_runner_reports(self) -> None:
        self.world.report()

    @rule()
    def old_news_come_again(self) -> None:
        self.world.report_late()

    @rule()
    def the_link_breaks(self) -> None:
        self.world.disconnect()

    @rule()
    def the_link_stands_again(self) -> None:
        self.world.connect()

    @rule()
    def the_runner_is_restarted(self) -> None:
        self.world.restart_runner()

    @rule()
    def the_runner_is_replaced(self) -> None:
        self.world.replace_runner()

    @rule()
    def the_runner_forgets_something(self) -> None:
        self.world.forget_one()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.finish()


test_p2_p3_p4_everything_at_once_in_any_order = EverythingAtOnce.TestCase
test_p2_p3_p4_everything_at_once_in_any_order.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
