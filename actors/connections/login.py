"""Logging in to another machine with asyncssh, as ~/.ssh/config says, with strict host keys always.

A key counts if `known_hosts` has it, or a person accepted it (`holdfast hosts trust`). There is no switch that lets
others pass, and what ~/.ssh/config says to that effect is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar, cast

import asyncssh
import trio_asyncio
from msgspec import Struct

from holdfast.events.errors import Unavailable
from holdfast.events.spec import SshSpec

from .channel import ChannelStream, Opener, Session
from .dialling import KeyNotTrusted, PersonNeeded
from .interview import INTERVIEW_S, Interview, NobodyAnswers
from .namedfiles import Identities, identities, known_hosts

T = TypeVar("T")

KEEPALIVE_S: Final = 15.0
PASSWORDS_MAX: Final = 3
# AES-GCM first: asyncssh's default, ChaCha20, is slower by a third from Python.
CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
)
# Asked for beside those of the keys that are known, which asyncssh would ask for alone: then a host whose new key is of
# another kind would seem to hang up, and go on being tried. Where none is known, asked for alone: a certificate is
# nothing that a person could accept, as nothing is known of who signed it.
HOST_KEYS: Final = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256"
WINDOW_BYTES: Final = 4 << 20
_NOTHING_KNOWN: Final = b"\n"  # of no files asyncssh would make its own


class Login:
    """An open connection, with those to the gateways that it goes through."""

    def __init__(
        self, loop: trio_asyncio.BaseTrioEventLoop, connections: Sequence[asyncssh.SSHClientConnection]
    ) -> None:
        """`connections`: each through the one before it; the last leads to the machine."""
        self._loop = loop
        self._connections = connections
        self.connection = connections[-1]

    def close(self) -> None:
        """Let go of it; waits for nobody."""
        _drop(self._loop, self._connections)


class _Client(asyncssh.SSHClient):
    """What asyncssh asks while it logs in."""

    def __init__(self, host: str, trusted: Sequence[str], interview: Interview | None, *, known: bool) -> None:
        self._host = host
        self._trusted = [asyncssh.import_public_key(key) for key in trusted]
        self._known = known or bool(trusted)
        self._interview = interview
        self._passwords = 0
        self.refusal: KeyNotTrusted | None = None
        self.asked: list[str] = []

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """A key that `known_hosts` has not."""
        del host, addr, port
        if key in self._trusted:
            return True
        line = key.export_public_key("openssh").decode().strip()
        algorithm, text, *_ = line.split()
        self.refusal = KeyNotTrusted(self._host, f"{algorithm} {text}", key.get_fingerprint(), changed=self._known)
        return False

    async def password_auth_requested(self) -> str | None:
        """It would take a password."""
        self.asked.append("a password")
        self._passwords += 1
        return None if self._passwords > PASSWORDS_MAX else await self._ask(f"password for {self._host}: ", echo=False)

    def kbdint_auth_requested(self) -> str | None:
        """It would ask questions."""
        self.asked.append("answers at a keyboard, such as a one-time code")
        return None if self._interview is None else ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """It asks."""
        del name, lang
        answers: list[str] = []
        for number, (prompt, echo) in enumerate(prompts):
            before = f"{instructions.strip()}\n" if instructions.strip() and not number else ""
            answer = await self._ask(before + prompt, echo=echo)
            if answer is None:
                return None
            answers.append(answer)
        return answers

    async def passphrase(self, filename: str) -> str | None:
        """A key is encrypted."""
        return await self._ask(f"passphrase for {filename}: ", echo=False)

    async def _ask(self, text: str, *, echo: bool) -> str | None:
        interview = self._interview
        if interview is None:
            return None

        async def ask() -> str:
            return await interview.ask(text, echo=echo)

        return await trio_asyncio.trio_as_aio(ask)()


def options_of(address: str) -> asyncssh.SSHClientConnectionOptions:
    """What ~/.ssh/config says of `user@host:port`, of which only the host must be there. Raises Unavailable."""
    user, host, port = _parts_of(address)
    try:
        return asyncssh.SSHClientConnectionOptions(
            host=host, port=port, username=user, config=_configuration(), client_keys=None
        )
    except (asyncssh.Error, ValueError, OSError) as error:
        message = f"the configuration for the host {address} can't be used: {error}; look into ~/.ssh/config"
        raise Unavailable(message) from error


def gateways(address: str, before: tuple[str, ...] = ()) -> list[str]:
    """The hosts that the way goes through (ProxyJump), the first one first. Raises Unavailable."""
    if address in before:
        message = f"the way to {before[0]} leads back to {address}; correct ProxyJump in ~/.ssh/config"
        raise Unavailable(message)
    tunnel = options_of(address).tunnel
    if not isinstance(tunnel, str) or not tunnel:
        return []
    first, *others = tunnel.split(",")
    return [*gateways(first, (*before, address)), first, *others]


async def first_hop(loop: trio_asyncio.BaseTrioEventLoop, way: SshSpec) -> str:
    """The host that it jumps through, or itself. Raises Unavailable."""

    def find() -> str:
        options = options_of(next(iter(gateways(way.host)), way.host))
        return f"{options.host}:{options.port}"

    return await _in_thread(loop, find)


async def _in_thread(loop: trio_asyncio.BaseTrioEventLoop, look: Callable[[], T]) -> T:
    """Look into files of the user in a thread: their configuration may run commands (`Match exec`), a disk may hang."""

    async def run() -> T:
        return await loop.run_in_executor(None, look)

    return await trio_asyncio.aio_as_trio(run, loop=loop)()


async def connect(
    loop: trio_asyncio.BaseTrioEventLoop, way: SshSpec, trusted: Sequence[str], interview: Interview | None
) -> Login:
    """Log in, through gateways one by one: asyncssh would let a configuration switch off the check of their keys.

    Raises KeyNotTrusted, PersonNeeded, or another Unavailable.
    """
    opened: list[asyncssh.SSHClientConnection] = []
    try:
        for gateway in await _in_thread(loop, partial(gateways, way.host)):
            try:
                opened.append(await _log_in(loop, gateway, (), interview, opened[-1] if opened else None))
            except KeyNotTrusted as error:
                raise _untrusted_gateway(way, gateway, error) from error
        opened.append(await _log_in(loop, way.host, trusted, interview, opened[-1] if opened else None))
    except BaseException:
        _drop(loop, opened)
        raise
    return Login(loop, opened)


class About(Struct, frozen=True):
    """What is known of a machine before it is called: files of keys, and whether any is its; what to log in with.

    `algorithms`: of the keys that it may show, as asyncssh takes them.
    """

    files: list[str]
    known: bool
    own: Identities
    algorithms: str | tuple[()]


def look_up(address: str) -> About:
    """What the user's files say of a machine, at the time that they take. Raises Unavailable."""
    options = options_of(address)
    files = known_hosts(options, _parts_of(address)[1])
    try:
        known = _knows(files, options)
    except (ValueError, OSError) as error:
        message = f"the known keys in {', '.join(files)} can't be used: {error}; correct that line, or remove it"
        raise Unavailable(message) from error
    algorithms = () if options.config.get("HostKeyAlgorithms") else f"+{HOST_KEYS}" if known else HOST_KEYS
    return About(files, known, identities(options), algorithms)


