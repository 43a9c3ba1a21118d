"""The whole project keeps the rules, and every rule can be broken: each refuses a bad sample and passes a good one."""

from typing import Final

import pytest

from . import imports, lengths, names, statements, words
from .source import Rule, Source, none, python_sources, text_sources

PYTHON = python_sources()

RULES: Final[list[Rule]] = [
    lengths.long_file,
    lengths.long_function,
    names.file_without_docstring,
    names.public_name_without_docstring,
    names.drawer,
    words.bare_ignore,
    imports.wrong_direction,
    imports.wrong_form,
    imports.impure_events,
    imports.unargued_import,
    statements.global_statement,
    statements.thread_lock,
    statements.hopeful_sleep,
]

RUNNER_LINES: Final = lengths.LONGER_FILES["actors/runner.py"][0]

# Rule, path, a bad sample, a good one.
SAMPLES: Final[list[tuple[Rule, str, str, str]]] = [
    (lengths.long_file, "store/log.py", "\n" * 401, "\n" * 400),
    (lengths.long_file, "actors/runner.py", "\n" * (RUNNER_LINES + 1), "\n" * RUNNER_LINES),
    (lengths.long_function, "tests/test_a.py", "def f():\n" + "    g()\n" * 50, "def f():\n" + "    g()\n" * 49),
    (names.file_without_docstring, "tests/test_a.py", "x = 1\n", '"""Says something."""\n'),
    (names.file_without_docstring, "tests/test_a.py", '""" """\n', '"""Says something."""\n'),
    (names.public_name_without_docstring, "store/log.py", "def f(): ...", "def _f(): ..."),
    (names.public_name_without_docstring, "store/log.py", "async def f(): ...", "async def f():\n    'Does it.'"),
    (names.public_name_without_docstring, "store/log.py", "class A:\n 'A.'\n def f(self): ...", "class A:\n 'A.'"),
    (names.public_name_without_docstring, "store/log.py", "class A: ...", "class _A:\n def f(self): ..."),
    (names.public_name_without_docstring, "store/log.py", "@a.b\ndef f(): ...", "@override\ndef f(): ..."),
    (names.drawer, "store/utils.py", "", ""),
    (names.drawer, "helpers/append.py", "", ""),
    (words.bare_ignore, "store/log.py", "f()  # type: ignore", "f()  # type: ignore[arg-type]"),
    (words.bare_ignore, "store/log.py", "f()  # pyright: ignore", "'# type: ignore'"),
    (words.bare_ignore, "store/log.py", "f()  # noqa", "f()  # noqa: S101"),
    (imports.wrong_direction, "events/job.py", "from holdfast.store import a", "from . import a"),
    (imports.wrong_direction, "store/log.py", "import holdfast.actors.writer", "import holdfast.events.job"),
    (imports.wrong_direction, "store/log.py", "from holdfast import actors", "from holdfast import events"),
    (imports.wrong_direction, "actors/writer.py", "from holdfast import __version__", "from holdfast.store import a"),
    (imports.wrong_direction, "actors/targets/local.py", "from holdfast.cli.main import a", "from ..writer import a"),
    (imports.wrong_direction, "api/client.py", "from holdfast.cli import a", "from holdfast.actors import a"),
    (imports.wrong_direction, "cli/main.py", "from tests.tree import a", "from holdfast import a"),
    (imports.wrong_form, "store/log.py", "from events import a", "from holdfast.events import a"),
    (imports.wrong_form, "tests/test_a.py", "import store.log", "import holdfast.store.log"),
    (imports.wrong_form, "store/log.py", "from holdfast.store.schema import a", "from .schema import a"),
    (imports.wrong_form, "store/log.py", "from ..events import a", "from holdfast.events import a"),
    (imports.wrong_form, "actors/targets/a.py", "from ...events import a", "from ..writer import a"),
    (imports.wrong_form, "api/client.py", "from holdfast.errors import a", "from .errors import a"),
    (imports.impure_events, "events/job.py", "import os", "import enum, msgspec"),
    (imports.impure_events, "events/job.py", "from time import time", "from collections.abc import Iterator"),
    (imports.impure_events, "events/job.py", "datetime.now()", "datetime.fromisoformat('')"),
    (imports.impure_events, "events/job.py", "datetime.date.today()", "tick.now"),
    (
        imports.impure_events,
        "events/job.py",
        "import random\nrandom.random()",
        "import random\nrandom.Random(1).random()",
    ),
    (imports.impure_events, "events/job.py", "from random import choice", "def f(random): random.random()"),
    (imports.impure_events, "events/job.py", "open('a')", "a.open()"),
    (imports.unargued_import, "store/log.py", "from typing import Any", "from typing import Final"),
    (imports.unargued_import, "store/log.py", "import typing as t\nx: t.Any", "import typing as t\nx: t.Final = 1"),
    (imports.unargued_import, "tests/test_a.py", "import asyncio", "import trio"),
    (statements.global_statement, "cli/main.py", "def f():\n    global a", "def f():\n    nonlocal_ = 1"),
    (statements.thread_lock, "store/log.py", "threading.Lock()", "threading.Thread()"),
    (statements.thread_lock, "store/log.py", "from threading import RLock", "from threading import Thread"),
    (statements.hopeful_sleep, "tests/test_a.py", "time.sleep(1)", "event.wait(1)"),
    (statements.hopeful_sleep, "tests/test_a.py", "from time import sleep", "from time import monotonic"),
    (
        statements.hopeful_sleep,
        "tests/test_a.py",
        "async def test_a():\n    await trio.sleep(1)",
        "async def test_a(autojump_clock):\n    await trio.sleep(1)",
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_python_file_keeps_the_rule(rule: Rule) -> None:
    none(finding for source in PYTHON for finding in rule(source))


@pytest.mark.parametrize("rule,path,bad,good", SAMPLES)
def test_a_rule_refuses_the_bad_sample_and_passes_the_good_one(rule: Rule, path: str, bad: str, good: str) -> None:
    assert list(rule(Source(path, bad)))
    if rule is not names.drawer:
        assert list(rule(Source(path, good))) == []


def test_every_rule_has_a_sample_that_breaks_it() -> None:
    assert {rule.__name__ for rule in RULES} == {rule.__name__ for rule, *_ in SAMPLES}


def test_a_module_named_for_its_content_is_no_drawer() -> None:
    assert list(names.drawer(Source("store/schema.py", ""))) == []


def test_no_file_holds_a_banned_word() -> None:
    none(finding for source in text_sources() for finding in words.banned_word(source))


# The bar keeps the words from standing here.
BANNED_SAMPLES = [
    "https://py|pi.org/simple",
    "files.python|hosted.org",
    "registry.npm|js.org",
    "/ro|ot/work",
    "/ho|me/ada/flow",
    "# TO|DO: later",
    "# FIX|ME",
    "raise NotImple|mentedError",
]


@pytest.mark.parametrize("text", BANNED_SAMPLES)
def test_a_banned_word_is_seen(text: str) -> None:
    (finding,) = words.banned_word(Source("docs/a.md", f"first line\n{text.replace('|', '')}\n"))
    assert finding.startswith("docs/a.md:2: ")


@pytest.mark.parametrize("text", ["the package index", "a chroot/x", "--home DIR", "mktemp a.XXXXXX", "~/.bashrc"])
def test_an_innocent_word_is_not_banned(text: str) -> None:
    assert list(words.banned_word(Source("docs/a.md", text))) == []


def test_the_median_file_is_short() -> None:
    assert lengths.median_lines(PYTHON) <= lengths.MEDIAN_LINES


def test_the_median_leaves_out_files_that_only_name_a_folder() -> None:
    sources = [Source("store/__init__.py", "\n"), Source("store/a.py", "\n" * 300), Source("store/b.py", "\n" * 500)]
    assert lengths.median_lines(sources) == 400


def test_no_file_is_dead() -> None:
    none(imports.dead_files(PYTHON))


def test_a_file_that_only_tests_import_is_dead() -> None:
    log, test = Source("store/log.py", ""), Source("tests/test_log.py", "from holdfast.store.log import append")
    assert len(list(imports.dead_files([log, test]))) == 1


@pytest.mark.parametrize("text", ["from .log import append", "from . import log", "from holdfast.store import log"])
def test_a_file_that_the_product_imports_is_alive(text: str) -> None:
    assert list(imports.dead_files([Source("store/log.py", ""), Source("store/__init__.py", text)])) == []


def test_a_module_that_only_a_string_names_is_alive_if_the_table_of_commands_names_it() -> None:
    module, text = Source("cli/commands/jobs.py", ""), 'COMMANDS = {"jobs": Command("jobs")}'
    table, main = Source("cli/arguments.py", text), Source("cli/main.py", "from . import arguments")
    assert list(imports.dead_files([module, table, main])) == []
    assert len(list(imports.dead_files([module, Source("cli/main.py", text)]))) == 1


def test_an_argued_exception_names_a_file_that_exists() -> None:
    existing = {str(source.path) for source in PYTHON}
    argued = [
        *imports.ANY_FORCED,
        *imports.ASYNCIO_HOME,
        *statements.ARGUED_SLEEPS,
        *imports.NAMES_MODULES,
        *lengths.LONGER_FILES,
    ]
    assert [path for path in argued if path not in existing] == []
