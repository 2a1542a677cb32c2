"""Input that is made to cost time or memory, or to slip past a rule: bounded, refused, and told."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest

import wfplan
import wfplan.planner

A, B = {"id": "a", "action": "x"}, {"id": "b", "action": "y"}
PLAN = json.loads(wfplan.plan({"a": [], "b": ["a"]}).model_dump_json())


def codes(document: Any) -> list[str]:
    """The codes of the errors, from text and from objects, which agree."""
    found = [
        [problem.code for problem in wfplan.read(source).problems if problem.severity == "error"]
        for source in (document, json.dumps(document))
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("key", list(PLAN))
def test_a_plan_with_a_field_left_out_is_a_problem_at_most(key: str) -> None:
    """Only the workflow cannot be done without, nor can a plan do without its batches or strategy."""
    document = {name: value for name, value in PLAN.items() if name != key}
    lacking = key in ("workflow", "batches", "strategy")
    assert codes(document) == (["invalid-document"] if lacking else [])


@pytest.mark.parametrize(
    "beside",
    [
        {"batches": [["a"], ["b"]]},
        {"problems": ["a", "b"]},
        {"strategy": ["a", "b"]},
        {"name": {"b": ["a"]}},
        {"workflow": {"a": [], "b": ["a"]}},
        {"workflowDefinition": [["a", "b"]]},
        {"schema_version": ["a", "b"]},
    ],
    ids=str,
)
def test_edges_hide_under_no_key(beside: Dict[str, Any]) -> None:
    """What is made of ids is refused beside the list, whatever its key means in another document."""
    assert set(codes({"recommendations": [A, B], **beside})) == {"order-not-read"}


def test_a_second_workflow_is_not_passed_over() -> None:
    second = {"workflow": {"steps": [{"name": "b"}]}}
    assert codes({"steps": [{"name": "a", "action": "x"}], **second}) == ["order-not-read"]
    assert codes({"recommendations": [A], "spec": {"workflowDefinition": {"steps": [B]}}}) == ["order-not-read"]


@pytest.mark.parametrize("key", ["id", "name"])
def test_a_refused_reading_does_not_become_a_smaller_plan(key: str) -> None:
    reading = wfplan.read({"steps": [{key: "a", "action": "x"}, {key: "b", "action": "y", "confidence": 3}]})
    assert not reading.ok
    assert not wfplan.read(reading.model_dump_json()).ok


@pytest.mark.parametrize("field", ["dependencies", "locks"])
def test_a_list_of_what_is_no_text_is_told_in_part(field: str) -> None:
    """A million wrong elements are not a million problems."""
    document = {"steps": [{"name": "a", field: [True] * 100_000}]}
    for source in (document, json.dumps(document)):
        problems = wfplan.read(source).problems
        assert len(problems) == 21
        assert problems[0].location == f"/steps/0/{field}/0"
        assert "99,980 more" in problems[-1].message


def test_a_kind_of_text_is_text() -> None:
    class Word(str):
        __slots__ = ()

    reading = wfplan.read({"steps": [{"name": "a"}, {"name": "b", "dependencies": [Word("a")]}]})
    assert wfplan.plan(reading).batches[1].steps == ("b",)


@pytest.mark.parametrize("field", ["retry", "rollback"])
def test_an_object_of_very_many_unknown_fields_is_one_problem(field: str) -> None:
    assert codes({"steps": [{"name": "a", field: {str(number): 1 for number in range(50_000)}}]}) == ["invalid-field"]


def test_very_many_keys_that_collide_are_linear() -> None:
    collisions = {"k" + "_" * count: 1 for count in range(2000)}
    assert "invalid-field" in codes({"recommendations": [{**A, "metadata": collisions, **collisions}]})


def test_locks_are_counted_with_the_dependencies() -> None:
    document = {"steps": [{"name": "a", "locks": ["x"] * 10}]}
    assert wfplan.read(document, max_dependencies=10).ok
    assert not wfplan.read(document, max_dependencies=9).ok
    assert not wfplan.read(json.dumps(document), max_dependencies=9).ok


def test_one_long_action_does_not_widen_a_whole_table() -> None:
    steps = [wfplan.Step(name="a", action="\U000e0001" * 1024), wfplan.Step(name="b")]
    assert max(map(len, str(wfplan.plan(steps)).splitlines())) < 120


def test_true_is_no_schema_version() -> None:
    assert codes({"steps": [{"name": "a"}], "schema_version": True}) == ["invalid-field"]


def test_text_that_utf_8_cannot_hold_is_refused_everywhere() -> None:
    assert not wfplan.read([{**A, "description": "\ud800"}]).ok
    assert not wfplan.read({"steps": [{"name": "a"}], "name": "\ud800"}).ok


def test_a_plan_shares_nothing_with_the_recommendations_it_was_made_of() -> None:
    parameters: Dict[str, Any] = {"n": 1, "deep": [1]}
    metadata: Dict[str, Any] = {"m": 1}
    recommendation = wfplan.Recommendation(id="a", action="x", parameters=parameters, metadata=metadata)
    plan = wfplan.plan([recommendation])
    before = plan.fingerprint
    parameters["n"] = 2
    parameters["deep"].append(2)
    metadata["execution_mode"] = "sequential"
    assert wfplan.plan([recommendation]).fingerprint == plan.model_copy().fingerprint == before


@pytest.mark.parametrize("key", ["execution_mode", "executionMode", "Execution-Mode"])
def test_a_hint_beside_the_metadata_counts(key: str) -> None:
    """Kept where hints are looked for; where it contradicts what is there, it is refused."""
    document = {"recommendations": [{**A, key: "sequential"}, B]}
    assert not wfplan.plan(wfplan.read(document)).batches[0].parallel
    document["recommendations"][0]["metadata"] = {"execution_mode": "parallel"}
    assert codes(document) == ["conflicting-fields"]


def test_two_hints_that_contradict_each_other_are_refused() -> None:
    hints = {"execution_mode": "sequential", "executionMode": "parallel"}
    assert codes({"recommendations": [{**A, **hints}, B]}) == ["order-not-read"]
    assert codes({"recommendations": [{**A, **dict.fromkeys(hints, "sequential")}, B]}) == []


def test_a_mode_beside_the_metadata_is_read_or_refused_where_it_is() -> None:
    for mode, code in (("Serial", "mode-alias"), ("sometimes", "order-not-read")):
        reading = wfplan.read({"recommendations": [{**A, "executionMode": mode}]})
        places = {problem.code: problem.location for problem in reading.problems}
        assert places[code] == "/recommendations/0/executionMode"


@pytest.mark.parametrize("key", ["prerequisite_ids", "dep_ids", "run_after_steps", "wait_for_tasks", "previous"])
def test_longer_spellings_of_an_order_are_refused(key: str) -> None:
    assert codes({"recommendations": [A, {**B, key: ["a", "gone"]}]}) == ["order-not-read"]


@pytest.mark.parametrize("field", [{"required": True}, {"blocking": False}, {"independent": True}])
def test_a_flag_states_no_order(field: Dict[str, Any]) -> None:
    assert codes({"recommendations": [A, {**B, **field}]}) == []


def test_max_batch_size_below_one_is_refused() -> None:
    graph = wfplan.planner.build_dependency_graph([wfplan.Step(name="a")])
    with pytest.raises(ValueError, match="at least 1, not 0"):
        wfplan.planner.calculate_execution_order(graph, max_batch_size=0)
