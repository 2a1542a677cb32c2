"""Each deviation from the plain form that leaves one meaning gives the graph of the plain form, alone and in pairs."""

from __future__ import annotations

import itertools
import json
import unicodedata
from typing import Any, Callable, Dict, List, Tuple

import pytest

import wfplan

Items = List[Dict[str, Any]]
GRAPH = {"1": [], "2": ["1"], "3": ["1"], "4": ["2", "3"]}


def plain() -> Items:
    return [
        {"id": one, "action": f"do_{one}", "parameters": {"n": int(one)}, "dependencies": list(needs)}
        for one, needs in GRAPH.items()
    ]


def rename(old: str, new: str) -> Callable[[Items], Items]:
    return lambda items: [{new if key == old else key: value for key, value in item.items()} for item in items]


def on_needs(change: Callable[[List[Any]], Any]) -> Callable[[Items], Items]:
    """Change what the one field of dependencies holds, whatever it is called."""

    def change_all(items: Items) -> Items:
        return [
            {
                key: change(value) if isinstance(value, list) and key not in {"parameters", "args"} else value
                for key, value in item.items()
            }
            for item in items
        ]

    return change_all


def on_ids(change: Callable[[Any], Any]) -> Callable[[Items], Items]:
    def change_all(items: Items) -> Items:
        return [
            {
                key: change(value) if key in {"id", "step_id", "task_id", "step"} else value
                for key, value in item.items()
            }
            for item in items
        ]

    return change_all


def first_without(items: Items) -> Items:
    return [{key: value for key, value in item.items() if value != []} for item in items]


def empty_as(nothing: Any) -> Callable[[Items], Items]:
    return on_needs(lambda needs: needs or nothing)


def each(change: Callable[[Any], Any]) -> Callable[[Items], Items]:
    return on_needs(lambda needs: [change(need) for need in needs])


OF_FIELDS: Dict[str, Callable[[Items], Items]] = {
    "id as step_id": rename("id", "step_id"),
    "id as taskId": rename("id", "taskId"),
    "id as step": rename("id", "step"),
    "action as tool": rename("action", "tool"),
    "action as actionType": rename("action", "actionType"),
    "parameters as args": rename("parameters", "args"),
    "dependencies as depends_on": rename("dependencies", "depends_on"),
    "dependencies as DependsOn": rename("dependencies", "DependsOn"),
    "dependencies as depends": rename("dependencies", "depends"),
    "dependencies as await": rename("dependencies", "await"),
    "dependencies as blockedBy": rename("dependencies", "blockedBy"),
    "keys in capitals": lambda items: [{key.upper(): value for key, value in item.items()} for item in items],
    "a title beside": lambda items: [{**item, "title": f"Title {item['id']}"} for item in items],
}
OF_VALUES: Dict[str, Callable[[Items], Items]] = {
    "no dependencies: left out": first_without,
    "no dependencies: null": empty_as(None),
    "no dependencies: an empty string": empty_as(""),
    "no dependencies: none": empty_as("none"),
    "no dependencies: -1": empty_as([-1]),
    "dependencies in one string": on_needs(lambda needs: ", ".join(map(str, needs)) if needs else needs),
    "dependencies with spaces": each(lambda need: f" {need} "),
    "two in a string of a list": on_needs(lambda needs: [",".join(map(str, needs))] if len(needs) > 1 else needs),
    "dependencies as objects": each(lambda need: {"id": need}),
    "dependencies as task_id objects": each(lambda need: {"task_id": need}),
    "dependencies as numbers": each(int),
    "dependencies as floats": each(float),
    "ids as numbers": on_ids(int),
    "ids as floats": on_ids(float),
    "a single string": on_needs(lambda needs: needs[0] if len(needs) == 1 else needs),
}
OF_LISTS: Dict[str, Callable[[Items], Any]] = {
    "steps": lambda items: {"steps": items},
    "todoList": lambda items: {"todoList": items},
    "ACTION-PLAN": lambda items: {"ACTION-PLAN": items},
    "bare list": lambda items: items,
    "two wrappers": lambda items: {"result": {"plan": {"steps": items}}},
    "in a list of one": lambda items: [{"recommendations": items}],
    "a string in the list": lambda items: {"recommendations": json.dumps(items)},
    "a string in an object": lambda items: {"response": json.dumps({"steps": items})},
    "OpenAI tool call": lambda items: {
        "id": "call_1",
        "type": "function",
        "function": {"name": "create_plan", "arguments": json.dumps({"steps": items})},
    },
    "OpenAI chat completion": lambda items: {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": json.dumps({"steps": items})},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    },
    "OpenAI response": lambda items: {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": json.dumps({"steps": items}), "annotations": []}],
            }
        ],
    },
    "Anthropic content block": lambda items: {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "create_plan",
        "input": {"steps": items},
    },
    "Anthropic message": lambda items: {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": json.dumps({"steps": items})}],
        "stop_reason": "end_turn",
    },
}


