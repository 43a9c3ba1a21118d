"""The folder on a host: made private, refused where it can't be trusted or can't work, with a sentence that helps."""

import hashlib
import os
import platform
import stat
import sys
from pathlib import Path

import pytest

from holdfast.actors.connections.bootstrap import RelayBroken, RelayRefused, Sources
from holdfast.actors.connections.relay import boot

from .logins import HOME_ID, SOURCES, Login


async def refusal(login: Login, *, workdir: str = "~/work", home_id: str = HOME_ID) -> str:
    with pytest.raises(RelayRefused) as refused:
        await login.open(workdir=workdir, home_id=home_id)
    return str(refused.value)


def patched(statements: str, runner: bytes = SOURCES.runner) -> Sources:
    """The relay on a machine where something else happens."""
    return Sources(statements.encode() + SOURCES.relay, runner)


async def test_a_workdir_that_is_there_keeps_its_mode_and_parents_are_private(login: Login) -> None:
    login.workdir.mkdir()
    login.workdir.chmod(0o755)
    await login.begin()
    assert stat.S_IMODE(login.workdir.stat().st_mode) == 0o755
    login.runners.add((await (await login.open(workdir="~/deep/er")).greet()).pid)
    modes = [stat.S_IMODE((login.home / path).stat().st_mode) for path in ("deep", "deep/er", "deep/er/.holdfast")]
    assert modes == [0o700] * 3


async def test_a_workdir_may_lie_behind_a_link_and_deeper_than_a_socket_address_is_long(login: Login) -> None:
    deep = login.home / "/".join(["a-folder-of-a-long-name"] * 8)
    deep.mkdir(parents=True)
    login.workdir.symlink_to(deep)
    await (await login.begin()).settle()


@pytest.mark.parametrize("workdir", ["work", "./work", "~nobody-of-this-name/work", "/" + "x/" * 600])
async def test_a_workdir_must_be_absolute(login: Login, workdir: str) -> None:
    assert f"the workdir {workdir[:200]!r} is not absolute, or too deep; begin it" in await refusal(
        login, workdir=workdir
    )


@pytest.mark.parametrize("workdir", ["~/file/work", "~/file", "/proc/holdfast", "~/" + "x" * 300])
async def test_a_workdir_that_can_t_be_made_is_refused(login: Login, workdir: str) -> None:
    (login.home / "file").touch()
    assert "make it a folder that this user may write to, or choose another workdir" in await refusal(
        login, workdir=workdir
    )


async def test_a_workdir_that_can_t_be_written_is_refused(login: Login) -> None:
    if os.geteuid() == 0:
        login.workdir = Path("/sys/kernel")  # where not even root makes folders
    else:
        login.workdir.mkdir(mode=0o500)
    sentence = await refusal(login, workdir=str(login.workdir))
    assert sentence.startswith(f"{login.workdir}/.holdfast can't be used: ")
    assert "make its parent a folder that this user may write to, or choose another workdir" in sentence


@pytest.mark.parametrize("which", [".holdfast", f".holdfast/{HOME_ID}"])
@pytest.mark.parametrize("what", ["a link", "a link to nowhere", "a file"])
async def test_a_private_folder_that_is_none_is_refused(login: Login, which: str, what: str) -> None:
    elsewhere = login.home / "elsewhere"
    folder = login.workdir / which
    folder.parent.mkdir(parents=True)
    folder.parent.chmod(0o700)
    if what == "a file":
        folder.touch()
    else:
        folder.symlink_to(elsewhere)
    if what == "a link":
        elsewhere.mkdir(mode=0o700)
    assert f"{folder} is a link or a file; it must be a folder that only this user could" in await refusal(login)
    assert not list(elsewhere.glob("*"))


@pytest.mark.parametrize("which", [".holdfast", f".holdfast/{HOME_ID}"])
@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
async def test_a_private_folder_that_others_may_write_to_is_refused(login: Login, which: str, mode: int) -> None:
    folder = login.workdir / which
    folder.mkdir(parents=True)
    (login.workdir / ".holdfast").chmod(0o700)
    folder.chmod(mode)
    assert f"{folder} belongs to user {os.geteuid()} with mode {mode:o}; it must be this user's" in await refusal(login)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
