"""The dependency graph: its validator against networkx, and the table of what an end means."""

from __future__ import annotations

import itertools

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.events.errors import BadInput
from holdfast.events.graph import Kind, Verdict, find_cycle, judge, validate
from holdfast.events.states import FINAL, Cancelled, Failed, FinalState, Lost, Skipped, Succeeded

EDGES = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        st.just(size),
        st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda e: e[0] != e[1])),
    )
)


def graph_of(size: int, edges: list[tuple[int, int]]) -> dict[str, list[tuple[str, str]]]:
    wanted: dict[str, list[tuple[str, str]]] = {f"j{number}": [] for number in range(size)}
    for job, needed in edges:
        wanted[f"j{job}"].append(("after", f"j{needed}"))
    return wanted


@given(EDGES)
def test_a_cycle_is_found_exactly_where_there_is_one_and_the_one_that_is_named_is_real(
    drawn: tuple[int, list[tuple[int, int]]],
) -> None:
    size, edges = drawn
    wanted = graph_of(size, edges)
    reference: nx.DiGraph[str] = nx.DiGraph()
    reference.add_nodes_from(wanted)
    reference.add_edges_from((job, needed) for job, needs in wanted.items() for _, needed in needs)
    if nx.is_directed_acyclic_graph(reference):
        validate(list(wanted), wanted)
        return
    with pytest.raises(BadInput, match="round in a circle") as caught:
        validate(list(wanted), wanted)
    cycle = caught.value.problem.removeprefix("dependencies go round in a circle: ").split(" -> ")
    assert cycle[0] == cycle[-1]
    assert len(set(cycle)) == len(cycle) - 1
    assert all(reference.has_edge(job, needed) for job, needed in itertools.pairwise(cycle))
    assert caught.value.where == f"jobs.{cycle[0]}"


@given(EDGES)
def test_a_cycle_that_is_found_is_a_path_back_to_its_start(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    size, pairs = drawn
    edges: dict[int, list[int]] = {number: [needed for job, needed in pairs if job == number] for number in range(size)}
    cycle = find_cycle(edges)
    assert all(needed in edges[job] for job, needed in itertools.pairwise(cycle))
    assert not cycle or cycle[0] == cycle[-1]


@pytest.mark.parametrize("step", [1, -1], ids=["named before", "named after"])
def test_a_chain_of_any_depth_is_fine_whichever_end_comes_first(step: int) -> None:
    names = [f"j{number}" for number in range(100_000)][::step]
    wanted = {f"j{number}": [("after", f"j{number - 1}")] for number in range(1, 100_000)}
    validate(names, wanted)
    wanted["j0"] = [("after", "j99999")]
    with pytest.raises(BadInput, match="round in a circle"):
        validate(names, wanted)


@pytest.mark.parametrize(
    "names,wanted,where,problem,remedy",
    [
        (["a", "a"], {}, "jobs.a", "the name 'a' is given to more than one job", "unique"),
        (["a"], {"a": [("after", "a")]}, "jobs.a.after", "'a' depends on itself", "its own list"),
        (["align", "b"], {"b": [("after_any", "aling")]}, "jobs.b.after_any", "no job 'aling'", "mean 'align'"),
        (["a", "b"], {"b": [("after", "zzz")]}, "jobs.b.after", "no job 'zzz'", "name a job of this flow"),
        (["a", "b"], {"a": [("after", "b")], "b": [("after", "a")]}, "jobs.a", "a -> b -> a", "one of these"),
    ],
)
def test_each_mistake_is_named_with_its_place_and_a_remedy(
    names: list[str], wanted: dict[str, list[tuple[str, str]]], where: str, problem: str, remedy: str
) -> None:
    with pytest.raises(BadInput) as caught:
        validate(names, wanted)
    assert caught.value.where == where
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_what_is_known_outside_of_the_set_may_be_depended_on() -> None:
    validate(["a"], {"a": [("after", "old")]}, known=["old"])


MET, NEVER, UNNEEDED = Verdict.MET, Verdict.NEVER, Verdict.UNNEEDED

# By kind: after, after_any, after_failed.
TABLE: list[tuple[FinalState, tuple[Verdict, Verdict, Verdict]]] = [
    (Succeeded(1, 2), (MET, MET, UNNEEDED)),
    (Failed(2, "exit code 1"), (NEVER, MET, MET)),
    (Cancelled(2, "cancelled"), (NEVER, MET, NEVER)),
    (Lost(2, "gone"), (NEVER, MET, NEVER)),
    (Skipped(2, 1, "after job 1"), (NEVER, MET, NEVER)),
    (Skipped(2, 1, "after_failed job 1", unneeded=True), (UNNEEDED, MET, UNNEEDED)),
]


@pytest.mark.parametrize("end,verdicts", TABLE)
def test_an_end_means_for_each_kind_of_dependency_what_the_table_says(
    end: FinalState, verdicts: tuple[Verdict, Verdict, Verdict]
) -> None:
    assert tuple(judge(kind, end) for kind in Kind) == verdicts


def test_the_table_of_verdicts_has_every_end_and_the_docstring_has_the_same_table() -> None:
    assert {type(end) for end, _ in TABLE} == set(FINAL)
    rows = [line.strip(" |").split("|") for line in (judge.__doc__ or "").splitlines() if line.strip().startswith("| ")]
    written = [tuple(cell.strip().partition(":")[0] for cell in row[1:]) for row in rows[1:]]
    assert written == [tuple(verdict.name.lower() for verdict in verdicts) for _, verdicts in TABLE]


def test_the_keys_of_a_flow_are_the_names_of_the_kinds() -> None:
    assert [kind.key for kind in Kind] == ["after", "after_any", "after_failed"]
