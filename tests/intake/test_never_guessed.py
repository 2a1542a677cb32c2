"""What may say something about the order, or be more of the plan, is never passed over: it is read, or refused."""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan.prompting import feedback, plan_with_feedback

A: Dict[str, Any] = {"id": "a", "action": "x"}
B: Dict[str, Any] = {"id": "b", "action": "y"}
C: Dict[str, Any] = {"id": "c", "action": "z"}
PLAN = json.dumps({"recommendations": [A, B]})


def errors(source: Any) -> List[str]:
    return sorted({problem.code for problem in wfplan.read(source).problems if problem.severity == "error"})


def needs_of(*items: Dict[str, Any]) -> List[List[str]]:
    reading = wfplan.read(list(items))
    assert reading.ok, list(map(str, reading.problems))
    return [list(item.dependencies) for item in reading.recommendations]


@pytest.mark.parametrize(
    "beside",
    [
        {"graph": {"edges": [["a", "b"]], "note": "as said"}},
        {"graph": [{"from": "a", "to": "b", "weight": 1}]},
        {"notes": {"after": "b runs once a is done"}},
        {"notes": ["a -> b", 1]},
        {"order": "a -> b"},
        {"order": "b"},
        {"wait": "a"},
        {"alternatives": [{"action": "undo"}]},
        {"rollback": {"steps": [{"tool": "undo"}]}},
        {"second": {"b": {"action": "y", "needs": ["a"]}}},
    ],
    ids=json.dumps,
)
def test_what_may_be_more_of_a_plan_is_not_passed_over_beside_its_list(beside: Dict[str, Any]) -> None:
    """Neither in the document, nor around it, nor as JSON of its own in the answer."""
    document = {"recommendations": [A, B]}
    assert set(errors({**document, **beside})) <= {"ambiguous-answer", "unknown-field"} != set()
    assert not wfplan.read({**document, **beside}).ok
    assert not wfplan.read({"result": document, **beside}).ok
    assert not wfplan.read(f"{json.dumps(document)}\n{json.dumps(beside)}").ok


@pytest.mark.parametrize(
    "beside",
    [
        {"analysis": {"next": "watch it", "evidence": [{"id": "log-1"}]}},
        {"order": 66},
        {"summary": "first a, then b"},
        {"nodes": [{"name": "node-1", "cpu": 0.9}]},
    ],
    ids=json.dumps,
)
def test_what_is_said_beside_a_list_is_no_part_of_it(beside: Dict[str, Any]) -> None:
    assert wfplan.read({"recommendations": [A, B], **beside}).ok


def test_too_much_to_look_through_beside_a_list_is_refused() -> None:
    assert errors({"recommendations": [A, B], "notes": ["x"] * 100_001}) == ["ambiguous-answer"]


@pytest.mark.parametrize("key", ["subtasks", "then_do", "children"])
def test_steps_in_a_step_are_not_lost(key: str) -> None:
    assert not wfplan.read([{**A, key: [{"action": "z"}]}, B]).ok
    assert errors([{**A, "subtasks": [{"action": "z"}]}, B]) == ["ambiguous-answer"]


def test_a_step_with_a_list_of_steps_is_no_document() -> None:
    assert errors({"id": "q", "action": "all", "steps": [A, B]}) == ["ambiguous-answer"]


# ---------------------------------------------------------------------------------------------- dependencies as objects


@pytest.mark.parametrize(
    "need",
    [
        {"id": "a"},
        {"task": "a", "condition": "done"},
        {"id": "a", "name": "Scale it up", "conditions": [{"status": "ok"}], "reason": None},
        {"step": "a", "description": ""},
    ],
    ids=json.dumps,
)
def test_an_object_that_can_only_mean_an_id_is_that_id(need: Dict[str, Any]) -> None:
    assert needs_of(A, {**B, "dependencies": [need]}) == [[], ["a"]]


@pytest.mark.parametrize(
    "need",
    [
        {"id": "a", "optional": True},
        {"id": "a", "condition": False},
        {"id": "a", "condition": "never"},
        {"id": "a", "condition": {"not": "c"}},
        {"id": "a", "condition": 0},
        {"id": "a", "type": "blocks"},
        {"id": "a", "ref": "c"},
        {"id": "a", "name": "c"},
        {"from": "a", "to": "b"},
        {"id": 1.5},
        {"id": True},
        {"id": ["a"]},
        {"id": 10**20},
        {},
    ],
    ids=repr,
)
def test_an_object_that_may_mean_something_else_is_refused(need: Dict[str, Any]) -> None:
    assert errors([A, C, {**B, "dependencies": [need]}]) == ["invalid-field"]


