"""What a command does not take is refused beside what it does take, and before anything is looked for or made."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.cli.main import main


@pytest.mark.parametrize(
    "words, usage, unknown",
    [
        (
            ["run", "a.toml", "b.toml"],
            "usage: holdfast run [-h]",
            "holdfast run: error: unrecognized arguments: b.toml",
        ),
        (["--late", "jobs"], "usage: holdfast jobs [-h]", "holdfast jobs: error: unrecognized arguments: --late"),
        (["submit", "--flow", "x", "--", "true"], "usage: holdfast submit [-h]", "unrecognized arguments: --flow"),
    ],
)
def test_p7_an_unknown_argument_is_refused_with_the_usage_of_its_command(
    words: list[str],
    usage: str,
    unknown: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(words)
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.startswith(usage)
    assert unknown in told
    assert list(tmp_path.iterdir()) == []
