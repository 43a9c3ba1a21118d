"""Links that are cut at any byte, slow, late or silent: each job runs once (P2), with whole inputs and outputs."""

from __future__ import annotations

import hashlib
from random import Random

import pytest

from holdfast.events.facts import FilesStaged
from tests.store.faults.scope import ALL
from tests.system.marks import check_log, new_seed
from tests.system.place import until, wait_s

from .elsewhere import WAITING, Elsewhere, check_ran_once, jobs, marks_on, numbered, target
from .lab import Lab
from .link import Cut
from .proxy import Proxy, cuts_of

WORK = "echo $HOLDFAST_TOKEN >> marks; sleep 0.05"
CUTS = 100 if ALL else 8
ENOUGH = CUTS // 2  # connections that were cut
MORE = 20


def test_p2_each_job_runs_once_over_a_link_that_is_cut_at_any_byte(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    seed = new_seed()
    # Logging in takes some 5 kB each way; what comes beyond is the runner's file and jobs.
    near, far = cuts_of(seed, 6_000), cuts_of(seed, 60_000)
    with Proxy(one.port, lambda number: (far if number % 2 else near)(number) if number < CUTS else None) as proxy:
        lab.route(one, proxy.port)
        place.serve_impatiently()
        flows = 0
        # Where the seed has few early cuts, all is soon done: then there are more jobs, until there were enough cuts.
        while proxy.taken_count <= ENOUGH:
            assert flows < CUTS, f"{proxy.taken_count} connections are too few for {flows} flows"
            names = numbered(f"flow{flows}-", 5 * CUTS if flows == 0 else MORE)
            run = place.hand_over(target("one") + jobs("one", names, WORK))
            assert place.finish_in_a_hurry(run, "one").code == 0
            flows += 1
    assert check_ran_once(place, one) == {"succeeded": 5 * CUTS + MORE * (flows - 1)}
    check_log(place)


def test_p2_each_job_runs_once_through_delay_narrowness_silence_and_resets(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    random = Random(new_seed())
    with Proxy(one.port) as proxy:
        lab.route(one, proxy.port)
        place.serve_impatiently()
        # However soon the others are done, there is work for the host until it was seen to be silent.
        held = jobs("one", ["held"], WAITING)
        run = place.hand_over(target("one") + held + jobs("one", numbered("a", 30), WORK))
        until(lambda: marks_on(one), "jobs run")
        proxy.delay(0.05)
        wait_s(random.uniform(0.1, 0.3))
        proxy.reset()
        proxy.throttle(200_000)
        wait_s(random.uniform(0.3, 0.5))
        proxy.fall_silent()
        place.until_host("one", "suspect", "down")
        (one.home / "holdfast" / "go").touch()
        proxy.speak()
        assert place.finish_in_a_hurry(run, "one").code == 0
    assert check_ran_once(place, one) == {"succeeded": 31}
    check_log(place)


@pytest.mark.parametrize("sessions", [10, 1])
def test_p2_files_are_whole_over_a_link_that_is_cut(place: Elsewhere, lab: Lab, sessions: int) -> None:
    one = lab.host("one", MaxSessions=sessions)
    size = 2_000_000
    names = numbered("a", 4)
    contents = {name: Random(name).randbytes(size) for name in names}
    for name, content in contents.items():
        (place.folder / f"{name}.in").write_bytes(content)
    flow = target("one")
    for name in names:
        run = f"echo $HOLDFAST_TOKEN >> ../marks; cksum {name}.in > {name}.sum; cp {name}.in {name}.out"
        files = f'cwd = "{name}"\ninputs = ["{name}.in"]\noutputs = ["{name}.out", "*.sum"]'
        flow += jobs("one", [name], run, files)
    random = Random(new_seed())
    cuts = [
        Cut(random.choice(("up", "down")), random.randrange(200_000, 4 * size), random.random() < 0.5) for _ in range(4)
    ]
    with Proxy(one.port, lambda number: cuts[number] if number < len(cuts) else None) as proxy:
        lab.route(one, proxy.port)
        place.serve_impatiently()
        assert place.finish_in_a_hurry(place.hand_over(flow), "one").code == 0
    assert check_ran_once(place, one) == {"succeeded": len(names)}
    for name, content in contents.items():
        assert (place.folder / f"{name}.out").read_bytes() == content
    assert len(list(place.folder.glob("*.sum"))) == len(names)
    assert not list(place.folder.rglob("*holdfast-part*"))
    assert not list(one.home.rglob("*holdfast-part*"))
    staged = [event for event in place.events() if isinstance(event, FilesStaged)]
    for name, content in contents.items():
        digest = hashlib.sha256(content).hexdigest()
        said = [file for event in staged for file in event.files if file.path.endswith((f"{name}.in", f"{name}.out"))]
        assert {(file.bytes, file.sha256) for file in said} == {(size, digest)}
        assert len(said) == 2  # there and back, once each
    check_log(place)


def test_a_job_that_is_cancelled_while_its_outputs_are_on_their_way_ends(place: Elsewhere, lab: Lab) -> None:
    one = lab.host("one")
    with Proxy(one.port) as proxy:
        lab.route(one, proxy.port)
        files = 'outputs = ["big", "ready"]'
        place.hand_over(target("one") + jobs("one", ["a"], "head -c 1000000 /dev/zero > big; touch ready", files))
        proxy.throttle(400_000)
        until((one.home / "holdfast" / "ready").exists, "the job has run")
        assert place.run("cancel", "a").code == 0
        place.until_state("a", "succeeded", "cancelled")
    check_log(place)
