"""The directory finds targets by name: here each has an inbox of its own, all others are with the connections."""

from __future__ import annotations

from random import Random

from holdfast.actors.address import Address
from holdfast.actors.connections.messages import Attend, ConnectionsMessage, ForTarget, Meet
from holdfast.actors.directory import Directory
from holdfast.actors.effects import Effects
from holdfast.actors.inbox import Inbox
from holdfast.actors.live import Live
from holdfast.actors.targets.messages import Stop, TargetMessage
from holdfast.actors.writer import OpenLog
from holdfast.events.draft import Draft
from holdfast.events.facts import HostChanged, TargetConfigured
from holdfast.events.hosts import Down, HostState, Idle, NeedsYou, Up
from holdfast.events.records import Target
from holdfast.events.spec import SlurmSpec, SshSpec
from holdfast.store.memory import MemoryStore

from .stepping import run_virtual

STOP = Stop(1, ("home.1.1",))


def said(inbox: Inbox[ConnectionsMessage]) -> list[ConnectionsMessage]:
    return run_virtual(inbox.take)


def directory() -> tuple[Directory, Inbox[TargetMessage], Inbox[ConnectionsMessage]]:
    local, others = Inbox[TargetMessage]("target:local", 10), Inbox[ConnectionsMessage]("connections", 10)
    return Directory({"local": Address(local)}, Address(others)), local, others


def test_a_message_goes_to_the_target_of_this_machine_or_to_the_connections_with_its_name() -> None:
    found, local, others = directory()
    found.tell("local", STOP)
    found.tell("gpu", STOP)
    assert run_virtual(local.take) == [STOP]
    assert said(others) == [ForTarget("gpu", STOP)]
    assert found.here == ["local"]


def test_what_is_wanted_of_a_target_is_said_only_where_it_changes() -> None:
    found, _, others = directory()
    for wanted in (False, True, True, False, False):
        found.attend("gpu", wanted=wanted)
    assert said(others) == [Attend("gpu", wanted=True), Attend("gpu", wanted=False)]
    assert not found.wants("gpu")


def test_a_target_is_remembered_as_it_was_met_last() -> None:
    found, _, others = directory()
    first, second = (Target("gpu", ssh=SshSpec(host)) for host in ("gpu1", "gpu2"))
    found.meet(first)
    found.meet(second, dial=True)
    assert found.remote == {"gpu": second}
    assert said(others) == [Meet(first), Meet(second, dial=True)]


def test_targets_out_of_reach_are_tried_at_once_when_another_one_behind_their_host_is_up() -> None:
    found, _, others = directory()
    store, log = MemoryStore("home", 1), OpenLog()
    log.put(store)
    hosts: dict[str, HostState] = {
        "far": Down(1, "", 9),
        "gpu": Down(1, "", 9),
        "idle": Idle(1),
        "login": NeedsYou(1, "a code"),
        "up": Up(1),
    }
    draft = Draft(store.base, 1, Random(1), "test")
    for name, host in hosts.items():
        ssh = SshSpec("elsewhere" if name == "far" else "login")
        draft.record(TargetConfigured(name, {}, ssh, None if name == "login" else SlurmSpec()))
        draft.record(HostChanged(name, host))
    draft.record(TargetConfigured("main", {}, SshSpec("login"), SlurmSpec(partition="main")))
    store.commit([draft])
    live = Live(store.base)
    effects = Effects(live, log, found)
    effects.introduce_remote()
    said(others)
    draft = Draft(live, 2, Random(1), "test")
    draft.record(HostChanged("main", Up(2)))
    live.apply(draft)
    effects.derive(draft, {})
    assert [(each.target.name, each.dial) for each in said(others) if isinstance(each, Meet)] == [
        ("gpu", True),
        ("login", True),
    ]
