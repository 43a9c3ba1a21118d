"""What can be typed: every command with its options and its help. Imports nothing heavy, so `--help` is quick."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, NamedTuple

DESCRIPTION: Final = """\
Holdfast runs commands under limits and writes down everything that happens before it acts on it.
Kill it anywhere and start it again: nothing is lost and nothing runs twice."""

EPILOGUE: Final = """\
first steps:
  holdfast run flow.toml          run a flow of jobs and see it to its end
  holdfast map gzip -k {} ::: *.txt && holdfast run
                                  a job for each file, then run them
  holdfast jobs                   what there is, and how it stands
  holdfast explain JOB            why a job is where it is
  holdfast logs JOB               what a job has written

A job is named by its id, its name, or flow/name; a flow's name stands for all its jobs.
The home (the folder with the log) is --home, else $HOLDFAST_HOME, else the nearest .holdfast at or above
the working folder, else ./.holdfast.
exit codes: 0 done, all succeeded; 1 done, something failed or was found wrong; 2 bad usage or input, nothing
was done; 3 refused or unavailable; 130 interrupted, everything kept."""


class Command(NamedTuple):
    """A command: the module of `holdfast.cli` that has its `execute`, one line of help, and its arguments."""

    module: str
    summary: str
    add: Callable[[argparse.ArgumentParser], None]
    details: str = ""


def _home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the folder that holds the log (default: $HOLDFAST_HOME, else the nearest .holdfast at or above this one)",
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="+", metavar="JOB", help="an id, a name, flow/name, or a flow")


def _job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="an id, a name, or flow/name")


def _rebuild(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trust-pages",
        action="store_true",
        help="take pages whose checksum is wrong as they are, if all else agrees: where another program wrote them",
    )


def _nothing(parser: argparse.ArgumentParser) -> None:
    del parser


def _slots(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--slots", metavar="N", help="processors to use (default: as last time; at first, all of the machine)"
    )


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "flow", nargs="?", metavar="FLOW", help="a flow file: .toml, or .jsonl with a job a line; - for standard input"
    )
    _slots(parser)
    parser.add_argument("--again", action="store_true", help="submit FLOW anew even if it is here and unfinished")
    parser.add_argument("--quiet", action="store_true", help="no progress, only what fails")
    _json(parser)


def _job_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--name", help="a name, to speak of the job by")
    add("--after", metavar="JOB", action="append", default=[], help="start when JOB has succeeded (may be repeated)")
    add("--after-any", metavar="JOB", action="append", default=[], help="start when JOB has ended, however")
    add("--after-failed", metavar="JOB", action="append", default=[], help="start when JOB has failed")
    add("--target", metavar="NAME", help="where to run it (default: local); `holdfast hosts` lists other machines")
    add("--needs", metavar="NAME=N", action="append", default=[], help="what it takes: cpus=4, memory=8GB, gpus=1")
    add("--limit", metavar="NAME", action="append", default=[], help="count against the named limit, or NAME:KEY")
    add("--priority", metavar="N", help="higher goes first (default 0)")
    add("--retries", metavar="N", help="try again so often after a failure, with growing delays")
    add("--retry-on", metavar="WHAT", action="append", default=[], help="failed, timeout, lost (default: first two)")
    add("--timeout", metavar="TIME", help="end it after so long: 30s, 10min, 2h")
    add("--env", metavar="NAME=VALUE", action="append", default=[], help="a variable for its environment")
    add("--secret", metavar="NAME", action="append", default=[], help="a secret variable; only its name is recorded")
    add("--cwd", metavar="DIR", help="the folder to run in (default: this one)")
    add("--sbatch", metavar="NAME=VALUE", action="append", default=[], help="on a cluster: an option for sbatch")
    add("--template", metavar="NAME", help="on a cluster: the target's script to run in (default: the target's own)")
    add("--variable", metavar="NAME=VALUE", action="append", default=[], help="on a cluster: for the template")
    add("--key", help="submitting the same key again is the same job")
    add("--hold", action="store_true", help="don't start it until it is released")


def _submit(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    _json(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD ...", help="the command; no shell sees it")


def _map(parser: argparse.ArgumentParser) -> None:
    _job_options(parser)
    parser.add_argument("--null", "-0", action="store_true", help="arguments on standard input end in NUL, not newline")
    _json(parser)
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="CMD ... ::: ARG ...",
        help="the command with {} for the argument, then the arguments",
    )


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="only these (default: all)")
    parser.add_argument("--state", metavar="STATE", action="append", default=[], help="only those in this state")
    parser.add_argument("--limit", metavar="N", help="at most the N newest")
    _json(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    _job(parser)
    _json(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    _explain(parser)
    parser.add_argument("--script", action="store_true", help="only the script that its cluster was given")


def _logs(parser: argparse.ArgumentParser) -> None:
    _job(parser)
    parser.add_argument("--follow", "-f", action="store_true", help="go on as it writes, until it ends")
    parser.add_argument("--attempt", metavar="N", help="of this attempt (default: the newest)")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--stdout", action="store_true", help="only standard output")
    only.add_argument("--stderr", action="store_true", help="only standard error")


def _priority(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("priority", metavar="N", help="higher goes first; submitted jobs have 0")
    _jobs(parser)


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", metavar="TARGET", help="only this one (default: all)")


def _hosts(parser: argparse.ArgumentParser) -> None:
    _json(parser)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions")
    for name, summary in HOST_ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        _home(action)
        several = name not in {"trust", "connect"}
        action.add_argument("targets", nargs="*" if name == "check" else "+" if several else 1, metavar="NAME")
        if name == "trust":
            action.add_argument("--fingerprint", required=True, metavar="SHA256:...", help="of the key to accept")


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", nargs="?", metavar="TARGET", help="look at this host or cluster instead")
    parser.add_argument("--flow", metavar="FLOW", help="a flow that declares the target, if it is not known here yet")


def _log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--follow", "-f", action="store_true", help="go on as it grows")
    parser.add_argument("--job", metavar="JOB", help="only events of this job")
    parser.add_argument("--after", metavar="SEQ", help="only what comes after this position")
    _json(parser)


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", metavar="SEQ|TIME", help="a position, or a time such as 2026-11-20T13:52:00Z")
    _json(parser)


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="whose completion script to print")


MAP_DETAILS: Final = """\
Each argument makes a job of the command with {} replaced by it, or with it at the end where there is no {}.
Several ::: make all combinations, {1} {2} ... name them. Without ::: arguments are read from standard input, a
line each. No shell sees any of it, so spaces and quotes in arguments need no care; for a shell, write
`sh -c '... "$1"' sh {}`. Lines may end as on Windows; an argument must be UTF-8.

  holdfast map convert {} -resize 50% small/{} ::: *.png
  find . -name '*.fa' -print0 | holdfast map -0 --needs cpus=2 bwa index {}"""

RUN_DETAILS: Final = """\
A flow file has a table for each job, and what it does not say has a sensible default:

  [jobs.fetch]
  run = ["curl", "-o", "reads.fq", "https://example.org/reads.fq"]   # a list: no shell sees it
  retries = 3
  [jobs.count]
  run = "wc -l < reads.fq > count.txt"                               # a string: for /bin/sh
  after = "fetch"                                                    # or a list; also after_any, after_failed
  needs = { cpus = 2, memory = "4GB" }

