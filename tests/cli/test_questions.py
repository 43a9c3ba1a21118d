"""What a machine asks a person for is shown as it was meant, and nothing in it can change the terminal."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import pytest

from holdfast.cli.commands import hosts
from holdfast.events.messages import Changed, Question
from holdfast.store.home import Home


def test_a_question_of_several_lines_is_shown_in_lines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    question = Question("Two factors:\n 1. push\x1b[2J\n\nOption: ", echo=True)
    answers = [question, Changed(targets=("gpu",))]
    asked: list[str] = []

    def type_in(text: str) -> str:
        asked.append(text)
        return "1"

    def answer(*_: object) -> object:
        return answers.pop(0)

    def known(*_: object) -> list[str]:
        return ["gpu"]

    home = Home(tmp_path)
    home.log.touch()
    monkeypatch.setattr(hosts, "ask", answer)
    monkeypatch.setattr(hosts, "_known", known)
    monkeypatch.setattr("builtins.input", type_in)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert hosts.execute(Namespace(action="connect", targets=["gpu"]), home) == 0
    assert asked == ["Two factors:\n 1. push\\x1b[2J\n\nOption: "]
