"""The commands of a simulated cluster's login node: Slurm's own, and the shell that looks after attempts' folders.

Each takes its time, may be answered by nobody, and prints what the real one prints.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Final

from msgspec import Struct

from holdfast.actors.slurm import attempt_folders
from tests.actors.stepping import pause

from .determinism import now_us
from .slurm_accounting import Accounting
from .slurm_controller import Controller, NoAnswer, NoController
from .slurm_files import LOGIN, SharedFiles
from .slurm_jobs import Submission
from .slurm_scripts import indexes, read_script
from .slurm_texts import USER, USER_NUMBER, account_lines, config_text, job_line, queue_line, rows

ARRAY_MAX: Final = 1001
_TIMED_OUT: Final = "Socket timed out on send/recv operation"
_UNREACHED: Final = "Unable to contact slurm controller (connect failure)"
NOWHERE: Final = "nowhere"
"""A partition that does not exist."""
_NO_PARTITION: Final = (
    f"sbatch: error: invalid partition specified: {NOWHERE}\n"
    "sbatch: error: Batch job submission failed: Invalid partition name specified\n"
)
_PLACES: Final = ("attempts", "clocks", "output", "seconds", "secrets", "slurm")


class Ended(Struct, frozen=True):
    """How a command ended: minus the signal's number if a signal ended it."""

    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


class Call(Struct, frozen=True):
    """A command that was begun: when (true time, microseconds), and its words without those of `env`."""

    at_us: int
    words: tuple[str, ...]


class Whims(Struct):
    """How often (0 to 1) a command is killed in its answer, says what is none, or a submission is refused.

    `refusal`: what sbatch is told then.
    """

    killed: float = 0.0
    garbled: float = 0.0
    refusal: str = ""
    refused: float = 0.0
    slow_s: float = 0.02


