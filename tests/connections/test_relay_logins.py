"""From a login to the relay: whatever the shell, whatever it prints, whichever Pythons are there or only look so."""

import contextlib
import os
import shutil
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import memory_stream_pair

from holdfast.actors.connections.bootstrap import (
    NOISE_BYTES_MAX,
    NoPython,
    NotARelay,
    Ready,
    RelayBroken,
    Sources,
    Wanted,
    open_runner,
    remote_command,
)
from holdfast.actors.connections.relay import MARKER
from holdfast.actors.targets.link import frame
from holdfast.events.errors import BadInput, Unavailable
from tests.runner.pythons import PYTHONS
from tests.tools import need

from .logins import PYTHON, Login

SHELLS = {
    "sh": "",
    "bash": "BASH_ENV",
    "dash": "",
    "zsh": ".zshenv",
    "tcsh": ".tcshrc",
    "fish": ".config/fish/config.fish",
}
READY = Ready("/w", "/w/.holdfast/x", (3, 6, 0), "Linux", "x86_64", "node", "boot", 1, {}, 7)


@pytest.mark.parametrize("shell", SHELLS)
async def test_every_login_shell_understands_the_command_whatever_it_prints_before(login: Login, shell: str) -> None:
    start_up = login.home / SHELLS[shell]
    if SHELLS[shell]:
        start_up.parent.mkdir(parents=True, exist_ok=True)
        login.environ["BASH_ENV"] = str(start_up)
        start_up.write_text("echo 'Welcome to gpu1!'\n")
    opened = await login.begin(by=(need(shell, f"apt-get install {shell}"), "-c"))
    await opened.settle()


async def test_noise_of_a_login_is_skipped(login: Login) -> None:
    noise = "echo 'Last login: today'; printf 'no line end'; head -c 60000 /dev/zero; "
    opened = await login.begin(command=noise + remote_command())
    await opened.settle()


async def test_noise_without_end_is_given_up(login: Login) -> None:
    with pytest.raises(NotARelay, match=rf"more than {NOISE_BYTES_MAX} bytes .* 'yes yes"):
        await login.open(command="yes yes")


@pytest.mark.parametrize(
    "command, words",
    [
        ("echo This account is currently not available.; exit 1", "having printed 'This account is .*not available"),
        ("echo no such shell >&2; exit 1", "having complained 'no such shell'"),
        ("exit 0", "in silence"),
        ("printf '\\033[31mred\\033[0m'", r"printed '\\x1b\[31mred"),  # nothing that changes a terminal
        (f"echo command refused: '{remote_command().partition(chr(39))[2][:-1]}'", "printed 'command refused"),
    ],
)
async def test_a_login_that_runs_no_commands_says_so(login: Login, command: str, words: str) -> None:
    with pytest.raises(NotARelay, match=words):
        await login.open(command=command)


async def test_a_host_without_python_is_told_what_was_looked_for(login: Login) -> None:
    (login.bin / "python3").unlink()
    login.path = str(login.bin)
    with pytest.raises(
        NoPython, match=r"looked for python3 python3\.14 .* python3\.6 /usr/.*; found and not usable: none;"
    ):
        await login.open()


@pytest.mark.parametrize(
    "impostor",
    [
        'echo "Unknown option: -I" >&2; exit 2',  # as Python 2 says
        "echo False",  # Python 3.5
        "echo Python 3.12; exit 0",  # no Python at all
        "cat; exit 0",
        "exec nothing",
    ],
)
async def test_what_only_looks_like_a_usable_python_is_passed_over(login: Login, impostor: str) -> None:
    (login.bin / "python3").rename(login.bin / "python3.7")
    (login.bin / "python3").write_text(f"#!/bin/sh\n{impostor}\n")
    (login.bin / "python3").chmod(0o755)
    await (await login.begin()).settle()
    (login.bin / "python3.7").unlink()
    shutil.copy(need("cat", "coreutils"), login.bin)
    login.path = str(login.bin)
    with pytest.raises(NoPython, match="found and not usable: python3;"):
        await login.open()