More for a job: timeout, env, cwd, priority, limits, retry_on, secrets, key, hold; on other machines inputs, outputs; on
clusters sbatch, template, variables. Beside jobs: [limits.NAME] with concurrent or rate, [targets.NAME] with capacity,
host or kind = "slurm" (`holdfast hosts --help`), [defaults] for all jobs. In JSON Lines the same, a job a line:
  {"name": "count", "run": "wc -l < reads.fq", "after": "fetch"}

The same file again goes on with what is unfinished of it. Where a supervisor is at work on the home already, the flow
is handed over to it and watched. Ctrl-C starts nothing more and waits for what runs; a second one, or SIGTERM, leaves
at once, and what runs goes on: the next `holdfast run` picks it up. Nothing is lost either way."""

SERVE_DETAILS: Final = """\
SIGTERM and Ctrl-C end it at once; jobs that run go on, and the next supervisor picks them up. It ends with 0 after
SIGTERM and with 130 after Ctrl-C."""

SUBMIT_DETAILS: Final = """\
It is recorded at once, and run by the supervisor that is at work on the home, or by the next `holdfast run`. The
command runs in this folder, with the environment of the supervisor and what --env adds.

  holdfast submit --name index -- bwa index ref.fa
  holdfast submit --after index --needs cpus=4 --retries 2 -- bwa mem -t 4 ref.fa reads.fq
  holdfast submit -- sh -c 'sort a.txt | uniq > b.txt'        # for a shell, ask for one

