"""Whatever the supervisor says, whatever ends, and whenever the runner dies: the promises of the runner hold."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from .driving import Attempt, Message, Status
from .machine import Bench

RATE_US, BURST = 1000, 2


class Supervised(RuleBasedStateMachine):
    """A supervisor that launches, repeats itself, changes its mind and acknowledges, on a machine that fails."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(cpus=3, gpus=1)
        self.attempts: dict[str, Attempt] = {}
        self.said: dict[str, Status] = {}
        self.acknowledged: set[str] = set()
        self.unwritten: set[str] = set()  # said to be revoked while that could not be written: not to be tried again

    def hear(self, messages: list[Message]) -> None:
        for message in messages:
            for status in message.attempts:
                former = self.said.get(status.token)
                if former is not None and former.state in {"ended", "revoked"}:
                    # A welcome tells more than the journal says where that can't be written. If the runner dies then,
                    # the next one can only call it lost; the supervisor, which has recorded the first word, keeps that.
                    assert status == former or status.how == "lost", "a final word is final"
                else:
                    self.said[status.token] = status
                if status.state == "revoked" and self.bench.machine.full:
                    self.unwritten.add(status.token)
                self.acknowledged.discard(status.token)  # told again after a death: the acknowledgement was lost

    def known(self, index: int) -> list[str]:
        tokens = sorted(set(self.attempts) - self.acknowledged - self.unwritten)
        return [tokens[index % len(tokens)]] if tokens else []

    @rule(
        cpus=st.integers(0, 4), gpus=st.integers(0, 2), rated=st.booleans(), timeout=st.sampled_from([None, 700, 5000])
    )
    def launch(self, cpus: int, gpus: int, rated: bool, timeout: int | None) -> None:  # noqa: FBT001
        rates = [("licence", RATE_US, BURST)] if rated else []
        attempt = self.bench.attempt(needs={"cpus": cpus, "gpus": gpus}, rates=rates, timeout_us=timeout, grace_us=400)
        self.attempts[attempt.token] = attempt
        self.hear(self.bench.launch(attempt))

    @rule(index=st.integers(0, 50))
    def launch_again(self, index: int) -> None:
        self.hear(self.bench.launch(*[self.attempts[token] for token in self.known(index)]))

    @rule(index=st.integers(0, 50), kind=st.sampled_from(["revoke", "stop"]))
    def take_back(self, index: int, kind: str) -> None:
        self.hear(self.bench.say(kind, tokens=self.known(index)))

    @rule()
    def acknowledge(self) -> None:
        final = {token for token, status in self.said.items() if status.state in {"ended", "revoked"}}
        self.hear(self.bench.say("acknowledge", tokens=sorted(final - self.acknowledged)))
        self.acknowledged |= final

    @rule(microseconds=st.integers(0, 30_000))
    def wait(self, microseconds: int) -> None:
        self.hear(self.bench.wait(microseconds))

    @rule(index=st.integers(0, 5), status=st.sampled_from([0, 1 << 8, 9, 15]))
    @precondition(lambda self: self.bench.core.leaders)
    def end(self, index: int, status: int) -> None:
        leaders = [run for run in self.bench.core.leaders.values() if not run.adopted]
        if leaders:
            self.hear(self.bench.finish(leaders[index % len(leaders)].token, status))

    @rule()
    def lose_adopted(self) -> None:
        for run in [run for run in self.bench.core.leaders.values() if run.adopted and run.pid is not None]:
            self.bench.machine.living.pop(run.pid or 0)
        self.bench.core.check_adopted()
        self.hear(self.bench.turn())

    @rule(some_die=st.booleans())
    def kill_the_runner(self, some_die: bool) -> None:  # noqa: FBT001
        if some_die:
            for pid in list(self.bench.machine.living)[::2]:
                del self.bench.machine.living[pid]
        self.bench.restart()
        self.hear(self.bench.turn())

    @rule(full=st.booleans())
    def fill_the_disk(self, full: bool) -> None:  # noqa: FBT001
        self.bench.machine.full = full

    @rule(missing=st.booleans())
    def take_the_segments_away(self, missing: bool) -> None:  # noqa: FBT001
        self.bench.machine.no_segments = missing

    @invariant()
    def nothing_runs_twice(self) -> None:
        tokens = [token for _, token in self.bench.machine.started]
        assert len(tokens) == len(set(tokens))

    @invariant()
    def needs_never_exceed_the_capacity(self) -> None:
        for name, most in self.bench.capacity.items():
            assert sum(self.attempts[token].needs[name] for token in self.bench.running()) <= most

    @invariant()
    def the_rate_is_never_exceeded(self) -> None:
        times = [time_us for time_us, token in self.bench.machine.started if self.attempts[token].rates]
        for first, later in zip(times, times[BURST:], strict=False):
            assert later - first >= RATE_US

    @invariant()
    def what_was_revoked_never_ran(self) -> None:
        ran = {token for _, token in self.bench.machine.started}
        assert not ran & {token for token, status in self.said.items() if status.state == "revoked"}

    @invariant()
    def only_running_attempts_hold_segments(self) -> None:
        assert len(self.bench.machine.leased) == len(self.bench.core.running)

    def teardown(self) -> None:
        """With room on the disk, time and every process ended, everything gets its last word and is forgotten."""
        self.bench.machine.full = self.bench.machine.no_segments = False
        self.lose_adopted()
        for _ in range(200):
            self.hear(self.bench.wait(20_000))
            for token in self.bench.running():
                self.hear(self.bench.finish(token))
            if not self.bench.core.queue and not self.bench.core.running:
                break
        self.hear(self.bench.wait(1_000_000))
        self.acknowledge()
        self.hear(self.bench.wait(1_000_000))
        assert self.bench.core.idle()
        assert self.bench.core.used == dict.fromkeys(self.bench.core.used, 0)


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
