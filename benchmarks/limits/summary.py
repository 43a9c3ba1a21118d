"""A sweep as measurements, one for each figure of each point, and back: pictures and knees are made from those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from benchmarks.limits.figures import Figures
from benchmarks.limits.knee import Load, knee_of, verdict
from benchmarks.limits.spans import Spread
from benchmarks.limits.sweep import Stop
from benchmarks.results import Measurement

TOLD_FROM: Final = 0.01
_Value = tuple[str, str, Literal["higher", "lower"], float]


class Curve(Struct, frozen=True):
    """One kind of job with one think time: for each limit, in order, the medians of its figures by name."""

    kind: str
    think_ms: float
    points: dict[int, dict[str, float]]

    @property
    def knee(self) -> int | None:
        """See `knee`."""
        return knee_of([(limit, each["throughput"]) for limit, each in self.points.items()])


def measurements_of(points: Iterable[Figures]) -> list[Measurement]:
    """The figures of points; several of one point become its samples, a round each."""
    samples: dict[tuple[str, float, int, str], list[float]] = {}
    told: dict[tuple[str, float, int, str], _Value] = {}
    for point in points:
        for value in _values(point):
            key = (point.kind, point.think_ms, point.limit, value[0])
            samples.setdefault(key, []).append(value[3])
            told[key] = value
    return [
        Measurement(
            name=f"{kind} {limit} {think_ms:g}ms {figure}",
            unit=told[kind, think_ms, limit, figure][1],
            better=told[kind, think_ms, limit, figure][2],
            samples=tuple(found),
            loose=True,
            settings={"kind": kind, "limit": limit, "think_ms": think_ms, "figure": figure},
        )
        for (kind, think_ms, limit, figure), found in samples.items()
    ]


def curves_of(measurements: Iterable[Measurement]) -> list[Curve]:
    """The curves that measurements tell of."""
    curves: dict[tuple[str, float], dict[int, dict[str, float]]] = {}
    for each in measurements:
        settings = each.settings
        if "figure" in settings:
            points = curves.setdefault((str(settings["kind"]), float(settings["think_ms"])), {})
            points.setdefault(int(settings["limit"]), {})[str(settings["figure"])] = each.median
    return [Curve(kind, think_ms, dict(sorted(points.items()))) for (kind, think_ms), points in curves.items()]


def knees_of(curves: Iterable[Curve], cores: int) -> list[Measurement]:
    """A measurement for each curve: its knee, or its last limit where it has none; the note says what is full there."""
    found: list[Measurement] = []
    for curve in curves:
        knee = curve.knee
        limit = max(curve.points) if knee is None else knee
        point = curve.points[limit]
        where = f"no knee up to {limit}" if knee is None else f"knee at {limit}"
        full = verdict(load_of(limit, point, cores))
        settings: dict[str, str | int | float] = {"kind": curve.kind, "think_ms": curve.think_ms}
        found.append(
            Measurement(
                name=f"{curve.kind} {curve.think_ms:g}ms knee",
                unit="1",
                better="higher",
                samples=(limit,),
                loose=True,
                settings=settings,
                note=f"{where}, {point['throughput']:,.0f} jobs/s; full: {full}",
            )
        )
    return found


def stop_of(stop: Stop) -> Measurement:
    """Where a kind of job could not go on."""
    note = f"stop before {stop.limit}: {stop.why}"
    settings: dict[str, str | int | float] = {"kind": stop.kind}
    return Measurement(
        name=f"{stop.kind} stop",
        unit="1",
        better="higher",
        samples=(stop.limit,),
        loose=True,
        settings=settings,
        note=note,
    )


def load_of(limit: int, point: dict[str, float], cores: int) -> Load:
    """How busy things were, from the figures of a point."""

    def named(prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): each for name, each in point.items() if name.startswith(prefix)}

    return Load(
        places=point["kept"] / limit,
        processors=point["processors"],
        cores=cores,
        processes=named("process "),
        runner=named("runner "),
        parts=named("clock "),
        idle=point["idle"],
        deepest={name: int(depth) for name, depth in named("inbox ").items()},
    )


def _values(point: Figures) -> Sequence[_Value]:
    """Every figure of a point: its name, unit, which side is better, and how much it is."""
    values: list[_Value] = [
        ("throughput", "jobs/s", "higher", point.throughput_per_s),
        ("reached", "1", "higher", point.reached),
        ("highest", "1", "higher", point.highest),
        ("kept", "1", "higher", round(point.kept, 2)),
        *_spread("acknowledged", point.acknowledged),
        *_spread("started", point.started),
        *_spread("queued", point.queued)[:1],
        *_spread("launched", point.launched),
        *_spread("recorded", point.recorded),
        ("job's share of supervisor", "us", "lower", point.supervisor_us),
        ("job's share of runner", "us", "lower", point.runner_us),
        ("job's own", "us", "lower", point.jobs_us),
        ("processors", "cores", "lower", point.processors),
        ("idle", "1", "higher", point.idle),
        ("commits", "1/s", "lower", point.commits_per_s),
        ("events a commit", "1", "higher", point.events_per_commit),
        ("memory of supervisor", "MiB", "lower", point.supervisor_mib),
        ("memory of runner", "MiB", "lower", point.runner_mib),
    ]
    values += _lower("process", "cores", point.processes)
    values += _lower("runner", "1", point.runner)
    told = {name: share for name, share in point.parts.items() if share.clock >= TOLD_FROM}
    values += _lower("clock", "1", {name: share.clock for name, share in told.items()})
    values += _lower("processor", "1", {name: share.processor for name, share in told.items() if share.processor})
    values += _lower("inbox", "messages", point.deepest)
    return [(name, unit, better, float(f"{value:.4g}")) for name, unit, better, value in values]


def _lower(what: str, unit: str, found: Mapping[str, float]) -> list[_Value]:
    return [(f"{what} {name}", unit, "lower", value) for name, value in found.items()]


def _spread(name: str, spread: Spread | None) -> list[_Value]:
    if spread is None:
        return []
    return [
        (f"{name} {each}", "ms", "lower", value)
        for each, value in zip(
            ("p50", "p90", "p99", "max"), (spread.p50, spread.p90, spread.p99, spread.longest), strict=True
        )
    ]
