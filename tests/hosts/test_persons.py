"""What only a person can give: jobs wait for it and do not fail, and nothing that is typed is kept anywhere (P10)."""

from __future__ import annotations

import os
import pty
import select
import subprocess
from pathlib import Path

from tests.system.place import COMMAND, Started, until
from tests.system.processes import carrying
from tests.tools import need

from .elsewhere import Elsewhere, check_ran_once, jobs, marks_on, target
from .lab import Lab
from .sshd import make_key

PASSPHRASE = "correct-horse-4711"  # noqa: S105 - of a key that lives as long as a test
WRONG = "wrong-horse-0815"
PATIENCE_S = 30.0


class Terminal:
    """`holdfast WORDS` on a terminal of its own."""

    def __init__(self, place: Elsewhere, *words: str) -> None:
        self._own, theirs = pty.openpty()
        self._said = b""
        self._child = subprocess.Popen(
            [need("setsid", "it is part of util-linux"), "--ctty", *COMMAND, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=place.folder,
            env=place.environment,
        )
        os.close(theirs)

    def until(self, text: str, times: int = 1) -> None:
        """Wait until it has said so, and as often."""
        while self.said.count(text) < times:
            assert self._read(), f"in vain for {text!r}: {self.said}"

    def _read(self) -> bool:
        ready, _, _ = select.select([self._own], [], [], PATIENCE_S)
        assert ready, f"it says nothing more than {self.said}"
        try:
            data = os.read(self._own, 4096)
        except OSError:  # EIO: nobody has it open any more
            return False
        self._said += data
        return bool(data)

    @property
    def said(self) -> str:
        return self._said.decode()

    def type(self, line: str) -> None:
        os.write(self._own, line.encode() + b"\n")

    def end(self) -> int:
        """Its exit code; what it said to the end is kept."""
        while self._read():
            pass
        os.close(self._own)
        return self._child.wait(PATIENCE_S)


def encrypted(place: Elsewhere, lab: Lab) -> Path:
    """Let the lab's key be encrypted from now on."""
    words = ["ssh-keygen", "-q", "-p", "-P", "", "-N", PASSPHRASE, "-f", str(lab.identity)]
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return place.person


def waiting(place: Elsewhere, lab: Lab) -> Started:
    """A run whose job waits for a person."""
    lab.host("one")
    run = place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "needs-you")
    return run


def test_p10_a_passphrase_lets_jobs_go_on_and_stands_nowhere(place: Elsewhere, lab: Lab) -> None:
    person = encrypted(place, lab)
    one = lab.host("one")
    run = place.hand_over(target("one") + jobs("one", ["a"], "echo $HOLDFAST_TOKEN >> marks; sleep 0.5"))
    place.until_host("one", "needs-you")
    hint = "holdfast hosts connect one"
    until(lambda: hint in run.err, "who waits is told what to do")
    assert hint in place.explained("a")
    assert hint in place.run("hosts", "--json").out
    assert place.state("a") == "ready"
    wrong = Terminal(place, "hosts", "connect", "one")
    wrong.until("passphrase for")
    wrong.type(WRONG)
    assert wrong.end() != 0
    assert place.state("a") == "ready"
    right = Terminal(place, "hosts", "connect", "one")
    right.until("passphrase for")
    right.type(PASSPHRASE)
    right.until("connected")
    for typed in (WRONG, PASSPHRASE):
        assert list(carrying(typed.encode())) == []
    assert right.end() == 0, right.said
    assert run.finish().code == 0
    assert check_ran_once(place, one) == {"succeeded": 1}
    for terminal in (wrong, right):
        assert PASSPHRASE not in terminal.said
        assert WRONG not in terminal.said
    kept = [path for root in (place.home.path, person, one.home) for path in root.rglob("*") if path.is_file()]
    assert len(kept) > 3
    for path in kept:
        content = path.read_bytes()
        assert PASSPHRASE.encode() not in content, path
        assert WRONG.encode() not in content, path


def test_a_key_that_the_host_does_not_know_needs_a_person_and_fails_no_job(place: Elsewhere, lab: Lab) -> None:
    lab.host("one")
    other = place.folder / "other"
    make_key(other)
    place.config.unlink()
    place.config.write_text(lab.config.read_text().replace(str(lab.identity), str(other)))
    place.serve_impatiently()
    place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "needs-you")
    assert "lets nobody in with the keys" in place.run("hosts", "--json").out
    assert "ssh-add" in place.explained("a")
    assert place.run("hosts", "check").code == 1
    assert place.state("a") == "ready"


def test_what_asks_for_a_password_says_so_and_takes_no_answer_that_nobody_typed(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one", AuthenticationMethods="password", PasswordAuthentication="yes")
    place.serve_impatiently()
    place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "needs-you")
    assert "wants a password" in place.explained("a")
    assert not marks_on(one)
    without = place.run("hosts", "connect", "one")
    assert without.code == 2
    assert "no terminal" in without.err
    typed = Terminal(place, "hosts", "connect", "one")
    for time in (1, 2, 3):
        typed.until("password for one", time)
        typed.type(WRONG)
    assert typed.end() != 0
    place.until_host("one", "needs-you")
    assert place.state("a") == "ready"


def test_who_goes_away_from_a_login_leaves_it_to_the_next(place: Elsewhere, lab: Lab) -> None:
    encrypted(place, lab)
    run = waiting(place, lab)
    gone = Terminal(place, "hosts", "connect", "one")
    gone.until("passphrase for")
    gone.type("\x03")
    gone.end()
    again = Terminal(place, "hosts", "connect", "one")
    again.until("passphrase for")
    again.type(PASSPHRASE)
    again.until("connected")
    assert again.end() == 0
    assert run.finish().code == 0
