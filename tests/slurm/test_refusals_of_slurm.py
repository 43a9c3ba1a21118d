"""What a real sbatch says is understood: a no is a no, a silence is none, and a yes is an id."""

from __future__ import annotations

from typing import Final

import pytest

from holdfast.actors.slurm import squeue
from holdfast.actors.slurm.refusals import NotNow, Refused, Taken, Unsure, Verdict, judge, judge_sbatch
from tests.system.place import until

from .cluster import Cluster
from .clusters import Clusters
from .questions import ROOT, ask, queue

pytestmark = pytest.mark.slow

SCRIPT: Final = "#!/bin/sh\ntrue\n"

REFUSED: Final = [
    (("--partition=nope",), SCRIPT, "partition` of the target"),
    (("--constraint=avx9",), SCRIPT, "sbatch.constraint"),
    (("--gres=warp:1",), SCRIPT, "sbatch.gres"),
    (("--licenses=nope:1",), SCRIPT, "licence"),
    (("--licenses=matlab:9",), SCRIPT, "licence"),
    (("--reservation=nope",), SCRIPT, "sbatch.reservation"),
    (("--mem=99999999M",), SCRIPT, "needs"),
    (("--nodelist=nope",), SCRIPT, "sbatch.nodelist"),
    (("--array=0-99999",), SCRIPT, "MaxArraySize"),
    (("--nope",), SCRIPT, "--nope"),
    (("--time=soon",), SCRIPT, "--time"),
    (("--hint=nope",), SCRIPT, "hint"),
    (("--switches=nope",), SCRIPT, "switches"),
    (("--begin=nope",), SCRIPT, "begin"),
    (("--mem=1G", "--mem-per-cpu=1G"), SCRIPT, "mutually exclusive"),
    ((), "true\n", "#!"),
    ((), "", "empty"),
    ((), "#!/bin/sh\r\ntrue\r\n", "DOS"),
    ((), f"#!/bin/sh\n#{'x' * 5_000_000}\n", "too long"),
]


def submit(cluster: Cluster, *options: str, script: str = SCRIPT) -> Verdict:
    return judge_sbatch(ask(cluster, ("sbatch", "--parsable", "--job-name=tok.judged", *options), script))


@pytest.mark.parametrize("options,script,said", REFUSED)
def test_what_a_cluster_can_never_give_is_refused(
    cluster: Cluster, options: tuple[str, ...], script: str, said: str
) -> None:
    verdict = submit(cluster, *options, script=script)
    assert isinstance(verdict, Refused)
    assert said in verdict.sentence


def test_an_id_is_a_yes(cluster: Cluster) -> None:
    verdict = submit(cluster, "--hold")
    assert isinstance(verdict, Taken)
    assert [row.name for row in queue(cluster, int(verdict.id))] == ["tok.judged"]


def test_limits_of_accounts_and_qos_are_told_apart(own_cluster: Clusters) -> None:
    own = own_cluster(accounting=True, nodes=1, AccountingStorageEnforce="associations,limits,qos")
    nobodys, unknown = submit(own, "--account=nope"), submit(own, "--qos=nope")
    assert isinstance(nobodys, Refused)
    assert "`account` of the target" in nobodys.sentence
    assert isinstance(unknown, Refused)
    assert "sbatch.qos" in unknown.sentence
    taken = [submit(own, "--qos=short", "--hold") for _ in range(2)]
    assert all(isinstance(each, Taken) for each in taken)
    third = submit(own, "--qos=short", "--hold")
    assert isinstance(third, NotNow)
    assert "QOSMaxSubmitJobPerUserLimit" in third.sentence
    many = submit(own, "--account=chem", "--array=0-9", "--hold")
    assert isinstance(many, NotNow)
    assert "AssocGrpSubmitJobsLimit" in many.sentence


@pytest.mark.thorough
def test_p2_a_controller_that_does_not_answer_has_said_nothing_and_may_have_the_job(own_cluster: Clusters) -> None:
    own = own_cluster(nodes=1, MessageTimeout=3)
    own.controller.stop()
    verdict = submit(own)
    asked = ask(own, squeue.argv(ROOT))
    own.controller.continue_()
    assert isinstance(verdict, Unsure)
    assert "timed out" in verdict.sentence
    assert judge(asked) is not None
    until(lambda: own.jobs("tok.judged"), "and yet it has it")


@pytest.mark.thorough
def test_a_controller_that_is_not_there_has_no_job(own_cluster: Clusters) -> None:
    own = own_cluster(nodes=1, MessageTimeout=3)
    own.controller.kill()
    verdict = submit(own)
    asked = ask(own, squeue.argv(ROOT))
    own.controller.start()
    assert isinstance(verdict, NotNow)
    assert "can't be reached" in verdict.sentence
    assert judge(asked) is not None
    assert own.jobs("tok.judged") == []


@pytest.mark.thorough
def test_a_login_that_can_not_prove_who_it_is_has_sent_nothing(own_cluster: Clusters) -> None:
    own = own_cluster(nodes=1)
    own.munge.shut_down()
    verdict = submit(own)
    assert isinstance(verdict, NotNow)
    assert "munge" in verdict.sentence
    own.munge.start()
    assert own.jobs("tok.judged") == []