@pytest.mark.parametrize("value", ["done", None, True, {}, {"condition": "done"}, {"when": ["ok"]}], ids=repr)
def test_the_keys_of_a_mapping_are_what_is_needed(value: Any) -> None:
    assert needs_of(A, {**B, "dependencies": {"a": value}}) == [[], ["a"]]


@pytest.mark.parametrize(
    "value",
    [False, "false", "No", "c", 1, [], ["c"], {"optional": "yes"}, {"condition": False}, {"when": ["x"] * 1000}],
    ids=lambda value: repr(value)[:30],
)
def test_a_mapping_whose_values_may_deny_or_name_something_is_refused(value: Any) -> None:
    assert errors([A, C, {**B, "dependencies": {"a": value}}]) == ["invalid-field"]


# ----------------------------------------------------------------------------------------------------- nothing, and ids


@pytest.mark.parametrize(
    ("item", "need"),
    [
        ({"id": "Start", "action": "x"}, "start"),
        ({"id": "1", "action": "start"}, "START"),
        ({"id": "1", "action": "x", "title": "End"}, "end"),
        ({"id": "None", "action": "x"}, "none"),
        ({"id": "1", "action": "-1"}, -1),
    ],
)
def test_a_word_for_nothing_that_something_is_called_is_not_nothing(item: Dict[str, Any], need: Any) -> None:
    for needs in (need, [need]):
        assert errors([item, {"id": "2", "action": "y", "dependencies": needs}]) == ["unknown-dependency"]
        assert needs_of(A, {**B, "dependencies": needs}) == [[], []]


def test_a_second_id_that_is_the_id_of_another_is_refused_where_it_is_needed() -> None:
    items = [{**A, "id": 1, "step_id": 2}, {**B, "id": 2, "step_id": 1}]
    assert errors([*items, {**C, "id": 3}]) == []
    assert errors([*items, {**C, "id": 3, "needs": [2]}]) == ["conflicting-fields"]
    assert errors([*items, {**C, "id": 3, "needs": 2.5}]) == ["invalid-field"]
    assert errors([*items, {**C, "id": 3}, {**C, "id": 4, "needs": [3]}]) == []


def test_an_id_in_a_mapping_under_another_name_has_to_be_its_key() -> None:
    assert errors({"a": {"action": "x", "task_id": "b"}, "b": {"action": "y"}}) == ["conflicting-fields"]
    assert errors({"1": {"action": "x", "task_id": 1}, "2": {"action": "y"}}) == []


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (["a", 1], ["1", "a"], True),
        ([{"id": "a"}], [{"id": "a"}], True),
        ([{"id": "a"}], [{"id": "1"}], False),
        ([{"id": "a"}, ["1"]], [{"id": "a"}], False),
        ([["a"]], [["a"]], False),
        ({"a": "done"}, {"a": "done"}, True),
        ({"a": "done"}, {"1": "done"}, False),
    ],
    ids=repr,
)
def test_two_names_of_dependencies_have_to_say_the_same(one: Any, other: Any, agree: bool) -> None:
    found = errors([A, {**C, "id": "1"}, {**B, "dependencies": one, "needs": other}])
    assert ("conflicting-fields" not in found) == (agree or one == other == [["a"]])


def test_two_values_that_are_too_large_to_be_compared_disagree() -> None:
    many = [["x"]] * 100_001
    assert "conflicting-fields" in errors([{**A, "parameters": {}, "args": {}}, {**B, "needs": many, "deps": many}])


# ------------------------------------------------------------------------------------------------------------- answers


def test_what_is_in_quotes_is_no_thinking() -> None:
    items = [{**A, "description": "<think>"}, {**B, "dependencies": ["a"], "description": "</think>"}]
    reading = wfplan.read("Plan: " + json.dumps(items))
    assert [item.dependencies for item in reading.recommendations] == [(), ("a",)]


