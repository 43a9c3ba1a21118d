"""`explain` says why a job is where it is: who or what holds it, since which event, and what is at the root of it."""

import json

import pytest

from holdfast.cli.explaining import dependencies
from holdfast.events.facts import TargetPaused
from holdfast.events.hosts import Down, Refused
from holdfast.events.messages import Cancel, Configure, Hold, HostSeen, Prioritise, Release, Retry, Unreachable
from holdfast.events.outcomes import decide_report
from holdfast.events.spec import LOCAL, LimitSpec, SshSpec
from holdfast.store.lock import HomeLock

from .commands import Caller, on_terminal
from .staging import SECOND_US, Stage, job


def conclusion(call: Caller, word: str) -> str:
    """The last line of what it says."""
    said = call("explain", word)
    assert said.code == 0, said.err
    return said.out.splitlines()[-1]


def kinds(call: Caller, word: str) -> list[str]:
    """What holds the job, by kind."""
    return [each["kind"] for each in json.loads(call("explain", word, "--json").out)["held_by"]]


def test_a_waiting_job_names_what_it_waits_for_and_the_root_of_it(stage: Stage, call: Caller) -> None:
    stage.submit(
        job("fetch", hold=True), job("align", after=["fetch"]), job("sort", after=["align"], after_any=["fetch"])
    )
    said = conclusion(call, "sort")
    assert "(event 5) for job 1 (fetch) to end, which is held (event 3); " in said
    assert "job 2 (align) to succeed, which is waiting (event 4). " in said
    assert "At the root of it: job 1 (fetch) is held since " in said
    assert said.endswith("by ada (event 3); `holdfast release 1` lets it go on.")
    assert kinds(call, "sort") == ["dependency", "dependency"]


