"""Flame graphs carry a title without a path of the machine, and are found where something was drawn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.flames import below, give_title, samples_in

SVG = '<svg><text id="title" x="50%">py-spy --output /some/folder/x.svg</text><svg total_samples="12"/></svg>'


def test_a_title_takes_the_place_of_the_command_line(tmp_path: Path) -> None:
    picture = tmp_path / "x.svg"
    picture.write_text(SVG)
    give_title(picture, r"runner: 12 samples, \1")
    assert r'<text id="title" x="50%">runner: 12 samples, \1</text>' in picture.read_text()
    assert "/some/folder" not in picture.read_text()


def test_what_was_never_drawn_has_no_samples(tmp_path: Path) -> None:
    assert samples_in(tmp_path / "none.svg") == 0
    (tmp_path / "x.svg").write_text(SVG)
    assert samples_in(tmp_path / "x.svg") == 12


def test_children_and_their_children_are_below_a_process() -> None:
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        child.stdout.readline()  # the grandchild speaks
        found = below(os.getpid())
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.wait()
    assert child.pid in found
    assert len(below(child.pid)) == 0
    assert len(found) >= 2
