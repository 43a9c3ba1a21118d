"""Holdfast's folder on a cluster: made there, given secrets, and read, each by a small shell script that is sent along.

    attempts/7.1      made by whoever claims the attempt, and by nobody else; its first lines say who, those that come
                      later how the command ended, or why it was not started; `void` that Holdfast claimed it itself,
                      so that nobody ever runs it
    seconds/7.1/      `<Slurm's id>.<restart>` of each other copy that came and ended
    output/7.1.out    and .err: what the command wrote
    clocks/n1         when a script on that node last looked at the clock, and how long the node had been up
    secrets/7.1       there until the attempt takes it
    slurm/            Slurm's own logs

One reading asks for many attempts, and starts no process for any of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from msgspec import Struct

from holdfast.events.errors import Unavailable
from holdfast.events.quoting import shown

from .shellwords import CARRIAGE_RETURN, quote

T = TypeVar("T")

SECRETS_ARGV: Final = ("/bin/sh", "-s")
"""What reads what `secrets_stdin` makes, from its standard input: no list of processes shows anything of it."""

NO_ID: Final = 3
_WORDS: Final = ("by", "exit", "refused", "second", "size", "void")
_SIGNALLED: Final = 128
_SIGNALS: Final = 64
_SECOND: Final = re.compile(r"[0-9]+\.[0-9]+")
_TIME: Final = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?")

_PREPARE: Final = """\
umask 077
mkdir -p -- "$1" && chmod 700 "$1" && cd -- "$1" && mkdir -p attempts clocks output seconds secrets slurm &&
    : >"attempts/.writable.$$" && rm -f "attempts/.writable.$$"
"""
# Where the same path leads to another folder, what stands there says nothing of our attempts.
_IDENTIFY: Final = """\
umask 077
cd -- "$1" || exit 1
if [ ! -s id ]; then
    [ -n "$2" ] || exit 3
    printf '%s\\n' "$2" >".id.$$" && ln ".id.$$" id 2>/dev/null
    rm -f ".id.$$"
fi
read -r id <id && printf 'id %s\\n' "$id" || exit 1
[ ! -f receipt ] || { read -r receipt <receipt && printf 'receipt %s\\n' "$receipt"; }
echo end
"""
_CHECK: Final = """\
if [ -n "$2" ]; then
    id= && read -r id <"$1/id"
    [ "$id" = "$2" ] || { echo "$1 is another folder than it was" >&2; exit 1; }
fi
"""
# Opening the folders has network file systems look at what is there now, and not at what was there a minute ago.
# Of who was cut off while it made the file, NFS may keep one that nobody can read: it is claimed, and says nothing.
_READ: Final = """\
export LC_ALL=C
cd -- "$1/attempts" && true <. || exit 1
[ ! -d ../seconds ] || true <../seconds || exit 1
works=$(cat)
for work in $works; do
    if [ -e "$work" ]; then
        printf 'attempt %s\\n' "$work"
        part=by
        [ ! -f "$work" ] || [ ! -r "$work" ] || while IFS= read -r line; do
            case $part$line in
            "bystatus "*) part=exit ;;
            "byrefused "*) part=refused line=${line#refused } ;;
            "byvoid "*) part=void line=${line#void } ;;
            esac
            printf '%s %s\\n' "$part" "$line"
        done <"$work" || exit 1
        for second in "../seconds/$work"/*; do
            [ -f "$second" ] && printf 'second %s\\n' "${second##*/}"
        done
    else
        printf 'none %s\\n' "$work"
    fi
done
cd -- "$1/output" && true <. || exit 1
for work in $works; do
    for file in "$work.out" "$work.err"; do [ -f "$file" ] && printf '%s\\n' "$file"; done
done | xargs ls -dln . 2>/dev/null | while read -r mode links user group size rest; do
    printf 'size %s %s\\n' "$size" "${rest##* }"
