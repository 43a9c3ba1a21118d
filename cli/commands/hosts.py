"""`holdfast hosts`: other machines and clusters, how they stand, and what a person can do about them."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from getpass import getpass

from holdfast.client import ask, deliver
from holdfast.events.errors import BadInput, Unavailable
from holdfast.events.messages import Changed, Command, LogIn, Pause, Question, Resume, Say, Trust
from holdfast.store.home import Home
from holdfast.store.reader import Reader

from ..reading.dialling import NO_SUPERVISOR, dial
from ..reading.hostlist import host_lines, print_hosts
from ..screen.remarks import remark
from ..screen.terminal import printable


def execute(arguments: Namespace, home: Home) -> int:
    """List them, or do what was asked for. 1 from `check` if one is not up. Raises BadInput or Unavailable."""
    home.must_exist()
    match arguments.action:
        case "check":
            return _check(home, arguments.targets, as_json=arguments.json)
        case "connect":
            _connect(home, arguments.targets[0])
        case "trust":
            _tell(home, Trust(arguments.targets[0], arguments.fingerprint), "its key is accepted")
        case "pause" | "resume" as action:
            for name in _known(home, arguments.targets):
                _tell(home, Pause(name) if action == "pause" else Resume(name), f"{action}d")
        case _:
            with Reader(home) as reader:
                shown = print_hosts(host_lines(reader), as_json=arguments.json)
            if not shown:
                remark("holdfast: no other machine is known here; `holdfast hosts --help` shows how to declare one")
    return 0


def _connect(home: Home, name: str) -> None:
    """Log in with what is typed here; it goes to the supervisor's private socket, and nowhere else."""
    _known(home, [name])
    answer = ask(home, LogIn(name))
    while isinstance(answer, Question):
        if not sys.stdin.isatty():
            message = f"{name} asks `{answer.text.strip()}`, and standard input is no terminal; ask from one"
            raise BadInput(message)
        # What a machine says is shown without anything that could change the terminal.
        text = "\n".join(printable(line) for line in answer.text.splitlines())
        answer = ask(home, Say(name, input(text) if answer.echo else getpass(text)))
    if answer is None:
        raise Unavailable(NO_SUPERVISOR)
    print(f"host {name}: connected")


def _tell(home: Home, command: Command, done: str) -> None:
    delivery = deliver(home, command)
    assert isinstance(delivery.answer, Changed), "these commands are answered by what they changed"
    for target in delivery.answer.targets:
        print(f"host {target}: {done}")
    if not delivery.answer.targets:
        remark("nothing to do: it is so already")


def _known(home: Home, names: Sequence[str]) -> list[str]:
    """The hosts of these names, all if there are none. Raises BadInput."""
    with Reader(home) as reader:
        there = [line.name for line in host_lines(reader) if line.kind != "allocation"]
    for name in names:
        if name not in there:
            raise BadInput(f"there is no host {name!r}", remedy=f"there are: {', '.join(there) or 'none yet'}")
    return list(names) or there


def _check(home: Home, names: Sequence[str], *, as_json: bool) -> int:
    """Have them tried now, and wait until it is known how that went."""
    hosts = _known(home, names)
    lines = dial(home, hosts)
    print_hosts(lines, as_json=as_json)
    for line in lines:
        if line.fingerprint is not None:
            accept = f"holdfast hosts trust {line.name} --fingerprint {line.fingerprint}"
            remark(f"{line.name}: {line.reason}\nto accept it: {accept}")
        elif line.reason is not None:
            remark(f"{line.name}: {line.reason}")
        elif line.state == "connecting":
            remark(f"{line.name}: not there after a minute; connecting takes turns, two at a time at one gateway")
    sys.stdout.flush()
    return 0 if all(line.state == "up" for line in lines) else 1
