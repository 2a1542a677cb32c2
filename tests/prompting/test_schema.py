"""What a model is asked for: a schema that every strict mode takes, and a prompt whose example keeps to it."""

from __future__ import annotations

import copy
import json
from typing import Any, Callable, Dict, List, Tuple

import pytest
from strict_schema import MAX_CHARACTERS, MAX_DEPTH, MAX_PROPERTIES, depth_of, violations, walk

import wfplan
from wfplan.models import Recommendation
from wfplan.prompting import prompt_instructions, recommendation_schema

FIELDS = ["id", "action", "description", "parameters", "dependencies", "confidence"]


def item_schema() -> Dict[str, Any]:
    schema: Dict[str, Any] = recommendation_schema()["properties"]["recommendations"]["items"]
    return schema


def example() -> Dict[str, Any]:
    """The answer in the instructions: from the first brace to the end."""
    text = prompt_instructions()
    answer: Dict[str, Any] = json.loads(text[text.index("{") :])
    return answer


TYPES: Dict[str, Tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def mismatches(value: Any, schema: Dict[str, Any], path: str = "") -> List[str]:
    """Where a value is not what the schema says, of the few keywords that it uses."""
    if "anyOf" in schema:
        branches = [mismatches(value, branch, path) for branch in schema["anyOf"]]
        return [] if [] in branches else [f"{path}: fits no branch"]
    if isinstance(value, bool) != (schema["type"] == "boolean") or not isinstance(value, TYPES[schema["type"]]):
        return [f"{path}: no {schema['type']}"]
    if value not in schema.get("enum", (value,)):
        return [f"{path}: none of the enum"]
    if schema["type"] == "array":
        return [
            found
            for position, item in enumerate(value)
            for found in mismatches(item, schema["items"], f"{path}/{position}")
        ]
    if schema["type"] != "object":
        return []
    wrong = [f"{path}: {key} is missing" for key in schema["required"] if key not in value]
    wrong += [f"{path}: {key} is not allowed" for key in value if key not in schema["properties"]]
    for key, inner in schema["properties"].items():
        wrong += mismatches(value[key], inner, f"{path}/{key}") if key in value else []
    return wrong


# --------------------------------------------------------------------------------------------------- the strict modes


BASE: Dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "string"}}},
    "required": ["a", "b"],
    "additionalProperties": False,
}


def objects(*names: str) -> List[Dict[str, Any]]:
    """One object for each name, that has a property of it."""
    return [{**BASE, "properties": {name: {"type": "string"}}, "required": [name]} for name in names]


def nested(levels: int) -> Dict[str, Any]:
    schema: Dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def with_root(**changes: Any) -> Dict[str, Any]:
    return {**copy.deepcopy(BASE), **changes}


def with_a(schema: Dict[str, Any]) -> Dict[str, Any]:
    """The base with another schema for its property `a`."""
    changed = copy.deepcopy(BASE)
    changed["properties"]["a"] = schema
    return changed


def with_names(*names: str, **inner: Any) -> Dict[str, Any]:
    return with_root(properties=dict.fromkeys(names, inner or {"type": "string"}), required=list(names))


def endless() -> Dict[str, Any]:
    schema = copy.deepcopy(BASE)
    schema["properties"]["b"]["items"] = schema
    return schema


