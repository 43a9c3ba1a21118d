"""Promise P8 over other machines: a key that nobody vouched for is refused until a person has looked."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from holdfast.events.facts import HostChanged, HostTrusted
from holdfast.events.hosts import Refused
from tests.system.place import until, wait_s

from .elsewhere import Elsewhere, check_ran_once, jobs, marks_on, numbered, target
from .lab import Lab
from .sshd import make_key

WRONG = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def refused(place: Elsewhere) -> Refused:
    """What the target showed that was refused last."""
    found = [
        event.host for event in place.events() if isinstance(event, HostChanged) and isinstance(event.host, Refused)
    ]
    return found[-1]


def test_p8_a_changed_key_is_refused_and_not_tried_again_until_it_is_accepted(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve_impatiently()
    run = place.hand_over(target("one") + jobs("one", numbered("a", 8), "echo $HOLDFAST_TOKEN >> marks; sleep 0.3"))
    until(lambda: marks_on(one), "jobs run there")
    one.swap_host_key()
    one.kill_sessions()
    place.until_host("one", "refused")
    shown = refused(place)
    assert shown.changed
    connections = one.said.count("Connection from")
    wait_s(1.0)
    assert one.said.count("Connection from") == connections, "it was tried again"
    check = place.run("hosts", "check", "one")
    assert check.code == 1
    assert f"holdfast hosts trust one --fingerprint {shown.fingerprint}" in check.err
    assert "another key" in check.err
    assert "another key" in place.explained("a7") + run.err
    wrong = place.run("hosts", "trust", "one", "--fingerprint", WRONG)
    assert wrong.code == 2
    assert shown.fingerprint in wrong.err
    place.until_host("one", "refused")
    assert place.run("hosts", "trust", "one", "--fingerprint", shown.fingerprint).code == 0
    assert run.finish().code == 0
    assert check_ran_once(place, one) == {"succeeded": 8}
    with place.reader() as reader:
        (trusted,) = [stored for stored, event in reader.events() if isinstance(event, HostTrusted)]
    assert trusted.author == getpass.getuser()


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_p8_a_changed_key_of_another_kind_is_refused_as_well(place: Elsewhere, lab: Lab, kind: str) -> None:
    one = lab.host("one", HostKeyAlgorithms="+ssh-rsa")
    key = next(iter(one.home.parent.glob("host_key")))
    make_key(key, kind)
    one.kill_listener()
    one.listen_again()
    place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "refused", "down")
    assert place.host_state("one") == "refused", place.run("hosts").out
    assert refused(place).changed
    assert not marks_on(one)


def test_p8_what_ssh_s_configuration_says_against_checking_is_not_followed(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    (place.person / ".ssh" / "known_hosts").write_text("")
    place.config.unlink()
    place.config.write_text(
        "Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile none\n  GlobalKnownHostsFile /dev/null\n"
        "  CheckHostIP no\n  VerifyHostKeyDNS yes\n"
        f'Host one\n  HostName 127.0.0.1\n  Port {one.port}\n  IdentityFile "{lab.identity}"\n'
    )
    place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "refused")
    shown = refused(place)
    assert not shown.changed
    assert "is not known" in shown.reason
    assert not marks_on(one)
    assert Path(place.person / ".ssh" / "known_hosts").read_text() == ""
    assert place.run("hosts", "trust", "one", "--fingerprint", shown.fingerprint).code == 0
    place.until_state("a", "succeeded")
    # What was accepted counts for this home; what ssh(1) trusts is the person's affair.
    assert Path(place.person / ".ssh" / "known_hosts").read_text() == ""


@pytest.mark.parametrize("known", [True, False])
def test_p8_the_key_of_a_gateway_is_checked_whatever_the_configuration_says(
    place: Elsewhere, lab: Lab, *, known: bool
) -> None:
    gateway, one = lab.host("gateway"), lab.host("one")
    trust = f'UserKnownHostsFile "{lab.known_hosts}"' if known else "UserKnownHostsFile none"
    place.config.unlink()
    place.config.write_text(
        f"Host gateway\n  {trust}\n  Port {gateway.port}\nHost one\n  ProxyJump gateway\n  Port {one.port}\n"
        f'  UserKnownHostsFile "{lab.known_hosts}"\nHost *\n  HostName 127.0.0.1\n  StrictHostKeyChecking no\n'
        f'  GlobalKnownHostsFile /dev/null\n  IdentityFile "{lab.identity}"\n'
    )
    place.hand_over(target("one") + jobs("one", ["a"]))
    if known:
        place.until_state("a", "succeeded")
        assert "Accepted publickey" in gateway.said
    else:
        place.until_host("one", "needs-you")
        assert "goes through gateway" in place.run("hosts", "--json").out
        assert not marks_on(one)