def test_a_job_that_waits_for_one_that_runs_says_no_more_than_that(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch"), job("align", after=["fetch"]))
    stage.started(1)
    said = conclusion(call, "align")
    assert said.endswith("for job 1 (fetch) to succeed, which is running (event 6).")


def test_a_job_that_waits_for_many_names_some_and_counts_the_rest(stage: Stage, call: Caller) -> None:
    stage.submit(*(job(f"p{number}") for number in range(9)), job("last", after=[f"p{number}" for number in range(9)]))
    said = conclusion(call, "last")
    assert "; and 5 more. At the root of it are job 1 (p0), job 2 (p1), job 3 (p2), job 4 (p3) and 5 more: " in said
    assert len(json.loads(call("explain", "last", "--json").out)["held_by"]) == 9


def test_a_held_job_names_who_holds_it_since_which_event(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    stage.do(Hold((1,)), author="grace")
    stage.do(Prioritise((1,), 7))
    said = conclusion(call, "a")
    assert said.startswith("It is held since ")
    assert "by grace (event 4)" in said
    assert kinds(call, "a") == ["hold"]


def test_a_ready_job_without_a_supervisor_says_so(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    assert "but no supervisor is running to launch it. `holdfast run` starts one." in conclusion(call, "a")


def test_a_paused_target_holds_a_ready_job(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    stage.tick(lambda draft: draft.record(TargetPaused(LOCAL)), "grace")
    stage.do(Configure({LOCAL: {"cpus": 3}}))
    with HomeLock(stage.home):
        said = conclusion(call, "a")
        assert kinds(call, "a") == ["pause"]
    assert "its target local was paused by grace at " in said
    assert said.endswith("(event 4). `holdfast resume local` ends the pause.")


def test_needs_that_are_in_use_name_their_users(stage: Stage, call: Caller) -> None:
    stage.submit(job("small"), job("wide", needs={"cpus": 2}))
    stage.started(1)
    with HomeLock(stage.home):
        assert "it needs cpus 2, and 1 of 2 are free: job 1 (small) has 1." in conclusion(call, "wide")
        assert kinds(call, "wide") == ["need"]


def test_launches_ahead_of_free_slots_are_told_from_what_runs(stage: Stage, call: Caller) -> None:
    stage.submit(*(job(f"j{number}") for number in range(6)))
    stage.started(1, 2)
    stage.launch(3, 4, 5)
    with HomeLock(stage.home):
        said = conclusion(call, "j5")
    users = "job 1 (j0) has 1 and job 2 (j1) has 1"
    assert f"0 of 2 are free: {users}, and 3 jobs launched before it come first." in said


def test_what_all_needs_are_launched_for_is_not_said_to_run(stage: Stage, call: Caller) -> None:
    stage.submit(*(job(f"j{number}") for number in range(3)))
    stage.launch(1, 2)
    with HomeLock(stage.home):
        assert "0 of 2 are free: 2 jobs launched before it come first." in conclusion(call, "j2")


def test_p9_in_a_deep_chain_it_says_that_it_did_not_look_at_all(
    stage: Stage, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "VISITED_MAX", 10)
    chain = [job("j0", hold=True), *(job(f"j{number}", after=[f"j{number - 1}"]) for number in range(1, 30))]
    stage.submit(*chain)
    assert conclusion(call, "j5").endswith("`holdfast release 1` lets it go on.")
    said = conclusion(call, "j29")
    assert said.endswith("Only 10 of the jobs that it comes down to were looked at: there are more behind them.")


def test_a_deep_chain_of_skips_names_its_root_and_the_first_links(stage: Stage, call: Caller) -> None:
    stage.submit(job("j0"), *(job(f"j{number}", after=[f"j{number - 1}"]) for number in range(1, 3000)))
    stage.ran(1, exit_code=1)
    said = conclusion(call, "j2999")
    assert ", because 2,995 more were skipped in turn, because job 1 (j0) failed: exit code 1 (event " in said
    assert said.endswith("`holdfast retry 1` runs job 1 (j0) again, and with it what was skipped.")


@pytest.mark.parametrize("how,shows", [("not_started", False), ("exited", True)])
def test_output_is_pointed_at_only_where_something_ran(stage: Stage, call: Caller, how: str, *, shows: bool) -> None:
    stage.submit(job("a", retries=0))
    stage.launch(1)
    # The runner's time of start is that of its claim, which both have.
    stage.says(
        1, "ended", how=how, exit_code=1 if shows else None, error="no", started_at=stage.now, ended_at=stage.now
    )
    assert ("`holdfast logs 1`" in conclusion(call, "a")) is shows
    line = json.loads(call("jobs", "--json").out)
    assert (line["state"], line["started_at"] is not None) == ("failed", shows)


def test_needs_beyond_a_capacity_that_was_lowered_can_not_be_met(stage: Stage, call: Caller) -> None:
    stage.submit(job("wide", needs={"cpus": 2}))
    stage.do(Configure({LOCAL: {"cpus": 1}}))
    with HomeLock(stage.home):
        assert "it needs cpus 2, and local has 1 in all, so it can't start." in conclusion(call, "wide")


def test_limits_and_rates_that_are_used_up_hold_a_ready_job(stage: Stage, call: Caller) -> None:
    limits = {"licence": LimitSpec(concurrent=1), "api": LimitSpec(interval_us=3600 * SECOND_US)}
    stage.submit(job("first", limits=["licence"]), job("second", limits=["licence", "api"]), limits=limits)
    stage.now = 4_000_000_000_000_000  # so that the rate's next start is in the future, whenever this test runs
    stage.launch(1, grants={"api": stage.now + 3600 * SECOND_US})
    with HomeLock(stage.home):
        said = conclusion(call, "second")
        assert kinds(call, "second") == ["limit", "rate"]
    assert "the limit licence allows 1 at once, taken by job 1 (first); " in said
    assert "the rate of the limit api allows the next start at 2096-10-02 " in said


def test_more_urgent_jobs_go_first(stage: Stage, call: Caller) -> None:
    stage.submit(job("old"), job("mine"), job("young"), job("urgent", priority=1))
    with HomeLock(stage.home):
        assert "but 2 ready jobs go first." in conclusion(call, "mine")
        assert "nothing holds it: it is about to be launched." in conclusion(call, "urgent")


def test_a_delayed_job_says_after_which_failure_it_waits_for_which_try(stage: Stage, call: Caller) -> None:
    stage.submit(job("a", retries=3))
    stage.now = 4_000_000_000_000_000
    stage.started(1)
    stage.ended(1, exit_code=3)
    said = conclusion(call, "a")
    assert said.startswith("It waits until 2096-10-02 ")
    assert "for try 2 of 4, after attempt 1 failed: exit code 3 (event 6)." in said
    assert kinds(call, "a") == ["delay", "supervisor"]


def test_attempts_in_flight_say_since_when_and_as_what(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"))
    stage.launch(1)
    assert "attempt 1 of the job was launched on local at " in conclusion(call, "a").lower()
    stage.started(2)
    said = conclusion(call, "b")
    assert "on local as process 102, attempt 1 (event 7)." in said
    assert "No supervisor is running" in said
    stage.do(Cancel((2,)), author="grace")
    assert "It was asked to end by grace at " in conclusion(call, "b")


def test_an_unknown_job_says_that_it_is_not_known_and_why(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    stage.started(1)
    stage.lose_sight("its runner has not answered for 20 s")
    said = conclusion(call, "a")
    assert "is out of reach since" in said
    assert "its runner has not answered for 20 s. Whether attempt 1 still runs is not known" in said
    assert kinds(call, "a") == ["target"]


def test_an_unknown_job_says_what_its_machine_wants_by_now(stage: Stage, call: Caller) -> None:
    stage.do(Configure({"gpu": {"cpus": 1}}, {"gpu": SshSpec("gpu1")}))
    stage.submit(job("a", target="gpu", cwd=""))
    stage.launch(1)
    down = HostSeen("gpu", Down(1, "the connection ended", stage.now))
    stage.tick(lambda draft: decide_report(draft, down), "scheduler")
    stage.tick(lambda draft: decide_report(draft, Unreachable("gpu", "the connection ended")), "scheduler")
    assert "until it answers again." in conclusion(call, "a")
    refused = HostSeen("gpu", Refused(2, "it showed another key", "ssh-ed25519 AAAA", "SHA256:new", changed=True))
    stage.tick(lambda draft: decide_report(draft, refused), "scheduler")
    said = conclusion(call, "a")
    assert "until it answers again; its host gpu is refused: it showed another key" in said
    assert "`holdfast hosts trust gpu --fingerprint SHA256:new`" in said


def test_a_skipped_job_is_led_back_to_the_root(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch"), job("align", after=["fetch"]), job("sort", after=["align"]))
    stage.ran(1, exit_code=3)
    assert conclusion(call, "sort") == (
        "It was skipped (event 10) because job 2 (align) was skipped (event 9), because job 1 (fetch) failed: exit "
        "code 3 (event 8). `holdfast retry 1` runs job 1 (fetch) again, and with it what was skipped."
    )


def test_a_long_chain_is_cut_in_its_middle_and_keeps_its_root(stage: Stage, call: Caller) -> None:
    stage.submit(job("j0"), *(job(f"j{number}", after=[f"j{number - 1}"]) for number in range(1, 100)))
    stage.ran(1, exit_code=1)
    said = conclusion(call, "j99")
    assert "95 more were skipped in turn, because job 1 (j0) failed: exit code 1" in said
    assert len(said) < 500


def test_a_skip_without_need_says_that_nothing_went_wrong(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch"), job("alarm", after_failed=["fetch"]))
    stage.ran(1)
    assert conclusion(call, "alarm").endswith("Nothing went wrong: there was just no need of it.")


@pytest.mark.parametrize(
    "how,words",
    [
        (
            {"exit_code": 3},
            "It failed: exit code 3 (event 6). `holdfast logs 1` shows what it wrote; `holdfast retry 1`",
        ),
        ({"how": "timeout"}, "It failed: timed out (event 6)."),
        ({"how": "lost", "error": "its runner died"}, "It is lost: its runner died (event 6). If it may run again: "),
        ({"exit_code": 0}, "It succeeded at "),
    ],
)
def test_an_end_is_told_with_its_reason_and_what_to_do(
    stage: Stage, call: Caller, how: dict[str, object], words: str
) -> None:
    stage.submit(job("a"))
    stage.started(1)
    stage.says(1, "ended", **{"how": "exited", "ended_at": stage.now, **how})
    assert conclusion(call, "a").startswith(words)


def test_a_cancelled_job_names_who_cancelled_it(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"), job("b"))
    stage.do(Cancel((1,)), author="grace")
    assert conclusion(call, "a").startswith("It was cancelled by grace at ")
    stage.started(2)
    stage.do(Cancel((2,)), author="grace")
    stage.says(2, "ended", how="stopped", signal=15, ended_at=stage.now)
    assert conclusion(call, "b").startswith("It was cancelled by grace at ")


def test_events_tell_their_causes_in_words(stage: Stage, call: Caller) -> None:
    stage.submit(job("fetch", retries=1), job("align", after=["fetch"]))
    stage.started(1)
    stage.ended(1, exit_code=3)
    stage.now += SECOND_US
    stage.wake(1)
    stage.ran(1)
    stage.do(Hold((2,)))
    stage.do(Release((2,)))
    stage.do(Cancel((2,)))
    stage.do(Retry((2,)))
    fetch, align = (json.loads(call("explain", name, "--json").out)["events"] for name in ("fetch", "align"))
    assert [each["because"] for each in fetch if each["because"]] == ["its delay after event 7 is over"]
    assert [each["because"] for each in align if each["because"]] == ["job 1 (fetch) succeeded (event 11)"]
    assert [each["what"] for each in align] == [
        "submitted, waiting for job 1 (fetch)",
        "ready to start",
        "held",
        "released, now ready",
        "cancelled",
        "to run again, now ready",
    ]


def test_the_json_has_the_job_its_events_and_the_conclusion(stage: Stage, call: Caller) -> None:
    stage.submit(job("a"))
    told = json.loads(call("explain", "a", "--json").out)
    assert list(told) == ["job", "events", "conclusion", "held_by"]
    assert told["job"] == json.loads(call("jobs", "--json").out)
    assert told["held_by"] == [
        {"kind": "supervisor", "what": "no supervisor is running to launch it", "job": None, "event": None}
    ]


def test_a_terminal_gets_whole_words_within_its_width(stage: Stage) -> None:
    stage.submit(job("a"))
    lines = on_terminal(stage.home, "explain", "a", columns=40, NO_COLOR="1").out.split("\n\n")[-1].splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) <= 40
