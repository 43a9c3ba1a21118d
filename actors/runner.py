"""The runner: one small process per host that starts attempts, waits for them and remembers how they ended.

    python -I -S runner.py HOME_DIR [--idle-s 10] [--sockets DIR --number N --until S]

A supervisor reaches it through the Unix socket `runner.sock` in HOME_DIR: frames of a 4-byte big-endian length and a
JSON object with a "type". The runner outlives the supervisor, and the attempts outlive the runner. Before an attempt
starts, its *claim* stands in `runner.journal`: whenever this process is killed, the next one knows every token that
may have run, and starts none of them again.

    supervisor -> runner    hello {protocol, environ}    capacity {capacity}    launch {attempts}
                            revoke, stop {tokens}    acknowledge {tokens, receipt}    ping {id}
                            read {id, segment, start, end, token}
                            execute {id, argv, stdin, cwd, without, timeout_us, max_output_bytes}
    runner -> supervisor    welcome {protocol, pid, started_at, boot, journal, receipt, executes, attempts}
                            report {attempts}    trouble {error}    pong {id}    data {id, running, base64, error}
                            printed {id, stream, base64}    done {id, exit_code, signal, error, not_run, ...}

Read it in this order: `Order` and `Run` (an attempt before and after its claim), `Core` (all the rules; no I/O of its
own), `Host` (the seam through which Core reaches the machine), `recall` (what a journal says), `Files` and `Processes`
(the machine), `Commands` (what the supervisor has run for itself: no attempts), `Server` (the loop).

One file, the standard library alone, Python 3.6 or later, because it is sent to hosts as they are: hence the quoted
annotations. Times are integer microseconds: `*_at` since the epoch, the others on the monotonic clock, which all
processes of one boot share.
"""

# pathlib would add to the start-up time, and to the memory that every runner and every fresh job holds.
# ruff: noqa: PTH100, PTH103, PTH108, PTH110, PTH113, PTH116, PTH118, PTH123, PTH208

import argparse
import binascii
import collections
import contextlib
import ctypes
import errno
import fcntl
import functools
import heapq
import json
import operator
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time

TYPE_CHECKING = False  # as in `typing`, whose import would add to the start-up time and to the memory
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeGuard, TypeVar

    Kind = TypeVar("Kind")

PROTOCOL = 1
LENGTH_BYTES = 4  # of the length before each frame
FRAME_LIMIT_BYTES = 64 << 20  # of one frame, and of what a slow reader may leave unread
JOURNAL_LIMIT_BYTES = 16 << 20
SEGMENT_LIMIT_BYTES, OPEN_PAIRS = 64 << 20, 64  # few stay open: each spawn copies and closes all descriptors
READ_LIMIT_BYTES = 256 << 10  # of output in one answer
COMMANDS_AT_ONCE, COMMANDS_WAITING = 8, 256
COMMAND_BYTES, PIECE_BYTES = 16 << 20, 128 << 10  # of what one prints on each stream, at most; of it in one message
TURN_US, GRACE_US, LINGER_US = (
    10000000,
    5000000,
    2000000,
)  # a command waits for its turn; between TERM and KILL; Commands
STARTS_PER_TURN = 32  # so that stops and time-outs wait some 10 ms at most behind a burst of launches
ANNOUNCE_US = 20000  # an attempt that ends sooner is reported once, as ended
GATHER_US = 6000  # how long news may wait for more while the queue keeps the slots busy
LOOK_US, QUICK_LOOK_US, QUICK_BYTES, PUNCH_BYTES = 500000, 50000, 8 << 20, 1 << 20  # how output sizes are watched
RETRY_US = 1000000
GRANTS_LIMIT, PROGRAMS_LIMIT = 4096, 256  # remembered keys of rates; places of programs
LOCK_WAIT_S = 5
# In an allocation of a cluster: segments of output are numbered from N times this on; how long an end by SIGTERM waits
# for ours, as Slurm tells all processes at once; how long the last reports wait for the supervisor.
SEGMENTS_EACH, HELD_US, LAST_WORDS_US = 1000000, 500000, 2000000
PEERS_LIMIT = 32  # connections, all but one of them without a hello
NOT_FOUND = "not found in PATH"
GONE = "a file for its output was removed while it was in use; leave the output folder in the home to Holdfast"
APPEND = os.O_WRONLY | os.O_APPEND
MILLION = 1000000
JOURNAL_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
DIED = "its runner died; the exit status can't be known"
ENDING = "the allocation on the cluster that it was in ended before it did"
CLOSING = "its allocation on the cluster ends: it goes to another one"
REBOOTED = "the machine was restarted; whether the attempt had ended, and how, can't be known"

encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
to_bytes: "Callable[[str], bytes]" = operator.methodcaller("encode", "utf-8", "surrogateescape")  # whatever the locale


class Malformed(Exception):
    """A message breaks the protocol; nothing of it took effect."""


class NotStarted(Exception):
    """An attempt could not be started; the text is for the job's owner."""


def is_array(value: object) -> "TypeGuard[list[object]]":
    """Whether a value that came as JSON is an array."""
    return isinstance(value, list)


def is_object(value: object) -> "TypeGuard[dict[str, object]]":
    """Whether a value that came as JSON is an object."""
    return isinstance(value, dict)


def scalar(value: object, name: str, kind: "type[Kind]") -> "Kind":
    """Return `value`, the member `name` of a message; raises Malformed if it isn't of type `kind`."""
    if type(value) is not kind:  # nor of a subclass, such as bool
        raise Malformed(f"{name!r} is {type(value).__name__}; it must be {kind.__name__}")
    return value


def field(message: "Mapping[str, object]", name: str, kind: "type[Kind]") -> "Kind":
    """Return the member `name` of a message; raises Malformed if it is missing or not of type `kind`."""
    return scalar(message.get(name), name, kind)


def array(value: object, name: str) -> "list[object]":
    """Return `value`, the member `name` of a message; raises Malformed if it is no array."""
    if not is_array(value):
        raise Malformed(f"{name!r} is {type(value).__name__}; it must be an array")
    return value


def items(message: "Mapping[str, object]", name: str, kind: "type[Kind]") -> "list[Kind]":
    """Return the member `name` of a message, an array of `kind`; raises Malformed."""
    return [scalar(value, name, kind) for value in array(message.get(name), name)]


def members(value: object, name: str) -> "dict[str, object]":
    """Return `value`, the member `name` of a message; raises Malformed if it is no object."""
    if not is_object(value):
        raise Malformed(f"{name!r} is {type(value).__name__}; it must be an object")
    return value


def pairs(message: "Mapping[str, object]", name: str, kind: "type[Kind]") -> "dict[str, Kind]":
    """Return the member `name` of a message, an object whose members are of type `kind`; raises Malformed."""
    return {key: scalar(value, name, kind) for key, value in members(message.get(name), name).items()}


class Terms:
    """What holds for an attempt before and after it was claimed: read from its launch and, later, from its claim."""

    def __init__(self, message: "Mapping[str, object]") -> None:
        """Check the members of an entry of a launch, or of a claim; raises Malformed."""
        self.token = field(message, "token", str)
        self.needs = pairs(message, "needs", int)
        self.timeout_us = None if message.get("timeout_us") is None else field(message, "timeout_us", int)
        self.grace_us = field(message, "grace_us", int)
        self.max_output_bytes = field(message, "max_output_bytes", int)  # of stdout, and of stderr


class Order(Terms):
    """An attempt that was launched and not yet claimed: it waits in the queue, may be revoked, has never run."""

    path_rule = "a name without a slash must be in a folder of the job's PATH"

    def __init__(self, message: "Mapping[str, object]", base: "dict[bytes, bytes]") -> None:
        """Check one entry of a launch; `base` is the environment below its `env`. Raises Malformed."""
        super().__init__(message)
        self.base = base
        self.argv = items(message, "argv", str)
        self.cwd = field(message, "cwd", str)
        self.make_cwd = scalar(message.get("make_cwd", False), "make_cwd", bool)
        self.env = pairs(message, "env", str)
        self.rates: list[tuple[str, int, int]] = []
        for rate in array(message.get("rates"), "rates"):
            key, interval_us, burst = array(rate, "rates")
            if not isinstance(key, str) or not isinstance(interval_us, int) or not isinstance(burst, int) or burst < 1:
                raise Malformed("a rate is [key, interval_us, burst], and the burst at least 1")
            self.rates.append((key, interval_us, burst))
        if not self.argv or not self.token:
            raise Malformed("'token' and 'argv' must not be empty")


