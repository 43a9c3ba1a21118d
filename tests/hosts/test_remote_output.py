"""`holdfast logs` of what runs on other machines: live, over cuts, big, and left out where it is too much."""

from __future__ import annotations

import hashlib

from tests.system.place import until

from .elsewhere import Elsewhere, jobs, target
from .lab import Lab
from .proxy import Proxy

BIG = 20_000_000


def test_output_comes_while_it_is_written(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve_impatiently()
    place.hand_over(
        target("one") + jobs("one", ["a"], "echo early; while ! test -e go; do sleep 0.05; done; echo late")
    )
    place.until_state("a", "running")
    following = place.start("logs", "-f", "a")
    until(lambda: following.out == "early\n", "the beginning is shown")
    assert place.state("a") == "running"
    (one.home / "holdfast" / "go").touch()
    finished = following.finish()
    assert (finished.code, finished.out) == (0, "early\nlate\n")


def test_following_goes_on_over_a_link_that_is_cut(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    with Proxy(one.port) as proxy:
        lab.route(one, proxy.port)
        place.serve_impatiently()
        count = "i=0; while test $i -lt 60; do echo $i; i=$((i+1)); sleep 0.05; done"
        run = place.hand_over(target("one") + jobs("one", ["a"], count))
        place.until_state("a", "running")
        following = place.start("logs", "-f", "a")
        until(lambda: "5\n" in following.out, "the beginning is shown")
        proxy.cut()
        assert place.finish_in_a_hurry(run, "one").code == 0
        finished = following.finish()
        assert finished.out == "".join(f"{number}\n" for number in range(60)), finished.err
        assert finished.code == 0
        assert finished.err.count("once it can be read") <= 1


def test_output_on_a_host_that_can_t_be_reached_is_said_to_be_there(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    place.serve_impatiently()
    assert place.hand_over(target("one") + jobs("one", ["a"], "echo said")).finish().code == 0
    one.kill_listener()
    one.kill_sessions()
    place.until_host("one", "down", "idle")
    until(lambda: "one can't be reached" in place.run("logs", "a").err, "it says why")
    one.listen_again()
    until(lambda: place.run("logs", "a").out == "said\n", "it is shown again")


def test_big_output_comes_whole_and_what_was_too_much_is_said_to_be_left_out(place: Elsewhere, lab: Lab) -> None:
    lab.host("one")
    place.serve_impatiently()
    flow = target("one")
    flow += jobs("one", ["big"], f"yes 0123456789 | head -c {BIG}")
    flow += jobs("one", ["much"], f"yes 0123456789 | head -c {BIG}", 'max_output = "1MB"')
    assert place.hand_over(flow).finish().code == 0
    whole = (b"0123456789\n" * (BIG // 11 + 1))[:BIG]
    said = place.run("logs", "big").out.encode()
    assert hashlib.sha256(said).digest() == hashlib.sha256(whole).digest()
    much = place.run("logs", "much")
    assert len(much.out) < 3_000_000
    assert much.out.encode()[-100:] == whole[-100:]
    assert "left out" in much.err + much.out
