"""The schema and the instructions of a catalog: what they ask for is what is read, and what fits the catalog."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
from typing import Any, Callable, Dict, List, Optional, Sequence, Set, Tuple, Type, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, RootModel, WithJsonSchema, create_model
from pydantic_core import CoreSchema, core_schema
from strict_schema import violations, walk
from test_schema import mismatches
from typing_extensions import Annotated, Literal, TypedDict

import wfplan
from wfplan import Action
from wfplan.prompting import prompt_instructions, recommendation_schema
from wfplan.prompting.instructions import example_recommendations

FIELDS = ["id", "description", "action", "dependencies", "confidence"]


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Zone(BaseModel, extra="forbid"):
    """Where something is."""

    name: str = Field(description="As on the map.")
    weight: float = Field(1, gt=0)


class Pods(BaseModel, extra="forbid"):
    pods: int


class Volume(BaseModel, extra="forbid"):
    volume: str


class Node(BaseModel, extra="forbid"):
    children: List[Node] = []


def closed_model(name: str, *, strict: bool = False, **fields: Any) -> Type[BaseModel]:
    model: Type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid", strict=strict), **fields)
    return model


class Point(TypedDict, total=False):
    x: int


class Watch(BaseModel, extra="forbid"):
    """Look on."""


class Scale(BaseModel, extra="forbid"):
    """Change how many pods run.

    Slowly.
    """

    namespace: str = "default"
    replicas: int = Field(ge=0, le=50, description="How many are to run.")


class Aliased(BaseModel, extra="forbid"):
    kind: Literal["a", "b"] = Field("a", alias="Kind")
    first_one: int = Field(alias="first-one")


class Everything(BaseModel, extra="forbid"):
    text: str = Field(min_length=1, max_length=5, pattern="^[a-z]+$")
    share: float = Field(0.5, ge=0.25, lt=1.5, multiple_of=0.5)
    sure: bool
    day: dt.date
    link: Annotated[str, WithJsonSchema({"type": "string", "format": "uri"})] = "x"
    count: Annotated[int, WithJsonSchema({"type": "integer", "format": "int64"})] = 1
    color: Color = Field(Color.RED, description="Of the roof.")
    level: Level = Level.LOW
    only: Literal["this"] = "this"
    empty: Literal["", "a"] = ""
    tags: Set[str] = {"b", "a"}
    colors: List[Color] = Field(default_factory=list, max_length=3)
    sizes: Optional[List[int]] = Field(None, description="In meters.")
    either: Union[int, Color, None] = None
    maybe: Optional[int] = Field(None, ge=3, examples=[4, 5])
    grid: List[List[List[int]]] = []
    nothing: None = None


EVERYTHING: Dict[str, Any] = {
    "text": "abc",
    "share": 1.0,
    "sure": True,
    "day": "2024-02-29",
    "link": "http://x",
    "count": 7,
    "color": "blue",
    "level": 2,
    "only": "this",
    "empty": "",
    "tags": ["a"],
    "colors": ["red", "blue"],
    "sizes": None,
    "either": "red",
    "maybe": 3,
    "grid": [[[1], []], []],
    "nothing": None,
}


class Both(RootModel[Scale]):
    pass


def levels(count: int) -> Type[BaseModel]:
    """A model in a model, and so on."""
    model = closed_model("Level1", value=(int, 1))
    for number in range(2, count + 1):
        model = closed_model(f"Level{number}", inner=(model, model()))
    return model


def nested(count: int) -> Dict[str, Any]:
    value: Dict[str, Any] = {"value": 2}
    for _ in range(1, count):
        value = {"inner": value}
    return value


def with_value(annotation: Any) -> Type[BaseModel]:
    return closed_model("Valued", value=(annotation, ...))


def with_schema(schema: Dict[str, Any]) -> Type[BaseModel]:
    return with_value(Annotated[Any, WithJsonSchema(schema)])


FLAT: Dict[str, Tuple[Type[BaseModel], Dict[str, Any]]] = {
    "bounds and defaults": (Scale, {"namespace": "prod", "replicas": 3}),
    "everything": (Everything, EVERYTHING),
    "everything else": (Everything, {**EVERYTHING, "either": 3, "sizes": [1], "maybe": None}),
    "aliases": (Aliased, {"Kind": "b", "first-one": 2}),
    "a reference with words beside it": (
        with_schema({"allOf": [{"type": "integer", "description": "x"}], "default": 1}),
        {"value": 2},
    ),
}


class Opaque(str):
    """A type of which pydantic cannot say what it takes."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls, serialization=core_schema.to_string_ser_schema())


