"""The reading commands start quickly: none of them imports what only a supervisor needs."""

import json
import subprocess
import sys

import pytest

from .commands import environment
from .staging import Stage, job

HEAVY = ("trio", "asyncio", "asyncssh", "tqdm", "shtab", "hypothesis")
COMMANDS = [
    ["--help"],
    ["jobs"],
    ["jobs", "--json"],
    ["show", "1"],
    ["logs", "1"],
    ["explain", "1"],
    ["log"],
    ["log", "--json"],
    ["replay"],
    ["rebuild"],
    ["verify"],
    ["doctor"],
]
LOOK = """
import json, sys
from holdfast.cli.main import main
try:
    code = main(sys.argv[1:])
except SystemExit as leaving:
    code = leaving.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_reading_command_imports_an_event_loop(stage: Stage, words: list[str]) -> None:
    stage.submit(job("a"))
    stage.close()
    command = [sys.executable, "-c", LOOK, *words, *([] if words == ["--help"] else ["--home", str(stage.home.path)])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=60)
    code, modules = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0
    assert [name for name in modules if name.split(".")[0] in HEAVY] == []
