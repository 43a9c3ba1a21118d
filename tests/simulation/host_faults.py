"""What goes wrong with other machines, and on the way to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Final

from .determinism import now_us
from .ways import Way
from .wire import End

FOREVER_S: Final = 1_000_000.0
_WHILES_S: Final = (0.05, 1.0, 5.0, 20.0, 60.0)


class HostFaults:
    """The faults of the machines of one run."""

    def __init__(self, ways: Sequence[Way], random: Random) -> None:
        self._ways = ways
        self._random = random
        kinds: Mapping[str, Callable[[Way], object]] = {
            "cut way": lambda way: way.each_end(End.cut),
            "cut way at a byte": self._cut_at_a_byte,
            "black hole": lambda way: way.each_end(End.fall_silent),
            "bar": self._bar,
            "hang": lambda way: way.hang(random.choice(_WHILES_S)),
            "change key": Way.change_key,
            "ask": self._ask,
            "kill host's runner": self._kill_runner,
            "reboot host": self._reboot,
            "jump of host": self._jump,
            "host's disk": self._disk,
            "lose host's journal": self._lose_journal,
        }
        self.kinds = {name: self._of_one(act) for name, act in kinds.items()} if ways else {}

    def begin(self) -> None:
        """Set the circumstances that last for the whole run."""
        for way in self._ways:
            source = Random(self._random.random())
            longest_s = self._random.choice((0.0, 0.02, 0.2, 1.5))
            way.latency = partial(_some, source, longest_s)
            way.unstartable = self._random.choice((0.0, 0.0, 0.3))
            if self._random.random() < 0.1:
                way.known.clear()

    def end(self, stuck: Sequence[Way]) -> None:
        """From now on all goes well but on these, which do not answer any more."""
        for way in self._ways:
            way.mend()
            way.machine.full_until_us = 0
            way.machine.steps_left = None
        for way in stuck:
            way.hang(FOREVER_S)
            if self._random.random() < 0.5:
                way.each_end(End.fall_silent)

    def _of_one(self, act: Callable[[Way], object]) -> Callable[[], object]:
        return lambda: act(self._random.choice(self._ways))

    def _cut_at_a_byte(self, way: Way) -> None:
        size_bytes = self._random.randrange(self._random.choice((10, 300, 3000)))
        way.each_end(lambda end: end.cut_after(size_bytes))

    def _bar(self, way: Way) -> None:
        way.barred_until_us = now_us() + int(self._random.choice(_WHILES_S) * 1_000_000)
        way.each_end(End.cut)

    def _ask(self, way: Way) -> None:
        way.asks = not way.asks
        way.each_end(End.cut)

    def _kill_runner(self, way: Way) -> None:
        way.machine.steps_left = self._random.randrange(12)
        if way.machine.runner is not None and self._random.random() < 0.3:
            way.machine.runner.kill()

    def _reboot(self, way: Way) -> None:
        """As a rule nobody is told: the connections are silent until somebody asks what is the matter."""
        if self._random.random() < 0.7:
            way.each_end(End.fall_silent)
        whole = len(way.machine.journal)
        way.machine.reboot(whole if self._random.random() < 0.5 else self._random.randrange(whole + 1))

    def _jump(self, way: Way) -> None:
        way.machine.clock.jump(int(self._random.choice((0.7, 30.0, 4000.0)) * self._random.choice((-1, 1)) * 1_000_000))

    def _disk(self, way: Way) -> None:
        way.machine.full_until_us = now_us() + int(self._random.choice(_WHILES_S) * 1_000_000)

    def _lose_journal(self, way: Way) -> None:
        if way.machine.runner is not None:
            way.machine.runner.kill()
        way.machine.lose_journal()


def _some(source: Random, most: float) -> float:
    return source.random() * most
