"""The relay: joins its standard input and output to the runner of a folder, and starts that runner if none answers.

    python -I -S -c LOADER, with this file and then frames on standard input

It is sent to a host over each connection (`bootstrap.py` has the other half) and ends with it, at once; the runner and
what it started go on. Frames are those of the runner: a 4-byte big-endian length and a JSON object with a "type".

    client -> relay    hello {home, workdir, runner, idle_s, shared, join}    runner {source}, if it was asked for
    relay -> client    MARKER, behind whatever a login shell prints
                       need {}    refused {error}    ready {workdir, folder, python, system, ...}

After `ready` it understands nothing any more and passes bytes on, both ways.

One file, the standard library alone, Python 3.6 or later: hence the quoted annotations. Paths are bytes, because a
login over SSH often has no locale.
"""

# pathlib would add to the start-up time.
# ruff: noqa: PTH103, PTH108, PTH111, PTH117, PTH118, PTH119, PTH123

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import select
import socket
import stat
import subprocess
import sys
import time

TYPE_CHECKING = False  # as in `typing`, whose import would add to the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypeGuard

MARKER = b"holdfast-relay 1\n"
LENGTH_BYTES = 4
FRAME_LIMIT_BYTES = 4 << 20
CHUNK_BYTES = 64 << 10  # as much is held in each direction, at most
LOCAL = b"/tmp"  # a disk of the host itself
DEPTH_LIMIT = 500  # of the workdir; os.makedirs gives up at twice as many
START_S = 15.0
LOOK_S = 0.01
ELSEWHERE = "choose another workdir for this target"
# What the runner itself needs; the environment of jobs goes over its socket, so that no secret stands in its own.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "HOLDFAST_TEST_SESSION")

# Of this connection and its shell, not of the login: jobs outlive them, and have another folder.
PASSING = (b"SSH_CLIENT", b"SSH_CONNECTION", b"SSH_ORIGINAL_COMMAND", b"SSH_TTY", b"PWD", b"OLDPWD", b"SHLVL", b"_")


class Refused(Exception):
    """This host, or its folder, can't serve; the text is for the target's owner: what was seen, rule, remedy."""


def to_bytes(text: str) -> bytes:
    """Return the bytes that a text of a frame stands for, whatever the locale."""
    return text.encode("utf-8", "surrogateescape")


def to_text(content: bytes) -> str:
    """Return a text for a frame that stands for these bytes."""
    return content.decode("utf-8", "surrogateescape")


def shown(content: bytes) -> str:
    """Return a path, or what a program said, as it stands in a sentence."""
    return content.decode("utf-8", "backslashreplace").strip()


def is_object(value: object) -> "TypeGuard[dict[str, object]]":
    """Whether a value that came as JSON is an object."""
    return isinstance(value, dict)


# Frames. No more is ever read than is asked for, as what follows may be for the runner.


def read_exactly(count: int) -> bytes:
    """Return the next `count` bytes of standard input; raises EOFError."""
    content = bytearray()
    while len(content) < count:
        piece = os.read(0, count - len(content))
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def receive(kind: str) -> "dict[str, object]":
    """Return the next frame, which must be of type `kind`; raises Refused or EOFError."""
    length = int.from_bytes(read_exactly(LENGTH_BYTES), "big")
    message: object = None
    if length <= FRAME_LIMIT_BYTES:
        with contextlib.suppress(ValueError, RecursionError):
            message = json.loads(read_exactly(length).decode("ascii"))
    if not is_object(message) or message.get("type") != kind:
        raise Refused(f"what arrived is no frame of type {kind!r}: something between the two ends changed it")
    return message