async def _log_in(
    loop: trio_asyncio.BaseTrioEventLoop,
    address: str,
    trusted: Sequence[str],
    interview: Interview | None,
    through: asyncssh.SSHClientConnection | None,
) -> asyncssh.SSHClientConnection:
    user, host, port = _parts_of(address)
    about = await _in_thread(loop, partial(look_up, address))
    client = _Client(address, trusted, interview, known=about.known)
    connecting = trio_asyncio.aio_as_trio(asyncssh.connect, loop=loop)
    try:
        return await connecting(
            host,
            port,
            username=user,
            tunnel=through,
            config=_configuration(),
            known_hosts=about.files or _NOTHING_KNOWN,
            client_keys=about.own.keys,
            client_certs=about.own.certificates,
            agent_identities=about.own.agent,
            ignore_encrypted=True,
            client_factory=lambda: client,
            server_host_key_algs=about.algorithms,
            encryption_algs=CIPHERS,
            compression_algs=None,
            keepalive_interval=KEEPALIVE_S,
            keepalive_count_max=2,
            agent_forwarding=False,
            # What ~/.ssh/config says for sessions of people: a terminal would change what goes through.
            request_pty=False,
            command=None,
            x509_trusted_certs=None,
            login_timeout=INTERVIEW_S,  # the caller keeps a shorter time where nobody is asked
            passphrase=None if interview is None else client.passphrase,
        )
    except asyncssh.HostKeyNotVerifiable as error:
        raise client.refusal or _revoked(address, error) from error
    except NobodyAnswers as error:
        raise PersonNeeded(str(error)) from error
    except asyncssh.PermissionDenied as error:
        raise _denied(address, client, error) from error
    except (asyncssh.Error, OSError, ValueError) as error:  # ValueError: a key that can't be read, an impossible name
        message = f"{address} can't be reached: {_words(error)}"
        raise Unavailable(message) from error