class Command:
    """What the supervisor has run for itself: no attempt, so it is not claimed, needs no slot and is not remembered."""

    path_rule = (
        "it must be in a folder of the PATH there, as it is without a terminal; see to the shell's start-up files"
    )

    def __init__(self, message: "Mapping[str, object]", base: "Mapping[bytes, bytes]", due: int) -> None:
        """Check an `execute`, to start before `due` with the variables of `base`; raises Malformed or ValueError."""
        self.id = field(message, "id", int)
        self.argv = items(message, "argv", str)
        self.cwd = field(message, "cwd", str)
        self.stdin = binascii.a2b_base64(field(message, "stdin", str))
        without = {to_bytes(name) for name in items(message, "without", str)}
        self.environ = {name: value for name, value in base.items() if name not in without}
        self.timeout_us = field(message, "timeout_us", int)
        self.max_output_bytes = min(COMMAND_BYTES, field(message, "max_output_bytes", int))
        if not self.argv:
            raise Malformed("'argv' must not be empty")
        self.due: int | None = due
        self.pid = 0
        self.wanted = True
        self.printed = (bytearray(), bytearray())
        self.open: dict[int, int] = {}  # descriptors to read from, and which stream each is
        self.status: int | None = None
        self.timed_out = self.truncated = False

    def acts(self) -> bool:
        """Whether its process may still do something: it has not ended, nor been killed."""
        return self.status is None and self.due is not None

    def over(self) -> bool:
        """Whether its process has ended, and nothing more can be printed."""
        return self.status is not None and not self.open

    def answer(self, error: "str | None" = None) -> "Iterator[str]":
        """Yield what it printed, in pieces between which other messages find room, and how it ended; or the error."""
        if error is None:
            for stream, content in enumerate(self.printed):
                for start in range(0, len(content), PIECE_BYTES):
                    piece = binascii.b2a_base64(content[start : start + PIECE_BYTES], newline=False).decode()
                    yield encode({"type": "printed", "id": self.id, "stream": stream, "base64": piece})
        status = self.status or 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        code = os.WEXITSTATUS(status) if number is None and error is None else None
        yield encode({
            "type": "done", "id": self.id, "exit_code": code, "signal": number, "error": error,
            "not_run": error is not None, "timed_out": self.timed_out, "truncated": self.truncated,
        })  # fmt: skip


class Run:
    """An attempt that was claimed: it may have run. `times` are those of its claim, on the two clocks."""

    def __init__(self, terms: Terms, times: "tuple[int, int]", segment: int, starts: "tuple[int, int]") -> None:
        self.terms, self.token = terms, terms.token
        self.started_at, self.clock = times
        self.segment, self.starts, self.sizes = segment, starts, starts
        self.dropped: list[tuple[int, int] | None] = [None, None]
        self.grants: dict[str, int] = {}
        self.pid: int | None = None
        self.process_start: int | None = None
        self.cause: str | None = None  # what we ended it for: "timeout" or "stopped"
        self.adopted = self.announced = self.ended = False
        self.held: tuple[int | None, ...] | None = None  # how it exited, as long as that waits for a SIGTERM of ours

    # Claim and status are put together by hand: each attempt needs them, and `encode` takes three times as long.

    def claim(self) -> str:
        """Return the line of the journal that claims it."""
        terms = self.terms
        return (
            f'{{"claim":{{"token":{encode(self.token)},"at":{self.started_at},"clock":{self.clock},'
            f'"segment":{self.segment},"output":[{self.starts[0]},{self.starts[1]}],"needs":{numbers(terms.needs)},'
            f'"grants":{numbers(self.grants)},"timeout_us":{or_null(terms.timeout_us)},'
            f'"grace_us":{terms.grace_us},"max_output_bytes":{terms.max_output_bytes}}}}}\n'
        )

    def process(self) -> str:
        """Return the line of the journal that says which process it is."""
        return encode({"process": [self.token, self.pid, self.process_start]}) + "\n"

    def status(self, state: str, end: str = "") -> str:
        """Return what a report says of it, encoded; `end` are the members that only an ended attempt has."""
        output: list[str] = []
        for stream, suffix in enumerate(("out", "err")):
            start = self.starts[stream]
            stop = max(start, self.sizes[stream])  # it is smaller only if somebody cut the segment
            first, below = self.dropped[stream] or (stop, stop)
            output.append(
                f'{{"segment":"{self.segment:06d}.{suffix}","start":{start},"end":{stop},'
                f'"dropped_start":{first},"dropped_end":{below}}}'
            )
        return (
            f'{{"token":{encode(self.token)},"state":"{state}","pid":{or_null(self.pid)},'
            f'"process_start":{or_null(self.process_start)},"started_at":{self.started_at},'
            f'"output":[{output[0]},{output[1]}]{end}}}'
        )


def or_null(number: "int | None") -> "int | str":
    """Return what stands for a number in JSON."""
    return "null" if number is None else number


def numbers(members: "Mapping[str, int]") -> str:
    """Return an object whose members are numbers, encoded."""
    return "{" + ",".join([f"{encode(name)}:{number}" for name, number in members.items()]) + "}"


class Past:
    """What a journal says: see `recall`."""

    def __init__(self) -> None:
        self.journal: str | None = None
        self.boot: str | None = None
        self.claims: dict[str, Run] = {}  # of which no end is known
        self.ended: dict[str, str] = {}  # not acknowledged: the status, encoded
        self.grants: dict[str, int] = {}
        self.receipt = ""  # what came with the newest acknowledgement: it outlives what it is for
        self.closed = False  # the runner of an allocation ended in good order: what it does not know never ran there
        self.garbage: list[int] = []  # numbers of the lines that were skipped


def recall(content: bytes) -> Past:
    """Fold the lines of a journal. What follows the last newline was torn: its write never returned, so nothing ran."""
    past = Past()
    for number, text in enumerate(content.split(b"\n")[:-1], 1):
        try:
            _fold(past, members(json.loads(text.decode("ascii")), "line"))
        except (Malformed, ValueError, RecursionError):  # noqa: PERF203 - one bad line says nothing of the others
            past.garbage.append(number)
    return past


def _fold(past: Past, entry: "Mapping[str, object]") -> None:
    past.receipt = scalar(entry.get("receipt", past.receipt), "receipt", str)
    if "claim" in entry:
        claim = members(entry["claim"], "claim")
        out, err = items(claim, "output", int)
        times = (field(claim, "at", int), field(claim, "clock", int))
        run = Run(Terms(claim), times, field(claim, "segment", int), (out, err))
        run.grants, run.adopted = pairs(claim, "grants", int), True
        past.grants.update(run.grants)
        past.claims[run.token] = run
    elif "process" in entry:
        token, pid, process_start = array(entry["process"], "process")
        known = past.claims.get(scalar(token, "process", str))
        if known is not None:
            known.pid = scalar(pid, "process", int)
            known.process_start = None if process_start is None else scalar(process_start, "process", int)
    elif "end" in entry:
        status = members(entry["end"], "end")
        token = field(status, "token", str)
        past.claims.pop(token, None)
        past.ended[token] = encode(status)
    elif "acknowledge" in entry:
        for token in items(entry, "acknowledge", str):
            past.ended.pop(token, None)
    elif "grants" in entry:
        past.grants.update(pairs(entry, "grants", int))
    elif "closed" in entry:
        past.closed = True
    else:
        past.journal, past.boot = field(entry, "journal", str), field(entry, "boot", str)


