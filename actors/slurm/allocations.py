"""What an allocation runs: the same runner as everywhere, on its node, for as long as the allocation lasts.

It goes to Slurm as an attempt of its own, whose command is `LAUNCHER`. The runner's socket and lock are in a folder of
the node's own disk, because file systems that nodes share have no such; its journal and the output of its jobs are in
the cluster's shared folder, so that they can be read when the allocation is gone:

    <folder>/pilots/<number>/where            the folder of the socket, on the node
    <folder>/pilots/<number>/runner.journal   claims and ends; the last line says that it ended in good order
    <folder>/output/<number>000001.out        output, in segments numbered for this allocation

The supervisor reaches it through a step of the allocation, `srun`, which Slurm starts on the node and which connects
to the socket there: no port is open, and if the step is ended, nothing else is.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from holdfast.events.allocations import ATTEMPT, token_of
from holdfast.events.pilots import usable_us
from holdfast.events.records import Allocation, Target
from holdfast.events.spec import JobSpec

from ..connections.bootstrap import PYTHONS
from ..targets.messages import Order

_RUNNER: Final = Path(__file__).parent.parent / "runner.py"
_PYTHONS: Final = " ".join(PYTHONS)
_US: Final = 1_000_000
ALONE_S: Final = 300
"""An allocation with nothing to do ends by itself after so long at the least: if it is not given back before."""

# $1: Holdfast's folder, $2: the runner's file, both below the folder that this is started in; $3: the number; $4: how
# many seconds jobs may run; $5: after how many seconds with nothing to do it ends. A runner that was killed is started
# again, and finds what still runs.
LAUNCHER: Final = r"""here=$PWD/$1/pilots/$3 runner=$PWD/$2 told= tries=0
mkdir -p -m 700 -- "$PWD/$1/pilots" "$here" || exit 1
[ -e "$here/output" ] || ln -s ../../output "$here/output" || exit 1
sockets=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-XXXXXXXXXX") || exit 1
trap 'told=TERM' TERM
trap : HUP INT QUIT USR1 USR2
for python in @PYTHONS@; do
    case $("$python" -I -S -c 'import ctypes,json,sys;print(sys.version_info>=(3,6))' </dev/null 2>/dev/null) in
    True) break ;;
    esac
    python=
done
if [ -z "$python" ]; then
    echo "no Python 3.6 or newer with its standard library was found on $(uname -n); looked for @PYTHONS@" >&2
    rmdir -- "$sockets"
    exit 1
fi
until=$(($(date +%s) + $4))
printf '%s\n' "$sockets" >"$here/.where" && mv -f -- "$here/.where" "$here/where" || exit 1
while :; do
    code=0
    "$python" -I -S "$runner" --sockets "$sockets" --number "$3" --until "$until" --idle-s "$5" "$here" || code=$?
    [ "$code" -gt 128 ] && [ -z "$told" ] && [ "$tries" -lt 5 ] || break
    tries=$((tries + 1))
done
rm -rf -- "$sockets"
exit "$code"
"""


@cache
def runner_file() -> str:
    """The name of the runner's file beside Holdfast's folders in a workdir, where the relay puts it."""
    return f"runner-{hashlib.sha256(_RUNNER.read_bytes()).hexdigest()[:16]}.py"


def folder_of(folder: str, number: int) -> str:
    """The folder of an allocation's runner, in the cluster's shared one."""
    return f"{folder}/pilots/{number}"


def order_of(home: str, folder: str, cluster: Target, allocation: Allocation) -> Order:
    """What has the cluster run an allocation; `folder`: the name of Holdfast's own folder for the cluster."""
    assert cluster.slurm is not None, "only clusters have allocations"
    pilot = cluster.slurm.pilot
    idle_us = 0 if pilot is None else pilot.idle_us
    cpus = 0 if pilot is None else pilot.cpus
    needs = {name: amount for name, amount in cluster.capacity.items() if name != "cpus"}
    words = (f".holdfast/{folder}", f".holdfast/{runner_file()}", str(allocation.number))
    times = (str(usable_us(allocation.time_us) // _US), str(max(ALONE_S, idle_us // _US)))
    spec = JobSpec(
        run=("/bin/sh", "-c", LAUNCHER.replace("@PYTHONS@", _PYTHONS), "holdfast-pilot", *words, *times),
        name=f"pilot-{allocation.number}",
        target=cluster.name,
        cwd=".",
        needs={**needs, "cpus": cpus} if cpus else needs,
        sbatch={} if cpus else {"exclusive": "true"},
        timeout_us=allocation.time_us,
        # Never read, and not the same for two: so each is a batch of its own, with an id of its own.
        variables={"allocation": str(allocation.number)},
    )
    return Order(allocation.number, ATTEMPT, token_of(home, allocation.number), spec)
