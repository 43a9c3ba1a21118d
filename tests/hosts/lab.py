"""The lab: hosts by name, and what a client needs to reach them: a key, known_hosts and a configuration."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.tools import need

from .sshd import HOW, Host, make_key

EVERYWHERE: Final = """\
Host *
  IdentitiesOnly yes
  IdentityAgent none
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
"""


class Lab:
    """Any number of hosts, ended with the lab; their files, and the client's, are below one folder."""

    def __init__(self, folder: Path) -> None:
        """Prepare a client in `folder`; there are no hosts yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.config, self.known_hosts, self.identity = folder / "config", folder / "known_hosts", folder / "id_ed25519"
        self.user = getpass.getuser()
        self._hosts: list[Host] = []
        self._trusted: dict[str, str] = {}
        self._ports: dict[str, int] = {}
        make_key(self.identity)
        self._write()

    def host(self, name: str, variables: Mapping[str, str] | None = None, /, **options: str | int) -> Host:
        """Start a host that clients know as `name` and trust; `options` are those of sshd_config, as MaxSessions=1.

        Commands that are started there find `variables` in their environment.
        """
        assert name not in self._trusted, f"there is a host {name!r}"
        authorized = self.identity.with_suffix(".pub")
        texts = {option: str(value) for option, value in options.items()}
        made = Host(name, self._folder / name, authorized, texts, variables or {})
        self._hosts.append(made)
        self._ports[name] = made.port
        self.trust(made)
        return made

    def trust(self, host: Host) -> None:
        """Let known_hosts name the key that `host` shows now."""
        self._trusted[host.name] = host.public_key
        self._write()

    def route(self, host: Host, port: int) -> None:
        """Let clients reach `host` through `port` of loopback, as that of a proxy; the same key is trusted there."""
        self._ports[host.name] = port
        self._write()

    def ssh(self, name: str, command: str, **ssh_options: str | int) -> subprocess.CompletedProcess[str]:
        """Run `command` on the host `name` with OpenSSH's own client, and wait for its end."""
        words = [need("ssh", HOW), "-F", str(self.config)]
        words += [f"-o{option}={value}" for option, value in ssh_options.items()]
        return subprocess.run(
            [*words, name, command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
        )

    def end(self) -> None:
        """End every host and all that ran on them, by pid."""
        while self._hosts:
            self._hosts.pop().end()

    def __enter__(self) -> Self:
        """Return the lab itself; leaving it ends its hosts."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every host."""
        self.end()

    def _write(self) -> None:
        blocks = [
            f"Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User {self.user}\n"
            f'  IdentityFile "{self.identity}"\n  UserKnownHostsFile "{self.known_hosts}"\n'
            for name, port in self._ports.items()
        ]
        self.config.write_text("\n".join([*blocks, EVERYWHERE]))
        self.known_hosts.write_text(
            "".join(
                f"[127.0.0.1]:{port} {self._trusted[name]}\n"
                for name, port in self._ports.items()
                if name in self._trusted
            )
        )