class Core:
    """Every rule of the runner, over a `Host`: `receive` and `child_ended` as often as need be, then a `turn`."""

    def __init__(self, host: "Host", past: Past, *, bounded: bool = False) -> None:
        """Take over what a former runner left behind. `bounded`: it is in an allocation, which ends."""
        self.host = host
        self.bounded, self.ending = bounded, False
        self.journal = past.journal or host.name_journal()
        self.started_at = host.wall_us()
        self.environ: dict[bytes, bytes] = {}
        self.capacity: dict[str, int] | None = None  # not told yet: nothing starts
        self.used: dict[str, int] = {}
        self.queue: collections.OrderedDict[str, Order] = collections.OrderedDict()
        self.running: dict[str, Run] = {}
        self.leaders: dict[int, Run] = {}
        self.ended: dict[str, str] = past.ended
        self.receipt = past.receipt
        self.lines: list[str] = []  # of the journal, not yet written
        self.journal_bytes = self.compact_at = 0
        self.changed: dict[str, None] = {}  # an ordered set of tokens to report
        self.report_at: int | None = None  # when to report them at the latest
        self.replies: list[str] = []
        self.timers: list[tuple[int, int, str, Run]] = []
        self.timers_set, self.timers_limit = 0, 64
        self.grants = past.grants if past.boot == host.boot else {}  # theoretical arrival times, on this boot's clock
        self.paces: dict[str, int] = {}  # by key of a rate, its interval as the newest order says
        self.rate_at: int | None = None  # when the first attempt that waits for its rate may start
        self.more = False  # the queue was not looked through to its end
        self.trouble: str | None = None
        self.retry_at = 0
        found = host.find(list(past.claims.values())) if past.boot == host.boot else {}
        for token, run in past.claims.items():
            self.running[token] = run
            self._hold(run.terms.needs)
            host.reopen(run.segment)
            if token in found:
                run.pid = found[token]
                self._started(run, run.clock)
                self._look(run)
            else:
                self._finish(run, "lost", encode(DIED if past.boot == host.boot else REBOOTED))

    # What the supervisor says. A message is checked wholly before anything of it takes effect.

    def receive(self, message: "Mapping[str, object]") -> None:
        """Take one message of the supervisor; raises Malformed, and then it had no effect."""
        kind = field(message, "type", str)
        if kind == "hello":
            self._hello(message)
        elif kind == "ping":
            self.replies.append(encode({"type": "pong", "id": message.get("id")}))
        elif kind == "read":
            self._read(message)
        elif kind == "capacity":
            self.capacity = pairs(message, "capacity", int)
            for order in list(self.queue.values()):
                self._refuse_impossible(order)
        elif kind == "launch":
            entries = array(message.get("attempts"), "attempts")
            for order in [Order(members(entry, "attempts"), self.environ) for entry in entries]:
                if self._knows(order.token):
                    self.changed[order.token] = None
                else:
                    self.queue[order.token] = order
                    self._pace(order)
                    self._refuse_impossible(order)
        elif kind in ("revoke", "stop"):
            for token in items(message, "tokens", str):
                if token in self.queue or not self._knows(token):  # the launch of an unknown one may be under way
                    self._revoke(token)
                elif kind == "stop" and token in self.running:
                    self._signal(self.running[token], "stopped")
                else:
                    self.changed[token] = None
        elif kind == "acknowledge":
            receipt = scalar(message.get("receipt", self.receipt), "receipt", str)
            known = [token for token in items(message, "tokens", str) if self.ended.pop(token, None) is not None]
            if known:
                self.receipt = receipt
                self.lines.append(encode({"acknowledge": known, "receipt": receipt}) + "\n")
        else:
            raise Malformed(f"there is no message of type {kind!r}")

    def _hello(self, message: "Mapping[str, object]") -> None:
        if field(message, "protocol", int) != PROTOCOL:
            raise Malformed(f"this runner speaks protocol {PROTOCOL} and no other")
        self.environ = {to_bytes(name): to_bytes(value) for name, value in pairs(message, "environ", str).items()}
        for run in self.running.values():
            self._announce(run)
        welcome = encode({
            "type": "welcome", "protocol": PROTOCOL, "pid": self.host.pid, "started_at": self.started_at,
            "boot": self.host.boot, "journal": self.journal, "receipt": self.receipt, "executes": True, "attempts": [],
        })  # fmt: skip
        statuses = [self._status(token) for known in (self.queue, self.running, self.ended) for token in known]
        self.replies = [welcome[:-2] + ",".join(statuses) + "]}"]
        if self.trouble is not None:
            self.replies.append(encode({"type": "trouble", "error": self.trouble}))

    def _read(self, message: "Mapping[str, object]") -> None:
        segment, start, end = field(message, "segment", str), field(message, "start", int), field(message, "end", int)
        # An attempt that runs owns its segment to the end; once it has ended, another's output may follow there.
        running, content, error = message.get("token") in self.running, b"", None
        try:
            number, _, attempt = segment[:-4].partition(".")  # 000007.out; of a cluster, which has a file each: 7.1.out
            named = segment[-4:] in (".out", ".err") and number.isdigit() and (attempt or "0").isdigit()
            if not named or not 0 <= start <= end < 1 << 62:
                raise FileNotFoundError(errno.ENOENT, "there is no such place")
            if running or message.get("token") is None:
                content = self.host.read(segment, start, min(end, start + READ_LIMIT_BYTES))
        except OSError as failure:
            error = f"the output in {segment!r} can't be read: {failure.strerror}; was it removed from the host?"
        data = {"running": running, "base64": binascii.b2a_base64(content, newline=False).decode(), "error": error}
        self.replies.append(encode({"type": "data", "id": message.get("id"), **data}))

    def _refuse_impossible(self, order: Order) -> None:
        if self.ending:
            self._revoke(order.token, CLOSING)
            return
        for name, amount in order.needs.items():
            there = amount if self.capacity is None else self.capacity.get(name, 0)
            if amount > there:
                error = f"it needs {amount} of {name!r} and there are {there} at most, so it could never start;"
                self._revoke(order.token, error + " lower what it needs or raise the target's capacity")
                return

    def _revoke(self, token: str, error: "str | None" = None) -> None:
        self.queue.pop(token, None)
        self._close(token, encode({"token": token, "state": "revoked", "error": error}))

    def _close(self, token: str, status: str) -> None:
        self.ended[token] = status
        self.lines.append(f'{{"end":{status}}}\n')
        self.changed[token] = None

    def _knows(self, token: str) -> bool:
        return token in self.queue or token in self.running or token in self.ended

    def _status(self, token: str) -> str:
        if token in self.queue:
            return encode({"token": token, "state": "queued"})
        return self.running[token].status("running") if token in self.running else self.ended[token]

    # What processes do.

    def child_ended(self, pid: int, status: int, cpu_us: int, memory_bytes: int) -> None:
        """Take the end of a child: its status as of `wait` and what it used."""
        run = self.leaders.get(pid)
        if run is not None:  # else what an attempt left behind, which came to us as the subreaper
            number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
            code = os.WEXITSTATUS(status) if number is None else None
            exited = code, number, cpu_us, memory_bytes
            was_told = number == signal.SIGTERM or code == 128 + signal.SIGTERM
            if was_told and self.bounded and not self.ending and run.cause is None:
                run.held = exited
                self._at(self.host.monotonic_us() + HELD_US, "exited", run)
            else:
                self._exited(run, exited)

    def _exited(self, run: Run, exited: "tuple[int | None, ...]") -> None:
        """Take how an attempt exited; what its allocation took along has no end of its own."""
        if run.cause == "lost" or (self.ending and run.cause is None and exited[0] != 0):
            self._finish(run, "lost", encode(ENDING))
        else:
            self._finish(run, "exited", "null", exited)

    def end(self, *, signal_all: bool) -> None:
        """The allocation ends: start nothing more. `signal_all`: end what runs, as nobody else has told it."""
        self.ending = True
        for token in list(self.queue):
            self._revoke(token, CLOSING)
        for run in list(self.running.values()):
            if run.held is not None:
                self._exited(run, run.held)
            elif signal_all:
                self._signal(run, "lost")

    def check_adopted(self) -> None:
        """Find out which adopted processes have gone."""
        for run in [run for run in self.leaders.values() if run.adopted]:
            if self.host.process_start(run.pid or 0) != run.process_start:
                self._finish(run, "lost", encode(DIED))

    def _finish(self, run: Run, how: str, encoded_error: str, exited: "tuple[int | None, ...]" = (None,) * 4) -> None:
        run.ended = True
        run.sizes = self.host.sizes(run.segment)
        self._trim(run, 1)
        code, number, cpu_us, memory_bytes = map(or_null, exited)
        end = (
            f',"ended_at":{self.host.wall_us()},"how":"{run.cause or how}","exit_code":{code},"signal":{number},'
            f'"error":{encoded_error},"cpu_us":{cpu_us},"memory_bytes":{memory_bytes}'
        )
        self._close(run.token, run.status("ended", end))
        self.host.release(run.segment, run.pid)
        self._hold(run.terms.needs, -1)
        del self.running[run.token]
        if run.pid is not None and self.leaders.get(run.pid) is run:
            del self.leaders[run.pid]

    def _signal(self, run: Run, cause: str) -> None:
        if run.adopted:
            self.check_adopted()  # its pid may belong to somebody else by now
        is_over = run.cause is not None or run.held is not None or run.ended
        if not is_over and run.pid is not None and not self.host.has_ended(run.pid):
            run.cause = cause
            self.host.terminate(run.pid)
            self._at(self.host.monotonic_us() + run.terms.grace_us, "kill", run)

    # Time: a turn, and the one heap of all that is due.

    def turn(self) -> "list[str]":
        """Do what is due and return the messages for the supervisor, encoded. What they report is in the journal."""
        now = self.host.monotonic_us()
        self._expire(now)
        chosen = self._commit(now)
        messages, self.replies = self.replies, []
        if self.changed and self.trouble is None and (messages or self._enough(now)):
            statuses = [self._status(token) for token in self.changed if self._knows(token)]
            messages.append(f'{{"type":"report","attempts":[{",".join(statuses)}]}}')
            self.changed, self.report_at = {}, None
        for order, run in chosen:
            self._start(order, run)
        return messages

    def _enough(self, now: int) -> bool:
        """Whether to report now. Each report wakes the supervisor: it waits while there are more launches than news."""
        self.report_at = now + GATHER_US if self.report_at is None else self.report_at
        return now >= self.report_at or len(self.queue) <= len(self.changed)

    def next_due(self) -> "int | None":
        """Return the monotonic time of the next turn if nothing happens before; None: there need be none."""
        if self.trouble is None and (self.lines or self.more):
            return 0
        while self.timers and self.timers[0][3].ended and self.timers[0][2] != "kill":
            heapq.heappop(self.timers)
        waits = [self.rate_at, self.report_at] if self.trouble is None else [self.retry_at]
        waits += [self.timers[0][0]] if self.timers else []
        return min([due for due in waits if due is not None], default=None)

    def idle(self) -> bool:
        """Whether there is nothing to run, to remember or to kill; of an allocation the journal remembers."""
        pending = self.queue or self.running or self.lines or (self.ended and not self.bounded)
        return not (pending or any(action == "kill" for _, _, action, _ in self.timers))

    def _at(self, due: int, action: str, run: Run) -> None:
        if len(self.timers) > self.timers_limit:  # most of them time-outs of attempts that ended long before
            self.timers = [entry for entry in self.timers if not entry[3].ended or entry[2] == "kill"]
            heapq.heapify(self.timers)
            self.timers_limit = max(64, 2 * len(self.timers))
        self.timers_set += 1  # tells apart what is due at one time, as runs have no order
        heapq.heappush(self.timers, (due, self.timers_set, action, run))

    def _expire(self, now: int) -> None:
        victims: list[Run] = []
        while self.timers and self.timers[0][0] <= now:
            _, _, action, run = heapq.heappop(self.timers)
            if action == "kill":  # what is left of an attempt that ended after its SIGTERM as well
                victims.append(run)
            elif action == "timeout":
                self._signal(run, "timeout")
            elif action == "exited":
                if run.held is not None and not run.ended:
                    self._exited(run, run.held)
            elif not run.ended:
                self._look(run)
        if victims:
            self.host.kill(victims)

    def _announce(self, run: Run) -> None:
        if not run.announced and run.pid is not None:
            run.announced = True
            run.process_start = self.host.process_start(run.pid)
            self.lines.append(run.process())
            self.changed[run.token] = None

    def _look(self, run: Run) -> None:
        self._announce(run)
        before, run.sizes = run.sizes, self.host.sizes(run.segment)
        self._trim(run, PUNCH_BYTES)
        quick = sum(run.sizes) - sum(before) > QUICK_BYTES
        self._at(self.host.monotonic_us() + (QUICK_LOOK_US if quick else LOOK_US), "look", run)

    def _trim(self, run: Run, step_bytes: int) -> None:
        if run.sizes == run.starts:
            return
        limit, block = run.terms.max_output_bytes, self.host.block_bytes
        for stream, dropped in enumerate(run.dropped):
            start, end = run.starts[stream], run.sizes[stream]
            if end - start > limit:
                first = -((start + limit // 2) // -block) * block
                below = (end - (limit - limit // 2)) // block * block
                done = dropped[1] if dropped else first
                if below - done >= step_bytes and self.host.punch(run.segment, stream, done, below):
                    run.dropped[stream] = (first, below)

    # Claims and starts.

    def _commit(self, now: int) -> "list[tuple[Order, Run]]":
        """Write what is known and claim what may start, in one go. While that fails, nothing starts."""
        if self.trouble is not None and now < self.retry_at:
            return []
        trouble = None
        chosen: list[tuple[Order, Run]] = []
        try:
            self._choose(now, chosen)
        except OSError as error:
            trouble = f"no file for output can be made ({error.strerror})"
        try:
            self._write("".join([run.claim() for _, run in chosen]))
        except OSError as error:
            trouble = f"the runner's journal can't be written ({error.strerror})"
            for _, run in chosen:
                self._hold(run.terms.needs, -1)
                self.host.release(run.segment, None)
            chosen = []
        for order, _ in chosen:
            del self.queue[order.token]
        if trouble is not None:
            trouble += ": nothing starts until it can, which is tried every second; make room where the home folder is"
            self.retry_at = now + RETRY_US
        if trouble != self.trouble:
            self.trouble = trouble
            self.replies.append(encode({"type": "trouble", "error": trouble}))
        return chosen

    def _choose(self, now: int, chosen: "list[tuple[Order, Run]]") -> None:
        grants: dict[str, int] = {}  # of this turn; those that last are made when the process has started
        self.rate_at, self.more = None, False
        if self.capacity is None:
            return
        for order in self.queue.values():
            ready = self._ready(order, now, grants) if order.rates else now
            if ready > now:
                self.rate_at = ready if self.rate_at is None else min(ready, self.rate_at)
                continue
            if any(self.used.get(name, 0) + need > self.capacity.get(name, 0) for name, need in order.needs.items()):
                return
            if len(chosen) == STARTS_PER_TURN:
                self.more = True
                return
            segment = self.host.lease()
            run = Run(order, (self.host.wall_us(), now), segment, self.host.sizes(segment))
            for key, every, _ in order.rates:
                run.grants[key] = grant(grants, self.grants, key, self.paces.get(key, every), now)
            self._hold(order.needs)
            chosen.append((order, run))

    def _ready(self, order: Order, now: int, grants: "Mapping[str, int]") -> int:
        """Return when all rates of an order allow it: GCRA, the virtual scheduling algorithm of ITU-T I.371."""
        return max(
            grants.get(key, self.grants.get(key, now)) - (burst - 1) * self.paces.get(key, every)
            for key, every, burst in order.rates
        )

    def _pace(self, order: Order) -> None:
        """Take over the intervals of a new order; where a limit was changed, what was granted counts as the new."""
        now = self.host.monotonic_us()
        for key, every, _ in order.rates:
            before, self.paces[key] = self.paces.get(key, every), every
            if before != every and key in self.grants:
                self.grants[key] = now - (min(0, now - self.grants[key]) * every // before)

    def _hold(self, needs: "Mapping[str, int]", times: int = 1) -> None:
        for name, amount in needs.items():
            self.used[name] = self.used.get(name, 0) + times * amount

    def _write(self, claims: str) -> None:
        if self.journal_bytes >= self.compact_at:
            snapshot = self._snapshot()
            self.host.rewrite(snapshot)
            self.lines = []  # the snapshot says it all
            self.journal_bytes, self.compact_at = len(snapshot), max(JOURNAL_LIMIT_BYTES, 2 * len(snapshot))
        text = "".join(self.lines) + claims
        if text:
            self.host.append(text)
            self.lines = []
            self.journal_bytes += len(text)

    def _snapshot(self) -> str:
        lines = [encode({"journal": self.journal, "boot": self.host.boot, "receipt": self.receipt}) + "\n"]
        lines += [run.claim() + (run.process() if run.announced else "") for run in self.running.values()]
        lines += [f'{{"end":{status}}}\n' for status in self.ended.values()]
        return "".join([*lines, encode({"grants": self.grants}), "\n"])  # these last: claims tell of earlier times

    def _start(self, order: Order, run: Run) -> None:
        self.running[run.token] = run
        try:
            run.pid = self.host.spawn(order, run.segment)
        except NotStarted as error:
            self._finish(run, "not_started", encode(str(error)))
            return
        now = self.host.monotonic_us()
        for key, every, _ in order.rates:  # from now on, as the process may have come late after its claim
            grant(self.grants, self.grants, key, self.paces.get(key, every), now)
        if order.rates and max(len(self.grants), len(self.paces)) > GRANTS_LIMIT:
            self.grants = {key: time_us for key, time_us in self.grants.items() if time_us > now}
            self.paces = {key: every for key, every in self.paces.items() if key in self.grants}
        self._started(run, now)
        self._at(now + ANNOUNCE_US, "look", run)

    def _started(self, run: Run, now: int) -> None:
        if run.pid in self.leaders:  # of an adopted process whose end was not seen before its pid was given again
            self._finish(self.leaders[run.pid], "lost", encode(DIED))
        self.leaders[run.pid or 0] = run
        if run.terms.timeout_us is not None:
            self._at(now + run.terms.timeout_us, "timeout", run)


def grant(grants: "dict[str, int]", former: "Mapping[str, int]", key: str, interval_us: int, now: int) -> int:
    """Move the theoretical arrival time of a rate's key on in `grants`, from what it or `former` says; return it."""
    grants[key] = max(now, grants.get(key, former.get(key, now))) + interval_us
    return grants[key]


class Host:
    """The machine as `Core` sees it. A simulation overrides every public method of it.

    Output segments are named by the numbers of their pairs, processes by their pids.
    """

    block_bytes = 1 if sys.platform == "linux" else 4096  # holes start and end at multiples of it

    def __init__(self, home: str, number: int = 0) -> None:
        """Open the home folder `home`, an absolute path; raises OSError. `number`: of the allocation that it is in.

        Allocations share a folder of output, so each numbers its segments in a range of its own.
        """
        self.boot, self.pid = boot(), os.getpid()
        self.home_fd = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        self.output = os.path.join(os.fsencode(home), b"output")
        os.makedirs(self.output, 0o700, exist_ok=True)
        numbers = [int(name.split(b".")[0]) for name in os.listdir(self.output) if name[:6].isdigit()]
        own = range(number * SEGMENTS_EACH, (number + 1) * SEGMENTS_EACH)
        self.next_segment = max([each for each in numbers if each in own], default=own.start) + 1
        self.segments: dict[int, tuple[int, int]] = {}  # descriptors of stdout and stderr, of those opened last
        self.free: list[int] = []  # last in, first out: what was used last is in the caches
        self.spent: set[int] = set()  # not to be leased again
        self.leases, self.holes = hasattr(fcntl, "F_SETLEASE"), True  # until the file system turns out to have none
        self.children: set[int] = set()
        self.cwd: str | None = None  # where the last start took place
        self.programs: dict[tuple[bytes, bytes], bytes] = {}
        self.ignored = [number for number in range(1, signal.NSIG) if signal.getsignal(number) is signal.SIG_IGN]
        self.job_files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.own_files, self.hard_files = max(self.job_files, min(hard, 65536)), hard
        self._limit_files(self.own_files)  # one per adopted attempt; attempts get what was there before
        self.journal_fd = os.open("runner.journal", JOURNAL_FLAGS, 0o600, dir_fd=self.home_fd)
        self.journal_bytes, self.torn = os.fstat(self.journal_fd).st_size, False  # torn: it ends in half a line

    def _limit_files(self, soft: int) -> None:
        if self.own_files != self.job_files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, self.hard_files))

    def wall_us(self) -> int:
        """Return the time since the epoch."""
        return int(time.time() * MILLION)

    def monotonic_us(self) -> int:
        """Return the time on a clock that never jumps and that all processes of this boot share."""
        return int(time.monotonic() * MILLION)

    # The journal.

    def name_journal(self) -> str:
        """Return a name that no other journal has."""
        return os.urandom(8).hex()

    def read_journal(self) -> bytes:
        """Return what a former runner wrote."""
        return os.pread(self.journal_fd, self.journal_bytes, 0)

    def append(self, lines: str) -> None:
        """Write lines to the journal in one go, wholly or not at all; raises OSError."""
        if self.torn:
            os.ftruncate(self.journal_fd, self.journal_bytes)
        self.torn = True
        self.cwd = None  # the folders of the starts that this claims are looked up anew: jobs may have replaced them
        try:
            write_all(self.journal_fd, lines.encode("ascii"))
        except OSError:
            os.ftruncate(self.journal_fd, self.journal_bytes)
            self.torn = False
            raise
        self.torn, self.journal_bytes = False, self.journal_bytes + len(lines)

    def close_journal(self) -> None:
        """Say in the journal, with all before it on the disk, that nothing more will start; raises OSError."""
        os.fsync(self.journal_fd)
        self.append(encode({"closed": self.wall_us()}) + "\n")
        os.fsync(self.journal_fd)

    def rewrite(self, lines: str) -> None:
        """Replace the journal: the new one is whole on the disk before it takes the name; raises OSError."""
        journal_fd = os.open("runner.journal.new", JOURNAL_FLAGS | os.O_TRUNC, 0o600, dir_fd=self.home_fd)
        try:
            write_all(journal_fd, lines.encode("ascii"))
            os.fsync(journal_fd)
            os.rename("runner.journal.new", "runner.journal", src_dir_fd=self.home_fd, dst_dir_fd=self.home_fd)
        except OSError:
            os.close(journal_fd)
            raise
        os.close(self.journal_fd)
        self.journal_fd, self.journal_bytes, self.torn = journal_fd, len(lines), False

    # Output segments.

    def lease(self) -> int:
        """Return the number of a pair of segments that nobody else writes to, and open it; raises OSError."""
        while self.free:
            segment = self.free.pop()
            with contextlib.suppress(FileNotFoundError):  # somebody removed it while it was free
                self._pair(segment)
                return segment
        self._pair(self.next_segment, os.O_CREAT | os.O_EXCL)
        self.next_segment += 1
        return self.next_segment - 1

    def reopen(self, segment: int) -> None:
        """Make a pair of a former runner known, to be looked at and never leased again."""
        self.spent.add(segment)

    def _pair(self, segment: int, flags: int = 0) -> "tuple[int, int]":
        """Return the descriptors of a pair, until the next one is asked for; raises OSError."""
        if segment not in self.segments:
            out_path, err_path = self._paths(segment)
            out = os.open(out_path, flags | os.O_RDWR | os.O_APPEND, 0o600)
            try:
                self.segments[segment] = (out, os.open(err_path, flags | os.O_RDWR | os.O_APPEND, 0o600))
            except OSError:
                os.close(out)
                if flags:
                    os.unlink(out_path)  # it is made anew when there is room for both
                raise
            if len(self.segments) > OPEN_PAIRS:
                for descriptor in self.segments.pop(next(iter(self.segments))):  # opened longest ago
                    os.close(descriptor)
        return self.segments[segment]

    def _paths(self, segment: int) -> "tuple[bytes, bytes]":
        return b"%s/%06d.out" % (self.output, segment), b"%s/%06d.err" % (self.output, segment)

    def sizes(self, segment: int) -> "tuple[int, int]":
        """Return how long the two segments of a pair are now; zeros if they can't be found."""
        out = err = 0
        with contextlib.suppress(OSError):
            if segment in self.segments:  # fstat takes three times as long
                out, err = [os.lseek(descriptor, 0, os.SEEK_END) for descriptor in self.segments[segment]]
            else:
                out, err = [os.stat(path).st_size for path in self._paths(segment)]
        if max(out, err) > SEGMENT_LIMIT_BYTES:
            self.spent.add(segment)
        return out, err

    def release(self, segment: int, pid: "int | None") -> None:
        """Take a pair back from the attempt whose process `pid` was (None: none ran); whoever holds it keeps it."""
        with contextlib.suppress(OSError):  # somebody removed it
            if segment not in self.spent and not any(self._held(file, pid) for file in self._pair(segment)):
                self.free.append(segment)
                return
        for descriptor in self.segments.pop(segment, ()):
            os.close(descriptor)
        self.spent.discard(segment)

    def _held(self, descriptor: int, pid: "int | None") -> bool:
        """Whether anybody else has the file open: Linux refuses a write lease then, whoever it may be."""
        if self.leases:
            try:
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
                fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
            except OSError as error:
                self.leases = error.errno == errno.EAGAIN
            else:
                return False
        return self.leases or (pid is not None and self._left_something(pid))

    def _left_something(self, pid: int) -> bool:
        """Whether a group outlives its leader or, as we are the subreaper, an orphan of any attempt came to us."""
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            try:
                with open(f"/proc/self/task/{os.getpid()}/children", "rb") as children:
                    return not self.children.issuperset(map(int, children.read().split()))
            except OSError:
                return sys.platform == "linux"  # it can't be known there
        except OSError:  # on macOS, of a group of which only the dead are left
            pass
        return True

    def punch(self, segment: int, stream: int, start: int, end: int) -> bool:
        """Free the disk below a range of stdout (0) or stderr (1); False where that can't be done."""
        with contextlib.suppress(OSError):  # somebody removed it
            failure = punch_hole(self._pair(segment)[stream], start, end - start) if self.holes else 0
            if failure:
                self.holes = False
                warn(f"output past max_output is kept as well: no holes on this file system ({os.strerror(failure)})")
            return self.holes
        return False

    def read(self, segment: str, start: int, end: int) -> bytes:
        """Return what the segment of this name holds between two places, less where it ends sooner; raises OSError."""
        descriptor = os.open(os.path.join(self.output, to_bytes(segment)), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            return os.pread(descriptor, max(0, end - start), start)
        finally:
            os.close(descriptor)

    # Processes.

    def spawn(self, order: Order, segment: int) -> int:
        """Start a process as the leader of its own group and return its pid; raises NotStarted."""
        program = b""
        try:
            environ = dict(order.base)
            for name, value in order.env.items():
                environ[to_bytes(name)] = to_bytes(value)
            environ[b"HOLDFAST_TOKEN"] = to_bytes(order.token)
            argv = [to_bytes(argument) for argument in order.argv]
            if order.cwd != self.cwd:
                self.cwd = None
                if order.make_cwd:
                    make_folder(to_bytes(order.cwd))
                os.chdir(to_bytes(order.cwd))
                self.cwd = order.cwd
            program = self._program(argv[0], environ.get(b"PATH", to_bytes(os.defpath)))
            pid = self._start(program, argv, environ, self._paths(segment))
        except (OSError, ValueError) as error:
            if not all(map(os.path.exists, self._paths(segment))):
                self.spent.add(segment)
                raise NotStarted(GONE) from error
            raise NotStarted(explain(error, order, program)) from error
        self.children.add(pid)
        return pid

    def execute(self, command: Command) -> "tuple[int, list[int]]":
        """Start a command; return its pid, and the descriptors to read what it prints from. Raises NotStarted."""
        program = b""
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as its:
            reads: list[int] = []
            writes: list[int] = []
            try:
                argv = [to_bytes(argument) for argument in command.argv]
                self.cwd = None
                os.chdir(to_bytes(command.cwd))
                program = self._program(argv[0], command.environ.get(b"PATH", to_bytes(os.defpath)))
                stdin = self._hold(command.stdin)
                its.callback(os.close, stdin)
                for _ in range(2):
                    read, write = os.pipe()
                    ours.callback(os.close, read)
                    its.callback(os.close, write)
                    os.set_blocking(read, False)
                    reads, writes = [*reads, read], [*writes, write]
                pid = self._start(program, argv, command.environ, writes, stdin)
            except (OSError, ValueError) as error:
                raise NotStarted(explain(error, command, program)) from error
            ours.pop_all()
        self.children.add(pid)
        return pid, reads

    def _hold(self, content: bytes) -> int:
        """Return a descriptor to read `content` from: all of it is there before, whoever is killed; raises OSError."""
        try:
            descriptor = os.memfd_create("stdin")
        except (AttributeError, OSError):  # Python 3.6 and 3.7, an old kernel, or macOS
            descriptor = os.open("stdin", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600, dir_fd=self.home_fd)
            os.unlink("stdin", dir_fd=self.home_fd)
        try:
            write_all(descriptor, content)
            os.lseek(descriptor, 0, os.SEEK_SET)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def _start(
        self, program: bytes, argv: "list[bytes]", environ: "dict[bytes, bytes]", outputs: "Sequence[bytes | int]",
        stdin: int = 0,
    ) -> int:  # fmt: skip
        """Start a program in a group of its own, with no signal blocked or ignored; return its pid; raises OSError.

        `outputs` are paths or descriptors; `stdin` is a descriptor, our own /dev/null unless given.
        """
        self._limit_files(self.job_files)
        try:
            if hasattr(os, "posix_spawn"):
                actions: list[tuple[int, int, int] | tuple[int, int, bytes, int, int]] = []
                if stdin:
                    actions.append((os.POSIX_SPAWN_DUP2, stdin, 0))
                for into, output in enumerate(outputs, 1):
                    if isinstance(output, int):
                        actions.append((os.POSIX_SPAWN_DUP2, output, into))
                    else:
                        actions.append((os.POSIX_SPAWN_OPEN, into, output, APPEND, 0))
                return os.posix_spawn(
                    program, argv, environ, file_actions=actions, setpgroup=0, setsigmask=(), setsigdef=self.ignored
                )
            return self._fork(program, argv, environ, outputs, stdin)
        finally:
            self._limit_files(self.own_files)

    def _fork(
        self, program: bytes, argv: "list[bytes]", environ: "dict[bytes, bytes]", outputs: "Sequence[bytes | int]",
        stdin: int,
    ) -> int:  # fmt: skip
        """Start a program as `_start` does, on Python 3.6 and 3.7."""

        def prepare() -> None:
            os.setpgid(0, 0)
            for number in self.ignored:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())

        with contextlib.ExitStack() as opened:
            out, err = [
                output if isinstance(output, int) else opened.enter_context(open(os.open(output, APPEND), "wb", 0))
                for output in outputs
            ]
            child = subprocess.Popen(argv, -1, program, stdin, out, err, prepare, env=environ)
        child.returncode = 0  # it is reaped with all others
        return child.pid

    def _program(self, name: bytes, path: bytes) -> bytes:
        if b"/" in name:
            return name
        known = self.programs.get((name, path))
        if known is not None and os.access(known, os.X_OK):
            return known
        for folder in path.split(b":"):
            program = os.path.join(folder or b".", name)
            if os.access(program, os.X_OK) and os.path.isfile(program):
                if len(self.programs) > PROGRAMS_LIMIT:
                    self.programs.clear()
                if program.startswith(b"/"):
                    self.programs[(name, path)] = program
                return program
        raise FileNotFoundError(errno.ENOENT, NOT_FOUND)

    def reap(self) -> "Iterator[tuple[int, int, int, int]]":
        """Yield the children that ended: pid, status as of `wait`, processor time in us, peak memory in bytes."""
        with contextlib.suppress(ChildProcessError):  # there are none
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return
                self.children.discard(pid)
                cpu_us = int((usage.ru_utime + usage.ru_stime) * MILLION)
                yield pid, status, cpu_us, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def has_ended(self, pid: int) -> bool:
        """Whether a child is over and only waits to be reaped: then no signal of ours ends it any more."""
        try:
            return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except (ChildProcessError, AttributeError):  # not a child of ours; macOS has waitid from Python 3.9 on
            return False

    def terminate(self, pid: int) -> None:
        """Send SIGTERM to the group of `pid`."""
        send(os.killpg, pid, signal.SIGTERM)

    def kill(self, runs: "Sequence[Run]") -> None:
        """Send SIGKILL to the groups of attempts and to every process that carries one of their tokens."""
        for run in runs:
            if run.pid is not None and (not run.ended or sys.platform != "linux"):
                send(os.killpg, run.pid, signal.SIGKILL)
        tokens = {to_bytes(run.token) for run in runs}
        # The number of an ended group may have been given again: to an attempt, or outside of our session.
        ours = {run.pid for run in runs} - self.children
        session = os.getsid(0)
        for _ in range(5):  # some may fork while we look
            found = [pid for pid, group, of, token in scan() if token in tokens or (group in ours and of == session)]
            for pid in found:
                send(os.kill, pid, signal.SIGKILL)
            if not found:
                return

    def process_start(self, pid: int) -> "int | None":
        """Return what tells a process from a later one of the same pid; None: it doesn't run."""
        if sys.platform == "linux":
            known = look_up(pid)
            return known[2] if known else None
        else:  # noqa: RET505 - the type checkers take it for dead code without
            ps = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], stdout=subprocess.PIPE, check=False)
            return int(time.mktime(time.strptime(ps.stdout.decode().strip()))) if ps.stdout.strip() else None

    def find(self, runs: "Sequence[Run]") -> "dict[str, int]":
        """Return the pids of the attempts of a former runner that still run, by token."""
        pids = {to_bytes(run.token): run.token for run in runs if run.process_start is None}
        found = {pids[token]: pid for pid, group, _, token in scan() if token in pids and group == pid} if pids else {}
        for run in runs:
            pid, start = run.pid, run.process_start
            if pid is not None and start is not None and self.process_start(pid) == start:
                found[run.token] = pid
        return found


def boot() -> str:
    """Return a name of the time since the machine was started."""
    if sys.platform == "linux":
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    else:
        return subprocess.check_output(["/usr/sbin/sysctl", "-n", "kern.boottime"]).decode().strip()


def warn(text: str) -> None:
    """Write a line to `runner.log`."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stderr.flush()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; raises OSError, and then a part of it may have been written."""
    while data:
        data = data[os.write(descriptor, data) :]


def make_folder(path: bytes) -> None:
    """Make a folder and those above it, as far as they are not there; raises OSError."""
    try:
        os.makedirs(path, exist_ok=True)
    except RecursionError as error:
        raise OSError(errno.ENAMETOOLONG, "too many folders") from error


def punch_hole(descriptor: int, start: int, length: int) -> int:
    """Free the disk below a range of a file; return the error's number, or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "linux":  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
        done = libc.fallocate(descriptor, 3, ctypes.c_int64(start), ctypes.c_int64(length))
    else:  # F_PUNCHHOLE with a struct fpunchhole
        done = libc.fcntl(descriptor, 99, ctypes.byref((ctypes.c_int64 * 3)(0, start, length)))
    return ctypes.get_errno() if done else 0


def send(function: "Callable[[int, int], None]", pid: int, number: int) -> None:
    """Send a signal by `os.kill` or `os.killpg`, to what may have gone by itself."""
    with contextlib.suppress(OSError):
        function(pid, number)


def look_up(pid: int) -> "tuple[int, int, int] | None":
    """Return group, session and start (in clock ticks after boot) of a process; None if it is gone or dead. Linux."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else (int(fields[2]), int(fields[3]), int(fields[19]))


def scan() -> "Iterator[tuple[int, int, int, bytes]]":
    """Yield pid, group, session and token (b"" if none) of all processes we may look into. Linux; none elsewhere."""
    for pid in [int(name) for name in os.listdir("/proc") if name.isdigit()] if sys.platform == "linux" else ():
        known = look_up(pid)
        if known is not None and pid != os.getpid():
            environ = read_environ(pid)
            for _ in range(5):
                if environ or known[0] != pid:
                    break
                time.sleep(0.001)  # the leader of a group may be amid its exec: the environment is there a moment later
                environ = read_environ(pid)
            yield pid, known[0], known[1], environ.partition(b"\0HOLDFAST_TOKEN=")[2].partition(b"\0")[0]


def read_environ(pid: int) -> bytes:
    """Return the environment of a process, a NUL before each variable; b"?" if it is not ours to see. Linux."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            content = file.read()
    except OSError:
        return b"?"
    return b"\0" + content if content else b""


def explain(error: "OSError | ValueError", order: "Order | Command", program: bytes) -> str:
    """Return why an attempt or a command could not be started, as a sentence: what was seen, the rule, the remedy."""
    name = order.argv[0]
    if isinstance(error, ValueError):
        return f"{name!r} can't be started: {error}; command and environment must be text without NUL characters"
    reason = {
        errno.ENOENT: "it, or the interpreter that its first line names, does not exist; correct its path",
        errno.EACCES: "it may not be executed; make it executable (chmod +x) or name another",
        errno.ENOEXEC: "it is no program for this machine and has no #! line; add one",
        errno.E2BIG: "arguments and environment together are longer than the system allows; pass them in a file",
        errno.EAGAIN: "the user may have no more processes; start fewer at a time or raise the limit (ulimit -u)",
    }.get(error.errno or 0, os.strerror(error.errno or 0))
    if not program and error.strerror == NOT_FOUND:
        return f"the program {name!r} was not found: {order.path_rule}"
    if not program:
        return f"the working folder {order.cwd!r} can't be entered ({error.strerror}); create it or correct cwd"
    return f"the program {name!r} can't be started: {reason}"


class Peer:
    """One connection: frames in and out, never waiting."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received, self.unsent, self.waiting = bytearray(), bytearray(), False  # waiting for room to send

    def receive(self) -> "Iterator[dict[str, object]]":
        """Yield what arrived; raises EOFError at its end, OSError, Malformed or ValueError."""
        data = self.connection.recv(1 << 16)
        if not data:
            raise EOFError
        self.received += data
        while len(self.received) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self.received[:LENGTH_BYTES], "big")
            if end > FRAME_LIMIT_BYTES:
                raise Malformed(f"a frame of {end} bytes; the limit is {FRAME_LIMIT_BYTES}")
            if len(self.received) < end:
                return
            body = bytes(self.received[LENGTH_BYTES:end])
            del self.received[:end]
            yield members(json.loads(body.decode()), "message")

    def send(self, messages: "Sequence[str]") -> None:
        """Send what can be sent at once, of these messages and those before; raises OSError."""
        for message in messages:
            self.unsent += len(message).to_bytes(LENGTH_BYTES, "big") + message.encode("ascii")
        try:
            while self.unsent:
                del self.unsent[: self.connection.send(self.unsent)]
        except BlockingIOError:
            if len(self.unsent) > FRAME_LIMIT_BYTES:
                raise Malformed("the supervisor doesn't read its reports") from None