def _drop(loop: trio_asyncio.BaseTrioEventLoop, connections: Sequence[asyncssh.SSHClientConnection]) -> None:
    for connection in reversed(connections):
        loop.call_soon(connection.abort)


def _parts_of(address: str) -> tuple[str | tuple[()], str, int | tuple[()]]:
    """User, host and port; () where it says nothing of them. A colon in an IPv6 address begins no port."""
    user, _, place = address.rpartition("@")
    host, _, port = place.rpartition(":")
    if host and ":" not in host and port.isdecimal():
        return user or (), host, int(port)
    return user or (), place, ()


async def start(loop: trio_asyncio.BaseTrioEventLoop, login: Login, command: str) -> ChannelStream:
    """Start a command on the machine; its input and output are the stream. Raises Unavailable."""
    stream = ChannelStream(loop)

    async def open_session() -> None:
        opener = cast("Opener", login.connection)
        await opener.create_session(lambda: Session(stream), command, encoding=None, window=WINDOW_BYTES)

    try:
        await trio_asyncio.aio_as_trio(open_session, loop=loop)()
    except (asyncssh.Error, OSError) as error:
        message = f"it opens no session: {_words(error)}"
        raise Unavailable(message) from error
    return stream


def _configuration() -> list[str]:
    files = [str(Path.home() / ".ssh" / "config"), "/etc/ssh/ssh_config"]
    return [each for each in files if Path(each).is_file()]


def _knows(files: list[str], options: asyncssh.SSHClientConnectionOptions) -> bool:
    """Whether they hold any key of the host."""
    name = options.host_key_alias or options.host
    found = asyncssh.match_known_hosts(files, name, "", options.port) if files else ()
    return any(found[:2])


def _revoked(address: str, error: Exception) -> PersonNeeded:
    """A key that was refused before we were asked."""
    return PersonNeeded(f"the key of {address} is not trusted: {error}; `ssh {address}` says more")


def _untrusted_gateway(way: SshSpec, gateway: str, error: KeyNotTrusted) -> PersonNeeded:
    """The key of a gateway is known to `known_hosts` or not at all: only the machine's own can be accepted here."""
    return PersonNeeded(f"the way to {way.host} goes through {gateway}: {error}; then log in once with `ssh {gateway}`")


def _denied(address: str, client: _Client, error: Exception) -> PersonNeeded:
    if client.asked:
        return PersonNeeded(f"{address} wants {' or '.join(dict.fromkeys(client.asked))}")
    message = (
        f"{address} lets nobody in with the keys that are here ({_words(error)}): name the right one in "
        "~/.ssh/config, and if it is encrypted, load it into your agent (ssh-add), or have its passphrase asked for"
    )
    return PersonNeeded(message)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