def member(message: "dict[str, object]", name: str) -> bytes:
    """Return the bytes that the member `name` of a message stands for; raises Refused."""
    value = message.get(name)
    if isinstance(value, str) and value and "\0" not in value:
        with contextlib.suppress(UnicodeEncodeError):
            return to_bytes(value)
    raise Refused(f"{name!r} is empty or no text that can stand for bytes")


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`; raises OSError."""
    while content:
        content = content[os.write(descriptor, content) :]


def send(kind: str, **members: object) -> None:
    """Send a frame; raises OSError."""
    body = json.dumps(dict(members, type=kind)).encode("ascii")
    write_all(1, len(body).to_bytes(LENGTH_BYTES, "big") + body)


# The folder: `<workdir>/.holdfast/<home id>`, private to the user. Hosts may share it, as the login nodes of a cluster,
# of which a connection reaches now one and now another: then each has its runner in a folder of its own in it.


def give_up(path: bytes, error: OSError, remedy: str) -> "NoReturn":
    """Raise Refused for an error of the system at `path`."""
    raise Refused(f"{shown(path)} can't be used: {error.strerror or error}; {remedy}") from error


def open_workdir(workdir: bytes) -> int:
    """Return a descriptor of the workdir, made if it was not there; raises Refused."""
    if not os.path.isabs(workdir) or workdir.count(b"/") > DEPTH_LIMIT:
        raise Refused(f"the workdir {shown(workdir[:200])!r} is not absolute, or too deep; begin it with / or ~/")
    try:
        os.makedirs(workdir, exist_ok=True)
        return os.open(workdir, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        give_up(workdir, error, f"make it a folder that this user may write to, or {ELSEWHERE}")


def open_private(parent: int, path: bytes) -> int:
    """Return a descriptor of the folder `path` in `parent`, made if it was not there; raises Refused."""
    name = os.path.basename(path)
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            problem = "is a link or a file; it must be a folder that only this user could have put there: remove it"
            raise Refused(f"{shown(path)} {problem}, or {ELSEWHERE}") from error
        give_up(path, error, f"make its parent a folder that this user may write to, or {ELSEWHERE}")
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise Refused(
            f"{shown(path)} belongs to user {found.st_uid} with mode {found.st_mode & 0o7777:o}; it must be this "
            f"user's, and nobody else may write to it: chown it and chmod 700 it, or {ELSEWHERE}"
        )
    return folder


def write(name: str, content: bytes, parent: int, give_name: "Callable[..., None]") -> None:
    """Write a file, whole on the disk before `os.rename` or, if it must be new, `os.link` names it; raises OSError."""
    temporary = f"{name}.{os.getpid()}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600, dir_fd=parent)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
        give_name(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    finally:
        os.close(descriptor)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=parent)


def read(name: str, parent: int) -> bytes:
    """Return the content of a file in `parent`, nothing if it can't be read or is a link."""
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent), "rb") as file:
            return file.read(FRAME_LIMIT_BYTES)
    except OSError:
        return b""


def place_runner(shared: int, digest: str) -> bytes:
    """Return the name of the runner's file in `shared`; asked for, if it is not there as it must be. Raises OSError."""
    name = f"runner-{digest[:16]}.py"
    if hashlib.sha256(read(name, shared)).hexdigest() != digest:
        send("need")
        source = member(receive("runner"), "source")
        if hashlib.sha256(source).hexdigest() != digest:
            raise Refused(
                "the runner's file arrived changed: what lies between the two ends can't be trusted with jobs"
            )
        write(name, source, shared, os.rename)
    return to_bytes(name)


def keep_to_one_host(folder: bytes, private: int, boot_name: str) -> None:
    """Refuse a folder that another host uses: two runners over one journal could run something twice. Or OSError."""
    own = os.uname().nodename
    claim = to_bytes(f"{own} {boot_name}\n")
    with contextlib.suppress(FileExistsError):
        write("host", claim, private, os.link)
    node, _, known_boot = to_text(read("host", private)).rstrip("\n").partition(" ")
    if node and own != node and boot_name != known_boot:
        raise Refused(
            f"{shown(folder)} belongs to the runner of {node}, and this host is {own}: hosts that share a file system "
            f"need a workdir each, so {ELSEWHERE} or, if that is an old name of this host, remove the file 'host' there"
        )
    if (node, known_boot) != (own, boot_name):
        write("host", claim, private, os.rename)


def own_folder(folder: bytes, folder_fd: int) -> "tuple[bytes, int]":
    """Return path and descriptor of this host's part of a folder that hosts share; output is that of all of them.

    It is on a disk of this host: locks and sockets often don't work on the file systems that hosts share.
    """
    output = os.path.join(folder, b"output")
    os.close(open_private(folder_fd, output))
    base = os.path.join(LOCAL, b"holdfast-%d" % os.geteuid())
    base_fd = open_private(os.open(LOCAL, os.O_RDONLY | os.O_DIRECTORY), base)
    name = hashlib.sha256(to_bytes(os.uname().nodename) + b":" + folder).hexdigest()[:16]
    own = os.path.join(base, name.encode())
    own_fd = open_private(base_fd, own)
    with contextlib.suppress(FileExistsError):
        os.symlink(output, "output", dir_fd=own_fd)
    return own, own_fd


# The runner. The current folder is its own by now, as an absolute name of its socket might be too long.


def reach() -> "socket.socket | None":
    """Return a connection to the runner, None if there is none; raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(START_S)
    try:
        connection.connect("runner.sock")
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    return connection


def try_locks() -> None:
    """Take the runner's lock if it is free, and open a socket; raises OSError where the file system has no such."""
    lock = os.open("runner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with contextlib.suppress(BlockingIOError):  # a runner holds it, so it works
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    name = f"probe-{os.getpid()}.sock"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.bind(name)
    os.unlink(name)


def start(file: bytes, folder: bytes, idle_s: float) -> "subprocess.Popen[bytes]":
    """Start the runner, which detaches itself once it holds the folder, or ends with 3 if another does; or OSError."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", file, "--detach", "--idle-s", str(idle_s), folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        cwd="/",
        start_new_session=True,
    )


def connect(file: bytes, folder: bytes, folder_fd: int, idle_s: float) -> socket.socket:
    """Return a connection to the folder's runner, which is started if it is not there; raises Refused, OSError."""
    os.fchdir(folder_fd)
    connection = reach()
    if connection is not None:
        return connection
    try_locks()
    child = start(file, folder, idle_s)
    try:
        deadline = time.monotonic() + START_S
        while connection is None:
            if child.poll() not in (None, 0, 3):
                words = shown(child.stderr.read(4096)[-500:] if child.stderr else b"")
                raise Refused(f"the runner can't be started with {sys.executable}: {words}")
            if time.monotonic() > deadline:
                log = shown(read("runner.log", folder_fd)[-500:])
                raise Refused(f"the runner does not open its socket; {shown(folder)}/runner.log ends with: {log}")
            time.sleep(LOOK_S)
            connection = reach()
    finally:
        if child.poll() is None:  # it waits for the lock that another holds
            child.kill()
    return connection


def boot() -> str:
    """Return a name of the time since the machine was started, as the runner does."""
    if sys.platform == "linux":
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    else:
        return subprocess.check_output(["/usr/sbin/sysctl", "-n", "kern.boottime"]).decode().strip()


def join(folder: bytes, number: int) -> "tuple[socket.socket, int]":
    """Return a connection to the runner in an allocation of a cluster, and its pid; or Refused, OSError. Linux.

    It is on this node, and nothing is started: what is started here would end with this connection.
    """
    with open(os.path.join(folder, b"pilots", b"%d" % number, b"where"), "rb") as file:
        sockets = file.read().rstrip(b"\n")
    found = os.lstat(sockets)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Refused(f"{shown(sockets)} is no folder that only this user can enter; it is not the runner's any more")
    os.chdir(sockets)
    connection = reach()
    if connection is None:
        raise Refused(f"the runner of the allocation does not answer on {os.uname().nodename}")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return connection, int.from_bytes(credentials[:4], sys.byteorder)


def environ(process: str = "self") -> "dict[str, str]":
    """Return the environment of the login, if the system tells as it was before Python chose itself a locale."""
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            content = file.read()
    except OSError:
        content = b"\0".join([name + b"=" + value for name, value in os.environb.items()])
    entries = [entry.partition(b"=") for entry in content.split(b"\0") if b"=" in entry]
    return {to_text(name): to_text(value) for name, _, value in entries if name not in PASSING}


def prepare() -> socket.socket:
    """Hear what is wanted, see to it and say so; return the connection to the runner. Raises Refused, EOFError."""
    hello = receive("hello")
    home, digest, idle_s = member(hello, "home"), to_text(member(hello, "runner")), hello.get("idle_s")
    if not isinstance(idle_s, (int, float)) or not home.replace(b"-", b"").replace(b"_", b"").isalnum():
        raise Refused(f"the home's id {shown(home)!r} can't be the name of a folder, or idle_s is no number")
    umask = os.umask(0o077)
    workdir = os.path.expanduser(member(hello, "workdir"))
    workdir_fd = open_workdir(workdir)
    shared = os.path.join(workdir, b".holdfast")
    shared_fd = open_private(workdir_fd, shared)
    folder = os.path.join(shared, home)
    folder_fd = open_private(shared_fd, folder)
    number = hello.get("join")
    try:
        boot_name = boot()
        if isinstance(number, int):
            connection, pid = join(folder, number)
            send_ready(workdir, folder, boot_name, str(pid))
            return connection
        own, own_fd = own_folder(folder, folder_fd) if hello.get("shared") else (folder, folder_fd)
        keep_to_one_host(own, own_fd, boot_name)
        file = os.path.join(shared, place_runner(shared_fd, digest))
        os.umask(umask)  # which jobs are to have
        connection = connect(file, own, own_fd, idle_s)
    except ConnectionError:
        raise
    except OSError as error:
        give_up(folder, error, f"it needs some room, locks and sockets, as a local disk has: see to it, or {ELSEWHERE}")
    send_ready(workdir, folder, boot_name, "self")
    return connection


def send_ready(workdir: bytes, folder: bytes, boot_name: str, process: str) -> None:
    """Say what there is; jobs are to have the environment of `process`. Raises OSError."""
    system = os.uname()
    send(
        "ready", workdir=to_text(workdir), folder=to_text(folder), python=list(sys.version_info[:3]), pid=os.getpid(),
        system=system.sysname, machine=system.machine, node=system.nodename, boot=boot_name,
        wall_us=int(time.time() * 1000000), environ=environ(process),
    )  # fmt: skip


# Passing on.


def take(descriptor: int) -> "bytes | None":
    """Return what there is to read, empty at the end, None if nothing is there yet; raises OSError."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None


def put(descriptor: int, content: bytes) -> bytes:
    """Write what there is room for and return the rest; raises OSError."""
    try:
        return content[os.write(descriptor, content) :] if content else content
    except BlockingIOError:
        return content


def pass_on(there: int) -> None:
    """Copy bytes between standard input and output and the socket `there` until one of them ends; raises OSError."""
    for descriptor in (0, 1, there):
        os.set_blocking(descriptor, False)
    up, down = b"", b""  # read and not yet written: for the runner, and for the client
    while True:
        poll = select.poll()
        poll.register(0, 0 if up else select.POLLIN)  # with 0, a hang-up is told nevertheless
        poll.register(1, select.POLLOUT if down else 0)
        if up or not down:  # else a runner that hung up would be told again and again
            poll.register(there, (select.POLLOUT if up else 0) | (0 if down else select.POLLIN))
        ready = dict(poll.poll())
        if (0 in ready and up) or (1 in ready and not down):
            return  # the client hung up
        if 0 in ready:
            fresh = take(0)
            if fresh == b"":
                return
            up = fresh or b""
        if there in ready and not down:
            fresh = take(there)
            if fresh == b"":
                return
            down = fresh or b""
        up, down = put(there, up), put(1, down)


def main() -> None:
    """Serve one connection."""
    with contextlib.suppress(EOFError, ConnectionError):  # the client is gone: nobody is left to be told anything
        write_all(1, MARKER)
        try:
            connection = prepare()
        except Refused as error:
            send("refused", error=str(error))
        else:
            with connection:
                pass_on(connection.fileno())


if __name__ == "__main__":
    main()
