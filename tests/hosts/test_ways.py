"""Ways that are not needed, are changed, or lead to what can't be used; and what is said of it."""

from __future__ import annotations

import socket
from contextlib import suppress
from random import Random
from threading import Thread

from holdfast.events.facts import HostChanged
from holdfast.events.hosts import name_of
from tests.system.marks import MARK, new_seed
from tests.system.place import until, wait_s

from .elsewhere import Elsewhere, check_ran_once, jobs, marks_on, numbered, target
from .lab import Lab

WITHOUT_PYTHON = (
    'case "$SSH_ORIGINAL_COMMAND" in *python*) PATH=/nowhere; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND";; esac'
)


def test_a_connection_that_nothing_needs_is_let_go_and_made_again_on_demand(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve_impatiently()
    assert (
        place.hand_over(target("one") + jobs("one", ["a"], "echo $HOLDFAST_TOKEN >> marks; echo said")).finish().code
        == 0
    )
    place.until_host("one", "idle")
    until(lambda: not one.sessions(), "the connection is gone")
    assert place.run("logs", "a").out == "said\n"
    place.until_host("one", "idle")
    taken = one.said.count("Accepted publickey")
    wait_s(1.0)
    assert one.said.count("Accepted publickey") == taken
    ran = place.run("submit", "--target", "one", "--", "sh", "-c", "echo $HOLDFAST_TOKEN >> marks")
    assert ran.code == 0, ran.err
    until(lambda: not place.unfinished(), "it ends")
    assert check_ran_once(place, one) == {"succeeded": 2}


def test_a_target_that_moves_to_another_machine_is_reached_there(place: Elsewhere, lab: Lab) -> None:
    one, two = lab.host("one"), lab.host("two")
    one.kill_listener()
    place.serve_impatiently()
    run = place.hand_over(target("far", host="one") + jobs("far", ["a"]))
    place.until_host("far", "down")
    assert place.run("run", place.flow(target("far", host="two") + jobs("far", ["b"]))).code == 0
    assert run.finish().code == 0
    assert len(marks_on(two)) == 2
    assert check_ran_once(place, two) == {"succeeded": 2}


def test_what_a_configuration_says_of_terminals_and_of_files_in_a_home_is_followed_as_far_as_it_serves(
    place: Elsewhere, lab: Lab
) -> None:
    one = lab.host("one")
    about = lab.config.read_text()
    place.config.unlink()
    (place.person / ".ssh" / "keys_of_one").write_text(lab.known_hosts.read_text())
    mine = "Host one\n  RequestTTY force\n  RemoteCommand hostname\n  IdentityFile ~/.ssh/missing\n"
    known = "  UserKnownHostsFile ~/.ssh/keys_of_%n\n"
    place.config.write_text(mine + known + about)
    (place.folder / "given").write_text("here\n")
    files = "inputs = ['given']\noutputs = ['made']"
    assert place.hand_over(target("one") + jobs("one", ["a"], f"{MARK}; cat given > made", files)).finish().code == 0
    assert (place.folder / "made").read_text() == "here\n"
    assert check_ran_once(place, one) == {"succeeded": 1}


def test_a_check_tells_how_a_host_stands_now_and_not_how_it_did_before(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve()
    place.hand_over(target("one") + jobs("one", ["a"], "exec sleep 600"))
    place.until_host("one", "up")
    for _ in range(2):
        one.kill_listener()
        one.kill_sessions()
        place.until_host("one", "down")
        assert place.run("hosts", "check", "one").code == 1
        one.listen_again()
        check = place.run("hosts", "check", "one")
        assert check.code == 0, check.out


def test_two_targets_on_one_machine_and_folder_are_refused_before_a_job_runs_twice(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    ran = place.run("run", place.flow(target("x", host="one") + target("y", host="one") + jobs("x", ["a"])))
    assert ran.code == 2
    assert "targets.x.host: the target 'y' has the host 'one' already" in ran.err
    assert not marks_on(one)


def test_a_workdir_that_can_t_be_used_is_named_where_a_person_looks(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    (one.home / "file").touch()
    place.serve_impatiently()
    run = place.hand_over(target("one", 'workdir = "~/file"') + jobs("one", ["a"]))
    place.until_host("one", "down")
    said = f"{one.home}/file can't be used"
    assert said in place.run("hosts", "--json").out
    assert said in place.explained("a")
    assert place.state("a") == "ready"
    (one.home / "file").unlink()
    assert place.finish_in_a_hurry(run, "one").code == 0


def test_a_host_without_python_says_what_was_looked_for(place: Elsewhere, lab: Lab) -> None:
    lab.host("one", ForceCommand=WITHOUT_PYTHON)
    place.serve_impatiently()
    place.hand_over(target("one") + jobs("one", ["a"]))
    place.until_host("one", "down")
    said = place.explained("a")
    assert "no usable Python" in said
    assert "looked for python3" in said
    assert place.state("a") == "ready"


def babble(listener: socket.socket, seed: int) -> None:
    """Answer every connection with packets of SSH's form that mean nothing, until the listener is closed."""
    random = Random(seed)
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            said = b"SSH-2.0-babble\r\n"
            for _ in range(random.randrange(1, 4)):
                payload = bytes([random.choice((1, 2, 4, 20, 21, 30, 31, 80, 93))]) + random.randbytes(
                    random.randrange(60)
                )
                padding = 8 - (5 + len(payload)) % 8 + 8
                body = bytes([padding]) + payload + bytes(padding)
                said += len(body).to_bytes(4, "big") + body
            with client, suppress(OSError):
                client.sendall(said)
                client.recv(1)


def test_a_machine_that_talks_nonsense_is_down_and_no_other_host_is_disturbed(place: Elsewhere, lab: Lab) -> None:
    two = lab.host("two")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=babble, args=(listener, new_seed()), daemon=True).start()
        place.config.unlink()
        port = listener.getsockname()[1]
        place.config.write_text(f"Host odd\n  HostName 127.0.0.1\n  Port {port}\n" + lab.config.read_text())
        supervisor = place.serve_impatiently()
        place.hand_over(
            target("odd") + target("two") + jobs("odd", ["a"]) + jobs("two", numbered("b", 20), f"{MARK}; sleep 0.1")
        )
        for _ in range(10):
            assert place.run("hosts", "check", "odd").code == 1
        until(lambda: len(marks_on(two)) == 20, "the other host's jobs run")
    changes = [event.host for event in place.events() if isinstance(event, HostChanged) and event.target == "two"]
    assert [name_of(each) for each in changes].count("up") == 1
    assert supervisor.running
    assert place.state("a") == "ready"


def test_a_key_that_can_t_be_read_or_an_impossible_name_keeps_no_other_host_waiting(place: Elsewhere, lab: Lab) -> None:
    two = lab.host("two")
    lab.host("one")
    broken = place.folder / "broken"
    broken.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nnonsense\n-----END OPENSSH PRIVATE KEY-----\n")
    place.config.unlink()
    text = lab.config.read_text().replace("Host one\n", f'Host one\n  IdentityFile "{broken}"\n')
    place.config.write_text(text)
    flow = target("one") + target("odd", host="a..b") + target("two")
    flow += jobs("one", ["a"]) + jobs("odd", ["b"]) + jobs("two", numbered("c", 8))
    run = place.hand_over(flow)
    until(lambda: len(marks_on(two)) == 8, "the other host's jobs run")
    place.until_host("odd", "down")
    until(lambda: place.host_state("one") not in {"idle", "connecting"}, "the other is settled")
    changes = [
        name_of(event.host) for event in place.events() if isinstance(event, HostChanged) and event.target == "two"
    ]
    assert changes.count("up") == 1
    assert "mistake" not in run.err
