"""Questions to a cluster for people: each is one command, whose failure is an answer as good as another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from .site import Finished, NotRun, Site, Unclear

LOOK_S: Final = 20.0


class Asked(Struct, frozen=True):
    """A command that was asked for: what it said, or else the sentence why that is not known.

    `is_missing`: it could not be run at all.
    """

    finished: Finished | None
    problem: str = ""
    took_us: int = 0
    is_missing: bool = False

    @property
    def is_good(self) -> bool:
        """Whether it ended well."""
        return self.finished is not None and self.finished.exit_code == 0

    @property
    def text(self) -> str:
        """What it wrote, empty if it did not end well."""
        return self.finished.stdout.decode(errors="replace") if self.finished is not None and self.is_good else ""

    @property
    def complaint(self) -> str:
        """Why it did not do as asked, in its own words if it had any."""
        if self.finished is None:
            return self.problem
        lines = (self.finished.stderr or self.finished.stdout).decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else f"it ended with exit code {self.finished.exit_code}"


class Questions:
    """Asks a site, one command after the other, and keeps the time. `took_us`: all of them together, so far."""

    def __init__(self, site: Site, now: Callable[[], int]) -> None:
        self.site = site
        self.now = now
        self.took_us = 0

    async def ask(self, argv: Sequence[str]) -> Asked:
        """Run a command to its end; nothing is raised for one that fails."""
        began = self.now()
        finished, problem, missing = None, "", False
        try:
            finished = await self.site.run(argv, timeout_s=LOOK_S)
        except (NotRun, Unclear) as error:
            problem, missing = str(error), isinstance(error, NotRun)
        took_us = self.now() - began
        self.took_us += took_us
        return Asked(finished, problem, took_us, missing)