class Anything(RootModel[Dict[str, Any]]):
    pass


OTHERS: Dict[str, Tuple[Type[BaseModel], Dict[str, Any]]] = {
    "keys of any name": (with_value(Dict[str, int]), {"value": {"a": 1}}),
    "any value": (with_value(Any), {"value": [1, {"a": None}]}),
    "a list of any values": (with_value(List[Any]), {"value": [1]}),
    "a tuple": (with_value(Tuple[int, str]), {"value": [1, "a"]}),
    "another model's": (Both, {"namespace": "a", "replicas": 0}),
    "a model in a model": (with_value(Zone), {"value": {"name": "a", "weight": 1.0}}),
    "a list of models": (with_value(List[Zone]), {"value": [{"name": "a", "weight": 1.0}]}),
    "maybe a model": (with_value(Optional[Pods]), {"value": None}),
    "no type": (with_value(Literal[1, "x", None]), {"value": "x"}),  # noqa: PYI061 - an enum with null in it
    "only null": (with_schema({"enum": [None]}), {"value": None}),
    "recursion": (Node, {"children": [{"children": []}]}),
    "recursion further in": (with_value(Node), {"value": {"children": []}}),
    "a shared first key": (with_value(Union[Zone, with_value(int), with_value(str)]), {"value": {"value": 1}}),
    "six levels": (levels(5), nested(5)),
    "a union too deep": (with_value(List[List[List[Optional[int]]]]), {"value": [[[None, 1]]]}),
    "lists too deep": (with_value(List[List[List[List[int]]]]), {"value": [[[[1]]]]}),
    "no schema": (with_value(Opaque), {"value": "a"}),
    "no fields, anything": (Anything, {"a": 1}),
    "no fields inside": (with_value(closed_model("Empty")), {"value": {}}),
    "a mapping": (RootModel[Dict[str, int]], {"a": 1}),
    "one of two": (RootModel[Union[Pods, Volume]], {"pods": 3}),
    "several at once": (with_schema({"allOf": [{"type": "string"}, {"minLength": 3}]}), {"value": "abc"}),
    "several types": (with_schema({"type": ["string", "null"]}), {"value": "abc"}),
    "values that are lists": (with_schema({"enum": [[1], [2]]}), {"value": [1]}),
    "not a schema": (with_schema({"anyOf": [True, False]}), {"value": 1}),
    "strict": (
        closed_model("Strict", strict=True, value=(int, ...), more=(Dict[str, str], ...)),
        {"value": 1, "more": {"a": "{}"}},
    ),
}


