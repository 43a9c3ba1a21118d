"""A supervisor that loses patience with a cluster sooner than people's do: `python -m tests.slurm.impatient HOME`.

It says `serving` once it is up, and leaves on SIGTERM.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

import trio
from msgspec.structs import replace

from holdfast.actors.connections.host import Times
from holdfast.actors.slurm.log import ClusterTimes
from holdfast.actors.targets.conversation import Patience
from holdfast.store.home import Home
from holdfast.supervisor import open_supervisor, system

CLUSTER: Final = ClusterTimes(grace_s=2.0, away_s=3.0, account_s=3.0, gone_s=6.0)
TIMES: Final = Times(Patience(ping_s=0.2, suspect_s=1.0, silence_s=3.0, away_s=1.0), dial_s=5.0, cluster=CLUSTER)


async def main() -> None:
    """Serve."""
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with open_supervisor(Home(Path(sys.argv[1])), slots=4, surroundings=replace(system(), times=TIMES)):
            sys.stderr.write("serving\n")
            sys.stderr.flush()
            async for _ in signals:
                break


if __name__ == "__main__":
    trio.run(main)
