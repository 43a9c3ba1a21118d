"""One host of the lab: a real sshd on a loopback port, with a key, a home and a mark of its own, ended by pid."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.leftovers import MARK
from tests.system.place import until
from tests.system.processes import alive, carrying, kill
from tests.tools import need

from .family import below

HOST_MARK: Final = "HOLDFAST_TEST_HOST"
HOW: Final = (
    "it is Debian's package openssh-server (apt-get install openssh-server); nothing need be started or configured"
)
# sshd starts commands in the account's home. These hosts share an account, so that each command goes to its host's own.
IN_ITS_HOME: Final = (
    'cd && if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"; else exec "$SHELL"; fi'
)
DEFAULTS: Final[Mapping[str, str]] = {
    "AddressFamily": "inet",
    "ListenAddress": "127.0.0.1",
    "AuthenticationMethods": "publickey",
    "ForceCommand": IN_ITS_HOME,
    "KbdInteractiveAuthentication": "no",
    "LogLevel": "VERBOSE",
    "PasswordAuthentication": "no",
    "PermitRootLogin": "prohibit-password",
    "PidFile": "none",
    "PrintLastLog": "no",
    "PrintMotd": "no",
    "StrictModes": "no",
    "Subsystem": "sftp /usr/lib/openssh/sftp-server",  # not internal-sftp: it is no command that a shell could run
    "UseDNS": "no",
    "UsePAM": "no",
}


class Host:
    """A real sshd, listening until it is ended; everything that ran on it ends with it."""

    def __init__(
        self, name: str, folder: Path, authorized: Path, options: Mapping[str, str], variables: Mapping[str, str]
    ) -> None:
        """Start sshd for the host `name` in a new `folder`; `options` of sshd_config replace the defaults.

        Commands find `variables` in their environment.
        """
        self._sshd = need("sshd", HOW)
        self.name, self.home, self._folder = name, folder / "home", folder
        self.home.mkdir(parents=True)
        self._authorized, self._options, self._variables = authorized, options, variables
        self._mark = uuid.uuid4().hex
        self._seen: set[int] = set()  # session processes: they outlive their listener
        self._log, self._key = folder / "sshd.log", folder / "host_key"
        make_key(self._key)
        self.port = free_port()
        self._listener = self._listening()

    @property
    def pid(self) -> int:
        """The listener's pid."""
        return self._listener.pid

    @property
    def public_key(self) -> str:
        """The host key that this host shows now, as known_hosts has it: type and key."""
        return public_part(self._key)

    @property
    def said(self) -> str:
        """What sshd has written, to be shown where a test fails."""
        return self._log.read_text(errors="replace")

    def sessions(self) -> list[int]:
        """Pids of the sshd processes that serve connections, one or two each, also of listeners that have ended."""
        self._seen |= {pid for pid, command in below(self.pid) if command.startswith("sshd")}
        self._seen -= {pid for pid in self._seen if not alive(pid)}
        return sorted(self._seen)

    def commands(self) -> list[int]:
        """Pids of what was started here over SSH and still runs, whether its connection lives or not."""
        mark = f"{HOST_MARK}={self._mark}".encode()
        started = {pid for pid, where in carrying(mark) if where == "environ"}
        return sorted((started | set(self.runners())) - _on_nodes())

    def runners(self) -> list[int]:
        """Pids of Holdfast's runners here, whose environment has no mark; their files are below this host's home."""
        return sorted({pid for pid, where in carrying(bytes(self.home) + b"/") if where == "cmdline"} - _on_nodes())

    def stop_listener(self) -> None:
        """Let the host accept connections (the kernel does) and never say a word on them; old ones go on."""
        os.kill(self.pid, signal.SIGSTOP)

    def stop_sessions(self) -> None:
        """Let the connections that are open hang; new ones work."""
        self._to(self.sessions(), signal.SIGSTOP)

    def stop_commands(self) -> None:
        """Stop what runs on the host."""
        self._to(self.commands(), signal.SIGSTOP)

    def hang(self) -> None:
        """Stop all of it, as a host does whose power or network is gone: listener, sessions and commands."""
        self.stop_listener()
        self.stop_sessions()
        self.stop_commands()

    def continue_(self) -> None:
        """Let everything go on that was stopped."""
        self._to([self.pid, *self.sessions(), *self.commands()], signal.SIGCONT)

    def kill_sessions(self) -> None:
        """Kill what serves the connections, with -9: clients see them closed, and what they started runs on."""
        self._to(self.sessions(), signal.SIGKILL)

    def kill_listener(self) -> None:
        """Kill the listener, with -9: new connections are refused, old ones go on."""
        self.sessions()  # while they can still be told by their parent
        self._listener.kill()
        self._listener.wait()

    def listen_again(self) -> None:
        """Start another listener on the same port, after `kill_listener`."""
        assert self._listener.poll() is not None, "the listener still runs"
        self._listener = self._listening()

    def swap_host_key(self) -> None:
        """Show another host key to connections from now on, as a reinstalled host or somebody in between does."""
        self.kill_listener()
        make_key(self._key)
        self.listen_again()

    def end(self) -> None:
        """End everything that belongs to this host, by pid."""
        self.kill_listener()
        while left := [*self.sessions(), *self.commands()]:
            self._to(left, signal.SIGKILL)

    def _to(self, pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            kill(pid, number)

    def _listening(self) -> subprocess.Popen[bytes]:
        configuration = self._folder / "sshd_config"
        configuration.write_text(self._configuration())
        _make_separation_folder()
        with self._log.open("wb") as log:  # anew: what it says below is of this listener
            # A lab whose process is killed can end nothing: then the kernel does.
            command = [need("setpriv", "it is part of util-linux"), "--pdeathsig", "KILL", "--"]
            command += [self._sshd, "-D", "-e", "-f", str(configuration)]
            listener = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            until(
                lambda: listener.poll() is not None or "Server listening on" in self.said,
                f"sshd of {self.name} listens",
            )
            assert listener.poll() is None, f"sshd of {self.name} has ended: {self.said}"
        except BaseException:
            listener.kill()
            listener.wait()
            raise
        return listener

    def _configuration(self) -> str:
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test").replace('"', "'")
        variables = {
            "HOME": str(self.home),
            HOST_MARK: self._mark,
            MARK: os.environ.get(MARK, ""),
            "PYTEST_CURRENT_TEST": test,
            **self._variables,
        }
        own = {"Port": str(self.port), "HostKey": f'"{self._key}"', "AuthorizedKeysFile": f'"{self._authorized}"'}
        # sshd takes the first value of each option, and of SetEnv the first line alone.
        lines = [f"{name} {value}" for name, value in {**DEFAULTS, **own, **self._options}.items()]
        lines.append("SetEnv " + " ".join(f'"{name}={value}"' for name, value in variables.items()))
        return "\n".join(lines) + "\n"


def make_key(path: Path, kind: str = "ed25519") -> None:
    """Write a fresh key to `path`, and its public part beside it; one that is there is replaced."""
    path.unlink(missing_ok=True)
    command = [need("ssh-keygen", HOW), "-q", "-t", kind, "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def public_part(path: Path) -> str:
    """The public part of the key at `path`: its type and the key."""
    return " ".join(shlex.split(path.with_suffix(".pub").read_text())[:2])


def free_port() -> int:
    """A port of loopback that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _on_nodes() -> set[int]:
    """Pids of what runs on the nodes of a cluster of Slurm, which has the environment of whoever submitted it."""
    return {pid for pid, where in carrying(b"SLURMD_NODENAME=") if where == "environ"}


def _make_separation_folder() -> None:
    """Make the folder that sshd locks its unprivileged part into; as an ordinary user it needs none."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
