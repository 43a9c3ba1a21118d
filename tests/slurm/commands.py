"""Slurm's commands, counted: each call leaves a record, and is as slow, wrong or deadly as a test wants it to be."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tests.tools import need

from .accounting import HOW

COUNTED: Final = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "sinfo", "srun", "sacctmgr")
TIMED_OUT: Final = "Socket timed out on send/recv operation"
# What each says where the controller doesn't answer, and its exit code.
TIME_OUTS: Final = {
    "sbatch": (f"sbatch: error: Batch job submission failed: {TIMED_OUT}\n", 1),
    "squeue": (f"slurm_load_jobs error: {TIMED_OUT}\n", 1),
    "scancel": (f"scancel: error: Kill job error on job id: {TIMED_OUT}\n", 140),
    "scontrol": (f"slurm_load_jobs error: {TIMED_OUT}\n", 1),
    "sinfo": (f"slurm_load_partitions: {TIMED_OUT}\n", 1),
    "sacct": (f"sacct: error: slurm_persist_conn_open: {TIMED_OUT}\n", 1),
    "srun": (f"srun: error: Unable to allocate resources: {TIMED_OUT}\n", 1),
}
# A record is a file, written by one call alone, so that arguments may be of any size and hold any character. Whims that
# hold for one call are taken by renaming them, which one caller alone can do.
COUNTER: Final = """\
#!/bin/sh
read -r up idle </proc/uptime
printf '%s\\0' "$$" "$@" end >{calls}/$up.$$
for whim in {whims}/*.once {whims}/always; do
    case $whim in
        *.once) [ -e "$whim" ] && mv "$whim" "$whim.$$" 2>/dev/null && . "$whim.$$" ;;
        *) [ -e "$whim" ] && . "$whim" ;;
    esac
done
exec {real} "$@"
"""


class Call(NamedTuple):
    """One call of a counted command."""

    up_s: float  # when, in seconds since the machine was started, to the hundredth
    pid: int
    words: tuple[str, ...]  # its arguments


@dataclass(frozen=True)
class Whim:
    """What a command does instead of what it should."""

    before_s: float = 0.0  # how long it waits before it does anything
    works: bool = True  # whether the real command runs
    after_s: float = 0.0  # how long it waits between the effect and telling it
    out: str | None = None  # said on stdout in place of what the real one said
    err: str | None = None  # and on stderr
    code: int | None = None  # the exit code in place of the real one
    dies: bool = False  # killed with -9 where it would tell

    def script(self, real: str) -> str:
        """The shell's words for it; `real` is the command's path."""
        lines = [_wait(self.before_s), "out=$(mktemp) err=$(mktemp) code=0"]
        if self.works:
            # Whoever kills the command kills what does its work, as if they were one.
            lines.append(f'{_mortal()} {shlex.quote(real)} "$@" >"$out" 2>"$err" || code=$?')
        for name, text in (("out", self.out), ("err", self.err)):
            if text is not None:
                lines.append(f'printf %s {shlex.quote(text)} >"${name}"')
        lines.append(_wait(self.after_s))
        if self.dies:
            lines.append('rm -f "$out" "$err"; kill -9 $$')
        lines.append('cat "$err" >&2; cat "$out"; rm -f "$out" "$err"')
        lines.append("exit $code" if self.code is None else f"exit {self.code}")
        return "\n".join(filter(None, lines)) + "\n"


def slow(before_s: float = 0.0, after_s: float = 0.0) -> Whim:
    """It does what it should, and takes its time before or after."""
    return Whim(before_s=before_s, after_s=after_s)


def fails(err: str, code: int = 1) -> Whim:
    """It does nothing, and says so."""
    return Whim(works=False, err=err, code=code)


def dies(*, after: bool) -> Whim:
    """It is killed with -9 before it does anything, or after its effect, with nothing said."""
    return Whim(works=after, dies=True)


def babbles(text: str, code: int = 0) -> Whim:
    """It does what it should, and says something else."""
    return Whim(out=text, err="", code=code)


def times_out(command: str, *, works: bool, after_s: float = 0.0) -> Whim:
    """It says that the controller didn't answer, whether there was an effect (`works`) or none."""
    err, code = TIME_OUTS[command]
    return Whim(works=works, after_s=after_s, out="", err=err, code=code)


class Commands:
    """A folder for the head of PATH, with a counting command for each of Slurm's."""

    def __init__(self, folder: Path) -> None:
        """Make the folder; every command does what it should."""
        self.bin, self._folder = folder / "bin", folder
        self._serial = 0
        self._real = {name: need(name, HOW) for name in COUNTED}
        self.bin.mkdir(parents=True)
        for name, real in self._real.items():
            self._calls(name).mkdir(parents=True)
            self._whims(name).mkdir(parents=True)
            words = {"calls": self._calls(name), "whims": self._whims(name), "real": real}
            (self.bin / name).write_text(COUNTER.format(**{key: shlex.quote(str(word)) for key, word in words.items()}))
            (self.bin / name).chmod(0o755)

    def calls(self, *names: str) -> list[Call]:
        """The calls so far of these commands, of all if none is named, in their order."""
        found: list[tuple[int, Call]] = []
        for name in names or COUNTED:
            for path in self._calls(name).iterdir():
                pid, *words = path.read_bytes().decode(errors="surrogateescape").split("\0")
                if words[-2:] != ["end", ""]:
                    continue  # it is being written, or its writer was killed
                up_s = float(path.name.rpartition(".")[0])
                found.append((path.stat().st_mtime_ns, Call(up_s, int(pid), tuple(words[:-2]))))
        return [call for _, call in sorted(found)]

    def misbehave(self, name: str, whim: Whim, times: int | None = None) -> None:
        """Let a command do this from now on: its next calls, as many as `times`, or all until `behave`."""
        text = whim.script(self._real[name])
        for _ in range(times or 0):
            self._serial += 1
            _place(self._whims(name) / f"{self._serial:06}.once", text)
        if times is None:
            _place(self._whims(name) / "always", text)

    def behave(self, *names: str) -> None:
        """Let these commands, or all, do what they should again."""
        for name in names or COUNTED:
            for path in self._whims(name).iterdir():
                path.unlink(missing_ok=True)

    def forget_calls(self) -> None:
        """Count anew."""
        for name in COUNTED:
            for path in self._calls(name).iterdir():
                path.unlink(missing_ok=True)

    def _calls(self, name: str) -> Path:
        return self._folder / "calls" / name

    def _whims(self, name: str) -> Path:
        return self._folder / "whims" / name


def _place(path: Path, text: str) -> None:
    """Write a whole file or none: commands look for it meanwhile."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def _mortal() -> str:
    """What a command begins with that ends with the shell that started it."""
    return f"{shlex.quote(need('setpriv', 'it is part of util-linux'))} --pdeathsig KILL --"


def _wait(seconds: float) -> str:
    return f"{_mortal()} sleep {seconds}" if seconds else ""
