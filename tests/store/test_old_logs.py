"""Logs that older versions wrote are brought up, read and rebuilt."""

from pathlib import Path
from random import Random

import msgspec
import pytest

from holdfast.store.home import Home
from holdfast.store.migrations import load_migrations
from holdfast.store.reader import Reader

from .histories import History
from .kept_logs import KEPT, load, shown
from .stores import dump, findings, open_sqlite, tamper


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def kept(request: pytest.FixtureRequest, home: Home) -> Path:
    """An old log, put into the home; the path of its script."""
    script: Path = request.param
    load(script, home.log)
    return script


def test_a_log_of_every_schema_is_kept() -> None:
    assert [path.name for path in KEPT] == [f"log_schema_{number + 1}.sql" for number in range(len(load_migrations()))]


def test_an_old_log_is_brought_up_and_shows_the_jobs_that_it_showed_then(kept: Path, home: Home) -> None:
    open_sqlite(home.path).close()
    assert findings(home.path) == []
    expected = kept.with_suffix(".jsonl").read_bytes()
    assert shown(home) == expected
    with Reader(home) as reader:
        assert b"".join(msgspec.json.encode(line) + b"\n" for line in reader.replay()) == expected


def test_an_old_log_is_rebuilt_to_what_it_was(kept: Path, home: Home) -> None:
    open_sqlite(home.path).close()
    before = dump(home.log)
    tamper(home.log, "update meta set value = 0")
    tamper(home.log, "delete from job")
    open_sqlite(home.path).close()
    assert dump(home.log) == before


def test_an_old_home_goes_on(kept: Path, home: Home) -> None:
    store = open_sqlite(home.path)
    before = store.seq
    History(Random(1), store).run(20)
    assert store.seq > before
    store.close()
    assert findings(home.path) == []
