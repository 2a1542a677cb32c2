"""An action that is the key of its parameters, as the schema of a catalog asks for it."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

import pytest
from pydantic import BaseModel, Field

import wfplan
from wfplan import Action


class Scale(BaseModel):
    namespace: str = "default"
    replicas: int = Field(ge=0, le=50)


def parts(action: Any, **more: Any) -> Tuple[str, Dict[str, Any]] | None:
    """Action and parameters of a recommendation with this action, if it can be read without a word."""
    reading = wfplan.read({"recommendations": [{"id": "1", "action": action, **more}]}, strict=True)
    if not reading.ok:
        assert {problem.location for problem in reading.problems} == {"/recommendations/0/action"}
        return None
    assert reading.problems == ()
    return reading.recommendations[0].action, reading.recommendations[0].parameters


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ({"replicas": 3}, {"replicas": 3}),
        ({}, {}),
        (None, {}),
        ([], {}),
        ([{"name": "replicas", "value": "3"}], {"replicas": "3"}),
        ('{"replicas": 3}', {"replicas": 3}),
        (' {"text": "{}"}\n', {"text": "{}"}),
        ({"action": "x", "dependencies": ["y"]}, {"action": "x", "dependencies": ["y"]}),
    ],
)
@pytest.mark.parametrize("more", [{}, {"parameters": None}, {"parameters": {}}, {"parameters": []}])
def test_an_action_that_is_the_key_of_its_parameters_is_read(
    value: Any, parameters: Dict[str, Any], more: Dict[str, Any]
) -> None:
    assert parts({"scale": value}, **more) == ("scale", parameters)


@pytest.mark.parametrize(
    "action",
    [
        {},
        {"scale": {}, "verify": {}},
        {"": {}},
        {1: {}},
        {"scale": 3},
        {"scale": True},
        {"scale": "now"},
        {"scale": ""},
        {"scale": "null"},
        {"scale": "[]"},
        {"scale": '{"a": 1, "a": 2}'},
        {"scale": ["a"]},
        {"scale": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]},
        *({name: {}} for name in ("name", "tool", "function", "parameters", "arguments", "type", "id", "dependsOn")),
    ],
)
def test_any_other_object_in_place_of_an_action_is_an_error(action: Any) -> None:
    assert parts(action) is None


@pytest.mark.parametrize("parameters", [{"a": 1}, [1], 0, False, "x"])
def test_so_it_is_where_there_are_parameters_besides(parameters: Any) -> None:
    reading = wfplan.read([{"id": "1", "action": {"scale": {}}, "parameters": parameters}])
    assert "/0/action" in {problem.location for problem in reading.problems}


def test_it_is_read_in_every_way_that_an_answer_comes() -> None:
    items = [{"id": "a", "action": {"scale": {"replicas": 1}}}, {"id": "b", "action": {"verify": None}}]
    document = {"recommendations": [{**items[0], "dependencies": []}, {**items[1], "dependencies": ["a"]}]}
    text = json.dumps(document)
    for source in (document, document["recommendations"], text, f"Here it is:\n```json\n{text}\n```\nThat is all."):
        reading = wfplan.read(source)
        assert reading.ok
        assert [item.action for item in reading.recommendations] == ["scale", "verify"]


def test_it_is_read_in_steps_too() -> None:
    steps = [{"name": "a", "action": {"scale": {"n": 1}}}, {"name": "b", "action": {"x": None}, "dependencies": ["a"]}]
    reading = wfplan.read({"steps": steps}, strict=True)
    assert reading.problems == ()
    assert reading.workflow is not None
    assert [(step.action, step.parameters) for step in reading.workflow.steps] == [("scale", {"n": 1}), ("x", {})]
    assert not wfplan.read({"steps": [{"name": "a", "action": {"rollback": {}}}]}).ok


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            {"action": {"scale": {"replicas": 99, "namespce": "x"}}},
            ["/action/scale/namespce", "/action/scale/replicas"],
        ),
        ({"action": {"scale": {"namespace": "x"}}}, ["/action/scale/replicas"]),
        ({"action": {"scale": '{"replicas": 99}'}}, ["/action/scale"]),
        ({"action": {"a/b": {"x": 1}}}, ["/action/a~1b/x"]),
        ({"action": {"scal": {"x": 1}}}, ["/action"]),
        ({"tool": {"scale": {"replicas": 99}}}, ["/tool", "/tool/scale/replicas"]),
        ({"action": {"verify": None}, "confidence": 90}, ["/confidence"]),
    ],
)
def test_problems_are_told_where_they_are(item: Dict[str, Any], expected: List[str]) -> None:
    catalog = {"scale": Action(parameters=Scale), "a/b": Action(), "verify": Action()}
    reading = wfplan.read(json.dumps([{"id": "1", **item}]), catalog=catalog)
    assert sorted(problem.location for problem in reading.problems) == [f"/0{place}" for place in expected]
