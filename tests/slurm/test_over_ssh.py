"""A cluster behind a login node: one session is enough, and a link that is cut leaves nothing submitted twice (P2)."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Final

import pytest

from holdfast.events.facts import BatchSubmitted, BatchUnclear, FilesStaged
from tests.hosts.lab import Lab
from tests.hosts.proxy import Proxy, cuts_of
from tests.system.marks import MARK, new_seed
from tests.system.place import until, wait_s

from .cluster import Cluster
from .commands import slow
from .submitting import Places, jobs, numbered

CUTS: Final = 6
HOST: Final = 'host = "login"'
SIZE: Final = 1_000_000


def test_one_session_is_enough_for_jobs_their_files_and_their_output(cluster: Cluster, at: Places, lab: Lab) -> None:
    place = at(cluster)
    host = place.log_in(lab, MaxSessions=1)
    contents = {name: Random(name).randbytes(SIZE) for name in numbered("f", 3)}
    flow = place.target(HOST) + jobs(numbered("a", 20), f"{MARK}; echo out of $HOLDFAST_JOB")
    for name, content in contents.items():
        (place.folder / f"{name}.in").write_bytes(content)
        files = f'cwd = "{name}"', f'inputs = ["{name}.in"]', f'outputs = ["{name}.out", "*.sum"]'
        command = f"echo $HOLDFAST_TOKEN >> ../marks; cksum {name}.in > {name}.sum; cp {name}.in {name}.out"
        flow += jobs([name], command, *files)
    place.serve_impatiently()
    assert place.hand_over(flow).finish(100).code == 0
    assert place.check_ran_once() == {"succeeded": 20 + len(contents)}
    place.check_submitted(20 + len(contents))
    assert place.run("logs", "a7").out == "out of 8\n"
    for name, content in contents.items():
        assert (place.folder / f"{name}.out").read_bytes() == content
    staged = [file for event in place.events() if isinstance(event, FilesStaged) for file in event.files]
    digests = {hashlib.sha256(content).hexdigest() for content in contents.values()}
    assert {file.sha256 for file in staged if not file.path.endswith(".sum")} == digests
    assert not list(place.folder.rglob("*holdfast-part*"))
    assert not list(place.workdir.rglob("*holdfast-part*"))
    assert "refused" not in host.said


@pytest.mark.parametrize("sessions", [1, 10])
def test_two_targets_behind_one_login_node_share_its_connection_if_it_has_sessions_enough(
    cluster: Cluster, at: Places, lab: Lab, sessions: int
) -> None:
    place = at(cluster)
    host = place.log_in(lab, MaxSessions=sessions)
    with Proxy(host.port) as proxy:
        lab.route(host, proxy.port)
        flow = place.target(HOST) + place.target(HOST, 'partition = "small"', name="small")
        flow += jobs(numbered("a", 3)) + jobs(numbered("b", 3), target="small")
        assert place.run("run", place.flow(flow)).code == 0
        assert proxy.taken_count == (1 if sessions > 1 else 2)
    assert place.check_ran_once() == {"succeeded": 6}
    place.check_submitted(6)
    assert {place.attempt(f"b{number}").target for number in range(3)} == {"small"}


@pytest.mark.parametrize("begun", [False, True], ids=["before-it-took-effect", "after-it-took-effect"])
def test_p2_a_link_that_is_cut_in_the_middle_of_sbatch_submits_nothing_twice(
    cluster: Cluster,
    at: Places,
    lab: Lab,
    begun: bool,  # noqa: FBT001
) -> None:
    place = at(cluster)
    host = place.log_in(lab)
    with Proxy(host.port) as proxy:
        lab.route(host, proxy.port)
        place.serve_impatiently()
        cluster.commands.misbehave("sbatch", slow(0.5, 0.5), times=1)
        run = place.hand_over(place.target(HOST) + jobs(numbered("a", 4)))
        until(lambda: len(cluster.calls("sbatch")) == 1, "sbatch begins")
        if begun:
            until(lambda: len(cluster.submissions(place.home_id)) == 1, "it has taken effect")
        proxy.reset()
        assert run.finish(100).code == 0
    assert place.check_ran_once() == {"succeeded": 4}
    place.check_submitted(4)
    events = place.events()
    assert sum(isinstance(event, BatchUnclear) for event in events) == 1
    assert [event.found for event in events if isinstance(event, BatchSubmitted)] == [True]
    assert len(cluster.calls("sbatch")) == 1


@pytest.mark.thorough
def test_p2_links_that_are_cut_at_any_byte_submit_nothing_twice(cluster: Cluster, at: Places, lab: Lab) -> None:
    place = at(cluster)
    host = place.log_in(lab)
    seed = new_seed()
    # Logging in takes some 5 kB each way, and the runner's file 60 kB: what comes beyond are commands and answers.
    cuts = cuts_of(seed, 100_000)
    random = Random(seed)
    asked = 0
    with Proxy(host.port, lambda number: cuts(number) if number < CUTS else None) as proxy:
        lab.route(host, proxy.port)
        place.serve_impatiently()
        while proxy.taken_count <= CUTS // 2:
            names = numbered(f"part{asked}-", 3)
            place.hand_over(place.target(HOST) + jobs(names) + jobs([f"{names[0]}x"], MARK, 'timeout = "1h"'))
            asked += 4
            wait_s(random.uniform(0, 0.5))
            if random.random() < 0.3:
                proxy.reset()
        until(lambda: place.unfinished() == 0, "all jobs end", 100)
    assert place.check_ran_once() == {"succeeded": asked}
    place.check_submitted(asked)