def branches(schema: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """The schema of the parameters of each action."""
    item = schema["properties"]["recommendations"]["items"]
    assert item["required"] == list(item["properties"]) == FIELDS
    assert list(item["properties"]["action"]) == ["anyOf"]
    found: Dict[str, Dict[str, Any]] = {}
    for branch in item["properties"]["action"]["anyOf"]:
        (name,) = branch["required"]
        found[name] = branch["properties"][name]
    return found


def answer(*actions: Dict[str, Any]) -> Dict[str, Any]:
    """An answer as the schema asks for it, in which each needs the one before."""
    ids = [f"rec-{number}" for number in range(len(actions))]
    return {
        "recommendations": [
            {"id": id_, "description": "", "action": action, "dependencies": ids[:at][-1:], "confidence": None}
            for at, (id_, action) in enumerate(zip(ids, actions))
        ]
    }


def planned(given: Dict[str, Any], catalog: Dict[str, Action]) -> List[Tuple[str, Dict[str, Any]]]:
    """The actions and parameters of an answer that is read without a word, as text and as objects."""
    for source in (given, json.dumps(given)):
        reading = wfplan.read(source, strict=True, catalog=catalog)
        assert reading.problems == wfplan.read(source).problems == ()
    plan = wfplan.plan(reading, catalog=catalog, naming="id")
    return [(step.action, step.parameters) for step in plan.steps.values()]


def written(model: Type[BaseModel], parameters: Dict[str, Any]) -> Dict[str, Any]:
    """Parameters as their model writes them."""
    dumped: Dict[str, Any] = model.model_validate_json(json.dumps(parameters)).model_dump(mode="json", by_alias=True)
    return dumped


# ----------------------------------------------------------------------------------------------------------- the schema


@pytest.mark.parametrize(("model", "parameters"), FLAT.values(), ids=list(FLAT))
def test_flat_parameters_are_asked_for_as_they_are(model: Type[BaseModel], parameters: Dict[str, Any]) -> None:
    catalog = {"do": Action(parameters=model)}
    schema = recommendation_schema(catalog)
    assert violations(schema) == []
    assert branches(schema)["do"]["type"] == "object"
    given = answer({"do": parameters})
    assert mismatches(given, schema) == []
    assert planned(given, catalog) == [("do", written(model, parameters))]


@pytest.mark.parametrize(("model", "parameters"), OTHERS.values(), ids=list(OTHERS))
def test_all_others_are_asked_for_as_one_string(model: Type[BaseModel], parameters: Dict[str, Any]) -> None:
    catalog = {"do": Action(parameters=model), "scale": Action(parameters=Scale)}
    schema = recommendation_schema(catalog)
    assert violations(schema) == []
    assert branches(schema)["do"]["type"] == "string"
    assert branches(schema)["scale"]["type"] == "object"
    given = answer({"do": json.dumps(parameters)}, {"scale": {"namespace": "a", "replicas": 1}})
    assert mismatches(given, schema) == []
    assert planned(given, catalog)[0] == ("do", written(model, parameters))


@pytest.mark.parametrize("model", [None, closed_model("Empty")])
def test_an_action_without_parameters_is_asked_for_with_null(model: Optional[Type[BaseModel]]) -> None:
    catalog = {"verify": Action(parameters=model)}
    schema = recommendation_schema(catalog)
    assert violations(schema) == []
    assert branches(schema) == {"verify": {"type": "null", "description": "It takes no parameters."}}
    given = answer({"verify": None})
    assert mismatches(given, schema) == []
    assert planned(given, catalog) == [("verify", {})]


def test_a_branch_is_described_by_the_docstring_or_else_by_the_action() -> None:
    class Heir(Scale):
        pass

    schema = recommendation_schema(
        {"scale": Action(parameters=Scale), "other": Action(parameters=Heir), "verify": Action()}
    )
    scale, other, verify = schema["properties"]["recommendations"]["items"]["properties"]["action"]["anyOf"]
    assert scale["description"] == "Change how many pods run.\n\nSlowly."
    assert other["description"] == "other"
    assert verify["description"] == "verify"


@pytest.mark.parametrize(
    ("field", "described"),
    [
        ("text", 'maxLength 5, minLength 1, pattern "^[a-z]+$"'),
        ("share", "default 0.5, exclusiveMaximum 1.5, minimum 0.25, multipleOf 0.5"),
        ("sure", None),
        ("day", None),
        ("link", 'default "x", format "uri"'),
        ("count", 'default 1, format "int64"'),
        ("color", 'Of the roof. (default "red")'),
        ("level", "enum [1, 2], default 1"),
        ("only", 'default "this"'),
        ("empty", 'default "", enum ["", "a"]'),
        ("tags", 'default ["a", "b"], uniqueItems true'),
        ("colors", "maxItems 3"),
        ("sizes", "In meters. (default null)"),
        ("either", "default null"),
        ("maybe", "minimum 3, default null, examples [4, 5]"),
        ("nothing", "default null"),
    ],
)
def test_what_a_strict_mode_does_not_take_is_in_the_description(field: str, described: Optional[str]) -> None:
    schema = branches(recommendation_schema({"do": Action(parameters=Everything)}))["do"]["properties"][field]
    assert schema.get("anyOf", [schema])[0].get("description") == described


def test_formats_and_enums_that_a_strict_mode_takes_are_kept() -> None:
    properties = branches(recommendation_schema({"do": Action(parameters=Everything)}))["do"]["properties"]
    assert properties["day"] == {"type": "string", "format": "date"}
    assert properties["color"]["enum"] == ["red", "blue"]
    assert properties["only"]["enum"] == ["this"]
    assert properties["colors"]["items"] == {"type": "string", "enum": ["red", "blue"]}
    assert properties["either"]["anyOf"][1:] == [{"type": "string", "enum": ["red", "blue"]}, {"type": "null"}]


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    model = closed_model("Odd", value=(int, object()))
    schema = branches(recommendation_schema({"do": Action(parameters=model)}))["do"]
    assert schema["properties"]["value"] == {"type": "integer"}


def test_a_default_set_is_in_order_in_a_string_too() -> None:
    model = closed_model("Tagged", tags=(Set[str], set("hgfedcba")), labels=(Dict[str, str], ...))
    described = branches(recommendation_schema({"do": Action(parameters=model)}))["do"]["description"]
    assert '"default": ["a", "b", "c", "d", "e", "f", "g", "h"]' in described


# ----------------------------------------------------------------------------------------------------------- its limits


def forms(catalog: Dict[str, Action]) -> List[str]:
    schema = recommendation_schema(catalog)
    assert violations(schema) == []
    return [parameters["type"] for parameters in branches(schema).values()]


def test_actions_keep_their_own_schema_as_long_as_there_are_unions_left() -> None:
    """Of sixteen, `action` and `confidence` are two; an action without any is never touched."""
    model = closed_model("Two", one=(Optional[int], None), two=(Optional[str], None))
    catalog = {f"do-{number}": Action(parameters=model) for number in range(9)}
    catalog["scale"] = Action(parameters=Scale)
    assert forms(catalog) == ["object"] * 7 + ["string"] * 2 + ["object"]
    given = answer({"do-8": '{"one": 1, "two": null}'})
    assert mismatches(given, recommendation_schema(catalog)) == []
    assert planned(given, catalog) == [("do-8", {"one": 1, "two": None})]


@pytest.mark.parametrize(
    ("model", "count", "kept"),
    [
        (closed_model("Wide", **{f"p{number}": (int, 1) for number in range(400)}), 20, 12),
        (with_value(Literal[tuple(map(str, range(200)))]), 7, 5),
        (closed_model("Named", **{"n" * 990 + str(number): (int, 1) for number in range(50)}), 4, 2),
    ],
    ids=["properties", "enum values", "characters"],
)
def test_actions_keep_their_own_schema_as_long_as_all_fit(model: Type[BaseModel], count: int, kept: int) -> None:
    catalog = {f"do-{number}": Action(parameters=model) for number in range(count)}
    assert forms(catalog) == ["object"] * kept + ["string"] * (count - kept)


def test_an_enum_that_is_too_long_is_in_the_description() -> None:
    values = tuple(f"{number:0100}" for number in range(251))
    schema = recommendation_schema({"do": Action(parameters=with_value(Literal[values]))})
    assert violations(schema) == []
    assert "enum" not in branches(schema)["do"]["properties"]["value"]


def test_a_model_that_grows_without_end_is_asked_for_as_a_text() -> None:
    inner = closed_model("Inner", **{f"p{number}": (int, 1) for number in range(80)})
    outer = closed_model("Outer", **{f"q{number}": (inner, inner()) for number in range(80)})
    assert forms({"do": Action(parameters=outer)}) == ["string"]


def test_hundreds_of_actions_fit() -> None:
    assert forms({f"do-{number}": Action(parameters=Scale) for number in range(1000)}) == ["object"] * 1000


@pytest.mark.parametrize(
    ("catalog", "reason"),
    [
        ({f"do-{number}": Action() for number in range(5000)}, "5,006 properties (at most 5,000 are possible)"),
        (
            {f"{number:01000}": Action() for number in range(121)},
            "121,056 characters in names and enum values (at most 120,000 are possible)",
        ),
    ],
)
def test_a_catalog_that_is_too_large_for_any_schema_is_refused(catalog: Dict[str, Action], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{reason} (ask with fewer actions at a time)")):
        recommendation_schema(catalog)
    assert prompt_instructions(catalog)


# --------------------------------------------------------------------------------------------------------- the catalogs


@pytest.mark.parametrize("ask", [recommendation_schema, prompt_instructions])
@pytest.mark.parametrize(
    ("catalog", "reason"),
    [
        ({}, "the catalog is empty"),
        ([], "a catalog is a mapping from actions to Action, not a list"),
        ({"restart_*": Action(), "x": 5}, r'(?s)holds "\*".*the catalog has a number for "x", not an Action'),
        ({"dependencies": Action()}, '"dependencies" would be read as a field'),
        ({"ok": Action(), "run-after": Action()}, '"run-after" would be read as a field'),
        ({"Name": Action()}, '"Name" would be read as a field'),
        ({"type": Action()}, "rename the action in the catalog"),
    ],
)
def test_what_nobody_could_answer_with_is_refused(ask: Callable[[Any], object], catalog: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ask(catalog)


def test_every_call_gives_a_new_schema_that_shares_nothing_and_is_the_same_json() -> None:
    models = {**FLAT, **OTHERS}
    catalog = {name: Action(parameters=model) for name, (model, _) in models.items()}
    catalog["none"] = Action()
    before = json.dumps(recommendation_schema(catalog), allow_nan=False)
    changed = recommendation_schema(catalog)
    places = [id(part) for _, node in walk(changed) for part in (node, node.get("enum"), node.get("required")) if part]
    assert len(places) == len(set(places))
    for _, node in list(walk(changed)):
        node.clear()
    assert json.dumps(recommendation_schema(catalog)) == before


# ------------------------------------------------------------------------------------------------------------- the laws


Values = Tuple[Any, st.SearchStrategy[Any]]

VALUES: Sequence[Values] = (
    (str, st.text(max_size=5)),
    (int, st.integers(-(10**9), 10**9)),
    (float, st.floats(-100, 100)),
    (bool, st.booleans()),
    (Optional[int], st.none() | st.integers(0, 9)),
    (List[str], st.lists(st.text(max_size=3), max_size=3)),
    (Literal["a", "b"], st.sampled_from(("a", "b"))),
    (Literal[1, 2], st.sampled_from((1, 2))),
    (dt.date, st.dates().map(str)),
    (Zone, st.fixed_dictionaries({"name": st.text(max_size=3), "weight": st.integers(1, 9)})),
    (Optional[Pods], st.none() | st.fixed_dictionaries({"pods": st.integers()})),
    (Dict[str, int], st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)),
    (Tuple[int, str], st.tuples(st.integers(), st.text(max_size=3)).map(list)),
    (Union[int, str, None], st.none() | st.integers() | st.text(max_size=3)),
)
"""Types of parameters, and what gives values for them."""

NAMES = ("scale", "two words", "é", 'a"b', "{x}", "a/b~c", "rollback", "steps", "recommendations", "x" * 100)


@st.composite
def cases(draw: st.DrawFn) -> Tuple[Dict[str, Action], List[Tuple[str, Dict[str, Any]]]]:
    """A catalog, and actions of it with parameters."""
    catalog: Dict[str, Action] = {}
    actions: List[Tuple[str, Dict[str, Any]]] = []
    for action in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        chosen: Dict[str, Values] = draw(
            st.dictionaries(st.sampled_from((*NAMES, "name", "value", "id")), st.sampled_from(VALUES), max_size=6)
        )
        fields: Dict[str, Any] = {
            f"field_{at}": (kind, Field(alias=name)) for at, (name, (kind, _)) in enumerate(chosen.items())
        }
        catalog[action] = Action(parameters=closed_model("Parameters", **fields))
        values = st.fixed_dictionaries({name: given for name, (_, given) in chosen.items()})
        actions += [(action, parameters) for parameters in draw(st.lists(values, max_size=2))]
    return catalog, actions


@given(cases())
def test_what_the_schema_of_any_catalog_asks_for_is_read_and_planned(
    case: Tuple[Dict[str, Action], List[Tuple[str, Dict[str, Any]]]],
) -> None:
    catalog, actions = case
    schema = recommendation_schema(catalog)
    assert violations(schema) == []
    kinds = {name: parameters["type"] for name, parameters in branches(schema).items()}
    shaped: Dict[str, Callable[[Any], Any]] = {"object": dict, "string": json.dumps, "null": lambda _: None}
    given_answer = answer(*({name: shaped[kinds[name]](parameters)} for name, parameters in actions))
    assert mismatches(given_answer, schema) == []
    if actions:
        expected = [(name, written(catalog[name].parameters or BaseModel, values)) for name, values in actions]
        assert planned(given_answer, catalog) == expected
    assert prompt_instructions(catalog)


# ----------------------------------------------------------------------------------------------------- the instructions


def rules_and_example(text: str) -> Tuple[str, Dict[str, Any]]:
    rules, _, example = text.partition('\n{"recommendations": [\n')
    parsed: Dict[str, Any] = json.loads('{"recommendations": [' + example)
    return rules, parsed


def test_the_example_is_what_the_schema_of_its_own_catalog_allows() -> None:
    catalog = {
        "pause_writes": Action(parameters=closed_model("Pause", service=(str, ...))),
        "resize_volume": Action(parameters=closed_model("Resize", volume=(str, ...), gigabytes=(int, ...))),
        "rotate_logs": Action(parameters=closed_model("Rotate", keep_days=(int, ...))),
        "resume_writes": Action(),
    }
    rules, example = rules_and_example(prompt_instructions(catalog))
    assert mismatches(example, recommendation_schema(catalog)) == []
    assert [list(item) for item in example["recommendations"]] == [FIELDS] * 4
    assert [name for name, _ in planned(example, catalog)] == [item["action"] for item in example_recommendations()]
    assert rules.endswith(
        'parameters of this JSON schema: {"additionalProperties": false, "properties": {"keep_days": {"type": '
        '"integer"}}, "required": ["keep_days"], "title": "Rotate", "type": "object"}\n'
        '- "resume_writes" (no parameters)\n\n'
        "An answer to another task, for its form only:"
    )


def test_the_instructions_name_every_key_in_order() -> None:
    rules, _ = rules_and_example(prompt_instructions({"verify": Action()}))
    lines = [line.split('"')[1] for line in rules.splitlines() if line.startswith("- ")]
    assert lines == [*FIELDS, "verify"]


def test_the_instructions_list_every_action_with_its_parameters() -> None:
    catalog = {
        "scale": Action(parameters=Scale),
        'say "so"': Action(),
        "watch": Action(parameters=Watch),
        "odd": Action(parameters=with_value(Opaque)),
        "x" * 100: Action(parameters=closed_model("Zoned", zone=(Zone, ...))),
    }
    rules, _ = rules_and_example(prompt_instructions(catalog))
    lines = rules.partition("The actions, and there are no others:\n")[2].splitlines()
    schema = "  parameters of this JSON schema: "
    assert [json.loads(line[len(schema) :]) if line.startswith(schema) else line for line in lines] == [
        '- "scale": Change how many pods run. Slowly.',
        {
            "type": "object",
            "title": "Scale",
            "properties": {
                "namespace": {"type": "string", "default": "default"},
                "replicas": {"type": "integer", "minimum": 0, "maximum": 50, "description": "How many are to run."},
            },
            "required": ["replicas"],
            "additionalProperties": False,
        },
        '- "say \\"so\\"" (no parameters)',
        '- "watch": Look on. (no parameters)',
        '- "odd"',
        {"type": "object", "properties": {"value": {}}},
        f'- "{"x" * 100}"',
        {
            "type": "object",
            "title": "Zoned",
            "properties": {"zone": {"$ref": "#/$defs/Zone"}},
            "required": ["zone"],
            "additionalProperties": False,
            "$defs": {
                "Zone": {
                    "type": "object",
                    "title": "Zone",
                    "description": "Where something is.",
                    "properties": {
                        "name": {"type": "string", "description": "As on the map."},
                        "weight": {"type": "number", "exclusiveMinimum": 0, "default": 1},
                    },
                    "required": ["name"],
                    "additionalProperties": False,
                }
            },
        },
        "",
        "An answer to another task, for its form only:",
    ]


def test_a_string_of_parameters_is_described_by_the_schema_that_the_instructions_list() -> None:
    model = closed_model("Labels", labels=(Dict[str, int], ...), note=(str, Field("é", description="Why.")))
    catalog = {"do": Action(parameters=model)}
    described = branches(recommendation_schema(catalog))["do"]["description"]
    words = "A string that holds its parameters as JSON, of the JSON schema "
    assert described.startswith(words)
    assert f"parameters of this JSON schema: {described[len(words) :]}\n" in prompt_instructions(catalog)
    assert json.loads(described[len(words) :])["properties"]["note"] == {
        "type": "string",
        "default": "é",
        "description": "Why.",
    }
