"""An hour of virtual time with twelve thousand events leaves nothing but the log, and the last cost as the first."""

from __future__ import annotations

import pytest

from .long_day import LongDay, Moment, judge


@pytest.mark.slow
def test_p9_nothing_grows_in_an_hour_but_the_log() -> None:
    moments = LongDay(hours=1.0, events=12_000, parts=4).run()
    assert moments[-1].seq > 10_000, "the hour is busy enough to show something"
    assert judge(moments, cost_max=2.0) == []


def test_growth_is_seen() -> None:
    calm = [Moment(1000 * part, float(part), 500_000, 0) for part in range(5)]
    assert judge(calm) == []
    assert "blocks" in judge([*calm, Moment(5000, 5.0, 501_000, 0)])[0]
    assert "resident" in judge([*calm, Moment(5000, 5.0, 500_000, 20_000_000)])[0]
    assert "us in the last" in judge([*calm, Moment(5000, 5.4, 500_000, 0)])[0]