On a cluster (a target that a flow has declared with kind = "slurm") needs and --timeout become what Slurm counts by,
and --sbatch passes other options on, those that docs/slurm.md lists:

  holdfast submit --target cluster --needs memory=8GB --timeout 2h --sbatch qos=long --sbatch exclusive -- ./solve"""

SHOW_DETAILS: Final = """\
--script prints what the newest attempt was submitted to a cluster with, as the log has it; with --json it stands in
an object with its SHA-256."""

DOCTOR_DETAILS: Final = """\
With a TARGET it looks at what is behind it, before the first job: the way there, and on a cluster Slurm's commands, its
controller, accounting, the partition, the account, limits, the workdir and the clock. Nothing is submitted.

  holdfast doctor cluster --flow flow.toml"""

HOST_ACTIONS: Final = {
    "connect": "log in to a host that wants you: a passphrase, a password, a one-time code",
    "check": "try now to connect to these hosts (default: all), and say how it went",
    "trust": "accept the key that a host shows, by its fingerprint",
    "pause": "start nothing more there; what runs goes on",
    "resume": "start jobs there again",
}

HOSTS_DETAILS: Final = """\
Hosts are targets on other machines, and clusters. A flow declares them, and they stay known here:

  [targets.gpu]
  host = "gpu1"                       # a name from ~/.ssh/config, or an address
  capacity = { cpus = 16, gpus = 2 }
  workdir = "~/holdfast"              # the folder there; a job's cwd is relative to it

  [targets.cluster]
  kind = "slurm"
  host = "login"                      # without it, Slurm's commands on this machine
  partition = "main"

They are connected while there is something to do for them. A key that is neither in known_hosts nor accepted with
`holdfast hosts trust` is refused, always; a changed one is never tried again by itself."""

COMMANDS: Final[dict[str, Command]] = {
    "run": Command(
        "run", "submit a flow and see it to its end; without one, go on with what is unfinished", _run, RUN_DETAILS
    ),
    "serve": Command("serve", "stay, and run what is submitted, until SIGTERM", _slots, SERVE_DETAILS),
    "submit": Command("submit", "submit one job and print its id", _submit, SUBMIT_DETAILS),
    "map": Command("map", "submit a job for each argument", _map, MAP_DETAILS),
    "jobs": Command("jobs", "list jobs", _list),
    "show": Command("show", "everything about one job", _show, SHOW_DETAILS),
    "logs": Command("logs", "what a job has written", _logs),
    "explain": Command("explain", "why a job is where it is, event by event", _explain),
    "cancel": Command("change", "end jobs, whatever they are doing", _jobs),
    "retry": Command("change", "run jobs again that ended badly, and what was skipped because of them", _jobs),
    "hold": Command("change", "don't start jobs until they are released", _jobs),
    "release": Command("change", "let held jobs go on", _jobs),
    "priority": Command("change", "set the priority of jobs", _priority),
    "pause": Command("change", "start nothing more on a target; what runs goes on", _target),
    "resume": Command("change", "start jobs on a target again", _target),
    "hosts": Command("hosts", "other machines: how they stand, and what you can do", _hosts, HOSTS_DETAILS),
    "log": Command("log", "the log of everything that happened", _log),
    "replay": Command("replay", "the jobs as they stood at some time, from the log alone", _replay),
    "rebuild": Command("rebuild", "make the views afresh from the log", _rebuild),
    "verify": Command("verify", "check that log and views are whole and agree", _nothing),
    "doctor": Command("doctor", "look for what could keep Holdfast from working here", _doctor, DOCTOR_DETAILS),
    "completion": Command("completion", "print a shell completion script", _completion),
}


def build_parser(version: str) -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {version}")
    _home(parser)
    commands = parser.add_subparsers(dest="chosen", metavar="COMMAND", title="commands", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            epilog=command.details,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        _home(sub)
        sub.set_defaults(parser=sub)
        command.add(sub)
    return parser
