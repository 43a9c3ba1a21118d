"""What a job asks for is what the process on the other machine sees, byte for byte, and nothing else runs there."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.store.faults.scope import ALL

from .elsewhere import Elsewhere, target
from .lab import Lab

EXAMPLES: Final = 60 if ALL else 3
AT_ONCE: Final = 12
TELL: Final = """\
import os, sys
env = {name: value for name, value in os.environb.items() if name.startswith(b"Q_")}
with open(os.environb[b"SEEN"] + b"/" + os.environb[b"HOLDFAST_JOB"], "wb") as file:
    file.write(repr(([os.fsencode(word) for word in sys.argv[1:]], env, os.getcwdb())).encode())
"""
NASTY: Final = (
    "'",
    '"',
    "\\",
    "\n",
    "$(touch harm)",
    "`touch harm`",
    "*",
    "~",
    "-rf",
    ";",
    "&",
    "|",
    "#",
    "!",
    " ",
    "é",
    "漢",
    "\t",
)

texts = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=("Cc", "Cs"), codec="utf-8"), max_size=8),
    max_size=5,
).map("".join)
# Flow files refuse control characters in paths.
folders = texts.map(lambda text: "".join(each for each in text if each not in "/\n\t").strip()).filter(
    lambda text: text not in {"", ".", ".."} and not text.startswith(("~", ".holdfast")) and len(text.encode()) < 200
)


class Wish(NamedTuple):
    """What a job asks for."""

    argv: list[str]
    env: dict[str, str]
    cwd: str


wishes = st.builds(
    Wish,
    st.lists(texts, max_size=4),
    st.dictionaries(st.from_regex(r"Q_[A-Z]{1,4}", fullmatch=True), texts, max_size=3),
    folders,
)


def test_what_a_remote_process_sees_is_what_was_asked_for(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    seen = one.home / "seen"
    seen.mkdir()
    place.serve("--slots", "4")

    @settings(
        max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
    )
    @given(st.lists(wishes, min_size=AT_ONCE, max_size=AT_ONCE))
    def check(asked: list[Wish]) -> None:
        before = len(place.jobs())
        lines = [
            {
                "name": f"j{before + number}",
                "target": "one",
                "run": ["python3", "-c", TELL, *wish.argv],
                "env": {**wish.env, "SEEN": str(seen)},
                "cwd": wish.cwd,
            }
            for number, wish in enumerate(asked)
        ]
        flow = place.flow("\n".join(msgspec.json.encode(line).decode() for line in lines), "flow.jsonl")
        ran = place.run("run", flow)
        assert ran.code == 0, ran.err
        for number, wish in enumerate(asked):
            job = place.job(f"j{before + number}")
            argv, env, cwd = ast.literal_eval((seen / str(job.id)).read_text())
            assert argv == [word.encode() for word in wish.argv]
            assert env == {name.encode(): value.encode() for name, value in wish.env.items()}
            assert cwd == bytes(one.home / "holdfast" / wish.cwd)

    assert place.run("run", place.flow(target("one") + '[jobs.first]\nrun = "true"\ntarget = "one"\n')).code == 0
    check()
    assert not [path for path in one.home.rglob("harm") if Path(path).exists()]
