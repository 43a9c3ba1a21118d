"""The files that ~/.ssh/config names are found as `ssh` finds them."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from holdfast.actors.connections.login import HOST_KEYS, look_up, options_of
from holdfast.actors.connections.namedfiles import Identities, identities, known_hosts
from holdfast.events.errors import Unavailable

KEY = "ssh-ed25519 " + b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(range(32))).decode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The `.ssh` of a person."""
    made = tmp_path / ".ssh"
    made.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KEYS", str(tmp_path / "keys"))
    return made


def configure(folder: Path, *lines: str) -> None:
    (folder / "config").write_text("\n".join(["Host gpu", *lines, "Host *", "GlobalKnownHostsFile /dev/null"]))


def put(*paths: Path) -> list[str]:
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n")
    return [str(path) for path in paths]


def test_files_of_known_keys_have_their_tildes_tokens_and_variables_expanded(folder: Path) -> None:
    names = "~/.ssh/known_%n %d/.ssh/%h-%p-%r ${KEYS}/%k ~/.ssh/100%% %d/missing ${NOBODY}/x %q"
    configure(folder, "HostName gpu.example", "Port 77", "User me", "HostKeyAlias other", f"UserKnownHostsFile {names}")
    there = (folder / "known_gpu", folder / "gpu.example-77-me", folder.parent / "keys" / "other", folder / "100%")
    files = put(*there)
    put(folder / "known_hosts")
    assert known_hosts(options_of("gpu"), "gpu") == files


@pytest.mark.parametrize("lines", [(), ("UserKnownHostsFile none",)])
def test_where_no_file_is_named_it_is_the_usual_ones(folder: Path, lines: tuple[str, ...]) -> None:
    configure(folder, *lines)
    assert known_hosts(options_of("gpu"), "gpu") == []
    files = put(folder / "known_hosts", folder / "known_hosts2")
    assert known_hosts(options_of("gpu"), "gpu") == files


def test_a_key_that_is_named_and_not_there_is_passed_over_and_the_agent_may_have_it(folder: Path) -> None:
    names = ("~/.ssh/a", "~/.ssh/missing", "%d/.ssh/card", "~/.ssh/b.pub", "~/.ssh/a")
    lines = [*(f"IdentityFile {name}" for name in names), "CertificateFile ~/.ssh/gone", "CertificateFile ~/.ssh/cert"]
    key, card, public, certificate = put(*(folder / name for name in ("a", "card.pub", "b.pub", "cert")))
    configure(folder, *lines)
    assert identities(options_of("gpu")) == Identities([key], [certificate], ())
    configure(folder, *lines, "IdentitiesOnly yes")
    assert identities(options_of("gpu")) == Identities([key], [certificate], [key, card, public])


def test_the_home_of_a_user_that_nobody_knows_has_no_files(folder: Path) -> None:
    named = "~nosuchuser/x"
    configure(folder, f"UserKnownHostsFile {named} ~/.ssh/mine", f"IdentityFile {named}", f"CertificateFile {named}")
    files = put(folder / "mine")
    about = look_up("gpu")
    assert (about.files, about.own) == (files, Identities([], [], ()))


def test_where_no_key_is_named_the_choice_is_that_of_ssh(folder: Path) -> None:
    configure(folder, "User me")
    assert identities(options_of("gpu")) == Identities()


@pytest.mark.parametrize("marker", ["", "@cert-authority "])
def test_a_machine_of_which_nothing_is_known_is_asked_for_a_key_that_a_person_can_accept(
    folder: Path, marker: str
) -> None:
    configure(folder, "HostName gpu.example", "UserKnownHostsFile ~/.ssh/mine")
    assert (look_up("gpu").known, look_up("gpu").algorithms) == (False, HOST_KEYS)
    assert "cert" not in HOST_KEYS
    (folder / "mine").write_text(f"{marker}gpu.example {KEY}\n")
    assert (look_up("gpu").known, look_up("gpu").algorithms) == (True, f"+{HOST_KEYS}")


def test_known_keys_that_make_no_sense_are_told_with_their_file(folder: Path) -> None:
    configure(folder, "UserKnownHostsFile ~/.ssh/mine")
    (folder / "mine").write_text("@mistaken gpu ssh-ed25519 AAAA\n")
    with pytest.raises(Unavailable, match=r"known keys in .*/mine can.t be used: .*mistaken"):
        look_up("gpu")
