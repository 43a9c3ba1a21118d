"""Receipts: what a runner is given for ends that it may forget, and shows to every supervisor after that.

As long as a runner has an attempt, its token bears witness that it was launched. A receipt does so from then on: it
names the place in the log at which the ends were recorded, as `<home id>.<seq>.<time>`. A log that holds another event
there, or none, has lost its end, and would give job numbers and tokens out a second time. The number alone would not
show it: a log put back from a backup grows past it again.
"""

from __future__ import annotations

from holdfast.events.errors import LogCutOff
from holdfast.store.contract import Store


def receipt(home: str, seq: int, time: int) -> str:
    """The receipt for what is recorded up to the event `seq`, whose time is `time`."""
    return f"{home}.{seq}.{time}"


def newest_receipt(store: Store) -> str:
    """The receipt for all that the log holds."""
    return _receipt_at(store, store.seq) or ""


def check_receipt(store: Store, shown: str, *, cluster: bool = False) -> None:
    """Raise LogCutOff if the log does not hold what a runner's, or a cluster's, newest receipt names.

    "" if it has none.
    """
    home, _, place = shown.partition(".")
    seq = place.partition(".")[0]
    # One of another home says nothing of this log.
    if home == store.base.home and seq.isdecimal() and _receipt_at(store, int(seq)) != shown:
        who = "the cluster's folder" if cluster else "the runner"
        seen = f"{who} has a receipt for what was recorded up to event {seq}, and that event is not in this log"
        raise LogCutOff(seen, cluster=cluster)


def _receipt_at(store: Store, seq: int) -> str | None:
    if 0 < seq <= store.seq:
        for stored, _ in store.events(seq - 1):
            return receipt(store.base.home, seq, stored.time)
    return None
