"""A clock that is set back an hour holds nobody up for an hour: neither who waits for a rate nor for a retry."""

from __future__ import annotations

import pytest

from holdfast.events.messages import Submit
from holdfast.events.spec import FlowSpec, JobSpec, LimitSpec
from tests.actors.stepping import pause

from .clients import Clients
from .history import History
from .scripts import PROGRAM
from .simulation import Simulation

HOUR_US = 3_600_000_000
GOOD, BAD = "1000:0:0:obeys", "1000:1:0:obeys"


class SetBack(Simulation):
    """Submits one flow, and sets the clock back while it waits."""

    def __init__(self, flow: FlowSpec) -> None:
        super().__init__(1, calm=True)
        self._flow = flow

    async def _command(self, clients: Clients, history: History) -> None:
        await clients.perform(0, Submit(self._flow), self.source)
        await pause(0.1)
        assert history.live(), "something waits"
        self.clock.jump(-HOUR_US)


def flow(jobs: int, limits: dict[str, LimitSpec], command: tuple[str, ...]) -> FlowSpec:
    job = JobSpec(
        run=command, limits=tuple(limits), retries=1, retry_delay_us=60_000_000, retry_delay_max_us=60_000_000
    )
    return FlowSpec(jobs=(job,) * jobs, limits=limits)


@pytest.mark.parametrize(
    "waiting",
    [flow(3, {"api": LimitSpec(interval_us=1_000_000)}, (PROGRAM, GOOD)), flow(1, {}, (PROGRAM, BAD, GOOD))],
    ids=["for a rate", "for a retry"],
)
def test_a_clock_that_is_set_back_delays_by_a_minute_and_a_half_at_most(waiting: FlowSpec) -> None:
    result = SetBack(waiting).run()
    assert result.broken is None
    assert result.seconds < 140.0  # of which the simulation itself takes 35 at the end