def as_yaml(document: Any) -> str:
    yaml = pytest.importorskip("yaml")
    return str(yaml.safe_dump(document, sort_keys=False))


OF_TEXT: Dict[str, Callable[[Any], Any]] = {
    "JSON": json.dumps,
    "bytes": lambda document: json.dumps(document).encode(),
    "byte order mark": lambda document: "\ufeff" + json.dumps(document, indent=1),
    "byte order mark in bytes": lambda document: json.dumps(document).encode("utf-8-sig"),
    "code block": lambda document: f"```json\n{json.dumps(document, indent=2)}\n```",
    "words around": lambda document: f"Sure! Here it is:\n{json.dumps(document, indent=2)}\nGood luck.",
    "thinking": lambda document: f"<think>Hm, {{let me see}}.</think>\n{json.dumps(document)}",
    "single quotes": lambda document: repr(document).replace("None", "null"),
    "escaped underscores": lambda document: json.dumps(document).replace("_", "\\_"),
    "YAML": as_yaml,
    "YAML in a code block": lambda document: f"The plan:\n```yaml\n{as_yaml(document)}```\n",
}
DEVIATIONS: List[Tuple[str, str]] = [
    (family, name)
    for family, table in (("field", OF_FIELDS), ("value", OF_VALUES), ("list", OF_LISTS), ("text", OF_TEXT))
    for name in table
]


def _apply(chosen: List[Tuple[str, str]]) -> Any:
    items = plain()
    for family, name in chosen:  # values first: they know the plain names of fields
        if family == "value":
            items = OF_VALUES[name](items)
    for family, name in sorted(chosen, key=lambda one: one[1] != "a title beside"):
        if family == "field":
            items = OF_FIELDS[name](items)
    lists = [name for family, name in chosen if family == "list"]
    document = OF_LISTS[lists[0]](items) if lists else {"recommendations": items}
    texts = [name for family, name in chosen if family == "text"]
    return OF_TEXT[texts[0]](document) if texts else document


def _go_together(one: Tuple[str, str], other: Tuple[str, str]) -> bool:
    if one[0] != other[0]:
        quoted = {"a string in the list", "a string in an object", "OpenAI tool call", "OpenAI chat completion"}
        quoted |= {"OpenAI response", "Anthropic message"}
        broken = {"escaped underscores", "single quotes"}  # quotes in quotes are not told apart
        if one[1] == "ids as floats" and other[1].startswith("YAML"):
            return False  # in YAML an id is the string that is written
        return not (one[1] in quoted and other[1] in broken)
    if one[0] in {"list", "text"}:
        return False
    if one[0] == "field":
        return one[1].split(" as ")[0] != other[1].split(" as ")[0]
    kinds = ["nothing" if ":" in name else "ids" if name.startswith("ids ") else "needs" for name in (one[1], other[1])]
    return kinds[0] != kinds[1] and not ("needs" in kinds and "no dependencies: -1" in {one[1], other[1]})


PAIRS = [
    [one, other]
    for one, other in itertools.combinations(DEVIATIONS, 2)
    if _go_together(one, other) and _apply([one, other]) not in (_apply([one]), _apply([other]))
]


def _read(chosen: List[Tuple[str, str]]) -> wfplan.Reading:
    reading = wfplan.read(_apply(chosen))
    assert reading.ok, reading.problems
    plan = wfplan.plan(reading, naming="id")
    assert {name: sorted(step.dependencies) for name, step in plan.steps.items()} == GRAPH
    assert {name: step.parameters for name, step in plan.steps.items()} == {one: {"n": int(one)} for one in GRAPH}
    assert {name: step.action for name, step in plan.steps.items()} == {one: f"do_{one}" for one in GRAPH}
    return reading


