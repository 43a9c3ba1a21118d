"""The inspection of where Slurm's commands run: the folder there, the room in it, its file system, and the clock."""

from __future__ import annotations

from typing import Final

from holdfast.events.messages import Finding
from holdfast.events.quoting import shown
from holdfast.events.spec import SlurmSpec

from .questions import Questions

ROOM_LITTLE_BYTES: Final = 1_000_000_000
ROOM_NONE_BYTES: Final = 50_000_000
APART_US: Final = 5_000_000  # clocks that are set gently differ by less
TOO_FAR_US: Final = 240_000_000  # munge takes no credential that is 5 minutes old
_KIBI: Final = 1024
ON_PATH: Final = "let a login without a terminal have a PATH with Slurm's commands on it, as by ~/.bashrc or ~/.profile"

# Written and removed in the folder itself, which is where attempts claim their tokens. One process tells all.
_SCRIPT: Final = """\
missing=
for tool in cat date id ls mkdir mv rm uname xargs; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
echo "missing=$missing"
[ -z "$missing" ] || exit 0
date +clock=%s
umask 077
file="$1/.looked-at.$$"
if (echo looked > "$file") 2>/dev/null && rm -f "$file"; then echo written=yes; else echo written=no; fi
echo "kind=$(stat -f -c %T "$1" 2>/dev/null)"
df -Pk "$1" 2>/dev/null | { read -r line; read -r device size used room rest && echo "room=$room"; } || :
"""
# Those that one machine alone has, as `stat -f` names them.
_LOCAL_KINDS: Final = frozenset({"ext2/ext3", "xfs", "btrfs", "tmpfs", "zfs", "overlayfs", "ramfs", "reiserfs", "jfs"})


async def check_machine(questions: Questions, slurm: SlurmSpec) -> list[Finding]:
    """Look at the workdir and the clock, and at what pilots need."""
    folder = questions.site.folder
    asked = await questions.ask(("/bin/sh", "-c", _SCRIPT, "sh", folder))
    if not asked.is_good:
        return [Finding("wrong", f"the folder {shown(folder)} can't be looked at: {asked.complaint}", "")]
    said = dict(line.split("=", 1) for line in asked.text.splitlines() if "=" in line)
    missing = ", ".join(said.get("missing", "").split())
    if missing:
        return [Finding("wrong", f"a login without a terminal has no {missing} on its PATH", ON_PATH)]
    if said.get("written") != "yes":
        remedy = "choose another workdir, or make room there: a quota that is used up looks just so"
        return [Finding("wrong", f"nothing can be written in {shown(folder)}", remedy)]
    return [
        *check_folder(questions.site.workdir, said),
        check_clock(said, questions.now() - asked.took_us // 2),
        *await _check_python(questions, slurm),
    ]


def check_folder(workdir: str, said: dict[str, str]) -> list[Finding]:
    """What there is to say of a workdir that can be written in."""
    kind, room = said.get("kind", ""), said.get("room", "")
    free_bytes = int(room) * _KIBI if room.isdecimal() else None
    findings: list[Finding] = []
    what = f"the workdir {shown(workdir)} can be written in"
    if free_bytes is not None and free_bytes < ROOM_LITTLE_BYTES:
        level = "wrong" if free_bytes < ROOM_NONE_BYTES else "warning"
        full = f"the file system of {shown(workdir)} has {free_bytes // 1_000_000} MB left"
        findings.append(Finding(level, full, "make room there, or choose another workdir"))
    elif free_bytes is not None:
        what += f", and has {free_bytes / 1e9:.0f} GB left (a quota may leave less)"
    if kind in _LOCAL_KINDS:
        problem = f"the workdir {shown(workdir)} is on {kind}, which only this machine has as a rule"
        remedy = "the nodes must see the same folder there: choose a workdir on what the cluster shares, if they don't"
        return [*findings, Finding("warning", problem, remedy)]
    where = f", on {kind}" if kind else ""
    return [*findings, Finding("ok", f"{what}{where}; that the nodes see it too, only a job can show")]


def check_clock(said: dict[str, str], now: int) -> Finding:
    """Whether the clock there agrees with ours, `now` (microseconds), at the middle of the question."""
    clock = said.get("clock", "")
    if not clock.isdecimal():
        return Finding("warning", "the clock there can't be read", "let `date` be on the PATH there")
    apart_us = int(clock) * 1_000_000 - now
    told = (
        f"the clock there is {abs(apart_us) / 1_000_000:.0f} s {'ahead of' if apart_us > 0 else 'behind'} the one here"
    )
    if abs(apart_us) > TOO_FAR_US:
        return Finding("wrong", told, "set both by NTP: what was submitted is looked up by its time as well")
    # It tells whole seconds, so one second says nothing.
    if abs(apart_us) > APART_US:
        return Finding("warning", told, "set both by NTP: times of jobs are taken from both")
    return Finding("ok", "the clock there agrees with the one here")


async def _check_python(questions: Questions, slurm: SlurmSpec) -> list[Finding]:
    """Whether there is what allocations of a pilot start, as far as that can be seen from here."""
    if slurm.pilot is None:
        return []
    srun = await questions.ask(("srun", "--version"))
    if not srun.is_good:
        problem = f"the command srun can't be run, and pilots are reached by it: {srun.complaint}"
        return [Finding("wrong", problem, "leave out pilot, or have srun installed there")]
    asked = await questions.ask(("python3", "--version"))
    if not asked.is_good:
        problem = f"python3 can't be run there, and on the nodes pilots need it: {asked.complaint}"
        return [Finding("warning", problem, "let the nodes have a Python from 3.6 on")]
    return [Finding("ok", f"{asked.text.strip()} is there, and srun; pilots need a Python on the nodes as well")]
