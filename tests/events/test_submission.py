"""Submitting: refused whole or recorded whole; keys and flows that were there before; ends that came before."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest

from holdfast.events.checks import NUMBER_MAX, PRIORITY_MAX
from holdfast.events.decide import decide
from holdfast.events.errors import BadInput
from holdfast.events.facts import FlowSubmitted, JobReady, JobSkipped, JobSubmitted, LimitConfigured, TargetConfigured
from holdfast.events.graph import Kind, Verdict, judge
from holdfast.events.messages import Cancel, Submit, Submitted
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec, TargetSpec
from holdfast.events.states import FINAL, Held, Ready, Skipped, Waiting

from .home import CAPACITY, Home, spec
from .memory_base import MemoryBase

GOOD = JobSpec("true", "good")


def flow_of(*jobs: JobSpec, **fields: object) -> FlowSpec:
    return msgspec.structs.replace(FlowSpec(jobs, targets={"local": TargetSpec(CAPACITY)}), **fields)


def job_with(**fields: object) -> FlowSpec:
    return flow_of(GOOD, spec("a", **fields))


REFUSED: list[tuple[str, FlowSpec, str, str]] = [
    ("no jobs", FlowSpec(()), "jobs", "no jobs"),
    ("no command", job_with(run=[]), "jobs.a.run", "no command"),
    ("blank command", job_with(run="  "), "jobs.a.run", "no command"),
    ("empty program", job_with(run=["", "x"]), "jobs.a.run", "no command"),
    ("NUL in command", job_with(run=["echo", "a\0b"]), "jobs.a", "NUL"),
    ("not UTF-8", flow_of(GOOD, JobSpec(("echo", "\udce9"), "a")), "jobs.a", "UTF-8"),
    ("not UTF-8 in env", flow_of(GOOD, JobSpec("true", "a", env={"A": "\udce9"})), "jobs.a.env", "UTF-8"),
    ("variable without name", job_with(env={"": "1"}), "jobs.a.env", "name of a variable"),
    ("variable with =", job_with(env={"A=": "1"}), "jobs.a.env", "name of a variable"),
    ("secret with =", job_with(secrets=["A=1"]), "jobs.a.secrets", "name of a variable"),
    ("unknown target", job_with(target="moon"), "jobs.a.target", "no target 'moon'"),
    ("unknown target configured", flow_of(GOOD, targets={"moon": TargetSpec({})}), "targets.moon", "no target"),
    ("negative capacity", flow_of(GOOD, targets={"local": TargetSpec({"x": -1})}), "targets.local.capacity.x", "-1"),
    (
        "needs too much",
        job_with(needs={"cpus": 5}),
        "jobs.a.needs.cpus",
        "needs cpus = 5, but the target 'local' has 4",
    ),
    ("needs what is not there", job_with(needs={"gpus": 1}), "jobs.a.needs.gpus", "has 0"),
    ("needs less than nothing", job_with(needs={"cpus": -1}), "jobs.a.needs.cpus", "-1 is out of bounds"),
    ("unknown limit", job_with(limits=["api"]), "jobs.a.limits", "no limit 'api'"),
    ("limit twice", flow_of(spec("a", limits=["l", "l"]), limits={"l": LimitSpec(2)}), "jobs.a.limits", "twice"),
    ("limit with colon", flow_of(GOOD, limits={"a:b": LimitSpec(1)}), "limits", "name of a limit"),
    ("limit without name", flow_of(GOOD, limits={"": LimitSpec(1)}), "limits", "name of a limit"),
    ("limit of none", flow_of(GOOD, limits={"l": LimitSpec(0)}), "limits.l.concurrent", "0 is out of bounds"),
    ("limit without time", flow_of(GOOD, limits={"l": LimitSpec(None, 0)}), "limits.l.rate", "0 is out of bounds"),
    ("limit without burst", flow_of(GOOD, limits={"l": LimitSpec(None, 1, 0)}), "limits.l.burst", "0 is out of"),
    ("priority too high", job_with(priority=PRIORITY_MAX + 1), "jobs.a.priority", "out of bounds"),
    ("unknown retry", job_with(retry_on=["rain"]), "jobs.a.retry_on", "'rain'"),
    ("negative retries", job_with(retries=-1), "jobs.a.retries", "-1"),
    ("negative delay", job_with(retry_delay_us=-1), "jobs.a.retry_delay", "-1"),
    ("huge delay", job_with(retry_delay_max_us=NUMBER_MAX + 1), "jobs.a.retry_delay_max", "out of bounds"),
    ("negative grace", job_with(grace_us=-1), "jobs.a.grace", "-1"),
    ("negative output", job_with(max_output_bytes=-1), "jobs.a.max_output", "-1"),
    ("no time", job_with(timeout_us=0), "jobs.a.timeout", "0"),
    ("name twice", flow_of(GOOD, GOOD), "jobs.good", "more than one job"),
    ("unknown name", job_with(after=["god"]), "jobs.a.after", "no job 'god'"),
    ("unknown name, from a job without one", flow_of(GOOD, spec(after=["god"])), "jobs.2.after", "no job 'god'"),
    ("unknown id", job_with(after_any=[99]), "jobs.a.after_any", "no job 99"),
    ("itself", job_with(after=["a"]), "jobs.a.after", "depends on itself"),
    ("cycle", flow_of(spec("a", after=["b"]), spec("b", after_failed=["a"])), "jobs.a", "a -> b -> a"),
    ("key twice", flow_of(spec("a", key="k"), spec("b", key="k")), "jobs.b.key", "'k'"),
]


@pytest.mark.parametrize("flow,where,problem", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_p7_what_breaks_a_rule_is_refused_whole_with_where_and_a_remedy(
    flow: FlowSpec, where: str, problem: str
) -> None:
    home = Home()
    home.submit(spec("there"))
    draft = home.draft()
    with pytest.raises(BadInput) as caught:
        decide(draft, Submit(flow))
    assert caught.value.where == where
    assert problem in str(caught.value)
    assert caught.value.remedy
    assert draft.entries == []
    assert not draft.jobs.changed
    assert not draft.limits.changed
    assert not draft.targets.changed
    assert (draft.new_jobs, draft.new_flows, draft.keys, draft.unmet) == (0, 0, {}, {})


def test_jobs_without_a_name_may_depend_on_others_each_for_itself() -> None:
    home = Home()
    ids = home.submit(spec("a"), spec("b"), spec(after=["a"]), spec(after=["b"]))
    home.ran(ids[0])
    assert home.names(*ids) == ["succeeded", "ready", "ready", "waiting"]


def test_a_flow_is_recorded_with_what_it_configures_and_its_jobs_name_it_as_their_cause() -> None:
    home = Home()
    home.submit(spec("a", limits=["api"]), spec("b", after=["a"]), limits={"api": LimitSpec(1)}, name="mine")
    types = [type(event) for event in home.events]
    assert types == [FlowSubmitted, LimitConfigured, TargetConfigured, JobSubmitted, JobSubmitted]
    assert [entry.cause for entry in home.entries] == [None, -1, -1, -1, -1]
    submitted = home.events[4]
    assert isinstance(submitted, JobSubmitted)
    assert (submitted.flow, submitted.spec.after) == ("mine-1", (1,))


def test_what_is_configured_already_as_the_flow_says_is_not_recorded_again() -> None:
    home = Home()
    home.submit(spec("a"), limits={"api": LimitSpec(1)})
    home.submit(spec("a"), limits={"api": LimitSpec(1)})
    assert [type(event) for event in home.events] == [JobSubmitted]


def test_a_job_may_be_named_twice_in_one_list_or_by_name_and_id_and_counts_once() -> None:
    home = Home()
    (first,) = home.submit(spec("a", key="k"))
    ids = home.submit(spec("a", key="k"), spec("b", after=["a", "a", first, first], after_any=["a"]))
    assert ids[0] == first
    assert home.base.records.jobs[ids[1]].state == Waiting(home.now)
    assert home.base.unmet(ids[1]) == 2
    home.ran(first)
    assert home.names(ids[1]) == ["ready"]


def test_a_key_that_was_submitted_before_is_that_job_whatever_became_of_it() -> None:
    home = Home()
    (first,) = home.submit(spec("a", key="k"))
    home.ran(first)
    answer = home.do(Submit(flow_of(spec("b", key="other"), spec("a", key="k"), spec("c", after=["a"]))))
    assert isinstance(answer, Submitted)
    assert (answer.jobs, answer.known) == ((2, first, 3), (first,))
    assert home.names(3) == ["ready"]


def test_the_same_key_twice_in_one_tick_is_one_job() -> None:
    home = Home()
    draft = home.draft()
    flow = flow_of(spec("a", key="k"))
    first, second = decide(draft, Submit(flow)), decide(draft, Submit(flow))
    third = decide(draft, Submit(flow_of(spec("b"))))
    assert first == Submitted((1,))
    assert second == Submitted((1,), known=(1,))
    assert third == Submitted((2,))
    home.commit(draft)
    assert home.do(Submit(flow)) == second


@pytest.mark.parametrize("one_tick", [True, False])
def test_a_flow_whose_equal_is_unfinished_goes_on_with_that_one_unless_told_otherwise(*, one_tick: bool) -> None:
    home = Home()
    draft = home.draft()

    def submit(flow: FlowSpec) -> object:
        return decide(draft, Submit(flow)) if one_tick else home.do(Submit(flow))

    flow = flow_of(spec("a"), name="mine", digest="d")
    assert submit(flow) == Submitted((1,), "mine-1")
    assert submit(flow) == Submitted((), "mine-1", continued=True)
    assert submit(msgspec.structs.replace(flow, again=True)) == Submitted((2,), "mine-2")
    assert submit(flow) == Submitted((), "mine-2", continued=True)
    if one_tick:
        decide(draft, Cancel((2,)))
    else:
        home.do(Cancel((2,)))
    assert submit(flow) == Submitted((), "mine-1", continued=True)


def test_a_flow_whose_equal_has_finished_is_a_new_one() -> None:
    home = Home()
    flow = flow_of(spec("a"), name="mine", digest="d")
    home.do(Submit(flow))
    home.do(Cancel((1,)))
    assert home.do(Submit(flow)) == Submitted((2,), "mine-2")


def ended_every_way(home: Home) -> dict[str, int]:
    """A job for each way to end."""
    names = ("succeeded", "failed", "cancelled", "lost")
    first = dict(zip(names, home.submit(*map(spec, names)), strict=True))
    ids = home.submit(spec("skipped", after=[first["failed"]]), spec("unneeded", after_failed=[first["succeeded"]]))
    home.ran(first["succeeded"])
    home.ran(first["failed"], exit_code=1)
    home.do(Cancel((first["cancelled"],)))
    home.started(first["lost"])
    home.says(first["lost"], "ended", how="lost", ended_at=home.now)
    return first | {"skipped": ids[0], "unneeded": ids[1]}


ENDS = ("succeeded", "failed", "cancelled", "lost", "skipped", "unneeded")


@pytest.mark.parametrize("hold", [False, True], ids=["", "held"])
@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.key)
@pytest.mark.parametrize("end", ENDS)
def test_a_dependency_on_a_job_that_ended_before_is_judged_at_once(end: str, kind: Kind, *, hold: bool) -> None:
    home = Home()
    needed = ended_every_way(home)[end]
    job, below = home.submit(spec("a", hold=hold, **{kind.key: [needed]}), spec("b", after=["a"]))
    ended = home.state(needed)
    assert isinstance(ended, FINAL)
    verdict = judge(kind, ended)
    state = home.state(job)
    if verdict is Verdict.MET:
        assert isinstance(state, Held if hold else Ready)
        assert home.names(below) == ["waiting"]
    else:
        assert isinstance(state, Skipped)
        assert state.because == needed
        assert state.unneeded is (verdict is Verdict.UNNEEDED)
        last = home.state(below)
        assert isinstance(last, Skipped)
        assert (last.because, last.unneeded) == (job, state.unneeded)


@pytest.mark.parametrize("kinds,ends", list(product(product(Kind, repeat=2), product(ENDS, repeat=2))))
def test_two_dependencies_on_jobs_that_ended_before_must_both_be_met(
    kinds: tuple[Kind, Kind], ends: tuple[str, str]
) -> None:
    home = Home()
    there = ended_every_way(home)
    fields: dict[str, list[int]] = {}
    for kind, end in zip(kinds, ends, strict=True):
        fields.setdefault(kind.key, []).append(there[end])
    (job,) = home.submit(spec("a", **fields))
    verdicts: list[Verdict] = []
    for kind, end in zip(kinds, ends, strict=True):
        state = home.state(there[end])
        assert isinstance(state, FINAL)
        verdicts.append(judge(kind, state))
    assert isinstance(home.state(job), Ready) is (set(verdicts) == {Verdict.MET})
    assert isinstance(home.state(job), Skipped) is (set(verdicts) != {Verdict.MET})


@pytest.mark.parametrize("keeps_unmet", [True, False])
def test_a_job_waits_for_all_it_depends_on_in_whatever_order_and_tick_they_end(*, keeps_unmet: bool) -> None:
    home = Home(MemoryBase(keeps_unmet=keeps_unmet))
    a, b, job = home.submit(spec("a"), spec("b"), spec("c", after=["a", "b"], after_any=["a"]))
    home.ran(b)
    assert home.names(job) == ["waiting"]
    home.ran(a)
    assert home.names(job) == ["ready"]
    assert isinstance(home.events[-1], JobReady)


def test_a_chain_of_skips_of_any_depth_is_followed() -> None:
    home = Home()
    first, *rest = home.submit(*(spec(f"j{n}", after=[f"j{n - 1}"] if n else []) for n in range(5_000)))
    home.ran(first, exit_code=1)
    assert set(home.names(*rest)) == {"skipped"}
    skips = [entry for entry in home.entries if isinstance(entry.event, JobSkipped)]
    assert [entry.cause for entry in skips] == [-place for place in range(1, 5_000)]


def test_a_capacity_in_a_flow_changes_only_the_needs_that_it_names() -> None:
    home = Home()
    home.submit(spec("there"))
    flow = FlowSpec(jobs=(spec(needs={"gpus": 1, "memory": 1}),), targets={"local": TargetSpec({"gpus": 2})})
    home.tick(lambda draft: decide(draft, Submit(flow)))
    target = home.base.target("local")
    assert target is not None
    assert target.capacity == {**CAPACITY, "gpus": 2}