def open_signals() -> "tuple[int, int]":
    """Return a descriptor to read the numbers of SIGCHLD and SIGTERM from, and how many bytes apart they are."""
    wanted = (signal.SIGCHLD, signal.SIGTERM)
    for number in wanted:  # one that was ignored when we were started would never come, and children would vanish
        signal.signal(number, signal.SIG_DFL)
    if sys.platform == "linux" and sys.byteorder == "little":  # no handler runs then and no call is interrupted
        mask = (ctypes.c_uint64 * 16)(sum(1 << number - 1 for number in wanted))
        descriptor = ctypes.CDLL(None).signalfd(-1, mask, os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor >= 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
            return descriptor, 128  # of a struct signalfd_siginfo, which begins with the number
    pipe = os.pipe()
    os.set_blocking(pipe[1], False)
    signal.set_wakeup_fd(pipe[1])
    for number in wanted:
        signal.signal(number, lambda _number, _frame: None)  # the byte in the pipe says everything
    return pipe[0], 1


class Commands:
    """Runs what the supervisor wants to know or to have done itself, beside the attempts and never in their way.

    A few at a time: the others wait, and are not run at all if their turn does not come soon, or if their connection
    ends. What has begun runs to its end or its time-out, wanted or not; until then none of a later connection starts,
    so that who looks for what an unanswered command has done does not look while it still does it. A command is over
    when its process has ended and nobody holds its outputs open any more; or a moment later, as what it left behind may
    hold them for ever.
    """

    def __init__(self, host: Host, server: "Server") -> None:
        self.host, self.server = host, server
        self.waiting: collections.deque[Command] = collections.deque()
        self.running: list[Command] = []
        self.answers: collections.deque[Iterator[str]] = collections.deque()  # each keeps its place among those at once

    def take(self, message: "Mapping[str, object]", environ: "Mapping[bytes, bytes]") -> None:
        """Take an `execute`; raises Malformed or ValueError, and then nothing is run."""
        command = Command(message, environ, self.host.monotonic_us() + TURN_US)
        if len(self.waiting) < COMMANDS_WAITING:
            self.waiting.append(command)
        else:
            self._refuse(command, f"{COMMANDS_WAITING} commands wait there already; run fewer at a time")

    def forget(self) -> None:
        """Nobody waits for answers any more."""
        self.waiting.clear()
        self.answers.clear()
        for command in self.running:
            command.wanted = False

    def next_message(self) -> "str | None":
        """Return the next message for the supervisor, who took the one before: so none is long in others' way."""
        while self.answers:
            message = next(self.answers[0], None)
            if message is not None:
                return message
            self.answers.popleft()
        return None

    def child_ended(self, pid: int, status: int) -> bool:
        """Take the end of a child, its status as of `wait`; False if it is none of the commands."""
        for command in self.running:
            if command.pid == pid and command.status is None:
                command.status, command.due = status, self.host.monotonic_us() + LINGER_US
                if command.timed_out:  # what is left of it goes along, before its group's number can be another's
                    send(os.killpg, pid, signal.SIGKILL)
                return True
        return False

    def turn(self) -> None:
        """Do what is due."""
        now = self.host.monotonic_us()
        for command in list(self.running):
            late = command.due is not None and now >= command.due
            if command.over() or (late and command.status is not None):
                self._finish(command)
            elif late:
                self._end(command, now)
        while self.waiting and now >= (self.waiting[0].due or 0):
            self._refuse(self.waiting.popleft(), f"it waited for {TURN_US // MILLION} s behind others that still run")
        while self.waiting and self._has_room():
            self._start(self.waiting.popleft(), now)

    def next_due(self) -> "int | None":
        """Return the monotonic time of the next turn if nothing happens before; None: there need be none."""
        if (self.waiting and self._has_room()) or any(command.over() for command in self.running):
            return 0
        dues = [command.due for command in [*self.running, *self.waiting]]
        return min([due for due in dues if due is not None], default=None)

    def _has_room(self) -> bool:
        earlier = any(command.acts() and not command.wanted for command in self.running)
        return not earlier and len(self.running) + len(self.answers) < COMMANDS_AT_ONCE

    def _refuse(self, command: Command, error: str) -> None:
        command.stdin = b""
        self.answers.append(command.answer(error))

    def _start(self, command: Command, now: int) -> None:
        try:
            command.pid, descriptors = self.host.execute(command)
        except NotStarted as error:
            self._refuse(command, str(error))
            return
        command.stdin, command.due = b"", now + command.timeout_us
        self.running.append(command)
        for stream, descriptor in enumerate(descriptors):
            command.open[descriptor] = stream
            self.server.add(descriptor, functools.partial(self._read, command, descriptor))

    def _read(self, command: Command, descriptor: int, _events: int) -> None:
        """Take some of what it printed. What is beyond the bound is read as well: else it would wait for ever."""
        content = os.read(descriptor, 1 << 16)
        if not content:
            self._close(command, descriptor)
            return
        printed = command.printed[command.open[descriptor]]
        room = command.max_output_bytes - len(printed) if command.wanted else 0
        command.truncated = command.truncated or len(content) > room
        printed += content[:room]

    def _close(self, command: Command, descriptor: int) -> None:
        del command.open[descriptor]
        self.server.drop(descriptor)
        os.close(descriptor)

    def _end(self, command: Command, now: int) -> None:
        if command.timed_out:
            send(os.killpg, command.pid, signal.SIGKILL)
            command.due = None  # where even that does not end it, it keeps its place
        else:
            command.timed_out, command.due = True, now + GRACE_US
            self.host.terminate(command.pid)

    def _finish(self, command: Command) -> None:
        # Who still holds stdout may have more to say; on stderr that is words, which change nothing.
        command.truncated = command.truncated or 0 in command.open.values()
        for descriptor in list(command.open):
            self._close(command, descriptor)
        self.running.remove(command)
        if command.wanted:
            self.answers.append(command.answer())


class Server:
    """The loop: waits for children, connections and time, and lets `Core` take its turns."""

    def __init__(self, host: Host, core: Core, listener: socket.socket, idle_s: float) -> None:
        """Take over `listener`, a socket that doesn't block; leave after `idle_s` with nothing to do."""
        self.host, self.core, self.listener, self.idle_us = host, core, listener, int(idle_s * MILLION)
        self.busy_at = self.polled_at = host.monotonic_us()
        self.peers: list[Peer] = []
        self.current: Peer | None = None  # the one that said hello last
        self.children_ended, self.leaving, self.polling = True, False, False
        self.poll = select.poll()
        self.sources: dict[int, Callable[[int], None]] = {}  # what to call when a descriptor is ready, and for what
        self.commands = Commands(host, self)
        self.signals, self.signal_bytes = open_signals()
        self.add(self.signals, self._take_signals)
        self.add(listener.fileno(), self._accept)
        for pid in core.leaders:
            self._watch(pid)

    def run(self) -> None:
        """Serve until nothing is left to do for a while, or SIGTERM; attempts live on."""
        while not self.is_over():
            if self.children_ended:
                self.children_ended = False
                for pid, status, cpu_us, memory_bytes in self.host.reap():
                    if not self.commands.child_ended(pid, status):
                        self.core.child_ended(pid, status, cpu_us, memory_bytes)
            messages = self.core.turn()
            if self.current is not None and messages:
                self._serve(self.current, messages)
            self.commands.turn()
            self._answer()
            now = self.host.monotonic_us()
            if self.is_called_for() or self.commands.running or not self.core.idle():
                self.busy_at = now
            elif now - self.busy_at >= self.idle_us:
                self.leaving = True
                continue
            self._wait(now)

    def is_called_for(self) -> bool:
        """Whether somebody may want something, so that having nothing to do is no reason to leave."""
        return bool(self.peers)

    def is_over(self) -> bool:
        """Whether to serve no more."""
        return self.leaving

    def dues(self) -> "list[int]":
        """Return the monotonic times at which to look at that again."""
        return []

    def _answer(self) -> None:
        """Send answers for as long as the supervisor takes them."""
        while self.current is not None and not self.current.unsent:
            message = self.commands.next_message()
            if message is None:
                return
            self._serve(self.current, [message])

    def _wait(self, now: int) -> None:
        if not self.core.leaders:
            os.chdir("/")  # keep no file system from being unmounted
        dues = [self.core.next_due(), self.commands.next_due(), *self.dues()]
        waits = [max(0, due - now) for due in dues if due is not None]
        waits += [] if self.is_called_for() else [max(0, self.busy_at + self.idle_us - now)]
        waits += [LOOK_US] if self.polling else []
        for descriptor, events in self.poll.poll(-(min(waits) // -1000) if waits else None):
            if descriptor in self.sources:  # else it was closed on account of one before it
                self.sources[descriptor](events)
        if self.polling and now - self.polled_at >= LOOK_US:
            self.polled_at = now
            self.core.check_adopted()

    def add(self, descriptor: int, source: "Callable[[int], None]") -> None:
        """Have a function called whenever a descriptor can be read, with what poll says of it."""
        self.sources[descriptor] = source
        self.poll.register(descriptor, select.POLLIN)

    def drop(self, descriptor: int) -> None:
        """Look at a descriptor no more."""
        self.poll.unregister(descriptor)
        del self.sources[descriptor]

    def _take_signals(self, _events: int) -> None:
        numbers = os.read(self.signals, 4096)[:: self.signal_bytes]
        self.children_ended = signal.SIGCHLD in numbers
        self.leaving = self.leaving or signal.SIGTERM in numbers

    def _watch(self, pid: int) -> None:
        """Have the end of an adopted process noticed; where there is no pidfd, by asking now and then."""
        try:
            descriptor = os.pidfd_open(pid)
        except (AttributeError, OSError):  # an old Python or kernel, or it ended just now
            self.polling = True
        else:
            self.add(descriptor, lambda _: self._forget(descriptor))

    def _forget(self, descriptor: int) -> None:
        self.drop(descriptor)
        os.close(descriptor)
        self.core.check_adopted()

    def _accept(self, _events: int) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:  # it hung up already, or there is no descriptor left
            return
        connection.setblocking(False)  # noqa: FBT003 - positional only
        peer = Peer(connection)
        self.peers.append(peer)
        self.add(connection.fileno(), lambda events: self._serve(peer, [] if events & select.POLLOUT else None))
        if len(self.peers) > PEERS_LIMIT:
            self._close(next(other for other in self.peers if other is not self.current))

    def _serve(self, peer: Peer, messages: "Sequence[str] | None") -> None:
        """Send `messages` and what is left of those before, or (None) take what arrived."""
        try:
            if messages is None:
                for message in peer.receive():
                    self._take(peer, message)
            else:
                peer.send(messages)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            self._close(peer)
        except (Malformed, ValueError, RecursionError) as error:
            warn(f"connection closed: {error}")
            self._close(peer)
        if peer in self.peers and peer.waiting != bool(peer.unsent):
            peer.waiting = bool(peer.unsent)
            self.poll.modify(peer.connection, select.POLLIN | (select.POLLOUT if peer.waiting else 0))

    def _take(self, peer: Peer, message: "Mapping[str, object]") -> None:
        if peer not in self.peers:  # closed by what came before in the same breath
            return
        if message.get("type") != "hello" and peer is not self.current:
            raise Malformed("the first message must be hello; on a connection that another superseded nothing counts")
        if message.get("type") == "execute":
            self.commands.take(message, self.core.environ)
            return
        self.core.receive(message)
        if peer is not self.current:
            if self.current is not None:
                self._close(self.current)
            self.current = peer

    def _close(self, peer: Peer) -> None:
        if peer in self.peers:
            self.peers.remove(peer)
            self.drop(peer.connection.fileno())
            peer.connection.close()
        if peer is self.current:
            self.current = None
            self.commands.forget()


class BoundedServer(Server):
    """The loop in an allocation of a cluster, which ends: it is left in good order, and the journal says so."""

    def __init__(self, host: Host, core: Core, listener: socket.socket, idle_s: float, until: float) -> None:
        """`until`: when to end what runs, in seconds since the epoch; see `Server` for the others."""
        super().__init__(host, core, listener, idle_s)
        self.until = host.monotonic_us() + int(until * MILLION) - host.wall_us()
        self.all_told = False
        self.last_words_at: int | None = None

    def is_called_for(self) -> bool:
        """See `Server`; a connection says nothing here, as that of a laptop that sleeps may seem to stand for hours."""
        return False

    def is_over(self) -> bool:
        """See `Server`; told to leave, it waits for what runs, which Slurm has told as well."""
        now = self.host.monotonic_us()
        if self.leaving and not self.core.ending:
            self.core.end(signal_all=False)
        if now >= self.until and not self.all_told:
            self.all_told = True
            self.core.end(signal_all=True)
        if not self.core.ending or self.core.running:
            return False
        if self.last_words_at is None:
            self.last_words_at = now + LAST_WORDS_US
            return False  # what the journal and the supervisor have not heard yet goes out in this turn
        heard = not self.core.lines and (not self.core.ended or self.current is None)
        if not heard and now < self.last_words_at:
            return False
        try:
            self.host.close_journal()
        except OSError as error:
            warn(f"the journal could not be closed: {error}")
        return True

    def dues(self) -> "list[int]":
        """See `Server`."""
        if self.last_words_at is not None:
            return [self.last_words_at]
        if self.core.ending and not self.core.running:
            return [0]
        return [] if self.all_told else [self.until]


def listen() -> socket.socket:
    """Return a socket bound to `runner.sock` in the current folder: an absolute name might be too long."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)  # noqa: FBT003 - positional only
    if os.path.exists("runner.sock"):
        os.unlink("runner.sock")
    umask = os.umask(0o177)  # private from the moment it exists; attempts get the user's umask back
    try:
        listener.bind("runner.sock")
    finally:
        os.umask(umask)
    listener.listen(16)
    return listener


def lock() -> bool:
    """Make this the only runner of the current folder, for as long as it lives; wait for one that is leaving."""
    descriptor = os.open("runner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_WAIT_S * 50):
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def detach() -> None:
    """Log to `runner.log`, ignore the terminal's signals, and have what attempts leave behind come to this process."""
    log = os.open("runner.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for descriptor, source in enumerate((os.open("/dev/null", os.O_RDONLY), log, log)):
        os.dup2(source, descriptor)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGIO):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":  # PR_SET_CHILD_SUBREAPER
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def take_short_slices() -> None:
    """Have Linux 6.12 or later wake this process before what holds its processor, not behind it; jobs are as ever."""
    call = {"x86_64": 314, "aarch64": 274}.get(os.uname().machine)  # sched_setattr, which few C libraries offer
    with contextlib.suppress(OSError):  # musl knows no schedulers
        if sys.platform == "linux" and call and os.sched_getscheduler(0) == os.SCHED_OTHER and os.nice(0) >= 0:
            # A slice of 0.1 ms, and SCHED_FLAG_RESET_ON_FORK, under which jobs would lose a niceness below 0 as well.
            attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_OTHER, 1, os.nice(0), 0, 100000, 0, 0)
            ctypes.CDLL(None).syscall(call, 0, attributes, 0)


def main() -> int:
    """Run as a script; the exit code is 3 where another runner holds the home folder."""
    parser = argparse.ArgumentParser(description="Start attempts, wait for them, remember how they ended.")
    parser.add_argument("home", help="the folder of its journal, socket and output; private to the user")
    parser.add_argument("--idle-s", type=float, default=10.0, help="leave after so long with nothing to do")
    parser.add_argument("--detach", action="store_true", help="once it holds the folder, go on without a parent")
    parser.add_argument("--sockets", help="in an allocation: the folder of its socket and lock, on a disk of the node")
    parser.add_argument("--number", type=int, default=0, help="in an allocation: its number")
    parser.add_argument("--until", type=float, default=0.0, help="in an allocation: end what runs at this time")
    arguments = parser.parse_args()
    home = os.path.abspath(arguments.home)
    sockets = os.path.abspath(arguments.sockets or home)
    os.makedirs(home, 0o700, exist_ok=True)
    os.chdir(sockets)
    if not lock():
        sys.stderr.write(f"another runner holds {sockets}\n")
        return 3
    if arguments.detach and os.fork():
        os._exit(0)  # so that whoever starts it is left with nothing to wait for
    listener = listen()
    os.chdir(home)
    detach()
    take_short_slices()
    host = Host(home, arguments.number)
    past = recall(host.read_journal())
    if past.garbage:
        warn(f"the journal's lines {past.garbage[:100]} are no lines of a journal; they were skipped")
    core = Core(host, past, bounded=arguments.until > 0)
    if arguments.until > 0:
        BoundedServer(host, core, listener, arguments.idle_s, arguments.until).run()
    else:
        Server(host, core, listener, arguments.idle_s).run()
    os.unlink(os.path.join(sockets, "runner.sock"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
