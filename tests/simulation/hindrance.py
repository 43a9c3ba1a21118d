"""Whom a machine that hangs may delay: its own jobs, those that follow them, and those that wait for what they hold."""

from __future__ import annotations

from collections.abc import Collection

from .history import IN_FLIGHT, History


def unhindered(history: History, stuck: Collection[str]) -> list[int]:
    """The jobs that have to end although these targets hang, and have not."""
    live = {number: history.jobs[number] for number in history.live()}
    hindered = {number for number, story in live.items() if story.spec.target in stuck}
    while True:
        held = {key for number in hindered if live[number].state in IN_FLIGHT for key in live[number].spec.limits}
        more = {
            number
            for number, story in live.items()
            if any(needed in hindered for _, needed in story.needed)
            or (story.state not in IN_FLIGHT and not held.isdisjoint(story.spec.limits))
        }
        if more <= hindered:
            return sorted(live.keys() - hindered)
        hindered |= more
