"""What docs/promises.md names as proof is there: every path and command, and tests with each promise's number."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.tree import ROOT, project_files

TEXT = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NUMBERS = range(1, 11)
NOT_BUILT = {6}


def quoted() -> list[str]:
    """What stands between backquotes, a line each."""
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", TEXT)]


def section(number: int) -> str:
    found = re.search(rf"^## P{number}: .*?(?=^## )", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"nothing is said of P{number}"
    return found[0]


def test_every_path_that_it_names_exists() -> None:
    words = {word for text in quoted() for word in text.split()}
    paths = {word for word in words if word.startswith(("tests/", "docs/", "examples/", "benchmarks/"))}
    assert len(paths) > 20, "it names hardly anything"
    assert sorted(path for path in paths if not (ROOT / path).exists()) == []


def test_every_command_of_dev_that_it_names_exists() -> None:
    commands = {text.split()[1] for text in quoted() if text.startswith("./dev ")}
    assert {"test", "sim"} <= commands
    usage = subprocess.run(["sh", str(ROOT / "dev"), "help"], capture_output=True, text=True, check=True).stdout
    assert [each for each in commands if not re.search(rf"^  {each} ", usage, re.MULTILINE)] == []


def test_every_command_of_holdfast_that_it_names_exists() -> None:
    from holdfast.cli.arguments import COMMANDS  # noqa: PLC0415 - only here

    commands = {text.split()[1] for text in quoted() if text.startswith("holdfast ")}
    assert commands
    assert commands <= set(COMMANDS)


@pytest.mark.parametrize("number", [number for number in NUMBERS if number not in NOT_BUILT])
def test_each_promise_has_its_proof_its_command_and_its_end(number: int) -> None:
    text = section(number)
    for part in ("- Proof: ", "- Run it: ", "- Not promised: "):
        assert part in text, f"P{number} says nothing under {part!r}"


def test_what_is_not_built_is_said_to_be_so() -> None:
    assert "**So\nfar there are no checkpoints, and this is not promised.**" in section(6)


@pytest.mark.parametrize("number", [number for number in NUMBERS if number not in NOT_BUILT])
def test_each_promise_has_tests_that_carry_its_number(number: int) -> None:
    named = re.compile(rf"^(?:async )?def test_p{number}_", re.MULTILINE)
    files = [path for path in project_files() if path.parts[0] == "tests" and path.name.startswith("test_")]
    assert [path for path in files if named.search((ROOT / path).read_text(encoding="utf-8"))] != []