BROKEN: Dict[str, Tuple[Dict[str, Any], List[str]]] = {
    "root choice": (
        {"anyOf": objects("x", "y")},
        ["openai : the root is no object"],
    ),
    "root list": ({"type": "array", "items": BASE}, ["openai : the root is no object"]),
    "open object": (with_root(additionalProperties=True), ["all : additionalProperties is not false"]),
    "silent object": (
        {key: value for key, value in BASE.items() if key != "additionalProperties"},
        ["all : additionalProperties is not false"],
    ),
    "map": (
        with_a({"type": "object", "additionalProperties": {"type": "string"}}),
        [
            "all /properties/a: additionalProperties is not false",
            "openai /properties/a: an object that has to be empty",
        ],
    ),
    "optional": (with_root(required=["a"]), ["openai : required does not list all properties in their order"]),
    "order": (with_root(required=["b", "a"]), ["openai : required does not list all properties in their order"]),
    "default": (with_a({"type": "string", "default": ""}), ["openai /properties/a: default is refused"]),
    "title": (with_a({"type": "string", "title": "A"}), ["gemini /properties/a: title is refused"]),
    "minimum": (with_a({"type": "number", "minimum": 0}), ["anthropic /properties/a: minimum is refused"]),
    "exclusive": (
        with_a({"type": "number", "exclusiveMaximum": 1}),
        ["anthropic /properties/a: exclusiveMaximum is refused", "gemini /properties/a: exclusiveMaximum is refused"],
    ),
    "length": (
        with_a({"type": "string", "maxLength": 128}),
        ["openai /properties/a: maxLength is refused", "anthropic /properties/a: maxLength is refused"],
    ),
    "items": (
        with_a({"type": "array", "items": {"type": "string"}, "maxItems": 5}),
        ["anthropic /properties/a: maxItems is refused"],
    ),
    "many items": (
        with_a({"type": "array", "items": {"type": "string"}, "minItems": 2}),
        ["anthropic /properties/a: minItems above 1"],
    ),
    "unique items": (
        with_a({"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        ["openai /properties/a: uniqueItems is refused"],
    ),
    "untyped items": (with_a({"type": "array"}), ["openai /properties/a: items without a type"]),
    "untyped": (with_a({"description": "anything"}), ["openai /properties/a: no type"]),
    "one of": (with_a({"oneOf": objects("x", "y")}), ["openai /properties/a: oneOf is refused"]),
    "all of": (with_a({"allOf": objects("x")}), ["openai /properties/a: allOf is refused"]),
    "not": (with_a({"type": "string", "not": {"type": "null"}}), ["openai /properties/a: not is refused"]),
    "types": (with_a({"type": ["string", "null"]}), ["gemini /properties/a: a list of types"]),
    "nullable": (with_a({"type": "string", "nullable": True}), ["all /properties/a: nullable is unknown"]),
    "described choice": (
        with_a({"anyOf": [{"type": "string"}, {"type": "null"}], "description": "maybe"}),
        ["gemini /properties/a: fields beside anyOf"],
    ),
    "first keys": (
        with_a({"anyOf": objects("x", "x")}),
        ["openai /properties/a: branches share their first key"],
    ),
    "numbers": (
        with_a({"type": "number", "enum": [1, 2]}),
        ["gemini /properties/a: enum of other values than texts"],
    ),
    "empty value": (
        with_a({"type": "string", "enum": ["x", ""]}),
        ["gemini /properties/a: an empty value in an enum"],
    ),
    "long enum": (
        with_a({"type": "string", "enum": [f"{number:0100}" for number in range(251)]}),
        ["openai /properties/a: an enum too long"],
    ),
    "const": (with_a({"type": "string", "const": "x"}), ["gemini /properties/a: const is refused"]),
    "format": (with_a({"type": "string", "format": "uri"}), ["openai /properties/a: unknown format"]),
    "pattern": (with_a({"type": "string", "pattern": "(?!a)b"}), ["openai /properties/a: pattern that looks around"]),
    "reference": (
        {**with_a({"$ref": "#/$defs/x"}), "$defs": {"x": {"type": "string"}}},
        ["gemini : $defs is refused", "gemini /properties/a: $ref is refused"],
    ),
    "described reference": (
        {**with_a({"$ref": "#/$defs/x", "description": "x"}), "$defs": {"x": {"type": "string"}}},
        [
            "gemini : $defs is refused",
            "gemini /properties/a: $ref is refused",
            "openai /properties/a: siblings of $ref",
        ],
    ),
    "recursion": (
        with_a({"$ref": "#"}),
        ["gemini /properties/a: $ref is refused", "anthropic /properties/a: recursion"],
    ),
    "depth": (with_a(nested(MAX_DEPTH - 1)), ["openai : too deep"]),
    "endless": (endless(), ["openai : too deep"]),
    "properties": (
        with_names(*map(str, range(MAX_PROPERTIES + 1))),
        ["openai : too many properties"],
    ),
    "characters": (with_names("x" * (MAX_CHARACTERS + 1)), ["openai : too many characters"]),
    "values": (
        with_a({"type": "string", "enum": list(map(str, range(1001)))}),
        ["openai : too many enum values"],
    ),
    "unions": (
        with_names(*map(str, range(17)), anyOf=[{"type": "string"}, {"type": "null"}]),
        ["anthropic : too many unions"],
    ),
}


@pytest.mark.parametrize(("schema", "expected"), BROKEN.values(), ids=list(BROKEN))
def test_the_checker_finds(schema: Dict[str, Any], expected: List[str]) -> None:
    assert sorted(violations(schema)) == sorted(expected)


@pytest.mark.parametrize(
    "schema",
    [
        BASE,
        with_a(nested(MAX_DEPTH - 2)),
        with_a({"anyOf": objects("x", "y")}),
        with_a({"type": "string", "enum": ["x", "y"]}),
        with_a({"type": "string", "format": "date"}),
    ],
)
def test_the_checker_leaves_alone(schema: Dict[str, Any]) -> None:
    assert violations(schema) == []


def test_no_strict_mode_refuses_the_schema() -> None:
    assert violations(recommendation_schema()) == []


def test_the_schema_is_far_from_every_limit() -> None:
    nodes = list(walk(recommendation_schema()))
    assert sum(len(node.get("properties", ())) for _, node in nodes) < MAX_PROPERTIES / 100
    assert depth_of(nodes) <= 7
    assert len(json.dumps(recommendation_schema())) < MAX_CHARACTERS / 10


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(recommendation_schema(), allow_nan=False)) == recommendation_schema()
    assert json.dumps(recommendation_schema()).isascii()


# --------------------------------------------------------------------------------------------------------- the schema


def test_fields_are_asked_for_in_the_order_in_which_they_bear_on_each_other() -> None:
    schema = item_schema()
    assert schema["required"] == list(schema["properties"]) == FIELDS


def test_every_field_is_one_of_a_recommendation_and_none_is_missing_but_metadata() -> None:
    assert set(Recommendation.model_fields) - set(FIELDS) == {"metadata"}
    assert set(FIELDS) <= set(Recommendation.model_fields)


def test_everything_but_null_is_described() -> None:
    bare = [path for path, node in walk(recommendation_schema()) if "description" not in node]
    assert bare == [
        "/properties/recommendations/items/properties/confidence",  # anyOf stands alone, its branch is described
        "/properties/recommendations/items/properties/confidence/anyOf/1",
    ]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("id", ["Unique", "1 to 128"]),
        ("parameters", ["as a string", "at most once"]),
        ("dependencies", ["ids of other recommendations in this answer", "No cycles"]),
        ("confidence", ["0 to 1"]),
    ],
)
def test_descriptions_tell_what_the_schema_cannot(field: str, words: List[str]) -> None:
    told = json.dumps(item_schema()["properties"][field])
    assert [word for word in words if word not in told] == []


