"""Quoting: what a process sees is what was asked for, byte for byte, and nothing else runs."""

import json
import os
import string
import sys

import msgspec
import pytest
import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .logins import PYTHON, Login, Relayed

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a process was given stands in /proc on Linux alone"
)

# What shells, and those who quote for them, stumble over; each would leave a mark if any part of it ran.
NASTY = [
    "", " ", "'", '"', "\\", "\n", "\t", "`touch ran`", "$(touch ran)", "${HOME}", "$HOME", ";touch ran",
    "&& touch ran", "| touch ran", "> ran", "\n touch ran\n", "'; touch ran; '", '"; touch ran; "', "*", "?", "[a-z]",
    "{a,b}", "~", "~root", "!!", "!", "#", "-", "--", "-rf", "-c", "--help", "%s%n", "\\n", "\x01", "\x7f", "\x1b[31m",
    "ä", "\u2028", "\ufeff", "\U0001d11e", "\udcff", "\udc80\udcfe", "a\udce4'", "\r\n", "=", "A=B", "x" * 4000,
]  # fmt: skip

# Any bytes without NUL, as the text that stands for them.
texts = st.one_of(
    st.sampled_from(NASTY),
    st.binary(max_size=30).map(lambda content: os.fsdecode(content.replace(b"\0", b""))),
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=4).map(lambda parts: "".join(parts)[:5000]),
)
names = texts.filter(lambda text: text and "=" not in text)
# A folder's name has at most 255 bytes.
folders = texts.map(lambda text: os.fsdecode(os.fsencode(text.replace("/", ""))[:200])).filter(
    lambda text: text not in {"", ".", ".."}
)
SEEN = """
import json, os
read = lambda name: open("/proc/self/" + name, "rb").read().decode("latin-1")
print(json.dumps([read("cmdline"), read("environ"), os.getcwdb().decode("latin-1")]))
"""


class Seen(msgspec.Struct, array_like=True):
    """What a process found; the bytes as Latin-1."""

    command: str
    environ: str
    cwd: str

    def argv(self) -> list[bytes]:
        return self.command.encode("latin-1").split(b"\0")[:-1]

    def variables(self) -> dict[bytes, bytes]:
        entries = [entry.partition(b"=") for entry in self.environ.encode("latin-1").split(b"\0")[:-1]]
        return {name: value for name, _, value in entries}


async def see(login: Login, opened: Relayed, number: int, argv: list[str], env: dict[str, str], cwd: str) -> Seen:
    token = f"x.{number}.1"
    folder = f"{login.workdir}/{cwd}"
    await opened.launch(token, PYTHON, "-I", "-S", "-c", SEEN, *argv, env=env, cwd=folder, make_cwd=True)
    status = await opened.state(token, "ended")
    assert (status.how, status.exit_code) == ("exited", 0), (status.error, login.read(status, 1))
    return msgspec.json.decode(login.read(status), type=Seen)


async def test_argv_environment_and_folder_reach_the_process_byte_for_byte(login: Login) -> None:
    opened = await login.open()
    login.runners.add((await opened.greet(environ={"BASE": "$(touch ran)\udcff"})).pid)
    numbers = iter(range(1, 1_000_000))

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(texts, max_size=5),
        st.dictionaries(names, texts, max_size=4),
        st.lists(folders, min_size=1, max_size=3),
    )
    @example(NASTY, {"EVIL": "() { :; }; touch ran", "IFS": "x", "-n": "'"}, ["-rf", "$(touch ran)", "a\n`b`'\""])
    def check(argv: list[str], env: dict[str, str], parts: list[str]) -> None:
        cwd = "/".join(parts)
        seen = trio.from_thread.run(see, login, opened, next(numbers), argv, env, cwd)
        assert seen.argv()[5:] == [os.fsencode(argument) for argument in argv]
        wanted = {
            os.fsencode(name): os.fsencode(value) for name, value in {"BASE": "$(touch ran)\udcff", **env}.items()
        }
        assert {name: value for name, value in seen.variables().items() if name != b"HOLDFAST_TOKEN"} == wanted
        assert seen.cwd.encode("latin-1") == os.fsencode(login.workdir / cwd)

    await trio.to_thread.run_sync(check)
    assert not list(login.home.rglob("ran"))


async def test_a_program_of_any_name_runs_and_a_shell_s_command_gets_its_own_bytes(login: Login) -> None:
    opened = await login.begin()
    odd = "-c $(touch ran)\n'\"\udcff"
    program = login.workdir / odd
    program.write_text('#!/bin/sh\nprintf %s "$1"\n')
    program.chmod(0o755)
    await opened.launch("x.1.1", str(program), odd)
    assert login.read(await opened.state("x.1.1", "ended")) == os.fsencode(odd)
    await opened.launch("x.2.1", f"./{odd}", string.punctuation)
    assert login.read(await opened.state("x.2.1", "ended")) == string.punctuation.encode()
    await opened.run("x.3.1", "printf '%s' \"$A\" '$(touch ran)'", env={"A": "`touch ran`\udcfe"})
    assert login.read(await opened.state("x.3.1", "ended")) == b"`touch ran`\xfe$(touch ran)"
    assert [path.name for path in login.workdir.iterdir() if path.name != ".holdfast"] == [odd]


async def test_a_token_of_any_text_is_the_one_that_comes_back(login: Login) -> None:
    opened = await login.begin()
    for token in ("a b", "'$(touch ran)'", "\n", "ä\u2028", json.dumps({"a": '"'})):
        await opened.run(token, 'printf %s "$HOLDFAST_TOKEN"')
        assert login.read(await opened.state(token, "ended")) == token.encode()
