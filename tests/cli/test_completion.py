"""`completion` prints scripts that complete commands, options, states, and the jobs that there are."""

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.cli.arguments import COMMANDS
from holdfast.cli.main import main
from tests.tools import need

from .commands import environment
from .staging import job, staged


def script(shell: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What is printed for a shell."""
    assert main(["completion", shell]) == 0
    return capfd.readouterr().out


def completed(text: str, words: list[str], folder: Path) -> set[str]:
    """What bash offers for the last of these words."""
    bash = need("bash", "apt-get install bash")
    command = text + (
        f"\nCOMP_WORDS=({' '.join(repr(word) for word in words)})\nCOMP_CWORD={len(words) - 1}\n"
        '_shtab_holdfast\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    ended = subprocess.run(
        [bash, "-c", command], capture_output=True, text=True, check=False, cwd=folder, env=environment(), timeout=60
    )
    assert ended.stderr == ""
    return {line.strip() for line in ended.stdout.splitlines() if line.strip()}


def test_bash_takes_the_script(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "completion"
    path.write_text(script("bash", capfd))
    assert subprocess.run([need("bash", "install bash"), "-n", path], check=False).returncode == 0


def test_bash_completes_commands_options_and_states(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = script("bash", capfd)
    assert set(COMMANDS) <= completed(text, ["holdfast", ""], tmp_path)
    assert completed(text, ["holdfast", "re"], tmp_path) == {name for name in COMMANDS if name.startswith("re")}
    assert "--attempt" in completed(text, ["holdfast", "logs", "--at"], tmp_path)
    assert completed(text, ["holdfast", "jobs", "--state", "s"], tmp_path) == {"succeeded", "skipped"}


def test_bash_completes_ids_and_names_of_jobs(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = script("bash", capfd)
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "holdfast").write_text(f'#!/bin/sh\nexec {sys.executable} -m holdfast "$@"\n')
    (folder / "holdfast").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with staged(tmp_path) as stage:
        stage.submit(job("align"), job("alarm"), job("fetch $(x)"))
    assert completed(text, ["holdfast", "show", "al"], tmp_path) == {"align", "alarm"}
    assert {"1", "2", "align", "alarm"} <= completed(text, ["holdfast", "explain", ""], tmp_path)


@pytest.mark.parametrize("shell,word", [("zsh", "#compdef holdfast"), ("tcsh", "complete holdfast")])
def test_other_shells_get_a_script_with_every_command(capfd: pytest.CaptureFixture[str], shell: str, word: str) -> None:
    text = script(shell, capfd)
    assert word in text
    assert all(name in text for name in COMMANDS)
