"""What a sweep of limits makes of what was measured: overlaps by the jobs' clocks, knees, what is full, the picture."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.limits import command
from benchmarks.limits.figures import Figures, Share
from benchmarks.limits.knee import Load, knee_of, verdict
from benchmarks.limits.picture import draw
from benchmarks.limits.spans import Span, Spread, mean_at_once, most_at_once, spread, start_delays
from benchmarks.limits.summary import Curve, curves_of, knees_of, measurements_of
from benchmarks.limits.sweep import Stop, Sweep
from benchmarks.limits.waits import what_of
from benchmarks.limits.work import spans_said
from benchmarks.results import load

MS = 1_000_000
SOME = Spread(1.0, 2.0, 3.0, 4.0)


def span_of(began: int, length: int) -> Span:
    return Span(began, began + length)


spans = st.lists(st.builds(span_of, st.integers(0, 40), st.integers(1, 20)))


@given(spans)
def test_the_most_at_once_is_the_most_that_any_instant_sees(some: list[Span]) -> None:
    seen = (sum(span.began_ns <= instant < span.ended_ns for span in some) for instant in range(61))
    assert most_at_once(some) == max(seen)


def test_one_that_begins_as_another_ends_does_not_overlap_it() -> None:
    assert most_at_once([Span(0, 10), Span(10, 20), Span(20, 30)]) == 1


def test_the_mean_counts_only_what_lies_between_the_two_moments() -> None:
    assert mean_at_once([Span(0, 15), Span(12, 40)], 10, 20) == pytest.approx((5 + 8) / 10)


def test_a_start_is_late_from_when_it_was_ready_and_the_limit_had_room() -> None:
    told = {1: Span(5, 100), 2: Span(6, 50), 3: Span(58, 200), 4: Span(130, 140), 5: Span(150, 160)}
    ready = {1: 0, 2: 4, 3: 10, 4: 20, 5: 149}
    # Two at once: the third waits for the first end, at 50, the fourth for the second, at 100; the fifth was not ready.
    assert start_delays(told, ready, 2) == {1: 5, 2: 2, 3: 8, 4: 30, 5: 1}


def test_percentiles_are_measured_values_and_the_longest_is_kept() -> None:
    assert spread([each * MS for each in range(1, 101)]) == Spread(50.0, 90.0, 99.0, 100.0)
    assert spread([7 * MS]) == Spread(7.0, 7.0, 7.0, 7.0)
    assert spread([]) is None


def test_the_knee_is_the_first_limit_near_the_best() -> None:
    assert knee_of([(1, 100.0), (2, 190.0), (4, 360.0), (8, 385.0), (16, 390.0)]) == 4
    assert knee_of([(1, 100.0), (2, 400.0), (4, 300.0), (8, 200.0)]) == 2


def test_a_curve_that_still_grows_has_no_knee() -> None:
    assert knee_of([(1, 100.0), (2, 190.0), (4, 360.0)]) is None
    assert knee_of([(1, 100.0)]) is None


CALM = Load(
    places=0.1,
    processors=0.5,
    cores=2,
    processes={"supervisor": 0.3, "runner": 0.1, "jobs": 0.1},
    parts={"scheduler": 0.2, "writer": 0.3},
    runner={"idle": 0.8, "spawning": 0.2},
    idle=0.5,
    deepest={"scheduler": 12},
)


@pytest.mark.parametrize(
    "load, told",
    [
        (msgspec.structs.replace(CALM, places=0.95), "the jobs' own time"),
        (msgspec.structs.replace(CALM, processors=1.9), "all 2 processors"),
        (msgspec.structs.replace(CALM, runner={"idle": 0.05, "spawning": 0.9}), "the runner.*spawning 90%"),
        (msgspec.structs.replace(CALM, processes={"supervisor": 0.95}), "the supervisor's process.*writer 30%"),
        (msgspec.structs.replace(CALM, idle=0.04), "the engine's loop.*writer 30%"),
        (msgspec.structs.replace(CALM, deepest={"scheduler": 4096}), "full inbox: scheduler"),
        (CALM, "nothing"),
    ],
)
def test_what_is_full_is_named_from_the_measured_shares(load: Load, told: str) -> None:
    assert re.match(told, verdict(load))


@pytest.mark.parametrize(
    "state, function, does",
    [
        ("R", "0", "running"),
        ("S", "do_epoll_wait", "idle"),
        ("D", "kernel_clone", "spawning"),
        ("D", "0", "spawning"),
        ("D", "jbd2_log_wait_commit", "waiting"),
        ("S", "pipe_read", "waiting"),
    ],
)
def test_what_a_runner_waits_for_is_told_by_the_kernel(state: str, function: str, does: str) -> None:
    assert what_of(state, function) == does


def test_what_programs_say_is_gathered_from_all_segments_and_one_cut_short_counts_to_the_last_word(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.out").write_text("1 + 10\n1 - 20\n3 + 30\n")
    (tmp_path / "b.out").write_text("2 + 15\n2 - 40\n")
    assert spans_said(tmp_path) == {1: Span(10, 20), 2: Span(15, 40), 3: Span(30, 40)}


def figures(limit: int, per_s: float, highest: int) -> Figures:
    return Figures(
        kind="functions",
        limit=limit,
        think_ms=1.0,
        jobs=100,
        throughput_per_s=per_s,
        reached=limit,
        highest=highest,
        kept=0.5,
        acknowledged=SOME,
        started=SOME,
        queued=SOME,
        launched=SOME,
        recorded=SOME,
        supervisor_us=300.0,
        runner_us=0.0,
        jobs_us=0.0,
        processes={"supervisor": 0.95, "runner": 0.0, "others": 0.0},
        threads={"engine": 0.5},
        processors=1.0,
        parts={"scheduler": Share(0.4, 0.3), "limiter": Share(0.001, 0.001)},
        idle=0.3,
        runner={"idle": 1.0},
        commits_per_s=100.0,
        events_per_commit=3.0,
        deepest={"scheduler": 9},
        supervisor_mib=40.0,
        runner_mib=14.0,
    )


def test_p3_a_point_that_saw_one_job_too_many_says_so() -> None:
    assert figures(4, 100.0, highest=5).exceeded
    assert not figures(4, 100.0, highest=4).exceeded


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Figures | Stop]:
    """What a sweep finds, for a test to fill."""
    found: list[Figures | Stop] = []

    def points(sweep: Sweep) -> Iterator[Figures | Stop]:
        return (each for each in found if isinstance(each, Stop) or (each.kind, 1.0, each.limit) not in sweep.known)

    def keep(number: int, handler: object) -> None:
        """The test's own signals stay as they are."""

    monkeypatch.setattr(command, "points", points)
    monkeypatch.setattr(signal, "signal", keep)
    return found