done
echo end
"""
_VOID: Final = """\
cd -- "$1/attempts" && set -C || exit 1
while IFS= read -r work; do
    first= made=
    [ -e "$work" ] || { made=yes; echo "void nobody may run this any more"; } >"$work"
    [ -e "$work" ] || exit 1
    [ ! -f "$work" ] || read -r first rest 2>/dev/null <"$work"
    if [ "$first" = void ]; then
        printf 'void %s\\n' "$work"
    elif [ -n "$made" ]; then # on a full disk: nobody has claimed it, and nobody is to take it for claimed
        rm -f -- "$work"
        exit 1
    else
        printf 'claimed %s\\n' "$work"
    fi
done
echo end
"""
# What shows that these ran goes only once there is a receipt for it.
# One `rm` for all of them, here, and none in each script, whose short command it would cost a tenth of its rate.
_CLOSE: Final = """\
cd -- "$1" || exit 1
[ -z "$2" ] || { printf '%s\\n' "$2" >".receipt.$$" && mv -f ".receipt.$$" receipt; } || exit 1
while IFS= read -r work; do
    slurm= array= task= void=
    while read -r name value; do
        case $name in
        slurm | array | task | void) eval "$name=\\$value" ;;
        status | refused) break ;;
        esac
    done 2>/dev/null <"attempts/$work"
    [ -n "$void" ] || [ ! -s "attempts/$work" ] || true >|"attempts/$work"
    [ -n "$task" ] && log=slurm/${array}_$task.log || log=slurm/$slurm.log
    for file in "output/$work.out" "output/$work.err" "$log"; do
        [ -f "$file" ] && [ ! -s "$file" ] && printf '%s\\n' "$file"
    done
    for file in "seconds/$work" "secrets/$work" "secrets/.$work"; do
        [ -e "$file" ] && printf '%s\\n' "$file"
    done
done | xargs rm -rf -- .nothing
"""
_FORGET: Final = """\
cd -- "$1/secrets" && while IFS= read -r work; do set -- "$@" "$work" ".$work"; done && shift && rm -f -- "$@"
"""


class GarbledAnswer(Unavailable):
    """What came back about attempts is not what the script that was sent says; nothing is concluded from it."""


class Claim(Struct, frozen=True):
    """Who claimed an attempt: a job of Slurm's (and the array and task that it is, if it is one), and its script.

    `plan`: the word of the plan that its script was submitted for.
    """

    slurm_id: int
    array: int | None
    task: int | None
    restart: int
    host: str
    pid: int
    time_us: int
    plan: str = ""


class Exit(Struct, frozen=True):
    """How a command ended: `status` as a shell has it, 128 and the signal's number if a signal ended it."""

    status: int
    began_us: int
    ended_us: int

    @property
    def signal(self) -> int | None:
        """The signal that ended the command, as far as a shell can tell: exit codes from 129 to 192 look the same."""
        return self.status - _SIGNALLED if _SIGNALLED < self.status <= _SIGNALLED + _SIGNALS else None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, if no signal ended it."""
        return None if self.signal is not None else self.status


class AttemptFolder(Struct, frozen=True):
    """What an attempt's file says, and what stands beside it.

    `claimed`: it is there at all; `void`: it was Holdfast that claimed it. `refused`: why the command was not started
    after all. `seconds`: other copies that came and ended, each as Slurm's id and the restart (`12.0`). `out_bytes` and
    `err_bytes`: how much it has written so far.
    """

    claimed: bool
    claim: Claim | None = None
    exit: Exit | None = None
    refused: str | None = None
    void: bool = False
    seconds: tuple[str, ...] = ()
    out_bytes: int = 0
    err_bytes: int = 0


def prepare_argv(folder: str) -> list[str]:
    """The command that makes Holdfast's folder on a cluster, private, with all that belongs in it."""
    return ["/bin/sh", "-c", _PREPARE, "sh", folder]


