"""Plans as the graphs of other libraries, and back."""

from __future__ import annotations

import sys
from typing import Any, Dict, List

import networkx as nx
import pytest
from graphlib import TopologicalSorter

import wfplan
from wfplan import Compensation, ExecutionStrategy, RetryPolicy, Step, Workflow
from wfplan.interop.graphlib import from_graphlib, to_graphlib
from wfplan.interop.networkx import from_networkx, to_networkx

PLAN = wfplan.plan(
    Workflow(
        name="remediation",
        steps=[
            Step(name="verify", dependencies=["restart", "scale"], effect="read", metadata={"why": "to be sure"}),
            Step(name="scale", parameters={"replicas": 3}, locks=["web"], rollback=Compensation(action="scale_back")),
            Step(name="restart", dependencies=["scale"], retry=RetryPolicy(max_attempts=3), idempotent=True),
        ],
        execution_strategy=ExecutionStrategy(max_parallel=2, schedule="eager"),
    )
)


def test_a_plan_is_the_same_after_a_way_through_networkx() -> None:
    assert wfplan.plan(from_networkx(to_networkx(PLAN))) == PLAN
    assert wfplan.plan(from_networkx(to_networkx(PLAN))).fingerprint == PLAN.fingerprint


def test_edges_lead_from_what_is_first_to_what_waits() -> None:
    graph = to_networkx(PLAN)
    assert list(nx.topological_sort(graph)) == ["scale", "restart", "verify"]
    assert graph.nodes["restart"] == {
        "action": "restart",
        "batch": 2,
        "idempotent": True,
        "retry": graph.nodes["restart"]["retry"],
    }
    assert graph.graph["name"] == "remediation"


def test_levels_are_the_generations_of_networkx() -> None:
    plan = wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []})
    assert [tuple(sorted(level)) for level in nx.topological_generations(to_networkx(plan))] == [
        tuple(sorted(batch.steps)) for batch in plan.batches
    ]


def test_attributes_that_are_no_fields_go_into_metadata() -> None:
    graph = nx.DiGraph()
    graph.add_node("a", team="web", metadata={"team": "ops", "x": 1}, effect="write")
    (step,) = from_networkx(graph).steps
    assert step.metadata == {"team": "ops", "x": 1}
    assert step.effect == "write"


@pytest.mark.parametrize("name", [1, ("a",), "", " a"])
def test_a_node_that_is_no_name_is_refused(name: Any) -> None:
    graph = nx.DiGraph()
    graph.add_edge("a", name)
    graph.add_node("b", timeout_seconds=-1)
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        from_networkx(graph)
    assert [problem.code for problem in caught.value.problems] == ["invalid-field"] * 2
    if not isinstance(name, str):
        assert "networkx.relabel_nodes(graph, str)" in str(caught.value)
        graph.remove_node("b")
        assert [step.name for step in from_networkx(nx.relabel_nodes(graph, str)).steps] == ["a", str(name)]


def test_settings_of_a_graph_that_do_not_fit_are_refused() -> None:
    with pytest.raises(wfplan.InvalidWorkflowError, match="the execution strategy of the graph"):
        from_networkx(nx.DiGraph(execution_strategy={"max_parallel": 0}))


def test_a_graph_without_directions_is_refused() -> None:
    with pytest.raises(wfplan.RefusedError, match="make it a DiGraph"):
        from_networkx(nx.Graph())
    with pytest.raises(wfplan.RefusedError, match=r"a dict is not a graph .*networkx\.DiGraph"):
        from_networkx({"a": []})


def test_parallel_edges_are_one_dependency() -> None:
    doubled = nx.MultiDiGraph()
    doubled.add_edge("a", "b")
    doubled.add_edge("a", "b")
    workflow = from_networkx(doubled)
    assert workflow.steps[1].dependencies == ("a",)


def test_a_cycle_is_left_for_plan_to_tell() -> None:
    ring = nx.DiGraph()
    ring.add_edge("a", "b")
    ring.add_edge("b", "a")
    workflow = from_networkx(ring)
    assert [problem.code for problem in wfplan.check(workflow)] == ["dependency-cycle"]