@pytest.mark.parametrize("highest, code", [(4, 0), (5, 1)])
def test_p3_the_sweep_fails_where_a_limit_was_exceeded(
    measured: list[Figures | Stop], capsys: pytest.CaptureFixture[str], highest: int, code: int
) -> None:
    measured.append(figures(4, 100.0, highest))
    assert command.COMMAND.main(["--limits", "4"]) == code
    assert ("EXCEEDED: 5 jobs at once" in capsys.readouterr().out) == bool(code)


@pytest.mark.parametrize(
    "stop, code", [(Stop("processes", 8, "no room"), 0), (Stop("processes", 8, "no room", failed=True), 1)]
)
def test_a_machine_without_room_is_told_and_a_limit_that_was_not_reached_fails(
    measured: list[Figures | Stop], capsys: pytest.CaptureFixture[str], stop: Stop, code: int
) -> None:
    measured += [figures(4, 100.0, 4), stop]
    assert command.COMMAND.main([]) == code
    assert capsys.readouterr().out.count("stop before 8: no room") == 2


def test_a_sweep_in_parts_measures_what_is_missing_and_is_one_file_and_one_picture(
    tmp_path: Path, measured: list[Figures | Stop], capsys: pytest.CaptureFixture[str]
) -> None:
    output, picture = tmp_path / "limits.json", tmp_path / "limits.svg"
    for limit in (1, 2, 4):
        measured.append(figures(limit, 100.0, limit))
        assert command.COMMAND.main(["--add", "--output", str(output)]) == 0
        assert capsys.readouterr().out.count("functions ") == 2  # one row, one knee
    (result,) = load(output).results
    assert next(each.note for each in result.measurements if each.note).startswith("knee at 1, 100 jobs/s")
    assert command.COMMAND.main(["--draw", str(output), "--picture", str(picture)]) == 0
    assert picture.read_text().count("<circle") == 4


def test_rounds_become_samples_and_curves_are_made_of_their_medians() -> None:
    sweep = [
        figures(limit, per_s, limit) for limit, per_s in [(1, 100.0), (2, 195.0), (1, 120.0), (2, 175.0), (1, 90.0)]
    ]
    kept = measurements_of(sweep)
    assert next(each for each in kept if each.name == "functions 1 1ms throughput").samples == (100.0, 120.0, 90.0)
    (curve,) = curves_of(kept)
    assert {limit: point["throughput"] for limit, point in curve.points.items()} == {1: 100.0, 2: 185.0}
    assert curve.points[1]["inbox scheduler"] == 9
    assert "clock limiter" not in curve.points[1]  # too little to be told
    (knee,) = knees_of([curve], cores=2)
    assert knee.note.startswith("no knee up to 2, 185 jobs/s; full: the supervisor's process, 95% of a core")


def test_the_picture_has_a_line_for_each_curve_and_a_ring_at_each_knee(tmp_path: Path) -> None:
    curve = curves_of(
        measurements_of([figures(limit, per_s, limit) for limit, per_s in [(1, 900.0), (2, 1800.0), (4, 1900.0)]])
    )
    assert isinstance(curve[0], Curve)
    draw(curve, tmp_path / "limits.svg", "a machine")
    drawn = (tmp_path / "limits.svg").read_text()
    assert drawn.count("<circle") == 4
    assert drawn.count("<polyline") == 1 + 2 * 3 + 1