async def test_a_private_folder_of_somebody_else_is_refused(login: Login) -> None:
    login.private.mkdir(parents=True)
    os.chown(login.private.parent, 12345, 12345)
    login.private.parent.chmod(0o755)
    assert "belongs to user 12345 with mode 755" in await refusal(login)


@pytest.mark.parametrize("home_id", ["..", "a/b", "/tmp", "a b", "a.b", "-/"])
async def test_an_id_that_is_no_plain_name_is_refused(login: Login, home_id: str) -> None:
    assert f"the home's id {home_id!r} can't be the name of a folder" in await refusal(login, home_id=home_id)


@pytest.mark.parametrize("found", ["other-node other-boot\n", "other-node \n", "other-node"])
async def test_p2_a_folder_that_another_host_uses_is_refused(login: Login, found: str) -> None:
    login.private.mkdir(parents=True, mode=0o700)
    login.private.parent.chmod(0o700)
    (login.private / "host").write_text(found)
    sentence = await refusal(login)
    assert "belongs to the runner of other-node" in sentence
    assert "choose another workdir for this target or, if that is an old name of this host, remove" in sentence
    assert not (login.private / "runner.journal").exists()
    (login.private / "host").unlink()
    await login.begin()


def as_host(name: str) -> Sources:
    """The relay on a machine of this name."""
    return patched(f"import os\nos.uname = lambda: os.uname_result(('Linux', {name!r}, '', '', 'x86_64'))\n")


def on_its_disk(login: Login, name: str) -> Path:
    """The folder of a host's own for the runner of a workdir that hosts share."""
    digest = hashlib.sha256(f"{name}:{login.private}".encode()).hexdigest()[:16]
    return Path("/tmp") / f"holdfast-{os.geteuid()}" / digest


async def test_hosts_that_share_a_folder_have_a_runner_each_and_read_the_same_output(login: Login) -> None:
    pids: dict[str, int] = {}
    for name in ("login1", "login2", "login1"):
        opened = await login.open(sources=as_host(name), shared=True)
        assert opened.ready.folder == str(login.private)
        pid = (await opened.greet()).pid
        login.runners.add(pid)
        assert pids.setdefault(name, pid) == pid, "the runner of a host is found again"
        own = on_its_disk(login, name)
        assert stat.S_IMODE(own.stat().st_mode) == stat.S_IMODE(own.parent.stat().st_mode) == 0o700
        assert (own / "output").readlink() == login.private / "output"
        assert (own / "runner.journal").exists()
    assert len(set(pids.values())) == 2
    assert not (login.private / "runner.journal").exists()
    assert stat.S_IMODE((login.private / "output").stat().st_mode) == 0o700


async def test_what_hosts_share_is_refused_where_something_else_stands(login: Login) -> None:
    login.private.mkdir(parents=True, mode=0o700)
    login.private.parent.chmod(0o700)
    (login.private / "output").symlink_to(login.home)
    with pytest.raises(RelayRefused, match="output is a link or a file"):
        await login.open(sources=as_host("login1"), shared=True)


async def test_a_folder_on_a_host_s_own_disk_must_be_one_that_only_this_user_could_have_put_there(login: Login) -> None:
    own = on_its_disk(login, "login1")
    own.parent.mkdir(exist_ok=True, mode=0o700)
    own.symlink_to(login.home)
    try:
        with pytest.raises(RelayRefused, match=f"{own.name} is a link or a file"):
            await login.open(sources=as_host("login1"), shared=True)
    finally:
        own.unlink()


@pytest.mark.parametrize("found", [f"{platform.node()} another-boot\n", f"old-name {boot()}\n", ""])
async def test_a_host_that_was_restarted_or_renamed_keeps_its_folder(login: Login, found: str) -> None:
    login.private.mkdir(parents=True, mode=0o700)
    login.private.parent.chmod(0o700)
    (login.private / "host").write_text(found)
    await login.begin()
    assert (login.private / "host").read_text() == f"{platform.node()} {boot()}\n"


