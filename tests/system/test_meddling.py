"""Random commands through a flow of short jobs that are launched ahead: nothing runs twice, nothing is stuck."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from holdfast.client import send
from holdfast.events.messages import Cancel, Command, Hold, Pause, Prioritise, Release, Resume, Retry

from .marks import MARK, check_log, marks, new_seed
from .place import Place, wait_s

JOBS = 1200
COMMANDS = 120


def random_command(random: Random) -> Command:
    jobs = tuple(random.sample(range(1, JOBS + 1), random.randint(1, 30)))
    match random.randrange(8):
        case 0:
            return Cancel(jobs[:2])
        case 1:
            return Retry(jobs)
        case 2 | 3:
            return Hold(jobs)
        case 4:
            return Release(jobs)
        case 5:
            return Prioritise(jobs, random.randint(-5, 5))
        case 6:
            return Pause()
        case _:
            return Resume()


@pytest.mark.slow
def test_p2_a_flow_survives_random_commands_and_kills_in_between(place: Place) -> None:
    random = Random(new_seed())
    text = "[limits.some]\nconcurrent = 2\n"
    for number in range(JOBS):
        text += f'[jobs.j{number}]\nrun = "{MARK}; test $(($HOLDFAST_JOB % 9)) != 0"\n'
        text += 'retries = 1\nretry_delay = "1ms"\n'
        if number >= 10 and number % 3 == 0:
            text += f'after_any = ["j{number - 10}"]\n'
        if number % 5 == 0:
            text += 'limits = ["some"]\n'
    run = place.start("run", place.flow(text), "--slots", "3")
    place.until_state("j0", "running", "succeeded", "failed", "delayed", "launching")
    for number in range(COMMANDS):
        send(place.home, random_command(random))
        wait_s(random.uniform(0.0, 0.03))
        if number % 30 == 29:
            run.kill()
            run = place.start("run")
            wait_s(random.uniform(0.0, 0.6))
    run.kill()
    send(place.home, Resume())
    send(place.home, Release(tuple(range(1, JOBS + 1))))
    assert place.run("run").code in {0, 1}
    assert place.unfinished() == 0
    found = marks(place)
    assert [token for token, times in Counter(found).items() if times > 1] == []
    ran = {(int(number), int(attempt)) for _, number, attempt in (token.split(".") for token in found)}
    for job in place.jobs():
        assert job.state in {"succeeded", "failed", "cancelled"}, job
        if job.state == "succeeded":
            assert (job.id, job.attempt) in ran, job
    check_log(place)
