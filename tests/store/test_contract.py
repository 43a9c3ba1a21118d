"""What every store promises: order, authors, causes, times, and views that are the fold of the log."""

from holdfast.events.decide import decide
from holdfast.events.draft import PREVIOUS
from holdfast.events.facts import JobHeld, JobReleased, JobSubmitted, SupervisorStarted, SupervisorStopped
from holdfast.events.messages import Configure, Hold, Pause, Release, Submit, Submitted
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec
from holdfast.store.contract import Store

from .histories import START
from .stores import HOME_ID, draft_on, events_of, lines_of

TRUE = JobSpec(run=("true",))


def submit(store: Store, *jobs: JobSpec, name: str = "") -> tuple[int, ...]:
    draft = draft_on(store)
    answer = decide(draft, Submit(FlowSpec(jobs, name, targets={}, limits={"licence": LimitSpec(2)})))
    store.commit([draft])
    assert isinstance(answer, Submitted)
    return answer.jobs


def configure(store: Store) -> None:
    draft = draft_on(store)
    decide(draft, Configure({"local": {"cpus": 4}}))
    store.commit([draft])


def test_a_new_log_says_first_which_home_it_is_of(store: Store) -> None:
    (line,) = lines_of(store)
    assert (line.seq, line.time, line.type, line.version, line.author, line.cause) == (
        1, START, "home_created", 1, "ada", None,
    )  # fmt: skip
    assert line.data == f'{{"home":"{HOME_ID}"}}'
    assert (store.seq, store.base.home) == (1, HOME_ID)


def test_events_stand_in_the_order_of_their_drafts_without_gaps(store: Store) -> None:
    first, second = draft_on(store), draft_on(store)
    first.record(SupervisorStarted(1, "host", "1"))
    second.record(SupervisorStarted(2, "host", "1"))
    second.record(SupervisorStopped(2, "told to"))
    assert store.commit([first, second]) == [1, 2]
    assert store.seq == 4
    assert [line.seq for line in lines_of(store)] == [1, 2, 3, 4]
    assert events_of(store, 1) == [
        SupervisorStarted(1, "host", "1"),
        SupervisorStarted(2, "host", "1"),
        SupervisorStopped(2, "told to"),
    ]


def test_reading_goes_on_after_any_position(store: Store) -> None:
    draft = draft_on(store)
    for pid in range(5):
        draft.record(SupervisorStarted(pid, "host", "1"))
    store.commit([draft])
    for after in range(8):
        assert [stored.seq for stored, _ in store.events(after)] == list(range(after + 1, 7))


def test_nothing_to_record_changes_nothing(store: Store) -> None:
    configure(store)
    assert store.commit([]) == []
    assert store.commit([draft_on(store), draft_on(store)]) == [2, 2]
    assert store.seq == 2


def test_an_event_keeps_the_author_and_the_time_of_its_draft_or_its_own_author(store: Store) -> None:
    draft = draft_on(store, author="grace", now=START + 17)
    draft.record(SupervisorStarted(1, "host", "1"))
    draft.record(SupervisorStopped(1, "told to"), author="target:local")
    store.commit([draft])
    assert [(line.time, line.author) for line in lines_of(store)[1:]] == [
        (START + 17, "grace"),
        (START + 17, "target:local"),
    ]


def test_a_time_before_the_last_one_is_kept_as_it_is(store: Store) -> None:
    for now in (START + 10, START - 10):
        draft = draft_on(store, now=now)
        draft.record(SupervisorStarted(1, "host", "1"))
        store.commit([draft])
    assert [line.time for line in lines_of(store)[1:]] == [START + 10, START - 10]


def test_a_cause_is_none_a_position_or_an_entry_of_the_same_draft(store: Store) -> None:
    before, draft = draft_on(store), draft_on(store)
    before.record(SupervisorStarted(1, "host", "1"))
    root = draft.record(SupervisorStarted(2, "host", "1"))
    draft.record(SupervisorStopped(2, "absolute"), 1)
    draft.record(SupervisorStopped(2, "within"), root)
    store.commit([before, draft])
    assert [line.cause for line in lines_of(store)[1:]] == [None, None, 1, 3]


def test_a_jobs_event_is_caused_by_its_previous_one_in_the_same_draft_commit_or_long_ago(store: Store) -> None:
    configure(store)
    submit(store, TRUE, TRUE)
    (line,) = [line for line in lines_of(store) if '"job":1' in line.data]
    first, second = draft_on(store), draft_on(store)
    first.record_job(JobHeld(1))
    second.record_job(JobHeld(2))
    second.record_job(JobReleased(2, "ready"))
    store.commit([first, second])
    third = draft_on(store)
    third.record_job(JobReleased(1, "ready"))
    third.record(SupervisorStopped(1, "no job's event has no previous one"), PREVIOUS)
    store.commit([third])
    held_1, held_2, released_2, released_1, stopped = lines_of(store)[-5:]
    assert held_1.cause == line.seq
    assert held_2.cause == line.seq + 1
    assert released_2.cause == held_2.seq
    assert released_1.cause == held_1.seq
    assert stopped.cause is None


def test_a_jobs_previous_event_may_stand_in_an_earlier_draft_of_the_same_commit(store: Store) -> None:
    configure(store)
    (job,) = submit(store, TRUE)
    first = draft_on(store)
    first.record_job(JobHeld(job))
    second = draft_on(store)
    second.jobs.put(job, first.jobs.changed[job])
    second.record_job(JobReleased(job, "ready"))
    store.commit([first, second])
    assert lines_of(store)[-1].cause == store.seq - 1
    assert store.base.job(job) == second.jobs.changed[job]


def test_a_submission_is_caused_by_its_flow(store: Store) -> None:
    configure(store)
    submit(store, TRUE, JobSpec(run=("true",), after=()), name="nightly")
    flow, limit, *jobs = lines_of(store)[2:]
    assert (flow.type, flow.cause) == ("flow_submitted", None)
    assert limit.cause == flow.seq
    assert [job.cause for job in jobs] == [flow.seq, flow.seq]


def test_two_records_of_one_name_and_different_kinds_do_not_mix(store: Store) -> None:
    draft = draft_on(store)
    decide(draft, Configure({"local": {"cpus": 4}}))
    decide(draft, Submit(FlowSpec((TRUE,), limits={"local": LimitSpec(1)})))
    decide(draft, Pause("local"))
    store.commit([draft])
    target, limit = store.base.target("local"), store.base.limit("local")
    assert target is not None
    assert target.paused
    assert limit is not None
    assert limit.spec == LimitSpec(1)


def test_a_refused_command_leaves_no_trace(store: Store) -> None:
    configure(store)
    (job,) = submit(store, TRUE)
    before = lines_of(store)
    draft = draft_on(store)
    decide(draft, Hold((job,)))
    # The draft is dropped.
    assert lines_of(store) == before
    draft = draft_on(store)
    decide(draft, Release((job,)))
    assert draft.entries == []


def test_what_is_read_back_is_what_was_asked_for(store: Store) -> None:
    configure(store)
    spec = JobSpec(
        run="printf 'ä\\n\"'",
        name="näme",
        cwd="/srv/a b",
        needs={"cpus": 2},
        limits=("licence:a",),
        retries=3,
        timeout_us=7,
        env={"A": "1=2"},
        secrets=("API_KEY",),
        key="k",
    )
    (job,) = submit(store, spec)
    assert store.base.specs([job, 99]) == {job: spec}
    (event,) = [event for event in events_of(store) if isinstance(event, JobSubmitted)]
    assert event.spec == spec
