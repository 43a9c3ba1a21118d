"""The files that ~/.ssh/config names, found as `ssh` finds them: those of known keys, and those of one's own.

asyncssh takes their names as they stand: it expands no `~` and no token in those of known keys, and gives up at a key
of one's own that is named and not there, where `ssh` goes on to the next.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, cast

import asyncssh
from msgspec import Struct

from ..world import host_name, user_name

_OWN: Final = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
_SYSTEM: Final = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
_TOKEN: Final = re.compile(r"%.|\$\{\w+\}")


class Identities(Struct, frozen=True):
    """What to log in with, as asyncssh takes it; () leaves it the choice. `agent`: public keys to use of the agent."""

    keys: tuple[str, ...] | list[str] = ()
    certificates: tuple[str, ...] | list[str] = ()
    agent: tuple[str, ...] | list[str] = ()


def known_hosts(options: asyncssh.SSHClientConnectionOptions, address: str) -> list[str]:
    """The files that exist of those that hold known keys; none is no reason to take any key."""
    own = _names(options, "UserKnownHostsFile") or _OWN
    system = _names(options, "GlobalKnownHostsFile") or _SYSTEM
    paths = [_expanded(name, options, address) for name in (*own, *system)]
    return [path for path in paths if Path(path).is_file()]


def identities(options: asyncssh.SSHClientConnectionOptions) -> Identities:
    """The keys and certificates to log in with: of those that are named, those that are there."""
    named = list(dict.fromkeys(_at_home(each) for each in _names(options, "IdentityFile")))
    certificates = [_at_home(each) for each in _names(options, "CertificateFile")]
    certificates = [each for each in certificates if Path(each).is_file()]
    if not named:
        return Identities((), certificates or ())
    keys = [each for each in named if Path(each).is_file() and not each.endswith(".pub")]
    # The private part may be with the agent alone.
    public = [each for name in named for each in (f"{name}.pub", name) if Path(each).is_file()]
    return Identities(keys, certificates, public if options.config.get("IdentitiesOnly") else ())


def _names(options: asyncssh.SSHClientConnectionOptions, option: str) -> list[str]:
    given = options.config.get(option)
    return [str(each) for each in cast("list[object]", given)] if isinstance(given, list) else []


def _expanded(name: str, options: asyncssh.SSHClientConnectionOptions, address: str) -> str:
    """With its `~`, variables, and the tokens of ssh_config(5), of which those that nobody knows stay as they are."""
    local = host_name()
    tokens = {
        "%%": "%", "%d": _at_home("~"), "%h": options.host, "%i": str(os.getuid()),
        "%k": options.host_key_alias or options.host, "%L": local.partition(".")[0], "%l": local, "%n": address,
        "%p": str(options.port), "%r": options.username, "%u": user_name(),
    }  # fmt: skip

    def token(found: re.Match[str]) -> str:
        text = found[0]
        return os.environ.get(text[2:-1], text) if text.startswith("$") else tokens.get(text, text)

    return _at_home(_TOKEN.sub(token, name))


def _at_home(name: str) -> str:
    """With its `~`, which stays as it is if there is no such user: then there is no such file either."""
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return name