def secrets_stdin(folder: str, secrets: Mapping[str, Mapping[str, str]]) -> bytes:
    """What SECRETS_ARGV reads, to put secrets of attempts (by name, such as 7.1) where their scripts look for them."""
    lines = ["set -eu", "umask 077", f"{CARRIAGE_RETURN}=$(printf '\\r')", f"cd -- {quote(folder + '/secrets')}"]
    for work, values in secrets.items():
        text = "".join(f"export {name}={_sourced(value)}\n" for name, value in values.items())
        # `printf` is the shell's own: no process is started that would have this among its arguments.
        # What is cut off by a full disk is not to stay there.
        lines.append(f"printf '%s' {quote(text)} >.{work} || {{ rm -f .{work}; exit 1; }}")
        lines.append(f"mv -f .{work} {work}")
    return ("\n".join(lines) + "\n").encode(errors="surrogateescape")


def _sourced(value: str) -> str:
    """A value as a file has it that is read with `.`, where nothing stands for a carriage return."""
    return "'" + value.replace("'", "'\\''") + "'"


def forget_secrets_argv(folder: str) -> list[str]:
    """The command that removes secrets of attempts that never took them; it reads their names, as `read_stdin`."""
    return ["/bin/sh", "-c", _FORGET, "sh", folder]


def close_argv(folder: str, receipt: str = "") -> list[str]:
    """The command that removes what is no longer needed of attempts that are over, whose names it reads (`read_stdin`).

    That is what their scripts noted, secrets that they didn't take, and output and logs of Slurm's that are empty. The
    files stay, empty: they are the claims, and as long as a copy may come from somewhere nothing else stops it.
    `receipt` is kept there: the place in the log that has their ends.
    """
    return ["/bin/sh", "-c", _CLOSE, "sh", folder, receipt]


def identify_argv(folder: str, fresh: str) -> list[str]:
    """The command that prints the id of Holdfast's folder, and its receipt; `fresh` becomes its id if it has none.

    If that is empty, a folder without an id is left so, and the exit code is NO_ID.
    """
    return ["/bin/sh", "-c", _IDENTIFY, "sh", folder, fresh]


def identify_answer(answer: bytes) -> tuple[str, str]:
    """The id and the receipt that `identify_argv` printed. Raises GarbledAnswer."""
    found = dict(_lines(answer))
    if "id" not in found or found.keys() - {"id", "receipt"}:
        raise _garbled(" ".join(found), "an id is expected, and a receipt perhaps")
    return found["id"], found.get("receipt", "")


def read_argv(folder: str, own: str = "") -> list[str]:
    """The command that says what stands in the folders of attempts, whose names it reads (`read_stdin`).

    It does so only in the folder whose id is `own`, if that is given.
    """
    return ["/bin/sh", "-c", _CHECK + _READ, "sh", folder, own]


def read_stdin(works: Iterable[str]) -> bytes:
    """The names of attempts, `<job>.<attempt>`, as `read_argv` reads them."""
    return "".join(f"{work}\n" for work in works).encode()


def read_answer(answer: bytes, works: Sequence[str]) -> dict[str, AttemptFolder]:
    """What `read_argv` has said about these attempts. Raises GarbledAnswer unless it speaks of each, and to the end."""
    parts: dict[str, dict[str, list[str]]] = {}
    claimed: set[str] = set()
    work = ""
    for word, text in _lines(answer):
        if word in {"attempt", "none"}:
            work = text
            parts[work] = {}
            if word == "attempt":
                claimed.add(work)
        elif word == "size":
            size, _, file = text.partition(" ")
            parts.setdefault(file[: -len(".out")], {})[file[-len(".out") :]] = [size]
        elif work in claimed and word in _WORDS:
            parts[work].setdefault(word, []).append(text)
        else:
            raise _garbled(f"{word} {text}", "that is none of what is asked for")
    parts.pop("", None)  # the folder of all outputs
    _check_all(parts, works)
    return {work: _folder(parts[work], claimed=work in claimed) for work in works}