async def test_the_python_of_the_configuration_is_tried_first_and_may_be_missing(login: Login) -> None:
    own = login.home / "own-python"
    own.write_text(f'#!/bin/sh\necho own >> ~/tried\nexec {PYTHON} "$@"\n')
    own.chmod(0o755)
    await (await login.begin(command=remote_command("~/own-python"))).settle()
    assert (login.home / "tried").exists()
    await (await login.begin(command=remote_command("~/missing"))).settle()


@pytest.mark.parametrize("name", ["", "a b", "-c", "$(x)", "a'b", 'a"b', "a;b", "a\\b", "a!b", "a\nb", "ä", "*", "`x`"])
def test_a_python_s_name_that_a_shell_might_change_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="make a link"):
        remote_command(name)


def test_the_command_has_nothing_that_shells_treat_differently_inside_single_quotes() -> None:
    command = remote_command("/opt/python-3.9/bin/python3.9")
    begin, script, end = command.split("'")
    assert (begin, end) == ("exec /bin/sh -c ", "")
    assert not set(script) & set("!\\\n\r\t")
    assert command.isascii()
    assert len(command) < 1000  # old C shells take no longer word


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
async def test_relay_and_runner_serve_with_every_python_that_is_here(login: Login, version: str) -> None:
    (login.bin / "python3").unlink()
    (login.bin / "python3").symlink_to(PYTHONS[version])
    first = await login.begin()
    assert ".".join(map(str, first.ready.python[:2])) == version
    await first.run(
        "x.1.1", "while [ ! -e go ]; do sleep 0.01; done; exit 4", cwd=f"{login.workdir}/ä/b", make_cwd=True
    )
    await first.state("x.1.1", "running")
    first.process.kill()
    await first.ended()
    second = await login.begin()
    (login.workdir / "ä" / "b" / "go").touch()
    assert (await second.state("x.1.1", "ended")).exit_code == 4
    assert "Traceback" not in (login.private / "runner.log").read_text()


async def test_no_locale_is_needed_for_a_workdir_of_any_name(login: Login) -> None:
    login.environ["LC_ALL"] = "C"
    odd = os.fsdecode(b"w\xff \xc3\xa4'$(x)")
    opened = await login.open(workdir=f"~/{odd}")
    login.runners.add((await opened.greet()).pid)
    assert os.fsencode(opened.ready.workdir) == os.fsencode(login.home / odd)
    await opened.launch("x.1.1", "/bin/pwd")
    status = await opened.state("x.1.1", "ended")
    output = Path(opened.ready.folder) / "output" / status.output[0].segment
    assert output.read_bytes() == os.fsencode(login.home / odd) + b"\n"


async def converse(answer: bytes) -> Ready:
    """What comes of a host that says this and ends, whatever it is told."""
    near, far = memory_stream_pair()
    await far.send_all(answer)
    await far.send_eof()
    with trio.fail_after(5):
        return await open_runner(near, Sources(b"relay", b"runner"), Wanted("x", "/w"))


@pytest.mark.parametrize(
    "after, words",
    [
        (b"", "ended before it was ready, in silence"),
        (b"\0\0\0\x05ab", "ended before it was ready, having printed"),
        (b"\xff\xff\xff\xff", "a frame of 4294967295 bytes"),
        (frame({"type": "ready"}), "not what a relay says: .*missing required field"),
        (frame({"type": "dance"}), "not what a relay says"),
        (b"\0\0\0\x02[[", "not what a relay says"),
        (b"\0\0\x20\0" + b"[" * 8192, "not what a relay says"),
        (frame(READY) + b"more", "something else than the relay"),
        (frame({"type": "need"}), "ended before it was ready"),
    ],
)
async def test_what_is_no_relay_s_answer_breaks_the_conversation(after: bytes, words: str) -> None:
    with pytest.raises(RelayBroken, match=words):
        await converse(MARKER + after)


async def test_a_ready_host_is_described_whole() -> None:
    assert await converse(b"noise" + MARKER + frame({"type": "need"}) + frame(READY)) == READY


@settings(max_examples=200)
@given(st.binary(), st.lists(st.one_of(st.binary(), st.sampled_from([MARKER, frame({"type": "need"}), frame(READY)]))))
def test_whatever_a_host_says_is_ready_or_an_error_of_ours(noise: bytes, parts: list[bytes]) -> None:
    with contextlib.suppress(Unavailable):
        assert trio.run(converse, noise + b"".join(parts)) == READY