def test_the_schema_says_that_no_execution_mode_is_stated() -> None:
    assert "Never state an execution mode" in item_schema()["description"]


def test_every_call_gives_a_new_schema_that_shares_nothing() -> None:
    changed = recommendation_schema()
    for _, node in list(walk(changed)):
        node.clear()
    assert violations(recommendation_schema()) == []
    places = [id(node) for _, node in walk(recommendation_schema())]
    assert len(places) == len(set(places))


# --------------------------------------------------------------------------------------------------- the instructions


def test_the_example_is_an_instance_of_the_schema() -> None:
    assert mismatches(example(), recommendation_schema()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda item: item.pop("confidence"), "/recommendations/0: confidence is missing"),
        (lambda item: item.update(mode="parallel"), "/recommendations/0: mode is not allowed"),
        (lambda item: item.update(confidence="high"), "/recommendations/0/confidence: fits no branch"),
        (lambda item: item.update(confidence=True), "/recommendations/0/confidence: fits no branch"),
        (lambda item: item.update(parameters={}), "/recommendations/0/parameters: no array"),
        (lambda item: item["parameters"][0].update(value=5), "/recommendations/0/parameters/0/value: no string"),
        (lambda item: item.update(dependencies=[None]), "/recommendations/0/dependencies/0: no string"),
    ],
)
def test_another_answer_is_none(change: Callable[[Dict[str, Any]], object], expected: str) -> None:
    answer = example()
    change(answer["recommendations"][0])
    assert mismatches(answer, recommendation_schema()) == [expected]


def test_the_example_has_its_keys_in_the_order_of_the_schema() -> None:
    assert [list(item) for item in example()["recommendations"]] == [FIELDS] * 4


def test_the_example_shows_every_case() -> None:
    items = example()["recommendations"]
    assert {len(item["parameters"]) for item in items} == {0, 1, 2}
    assert {len(item["dependencies"]) for item in items} == {0, 1, 2}
    assert {type(item["confidence"]) for item in items} == {float, type(None)}


def test_the_example_is_read_without_a_problem_and_is_a_diamond() -> None:
    reading = wfplan.read(json.dumps(example()), strict=True)
    assert reading.ok
    assert reading.problems == ()
    assert reading.recommendations[1].parameters == {"volume": "orders-db", "gigabytes": "200"}
    plan = wfplan.plan(reading)
    assert plan.problems == ()
    assert [batch.steps for batch in plan.batches] == [
        ("pause_writes",),
        ("resize_volume", "rotate_logs"),
        ("resume_writes",),
    ]
    assert [batch.parallel for batch in plan.batches] == [False, True, False]


@pytest.mark.parametrize(
    "rule",
    [
        "one JSON object and nothing else: no text before or after it",
        "1 to 128 characters",
        "unique in this answer",
        "the ids of the recommendations in this answer",
        "must not depend on itself, directly or through others",
        "Never state how to run them",
        "both strings",
        "a number from 0 to 1",
    ],
)
def test_the_instructions_state_every_rule(rule: str) -> None:
    assert rule in prompt_instructions()


def test_the_instructions_name_every_field_in_order() -> None:
    rules = prompt_instructions().partition("{")[0]
    assert [line.split('"')[1] for line in rules.splitlines() if line.startswith("- ")] == FIELDS


def test_the_instructions_are_short_plain_text() -> None:
    text = prompt_instructions()
    assert text.isascii()
    assert text == text.strip()
    assert "`" not in text
    assert len(text) < 3000