def void_argv(folder: str, own: str = "") -> list[str]:
    """The command that claims attempts, whose names it reads (`read_stdin`), for nobody: they never run then.

    It does so only in the folder whose id is `own`, if that is given.
    """
    return ["/bin/sh", "-c", _CHECK + _VOID, "sh", folder, own]


def void_answer(answer: bytes, works: Sequence[str]) -> dict[str, bool]:
    """Which of these attempts never ran and never will; the others were claimed before. Raises GarbledAnswer."""
    found: dict[str, bool] = {}
    for word, work in _lines(answer):
        if word not in {"void", "claimed"}:
            raise _garbled(f"{word} {work}", "that is none of what is asked for")
        found[work] = word == "void"
    _check_all(found, works)
    return found


def _lines(answer: bytes) -> list[tuple[str, str]]:
    """The lines of an answer, each as its first word and the rest."""
    *lines, rest = answer.decode(errors="replace").split("\n")
    if rest or not lines or lines.pop() != "end":
        raise _garbled(rest or (lines or [""])[-1], "it breaks off there")
    return [(word, text) for word, _, text in (line.partition(" ") for line in lines)]


def _check_all(found: Iterable[str], works: Sequence[str]) -> None:
    others = set(found) ^ set(works)
    if others:
        raise _garbled(", ".join(sorted(others)), "those and the attempts that were asked for are not the same")


def _folder(parts: Mapping[str, Sequence[str]], *, claimed: bool) -> AttemptFolder:
    out_bytes, err_bytes = (_number(parts[kind][0]) if kind in parts else 0 for kind in (".out", ".err"))
    return AttemptFolder(
        claimed=claimed,
        claim=_read(_claim, parts.get("by")),
        exit=_read(_exit, parts.get("exit")),
        refused="\n".join(parts["refused"]) if "refused" in parts else None,
        void="void" in parts,
        seconds=tuple(name for name in parts.get("second", ()) if _SECOND.fullmatch(name)),
        out_bytes=out_bytes,
        err_bytes=err_bytes,
    )


def _read(read: Callable[[Sequence[str]], T | None], lines: Sequence[str] | None) -> T | None:
    """What a note says. One that was damaged, as by a full disk, says nothing, and concerns no other attempt."""
    try:
        return None if lines is None else read(lines)
    except GarbledAnswer:
        return None


def _claim(lines: Sequence[str]) -> Claim | None:
    fields = _fields(lines, ("slurm", "array", "task", "restart", "host", "pid", "plan", "time"))
    if fields is None:
        return None
    array, task = (_number(fields[name]) if fields[name] else None for name in ("array", "task"))
    numbers = {name: _number(fields[name]) for name in ("slurm", "restart", "pid")}
    time_us = _time_us(fields["time"])
    return Claim(
        numbers["slurm"], array, task, numbers["restart"], fields["host"], numbers["pid"], time_us, fields["plan"]
    )


def _exit(lines: Sequence[str]) -> Exit | None:
    fields = _fields(lines, ("status", "began", "ended"))
    if fields is None:
        return None
    return Exit(_number(fields["status"]), _time_us(fields["began"]), _time_us(fields["ended"]))


def _fields(lines: Sequence[str], names: Sequence[str]) -> dict[str, str] | None:
    """The values by name; None if the last are not there yet, because the file is being written."""
    fields = {name: text for name, _, text in (line.partition(" ") for line in lines)}
    if len(fields) != len(lines) or list(fields) != list(names[: len(lines)]):
        raise _garbled(" ".join(lines), f"the fields are {', '.join(names)}")
    return fields if len(fields) == len(names) else None


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise _garbled(text, "a number is expected")
    return int(text)


def _time_us(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise _garbled(text, "a time in seconds is expected")
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0")[:6])


def _garbled(seen: str, rule: str) -> GarbledAnswer:
    problem = f"the cluster answered {shown(seen)} about attempts, and {rule}; it is asked again"
    return GarbledAnswer(problem)
