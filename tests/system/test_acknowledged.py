"""Promises P1 and P7 against kill -9 while submitting: what was told is recorded, a flow is there whole or not."""

from __future__ import annotations

from random import Random

import pytest

from .marks import MARK, check_log, check_ran_once, new_seed
from .place import Place, wait_s

MANY = 20_000


@pytest.mark.slow
def test_p7_a_flow_is_recorded_whole_or_not_at_all_over_kills(place: Place) -> None:
    random = Random(new_seed())
    lines = "".join(f'{{"name": "j{number}", "run": "true", "hold": true}}\n' for number in range(MANY))
    flow = place.flow(lines, "flow.jsonl")
    for _ in range(8):
        run = place.start("run", flow)
        wait_s(random.uniform(0.2, 1.6))
        run.kill()
        assert len(place.jobs()) in {0, MANY}
    done = place.run("run", flow)
    assert done.code == 1
    assert f"{MANY} held" in done.err
    assert len(place.jobs()) == MANY, "the same flow again goes on with what was recorded"
    check_log(place)


@pytest.mark.slow
@pytest.mark.parametrize("supervised", [True, False], ids=["with a supervisor", "without one"])
def test_p1_an_id_that_was_printed_is_in_the_log_whatever_is_killed_then(place: Place, *, supervised: bool) -> None:
    random = Random(new_seed())
    for number in range(6):
        serve = place.serve() if supervised else None
        submit = place.start("submit", "--name", f"j{number}", "--key", f"k{number}", "--", "sh", "-c", MARK)
        wait_s(random.uniform(0.1, 0.5))
        (serve or submit).kill()
        if serve is not None:
            submit.child.wait(60)
        if submit.out:
            assert place.job(submit.out.strip()).name == f"j{number}"
        # A key makes it safe to say it again where nothing was heard.
        again = place.run("submit", "--name", f"j{number}", "--key", f"k{number}", "--", "sh", "-c", MARK)
        assert again.out == f"{number + 1}\n"
    assert place.run("run").code == 0
    assert check_ran_once(place, {f"j{number}" for number in range(6)}) == {"succeeded": 6}
    check_log(place)