def test_without_networkx_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(wfplan.BackendNotAvailableError, match=r"pip install networkx$"):
        to_networkx(PLAN)


def test_graphlib_takes_what_a_plan_gives() -> None:
    assert list(TopologicalSorter(to_graphlib(PLAN)).static_order()) == ["scale", "restart", "verify"]


def test_a_mapping_comes_back_as_it_was() -> None:
    mapping = {"tie": ["shirt"], "shirt": [], "shoes": []}
    workflow = from_graphlib(mapping)
    assert {name: list(needed) for name, needed in to_graphlib(wfplan.plan(workflow)).items()} == mapping


def test_a_name_that_is_only_needed_is_a_step_too_as_in_graphlib() -> None:
    assert [step.name for step in from_graphlib({"b": ("a", "c"), "c": ["d"]}).steps] == ["b", "c", "a", "d"]


@pytest.mark.parametrize("graph", [{"a": "b"}, {"a": 5}, {"": []}, {"a": [1]}, {"a": {1}}, {"a": None}])
def test_what_is_no_list_of_names_is_refused(graph: Dict[str, Any]) -> None:
    with pytest.raises(wfplan.InvalidWorkflowError):
        from_graphlib(graph)


def test_graphlibs_own_example_is_a_workflow() -> None:
    workflow = from_graphlib({"D": {"C", "B"}, "C": {"A"}, "B": iter("A")})
    assert [(step.name, step.dependencies) for step in workflow.steps] == [
        ("D", ("B", "C")),
        ("C", ("A",)),
        ("B", ("A",)),
        ("A", ()),
    ]


def test_records_are_flat_and_in_declared_order() -> None:
    records: List[Dict[str, Any]] = PLAN.records()
    assert [(record["step"], record["batch"], record["parallel"]) for record in records] == [
        ("verify", 3, False),
        ("scale", 1, False),
        ("restart", 2, False),
    ]
    assert records[0]["dependencies"] == ["restart", "scale"]
    assert records[1]["parameters"] == {"replicas": 3}
    assert set(records[0]) == set(records[1]) == set(records[2])


# Tables


@pytest.mark.slow
def test_a_data_frame_and_a_series_say_how_they_are_planned() -> None:
    import pandas as pd

    frame = pd.DataFrame({"id": ["a", "b"], "action": ["x", "y"], "dependencies": [[], ["a"]]})
    series = pd.Series({"a": [], "b": ["a"]})
    with pytest.raises(wfplan.InvalidWorkflowError, match=r'plan\(read\(table.to_dict\("records"\)\)\)'):
        wfplan.plan(frame)
    with pytest.raises(wfplan.InvalidWorkflowError, match=r"plan\(series.to_dict\(\)\)"):
        wfplan.plan(series)
    assert wfplan.plan(wfplan.read(frame.to_dict("records"))).strategy == "sequential"
    assert wfplan.plan(series.to_dict()).strategy == "sequential"


@pytest.mark.parametrize(
    ("attributes", "advice"),
    [
        (("to_dict", "columns"), 'plan(read(table.to_dict("records")))'),
        (("to_dict", "to_dicts", "columns"), "plan(read(table.to_dicts()))"),
        (("to_dict", "dtype"), "plan(series.to_dict())"),
        (("to_dict",), "plan(read(document))"),
    ],
)
def test_what_looks_like_a_table_says_how_it_is_planned(attributes: List[str], advice: str) -> None:
    table = type("Table", (list,), dict.fromkeys(attributes))(["id"])
    (problem,) = wfplan.check(table)
    assert (problem.code, advice in problem.suggestion) == ("invalid-document", True)


def test_every_entry_of_a_mapping_that_is_wrong_is_reported() -> None:
    with pytest.raises(wfplan.InvalidWorkflowError) as refused:
        from_graphlib({"a": 5, " b": [], "c": ["", "d"]})  # type: ignore[dict-item]
    assert len(refused.value.problems) == 3
    with pytest.raises(wfplan.RefusedError):
        from_graphlib(["a"])  # type: ignore[arg-type]