def _named(chosen: List[List[Tuple[str, str]]]) -> Any:
    return [pytest.param(one, id=" + ".join(name for _, name in one)) for one in chosen]


def test_the_plain_form_is_read_without_a_word() -> None:
    assert _read([]).problems == ()
    assert wfplan.read(_apply([]), strict=True).ok
    assert len(PAIRS) > 500


SILENT = {"JSON", "bytes", "steps", "bare list", "no dependencies: left out", "byte order mark", "a title beside"}
SILENT |= {"byte order mark in bytes"}


@pytest.mark.parametrize("chosen", _named([[one] for one in DEVIATIONS]))
def test_a_deviation_gives_the_graph_of_the_plain_form(chosen: List[Tuple[str, str]]) -> None:
    """Each with a warning of its own, which is an error if it is read strictly."""
    reading = _read(chosen)
    if chosen[0][1] in SILENT:
        return
    codes = {problem.code for problem in reading.problems if problem.severity == "warning"}
    assert codes, "a deviation is told"
    strictly = wfplan.read(_apply(chosen), strict=True)
    assert not strictly.ok
    assert codes <= {problem.code for problem in strictly.problems if problem.severity == "error"}


@pytest.mark.parametrize("chosen", _named(PAIRS))
def test_two_deviations_give_the_graph_of_the_plain_form(chosen: List[Tuple[str, str]]) -> None:
    _read(chosen)


# ----------------------------------------------------------------------------------------- with documents of their own

SINGLES: Dict[str, Tuple[Any, Dict[str, List[str]]]] = {
    "an object where a list of one belongs": ({"recommendations": {"id": "a", "action": "x"}}, {"a": []}),
    "the same without an id": ({"recommendations": {"action": "restart", "dependencies": []}}, {"1": []}),
    "a mapping of steps": (
        {"steps": {"a": {"action": "x"}, "b": {"action": "y", "needs": ["a"]}}},
        {"a": [], "b": ["a"]},
    ),
    "a title alone": ({"steps": [{"title": "Find A"}, {"title": "Compare"}]}, {"1": [], "2": []}),
    "names in place of ids": (
        {"tasks": [{"name": "load it", "run": "x"}, {"name": "merge it", "run": "y", "needs": ["load it"]}]},
        {"load it": [], "merge it": ["load it"]},
    ),
    "names beside ids": (
        {
            "tasks": [
                {"id": "1", "name": "load", "action": "x"},
                {"id": "2", "name": "merge", "action": "y", "needs": ["load"]},
            ]
        },
        {"1": [], "2": ["1"]},
    ),
    "a step called none": (
        {"steps": [{"id": "none", "action": "x"}, {"id": "b", "action": "y", "dependencies": ["none"]}]},
        {"none": [], "b": ["none"]},
    ),
    "an id with a comma": (
        {"steps": [{"id": "a,b", "action": "x"}, {"id": "c", "action": "y", "dependencies": ["a,b"]}]},
        {"a,b": [], "c": ["a,b"]},
    ),
    "zero is an id": (
        {"steps": [{"id": 0, "action": "x"}, {"id": 1, "action": "y", "await": 0}]},
        {"0": [], "1": ["0"]},
    ),
    "another Unicode normal form": (
        {
            "steps": [
                {"id": unicodedata.normalize("NFD", "prüfen"), "action": "x"},
                {"id": "b", "action": "y", "dependencies": [unicodedata.normalize("NFC", "prüfen")]},
            ]
        },
        {"prüfen": [], "b": ["prüfen"]},
    ),
}


@pytest.mark.parametrize("name", list(SINGLES))
@pytest.mark.parametrize("text", ["objects", "JSON", "YAML"])
def test_a_deviation_of_the_whole_gives_its_graph(name: str, text: str) -> None:
    document, graph = SINGLES[name]
    reading = wfplan.read({"objects": lambda one: one, "JSON": json.dumps, "YAML": as_yaml}[text](document))
    assert reading.ok, reading.problems
    plan = wfplan.plan(reading, naming="id")
    assert {one: list(step.dependencies) for one, step in plan.steps.items()} == graph