@pytest.mark.parametrize(
    "beside",
    [
        'Edges: [["a", "b"]]',
        'Dependencies: {"b": ["a"]}',
        "b waits: (a, b)",
        "a -> b",
        "Run after: see above",
        "1. f(x)\n2. g($1)\n3. join()",
    ],
)
def test_words_that_may_be_the_order_of_a_plan_without_one_are_not_passed_over(beside: str) -> None:
    if beside == "b waits: (a, b)":
        assert wfplan.read(f"{PLAN}\n{beside}").ok  # words about ids are no statement of an order
    else:
        assert errors(f"{PLAN}\n{beside}") == ["ambiguous-answer"]


@pytest.mark.parametrize("beside", ["```yaml\ndependencies:\n  b: [a]\n```", "a -> b", "Order:\na => b"])
def test_nor_are_they_beside_a_plan_in_yaml(beside: str) -> None:
    pytest.importorskip("yaml")
    plan = "```yaml\nsteps:\n- id: a\n  action: x\n- id: b\n  action: y\n```\n"
    assert wfplan.read(plan + "That is all.").ok
    assert errors(plan + beside) == ["ambiguous-answer"]


# ------------------------------------------------------------------------------------------------------------ telling


def test_a_foreign_object_that_raises_is_told() -> None:
    class Odd(str):
        __slots__ = ()

        def __len__(self) -> int:
            raise RuntimeError

    assert errors([{**A, "title": Odd("x")}]) in (["invalid-document"], [])
    reading = wfplan.read([{"id": Odd("a"), "action": "x"}])
    assert [problem.message for problem in reading.problems] == [
        "an object in the document raises RuntimeError when it is looked at"
    ]


def test_feedback_names_long_ids_in_full_and_no_place() -> None:
    name = "i" * 120
    reading = wfplan.read([{"id": name, "action": "x", "dependencies": ["gone" * 30]}])
    told = str(feedback(reading.problems, reading.recommendations))
    assert f'"{name}": "{"gone" * 30}"' in told
    assert " at /" not in told


def test_feedback_about_steps_tells_what_they_need() -> None:
    steps = {"steps": [{"name": "rec-001"}, {"name": "b", "dependencies": ["rec-01"]}]}
    conversation = plan_with_feedback(lambda told: steps, max_attempts=1)
    told = conversation.attempts[0].feedback
    assert told is not None
    assert told.data["dependencies"] == {"rec-001": [], "b": ["rec-01"]}
    assert told.data["nearest"] == {"rec-01": ["rec-001"]}


@pytest.mark.parametrize("name", ["a\u3164", "a\u034fb", "a\ufe0f", "\u115f"])
def test_an_id_with_what_cannot_be_seen_is_refused(name: str) -> None:
    reading = wfplan.read([{"id": name, "action": "x"}])
    assert "cannot be seen" in reading.problems[0].message


@pytest.mark.parametrize(("one", "other"), [("rec-1", "rec\u20131"), ("A", "\u13aa"), ("a\u22121", "a-1")])
def test_dashes_and_letters_that_look_alike_are_told(one: str, other: str) -> None:
    assert errors([{"id": one, "action": "x"}, {"id": other, "action": "x"}]) == ["confusable-ids"]


def test_a_place_that_is_only_in_the_mind_of_the_reader_is_not_told() -> None:
    reading = wfplan.read({"tasks": '[{"id": "a", "action": "x", "dependencies": ["gone"]}]'})
    assert {problem.location for problem in reading.problems} == {"/tasks"}
    reading = wfplan.read([{"recommendations": [{"id": "a", "action": "x"}, {"name": "b"}]}])
    assert reading.problems[-1].location in ("/0/recommendations/1", "")


def test_a_place_behind_what_was_left_out_is_that_of_the_answer() -> None:
    reading = wfplan.read([A, {**B, "dependencies": [None, "gone"]}])
    assert [(problem.code, problem.location) for problem in reading.problems] == [
        ("unknown-dependency", "/1/dependencies/1"),
        ("null-as-none", "/1/dependencies/0"),
    ]


@pytest.mark.parametrize("needs", [{}, [{"id": "a"}], {"id": "a"}], ids=json.dumps)
def test_objects_for_dependencies_are_told_at_their_place(needs: Any) -> None:
    reading = wfplan.read([A, {**B, "dependencies": needs}])
    assert reading.ok
    told = [problem.code for problem in reading.problems if problem.severity == "warning"]
    assert told == ["dependency-object" if needs else "null-as-none"]
