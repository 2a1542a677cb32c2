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


def test_a_step_with_a_list_of_steps_is_no_document() -> None:
    assert errors({"id": "q", "action": "all", "steps": [A, B]}) == ["ambiguous-answer"]


# ---------------------------------------------------------------------------------------------- dependencies as objects


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


# ------------------------------------------------------------------------------------------------------------- answers


# ------------------------------------------------------------------------------------------------------------ telling


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


def test_a_place_behind_what_was_left_out_is_that_of_the_answer() -> None:
    reading = wfplan.read([A, {**B, "dependencies": [None, "gone"]}])
    assert [(problem.code, problem.location) for problem in reading.problems] == [
        ("unknown-dependency", "/1/dependencies/1"),
        ("null-as-none", "/1/dependencies/0"),
    ]