@pytest.mark.parametrize("damage", ["cut", "changed", "a link"])
async def test_a_runner_s_file_that_is_not_what_it_must_be_is_sent_again(login: Login, damage: str) -> None:
    first = await login.begin()
    (runner,) = (login.workdir / ".holdfast").glob("runner-*.py")
    if damage == "a link":
        runner.rename(login.home / "moved.py")
        runner.symlink_to(login.home / "moved.py")
    else:
        runner.write_bytes(SOURCES.runner[:-10] if damage == "cut" else SOURCES.runner + b"raise SystemExit(9)\n")
    await login.begin()
    assert runner.read_bytes() == SOURCES.runner
    assert not runner.is_symlink()
    assert stat.S_IMODE(runner.stat().st_mode) == 0o600
    await first.ended()


async def test_versions_of_the_runner_lie_side_by_side(login: Login) -> None:
    first = await login.begin()
    login.runners.add((await (await login.open(sources=Sources(SOURCES.relay, SOURCES.runner + b"\n"))).greet()).pid)
    assert len(list((login.workdir / ".holdfast").glob("runner-*.py"))) == 2
    await first.ended()


async def test_a_runner_s_file_that_arrives_changed_is_refused(login: Login) -> None:
    sources = patched("import hashlib\n", SOURCES.runner)
    altered = sources.relay.replace(b'source = member(receive("runner"), "source")', b'source = b"other"')
    with pytest.raises(RelayRefused, match="arrived changed"):
        await login.open(sources=Sources(altered, sources.runner))
    assert not list((login.workdir / ".holdfast").glob("runner-*"))


@pytest.mark.parametrize(
    "call, number", [("fcntl.flock", 37), ("socket.socket.bind", 95), ("os.fsync", 28), ("os.link", 122)]
)
async def test_p8_a_file_system_that_can_t_serve_is_refused(login: Login, call: str, number: int) -> None:
    statements = (
        f"import fcntl, os, socket\ndef fail(*_, **__): raise OSError({number}, os.strerror({number}))\n{call} = fail\n"
    )
    with pytest.raises(RelayRefused) as refused:
        await login.open(sources=patched(statements))
    assert str(refused.value) == (
        f"{login.private} can't be used: {os.strerror(number)}; it needs some room, locks and sockets, as a local disk "
        "has: see to it, or choose another workdir for this target"
    )
    assert not list(login.workdir.rglob("*.new"))


async def test_a_runner_that_does_not_start_is_told_with_its_words(login: Login) -> None:
    with pytest.raises(RelayRefused, match=r"the runner can't be started with .*python3: no such module"):
        await login.open(sources=Sources(SOURCES.relay, b"raise SystemExit('no such module')"))


async def test_a_runner_that_never_opens_its_socket_is_given_up_with_its_log(login: Login) -> None:
    relay = SOURCES.relay.replace(b"START_S = 15.0", b"START_S = 0.2")
    runner = b"import sys\nopen(sys.argv[-1] + '/runner.log', 'w').write('something failed')\n"
    with pytest.raises(RelayRefused, match=r"does not open its socket; .*runner.log ends with: something failed"):
        await login.open(sources=Sources(relay, runner))


async def test_what_a_failing_relay_complains_of_is_shown(login: Login) -> None:
    with pytest.raises(RelayBroken, match=r"having complained '.*ZeroDivisionError"):
        await login.open(
            sources=Sources(SOURCES.relay.replace(b"    hello = receive(", b"    1 / 0\n    hello = receive("), b"")
        )


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of processes on Linux alone")
async def test_the_runner_s_own_environment_holds_no_secret_of_the_login(login: Login) -> None:
    login.environ["API_KEY"] = "secret"
    opened = await login.begin()
    assert opened.ready.environ["API_KEY"] == "secret"
    assert opened.welcome is not None
    environ = (Path("/proc") / str(opened.welcome.pid) / "environ").read_bytes()
    assert b"HOME=" in environ
    assert b"secret" not in environ
    assert (Path("/proc") / str(opened.welcome.pid) / "cwd").readlink() == Path("/")