class Commands:
    """Runs commands, as often as anybody wants, side by side."""

    def __init__(self, controller: Controller, accounting: Accounting, files: SharedFiles, random: Random) -> None:
        self.controller = controller
        self.accounting = accounting
        self.files = files
        self.whims = Whims()
        self.calls: list[Call] = []
        self.submitting: Callable[[Submission], object] = lambda _: None
        """Called for each submission, before the controller hears of it."""
        self.refusing: Callable[[Submission], object] = lambda _: None
        """Called for each submission that is refused, so that nothing of it was taken."""
        self.answering: Callable[[], object] = lambda: None
        """Called when the controller says what is in its queue."""
        self.cancelling: Callable[[str], object] = lambda _: None
        """Called with the token of what a `scancel` ends."""
        self.called: Callable[[Call], object] = lambda _: None
        self._random = random

    async def run(self, argv: Sequence[str], stdin: bytes) -> Ended:
        """Run one to its end."""
        words = _without_environment(argv)
        call = Call(now_us(), words)
        self.calls.append(call)
        self.called(call)
        await pause(self._random.random() * self.whims.slow_s)
        if self._random.random() < self.whims.killed / 2:
            return Ended(-9)
        try:
            ended = await self._run(words, stdin)
        except NoAnswer:
            ended = self._unanswered(words, _TIMED_OUT, {"scancel": 140})
        except NoController:
            ended = self._unanswered(words, _UNREACHED, {"scancel": 8})
        return self._spoilt(ended)

    def _spoilt(self, ended: Ended) -> Ended:
        luck, text = self._random.random(), ended.stdout
        if luck < self.whims.killed:
            return Ended(-9, text[: self._random.randrange(len(text) + 1)])
        if luck > 1 - self.whims.garbled and len(text) > 1:
            cut = text[: self._random.randrange(1, len(text))].rstrip("\n")
            return Ended(ended.exit_code, self._random.choice((cut, f"{cut}\0\ufffd", f"*** {text}")), ended.stderr)
        return ended

    def _unanswered(self, words: Sequence[str], why: str, codes: dict[str, int]) -> Ended:
        program = words[0]
        if words[:2] == ("scontrol", "ping"):
            return Ended(1, "Slurmctld(primary) at vm is DOWN\n")
        what = {
            "sbatch": "sbatch: error: Batch job submission failed",
            "scancel": f"scancel: error: Kill job error on job id {words[-1]}",
        }.get(program, "slurm_load_jobs error")
        return Ended(codes.get(program, 1), "", f"{what}: {why}\n")

    async def _run(self, words: Sequence[str], stdin: bytes) -> Ended:
        match words[0]:
            case "sbatch":
                return await self._sbatch(words, stdin)
            case "squeue":
                return await self._squeue(words)
            case "scancel":
                return await self._scancel(words)
            case "scontrol":
                return await self._scontrol(words)
            case "sacct":
                return await self._sacct(words)
            case "id":
                return Ended(0, f"{USER if '-un' in words else USER_NUMBER}\n")
            case "/bin/sh" | "sh":
                return self._shell(words, stdin)
            case program:
                raise AssertionError(f"the simulated login node has no {program!r}: {words}")

    async def _sbatch(self, words: Sequence[str], stdin: bytes) -> Ended:
        options = {name: value for name, _, value in (word[2:].partition("=") for word in words[1:])}
        assert options.keys() >= {"parsable", "no-requeue"}, f"sbatch is not to be called so: {words}"
        submission = read_script(stdin.decode(), options)
        self.submitting(submission)
        if options.get("partition") == NOWHERE:
            self.refusing(submission)
            return Ended(1, "", _NO_PARTITION)
        if self._random.random() < self.whims.refused:
            self.refusing(submission)
            return Ended(1, "", f"sbatch: error: {self.whims.refusal}\n")
        try:
            number = await self.controller.ask(10.0, partial(self.controller.submit, submission), changes=True)
        except NoController:
            self.refusing(submission)
            raise
        return Ended(0, f"{number}\n")

    async def _squeue(self, words: Sequence[str]) -> Ended:
        line_format = words[words.index("-o") + 1]
        wants_all = "all" in words

        def show() -> str:
            tasks = [task for task in self.controller.memory.tasks if wants_all or task.active]
            return "".join(queue_line(line_format, row) for row in rows(tasks, apart="-r" in words))

        text = await self.controller.ask(20.0, show)
        self.answering()
        return Ended(0, text)

    async def _scancel(self, words: Sequence[str]) -> Ended:
        name = next((word.partition("=")[2] for word in words if word.startswith("--name=")), None)
        for word in [word for word in words[1:] if not word.startswith("-")]:
            number, _, tasks = word.partition("_")
            for index in indexes(tasks) if tasks else [None]:
                await self.controller.ask(10.0, partial(self._cancel, int(number), index, name), changes=True)
        return Ended(0)

    def _cancel(self, number: int, index: int | None, name: str | None) -> None:
        for task in self.controller.found(number, index):
            if name in {None, task.submission.name}:
                self.cancelling(task.order.token)
                # With a name real Slurm takes all of an array that waits, whichever of its tasks is asked for.
                self.controller.cancel(task, alone=index is not None and name is None)
                for other in self.controller.found(task.array, None) if name is not None and task.waits else ():
                    if other.waits:
                        self.cancelling(other.order.token)
                        self.controller.cancel(other, alone=False)

    async def _scontrol(self, words: Sequence[str]) -> Ended:
        controller = self.controller
        match [word for word in words[1:] if word not in {"-o", "--oneliner"}]:
            case ["ping"]:
                await controller.ask(10.0, lambda: None)
                return Ended(0, "Slurmctld(primary) at vm is UP\n")
            case ["show", "config"]:
                age_s, has_accounts = controller.minimal_age_us // 1_000_000, not self.accounting.absent
                await controller.ask(10.0, lambda: None)
                return Ended(0, config_text(age_s, accounting=has_accounts, array_max=ARRAY_MAX))
            case ["show", "job" | "jobs", *numbers]:
                return await self._show_jobs(numbers)
            case other:
                raise AssertionError(f"the simulated scontrol knows no {other}")

    async def _show_jobs(self, numbers: Sequence[str]) -> Ended:
        def show() -> str:
            tasks = self.controller.memory.tasks
            wanted = [task for task in tasks if not numbers or {str(task.id), str(task.array)} & set(numbers)]
            return "".join(job_line(row) for row in rows(wanted))

        text = await self.controller.ask(10.0, show)
        if not text and numbers:
            return Ended(1, "", "slurm_load_jobs error: Invalid job id specified\n")
        return Ended(0, text or "No jobs in the system\n")

    async def _sacct(self, words: Sequence[str]) -> Ended:
        if self.accounting.absent:
            return Ended(1, "", "Slurm accounting storage is disabled\n")
        if self.accounting.down:
            await pause(45.0)
        if self.accounting.down:
            return Ended(1, "", "sacct: error: Problem talking to the database: Resource temporarily unavailable\n")
        columns = words[words.index("-o") + 1].split(",")
        delimiter = next(word.partition("=")[2] for word in words if word.startswith("--delimiter="))
        found = self.accounting.all() if "-D" in words else self.accounting.newest()
        names = next((word.partition("=")[2].split(",") for word in words if word.startswith("--name=")), None)
        if names is not None:
            found = [task for task in found if task.submission.name in names]
        if "-j" in words:
            wanted = set(words[words.index("-j") + 1].split(","))
            found = [task for task in found if {str(task.id), str(task.array), task.shown} & wanted]
        return Ended(0, "".join(account_lines(columns, delimiter, row) for row in rows(found)))

    def _shell(self, words: Sequence[str], stdin: bytes) -> Ended:
        folder, own, works = words[4], "".join(words[5:]), stdin.decode().split()
        try:
            match list(words):
                case argv if argv == attempt_folders.prepare_argv(folder):
                    for name in ("", *(f"/{place}" for place in _PLACES)):
                        self.files.make_folder(f"{folder}{name}", LOGIN)
                    return Ended(0)
                case argv if argv == attempt_folders.identify_argv(folder, own):
                    return self._identify(folder, own)
                case argv if argv == attempt_folders.close_argv(folder, own):
                    return self._close(folder, own, works)
                case argv if argv == attempt_folders.read_argv(folder, own):
                    return self._read(folder, works) if self._is(folder, own) else Ended(1)
                case argv if argv == attempt_folders.void_argv(folder, own):
                    return self._void(folder, works) if self._is(folder, own) else Ended(1)
                case argv:
                    raise AssertionError(f"the simulated shell does not know what this means: {argv}")
        except OSError as error:
            return Ended(1, "", f"sh: {error}\n")

    def _identify(self, folder: str, fresh: str) -> Ended:
        """The id of Holdfast's folder, which is given to it if it has none, and its receipt."""
        if not self.files.has(folder, LOGIN):
            return Ended(1, "", f"sh: 1: cd: can't cd to {folder}\n")
        if not self.files.read(f"{folder}/id", LOGIN):
            if not fresh:
                return Ended(attempt_folders.NO_ID)
            self.files.write(f"{folder}/id", f"{fresh}\n".encode(), LOGIN)
        notes = ((name, self.files.read(f"{folder}/{name}", LOGIN)) for name in ("id", "receipt"))
        return Ended(0, "".join(f"{name} {note.decode()}" for name, note in notes if note) + "end\n")

    def _is(self, folder: str, own: str) -> bool:
        """Whether the folder has this id; if none is given, it does not matter."""
        return not own or self.files.read(f"{folder}/id", LOGIN) == f"{own}\n".encode()

    def _read(self, folder: str, works: Sequence[str]) -> Ended:
        """What stands in attempts' folders, and how large their outputs are."""
        files, text = self.files, ""
        if not files.has(f"{folder}/attempts", LOGIN):
            return Ended(2, "", f"sh: 1: cd: can't cd to {folder}/attempts\n")
        for work in works:
            attempt = f"{folder}/attempts/{work}"
            if not files.has(attempt, LOGIN):
                text += f"none {work}\n"
                continue
            text += f"attempt {work}\n"
            text += "".join(f"{part} {line}\n" for part, line in notes(files.read(attempt, LOGIN) or b""))
            text += "".join(f"second {name}\n" for name in files.names(f"{folder}/seconds/{work}", LOGIN))
        outputs = [f"{work}.{stream}" for work in works for stream in ("out", "err")]
        text += "size 4096 .\n"
        for name in sorted(outputs):
            output = files.read(f"{folder}/output/{name}", LOGIN)
            text += "" if output is None else f"size {len(output)} {name}\n"
        return Ended(0, f"{text}end\n")

    def _close(self, folder: str, receipt: str, works: Sequence[str]) -> Ended:
        """Remove what nobody needs of attempts whose ends are recorded; that they were claimed is kept."""
        files = self.files
        if receipt:
            files.write(f"{folder}/receipt", f"{receipt}\n".encode(), LOGIN)
        for work in works:
            for stream in ("out", "err"):
                if files.read(f"{folder}/output/{work}.{stream}", LOGIN) == b"":
                    files.remove(f"{folder}/output/{work}.{stream}")
            files.remove(f"{folder}/seconds/{work}")
            attempt = f"{folder}/attempts/{work}"
            if files.read(attempt, LOGIN) and not is_void(files, attempt):
                files.write(attempt, b"", LOGIN)
        return Ended(0)

    def _void(self, folder: str, works: Sequence[str]) -> Ended:
        """Claim attempts for nobody."""
        files, text = self.files, ""
        for work in works:
            attempt = f"{folder}/attempts/{work}"
            files.create(attempt, b"void nobody may run this any more\n", LOGIN)
            if not files.has(attempt, LOGIN):
                return Ended(1, text)
            text += f"void {work}\n" if is_void(files, attempt) else f"claimed {work}\n"
        return Ended(0, f"{text}end\n")


def notes(content: bytes) -> list[tuple[str, str]]:
    """The lines of an attempt's file, each with what it is a part of: who claimed it, how it ended, ..."""
    part, found = "by", list[tuple[str, str]]()
    for line in content.decode().splitlines():
        first, _, rest = line.partition(" ")
        if part == "by" and first in {"status", "refused", "void"}:
            part = "exit" if first == "status" else first
        found.append((part, rest if first == part else line))
    return found


def is_void(files: SharedFiles, attempt: str) -> bool:
    """Whether it was Holdfast that claimed the attempt with this file."""
    return (files.read(attempt, LOGIN) or b"").startswith(b"void ")


def _without_environment(argv: Sequence[str]) -> tuple[str, ...]:
    """The words of the command that `env` would run, if it is `env` that is to be run."""
    words = list(argv)
    if words[0] == "env":
        del words[0]
        while words and (words[0] == "-u" or "=" in words[0]):
            del words[: 2 if words[0] == "-u" else 1]
    return tuple(words)
