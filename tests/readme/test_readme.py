"""README's `console` blocks are run in order in an empty folder; what they print must be what README shows.

Times, pids, ids of homes and amounts of memory differ from run to run: both sides are compared with these made alike.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.events.facts import TargetAttached
from holdfast.store.home import Home
from holdfast.store.reader import Reader
from tests.tree import ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
VARYING = (
    (re.compile(r"\d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? m?s\b"), "DURATION"),
    (re.compile(r"\bevent \d+|\b\d+ events\b|^ *\d+ +(?=TIME)", re.MULTILINE), "EVENT "),
    (re.compile(r"(?<=TIME) +\S+ +(?=submitted)"), " USER "),
    (re.compile(r"\S*\.holdfast/"), "HOME/"),
    (re.compile(r"[ \t]+"), " "),
)


def blocks() -> list[tuple[str, str]]:
    """The fenced blocks of README: language and text."""
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """A command and the lines that it prints, for each `$` of a console block."""
    command, lines = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, lines
            command, lines = line[2:], []
        else:
            lines.append(line)
    yield command, lines


def alike(text: str) -> list[str]:
    """The lines, with what varies made alike."""
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder; the runner of the home that comes to be in it is ended afterwards."""
    yield tmp_path
    home = Home(tmp_path / ".holdfast")
    if home.log.exists():
        with Reader(home) as reader:
            pids = [event.pid for _, event in reader.events() if isinstance(event, TargetAttached)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, 15)


@pytest.mark.slow
def test_the_commands_of_readme_print_what_readme_shows(folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }
    environment.pop("HOLDFAST_HOME", None)
    ran = 0
    for language, text in blocks():
        if language == "toml":
            name = text.partition("\n")[0].removeprefix("# ")
            (folder / name).write_text(text, encoding="utf-8")
        elif language == "console":
            for command, expected in steps(text):
                result = subprocess.run(
                    ["bash", "-c", command],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=60,
                    check=False,
                )
                assert alike(result.stdout) == alike("\n".join(expected)), command
                ran += 1
    assert ran >= 6, "README has lost its commands"
