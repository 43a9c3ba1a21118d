"""What flows may say of targets on other machines, and what people may do about them; all else is refused (P7)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from holdfast.events.decide import decide
from holdfast.events.errors import BadInput
from holdfast.events.facts import DialRequested, HostTrusted, TargetConfigured
from holdfast.events.hosts import IDLE, HostState, NeedsYou, Refused, Up
from holdfast.events.messages import Changed, Dial, HostSeen, Reported, Submit, Trust
from holdfast.events.remote import trust
from holdfast.events.spec import FlowSpec, JobSpec, SlurmSpec, SshSpec, TargetSpec

from .home import Home

GPU = TargetSpec({"cpus": 8}, SshSpec("gpu1"))
SHOWN = Refused(5, "its key is not known", "ssh-ed25519 AAAA", "SHA256:right")


def job(target: str = "gpu", cwd: str = "") -> JobSpec:
    return JobSpec(run=("true",), cwd=cwd, target=target)


def submit(home: Home, *jobs: JobSpec, **targets: TargetSpec) -> None:
    home.do(Submit(FlowSpec(jobs, targets=targets)))


def refusal(home: Home, *jobs: JobSpec, **targets: TargetSpec) -> str:
    """What is said of such a flow; nothing of it is recorded."""
    before = len(home.base.records.jobs), dict(home.base.records.targets)
    with pytest.raises(BadInput) as raised:
        submit(home, *jobs, **targets)
    assert (len(home.base.records.jobs), dict(home.base.records.targets)) == before
    return str(raised.value)


def seen(home: Home, host: HostState) -> None:
    home.report(HostSeen("gpu", host))


def test_a_target_on_another_machine_is_declared_with_its_first_job() -> None:
    home = Home()
    submit(home, job(), gpu=GPU)
    assert TargetConfigured("gpu", {"cpus": 8}, SshSpec("gpu1")) in home.events
    target = home.base.records.targets["gpu"]
    assert (target.ssh, target.host, target.trusted) == (SshSpec("gpu1"), IDLE, ())


@pytest.mark.parametrize(
    "way, where",
    [
        (SshSpec(""), "targets.gpu.host"),
        (SshSpec("-oProxyCommand=true"), "targets.gpu.host"),
        (SshSpec("a b"), "targets.gpu.host"),
        (SshSpec("a\nHost b"), "targets.gpu.host"),
        (SshSpec("gpu1", workdir="data"), "targets.gpu.workdir"),
        (SshSpec("gpu1", workdir="~other/data"), "targets.gpu.workdir"),
        (SshSpec("gpu1", workdir="/data/../etc"), "targets.gpu.workdir"),
        (SshSpec("gpu1", workdir="/data\nx"), "targets.gpu.workdir"),
        (SshSpec("gpu1", python="a\0b"), "targets.gpu.python"),
        (SshSpec("gpu1", python="a\nb"), "targets.gpu.python"),
    ],
)
def test_p7_a_way_that_could_be_taken_for_something_else_is_refused(way: SshSpec, where: str) -> None:
    assert where in refusal(Home(), job(), gpu=TargetSpec({"cpus": 1}, way))


def test_p7_this_machine_can_not_be_declared_to_be_another_one() -> None:
    assert "targets.local.kind" in refusal(Home(), job("local", cwd="/"), local=GPU)


@pytest.mark.parametrize("cwd", ["/tmp", "..", "a/../../b", "~", "~/x"])
def test_p7_a_job_there_stays_below_the_workdir(cwd: str) -> None:
    assert "jobs.1.cwd" in refusal(Home(), job(cwd=cwd), gpu=GPU)


def test_p7_a_target_that_nobody_declared_is_refused_with_how_to_declare_it() -> None:
    message = refusal(Home(), job("nowhere"))
    assert "nowhere" in message
    assert 'kind = "ssh"' in message


def test_p7_two_targets_of_one_flow_can_not_have_one_host() -> None:
    message = refusal(Home(), job(), gpu=GPU, other=TargetSpec({"cpus": 1}, SshSpec("gpu1", workdir="~/other")))
    assert "gpu1" in message
    assert "counts what is used there" in message


def test_p7_a_host_of_another_target_in_the_home_is_refused() -> None:
    home = Home()
    submit(home, job(), gpu=GPU)
    assert "the target 'gpu' has the host" in refusal(home, job("other"), other=GPU)


def test_the_way_can_change_while_nothing_is_in_flight_and_not_else() -> None:
    home = Home()
    other = TargetSpec({"cpus": 8}, SshSpec("gpu2"))
    submit(home, job(), gpu=GPU)
    home.launch(1)
    assert "in flight" in refusal(home, job(), gpu=other)
    submit(home, job(), gpu=TargetSpec({"cpus": 4}, SshSpec("gpu1")))  # what it offers may change at any time
    home.report(Reported("gpu", (home.status(1, "ended", how="exited", exit_code=0),)))
    submit(home, job(), gpu=other)
    assert home.base.records.targets["gpu"].ssh == SshSpec("gpu2")


def test_a_machine_that_is_connected_is_not_dialled_again() -> None:
    home = Home()
    submit(home, job(), gpu=GPU)
    assert home.change(Dial(("gpu", "gpu"))) == Changed(targets=("gpu",))
    assert home.events == [DialRequested("gpu")]
    seen(home, Up(3))
    assert home.change(Dial(("gpu",))) == Changed()


@pytest.mark.parametrize("name", ["local", "nowhere"])
def test_p7_only_other_machines_are_dialled_or_trusted(name: str) -> None:
    home = Home()
    for command in (Dial((name,)), Trust(name, "SHA256:right")):
        with pytest.raises(BadInput, match="holdfast hosts"):
            home.do(command)


def test_p8_a_key_is_trusted_by_the_fingerprint_that_it_has_and_opens_the_way() -> None:
    home = Home()
    submit(home, job(), gpu=GPU)
    with pytest.raises(BadInput, match="no key"):
        home.do(Trust("gpu", "SHA256:right"))
    seen(home, SHOWN)
    with pytest.raises(BadInput, match="not SHA256:wrong"):
        home.do(Trust("gpu", "SHA256:wrong"))
    assert home.base.records.targets["gpu"].trusted == ()
    home.do(Trust("gpu", "SHA256:right"))
    assert home.events == [HostTrusted("gpu", SHOWN.key, SHOWN.fingerprint)]
    target = home.base.records.targets["gpu"]
    assert (target.trusted, target.host) == ((SHOWN.key,), IDLE)


def test_a_key_that_is_accepted_counts_for_all_targets_behind_the_host_that_showed_it() -> None:
    home = Home()
    there = SshSpec("gpu1")
    others = {name: TargetSpec({}, there, SlurmSpec()) for name in ("cluster", "another")}
    submit(home, job(), gpu=GPU, elsewhere=TargetSpec({"cpus": 1}, SshSpec("gpu2")), **others)
    shown = {"gpu": SHOWN, "cluster": SHOWN, "elsewhere": SHOWN, "another": replace(SHOWN, key="ssh-ed25519 BBBB")}
    for name, host in shown.items():
        home.report(HostSeen(name, host))
    assert home.do(Trust("cluster", "SHA256:right")) == Changed(targets=("cluster", "gpu"))
    trusted = {name: home.base.records.targets[name].trusted for name in shown}
    assert trusted == {"gpu": (SHOWN.key,), "cluster": (SHOWN.key,), "elsewhere": (), "another": ()}


def test_p8_a_key_is_not_accepted_for_a_target_that_was_given_another_host_in_the_same_turn() -> None:
    home = Home()
    there = SshSpec("gpu1")
    submit(home, job(), gpu=GPU, cluster=TargetSpec({}, there, SlurmSpec()))
    for name in ("gpu", "cluster"):
        home.report(HostSeen(name, SHOWN))
    draft = home.draft()
    moved = TargetSpec({}, SshSpec("gpu2"), SlurmSpec())
    decide(draft, Submit(FlowSpec((job("cluster"),), targets={"cluster": moved})))
    assert trust(draft, "gpu", "SHA256:right") == Changed(targets=("gpu",))


def test_p8_there_is_nothing_to_trust_on_a_machine_that_wants_a_password() -> None:
    home = Home()
    submit(home, job(), gpu=GPU)
    seen(home, NeedsYou(4, "its password"))
    with pytest.raises(BadInput, match="no key"):
        home.do(Trust("gpu", "SHA256:right"))
