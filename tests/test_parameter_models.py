"""Models of parameters: each forbids unknown keys, and no key that is given gets lost."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import enum
from typing import (
    Any,
    Deque,
    Dict,
    FrozenSet,
    Generic,
    List,
    NamedTuple,
    Optional,
    OrderedDict,
    Tuple,
    Type,
    TypeVar,
    Union,
)

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    RootModel,
    StringConstraints,
    create_model,
    with_config,
)
from typing_extensions import Annotated, Literal, TypedDict

from wfplan import Action, Problem, Step, check, plan, read
from wfplan.prompting import prompt_instructions, recommendation_schema

T = TypeVar("T")
CLOSED = ConfigDict(extra="forbid")


def problems_of(model: Type[BaseModel], parameters: Optional[Dict[str, Any]] = None) -> Tuple[Problem, ...]:
    steps = [] if parameters is None else [Step(name="s", action="act", parameters=parameters)]
    found = check(steps, catalog={"act": Action(parameters=model)})
    return tuple(problem for problem in found if problem.severity == "error")


def holding(annotation: Any) -> Type[BaseModel]:
    made: Type[BaseModel] = create_model("Outer", __config__=CLOSED, value=(annotation, ...))
    return made


# Models that do not forbid unknown keys


class Loose(BaseModel):
    kind: Literal["loose"] = "loose"
    a: int = 1


class Closed(BaseModel, extra="forbid"):
    kind: Literal["closed"] = "closed"
    a: int = 1


class Allows(BaseModel, extra="allow"):
    a: int = 1


class Ignores(Closed, extra="ignore"):
    pass


class Page(BaseModel, Generic[T]):
    items: List[T]


class ClosedPage(BaseModel, Generic[T], extra="forbid"):
    items: List[T]


@dataclasses.dataclass
class Plain:
    a: int = 1


@dataclasses.dataclass
class ClosedPlain:
    __pydantic_config__ = CLOSED

    a: int = 1


@pydantic.dataclasses.dataclass
class Checked:
    a: int = 1


@pydantic.dataclasses.dataclass(config=CLOSED)
class ClosedChecked:
    a: int = 1


@pydantic.dataclasses.dataclass(config=CLOSED)
class HoldsLoose:
    value: Loose


class Typed(TypedDict, total=False):
    a: int


@with_config(ConfigDict(extra="ignore"))
class OpenTyped(TypedDict, total=False):
    a: int


@with_config(CLOSED)
class ClosedTyped(TypedDict, total=False):
    a: int


class Pair(NamedTuple):
    a: int
    value: Loose


class ClosedPair(NamedTuple):
    a: int
    value: Closed


class Tree(BaseModel, extra="forbid"):
    children: List[Tree] = []
    leaf: Optional[Leaf] = None


class Leaf(BaseModel):
    a: int = 1


class Root(RootModel[List[Loose]]):
    pass


def _same(value: Any) -> Any:
    return value


IN_MODEL = 'model_config = ConfigDict(extra="forbid")'
LOOSE: Dict[str, Tuple[Type[BaseModel], str, str]] = {
    "itself": (Loose, "Loose", IN_MODEL),
    "it allows any": (Allows, "Allows", IN_MODEL),
    "a subclass ignores again": (Ignores, "Ignores", IN_MODEL),
    "a field": (holding(Loose), "Loose", IN_MODEL),
    "an optional field": (holding(Optional[Loose]), "Loose", IN_MODEL),
    "in a list": (holding(List[Loose]), "Loose", IN_MODEL),
    "in a tuple": (holding(Tuple[int, Loose]), "Loose", IN_MODEL),
    "in any tuple": (holding(Tuple[Loose, ...]), "Loose", IN_MODEL),
    "in a mapping": (holding(Dict[str, Loose]), "Loose", IN_MODEL),
    "deep inside": (holding(Dict[str, List[Tuple[int, Optional[Loose]]]]), "Loose", IN_MODEL),
    "in a union": (holding(Union[int, Closed, Loose]), "Loose", IN_MODEL),
    "in a tagged union": (
        holding(Annotated[Union[Closed, Loose], Field(discriminator="kind")]),
        "Loose",
        IN_MODEL,
    ),
    "before a validator": (holding(Annotated[Loose, AfterValidator(_same)]), "Loose", IN_MODEL),
    "behind a validator": (holding(Annotated[Loose, BeforeValidator(_same)]), "Loose", IN_MODEL),
    "in JSON in a string": (holding(Json[Loose]), "Loose", IN_MODEL),
    "a generic model": (Page[int], "Page[int]", IN_MODEL),
    "in a generic model": (ClosedPage[Loose], "Loose", IN_MODEL),
    "in a recursive model": (Tree, "Leaf", IN_MODEL),
    "in a root model": (Root, "Loose", IN_MODEL),
    "in a named tuple": (holding(Pair), "Loose", IN_MODEL),
    "a plain dataclass in a root model": (
        RootModel[Plain],
        "Plain",
        '__pydantic_config__ = ConfigDict(extra="forbid")',
    ),
    "a dataclass": (holding(Checked), "Checked", '@dataclass(config=ConfigDict(extra="forbid"))'),
    "in a dataclass": (holding(HoldsLoose), "Loose", IN_MODEL),
    "a typed dict": (holding(OpenTyped), "OpenTyped", '@with_config(ConfigDict(extra="forbid"))'),
    "a typed dict in a root model": (RootModel[Typed], "Typed", '@with_config(ConfigDict(extra="forbid"))'),
    "a field named type": (
        create_model("Outer", __config__=CLOSED, type=(Loose, ...), default=(int, 1)),
        "Loose",
        IN_MODEL,
    ),
    "a field named default": (create_model("Outer", __config__=CLOSED, default=(Loose, ...)), "Loose", IN_MODEL),
}


@pytest.mark.parametrize(("model", "name", "line"), LOOSE.values(), ids=LOOSE)
def test_a_model_that_does_not_forbid_unknown_keys_is_refused_with_the_line_to_add(
    model: Type[BaseModel], name: str, line: str
) -> None:
    """When the catalog is made, so without any step of this action."""
    (problem,) = problems_of(model)
    assert problem.code == "invalid-catalog"
    assert problem.message.startswith(f'the parameters of the action "act" are checked by "{name}", which ')
    assert problem.suggestion == f'add to "{name}": {line}'


CLOSED_MODELS: Dict[str, Tuple[Type[BaseModel], Dict[str, Any], Tuple[Any, ...]]] = {
    "itself": (Closed, {}, ()),
    "a field": (holding(Closed), {"value": {}}, ("value",)),
    "in a list": (holding(List[Closed]), {"value": [{}, {}]}, ("value", 1)),
    "in a mapping": (holding(Dict[str, Closed]), {"value": {"k": {}}}, ("value", "k")),
    "in a union": (holding(Union[int, Closed]), {"value": {}}, ("value",)),
    "a generic model": (ClosedPage[Closed], {"items": [{}]}, ("items", 0)),
    "a plain dataclass": (RootModel[ClosedPlain], {}, ()),
    "a plain dataclass like the model around it": (holding(Plain), {"value": {}}, ("value",)),
    "a dataclass": (holding(ClosedChecked), {"value": {}}, ("value",)),
    "a typed dict": (holding(ClosedTyped), {"value": {"a": 1}}, ("value",)),
    "a typed dict like the model around it": (holding(Typed), {"value": {"a": 1}}, ("value",)),
    "in a named tuple": (holding(ClosedPair), {"value": [1, {}]}, ("value", 1)),
    "a root model": (RootModel[Closed], {}, ()),
    "no object": (holding(Union[int, str, dt.date, FrozenSet[int], None]), {"value": 1}, ()),
}


@pytest.mark.parametrize(("model", "given", "path"), CLOSED_MODELS.values(), ids=CLOSED_MODELS)
def test_a_model_that_forbids_them_is_taken_and_does(
    model: Type[BaseModel], given: Dict[str, Any], path: Tuple[Any, ...]
) -> None:
    assert problems_of(model, given) == ()
    given = copy.deepcopy(given)
    target: Any = given
    for part in path:
        target = target[part]
    target["unknown"] = 1
    found = problems_of(model, given)
    assert {problem.code for problem in found} == {"invalid-parameters"}
    assert any(problem.message.endswith("is not a known field") for problem in found)


def test_all_of_them_are_told_at_once_and_once() -> None:
    class Both(BaseModel, extra="forbid"):
        one: Loose
        two: List[Loose]
        three: Allows

    catalog = {"a": Action(parameters=Both), "b": Action(parameters=Loose), "c": Action(parameters=Closed)}
    found = [problem.message for problem in check([], catalog=catalog) if problem.code == "invalid-catalog"]
    assert found == [
        'the parameters of the action "a" are checked by "Allows", which takes any key',
        'the parameters of the action "a" are checked by "Loose", which passes over keys that it does not know',
        'the parameters of the action "b" are checked by "Loose", which passes over keys that it does not know',
    ]


def test_read_and_prompts_say_so_too() -> None:
    catalog = {"act": Action(parameters=Loose)}
    assert [problem.code for problem in read([{"id": "1", "action": "act"}], catalog=catalog).problems] == [
        "invalid-catalog"
    ]
    for make in (prompt_instructions, recommendation_schema):
        with pytest.raises(ValueError, match="model_config = ConfigDict"):
            make(catalog)


def test_a_part_of_another_value_is_no_field() -> None:
    """What else is in that value would be passed over."""
    for alias in (AliasPath("names", 0), AliasChoices("name", AliasPath("names", "first"))):
        model = create_model("Path", __config__=CLOSED, first=(str, Field(validation_alias=alias)))
        (problem,) = problems_of(model)
        assert problem.code == "invalid-catalog"
        assert 'whose field "first" reads a part of another value, by an AliasPath' in problem.message


def test_a_model_that_cannot_be_built_is_an_error_of_the_catalog() -> None:
    unfinished = type("Unfinished", (BaseModel,), {"__annotations__": {"a": "Nowhere"}, "__module__": __name__})
    (problem,) = problems_of(unfinished)
    assert problem.code == "invalid-catalog"
    assert "building their model raised PydanticUndefinedAnnotation" in problem.message


def test_a_model_that_is_built_later_is_looked_at_when_it_is_used() -> None:
    class Late(BaseModel, extra="forbid", defer_build=True):
        value: Loose

    (problem,) = problems_of(Late)
    assert 'checked by "Loose"' in problem.message


# Keys that mean the same


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class HasPorts:
    __pydantic_config__ = CLOSED

    ports: Dict[int, str]


class TypedPorts(TypedDict):
    ports: Dict[int, str]


class Aliased(BaseModel, extra="forbid"):
    by_number: Dict[int, str] = Field(alias="ports")


Lower = Annotated[str, StringConstraints(to_lower=True)]
PORTS = {"80": "http", "080": "web"}
MERGED: Dict[str, Tuple[Type[BaseModel], Dict[str, Any], str]] = {
    "numbers": (holding(Dict[int, str]), {"value": PORTS}, "/value"),
    "as all parameters": (RootModel[Dict[int, str]], PORTS, ""),
    "in a list": (holding(List[Dict[int, str]]), {"value": [{"1": "a"}, PORTS]}, "/value/1"),
    "in a tuple": (holding(Tuple[int, Dict[int, str]]), {"value": [1, PORTS]}, "/value/1"),
    "in a mapping": (holding(Dict[str, Dict[int, str]]), {"value": {"a": {}, "b": PORTS}}, "/value/b"),
    "in a deque": (holding(Deque[Dict[int, str]]), {"value": [{"1": "a"}, PORTS]}, "/value/1"),
    "in an ordered mapping": (holding(OrderedDict[int, str]), {"value": PORTS}, "/value"),
    "under a converted key": (holding(Dict[int, Dict[int, str]]), {"value": {"07": PORTS}}, "/value/07"),
    "in a model": (holding(Aliased), {"value": {"ports": PORTS}}, "/value/ports"),
    "in a dataclass": (holding(HasPorts), {"value": {"ports": PORTS}}, "/value/ports"),
    "in a typed dict": (holding(TypedPorts), {"value": {"ports": PORTS}}, "/value/ports"),
    "in a union": (holding(Union[None, Dict[int, str], str]), {"value": PORTS}, "/value"),
    "truth values": (holding(Dict[bool, int]), {"value": {"true": 1, "1": 2}}, "/value"),
    "moments": (
        holding(Dict[dt.date, int]),
        {"value": {"2024-02-29": 1, "1709164800": 2}},
        "/value",
    ),
    "strings in lower case": (holding(Dict[Lower, int]), {"value": {"Web": 1, "web": 2}}, "/value"),
    "strings of a model that strips": (
        create_model("Strips", __config__={**CLOSED, "str_strip_whitespace": True}, value=(Dict[str, int], ...)),
        {"value": {"a": 1, " a": 2}},
        "/value",
    ),
}


@pytest.mark.parametrize(("model", "given", "pointer"), MERGED.values(), ids=MERGED)
def test_keys_that_mean_the_same_are_refused(model: Type[BaseModel], given: Dict[str, Any], pointer: str) -> None:
    """One of the two values would be lost without a word."""
    (problem,) = problems_of(model, given)
    assert problem.code == "invalid-parameters"
    assert problem.message.endswith("has keys that mean the same: of 2 given, 1 would be left")
    reading = read([{"id": "1", "action": "act", "parameters": given}], catalog={"act": Action(parameters=model)})
    assert [found.location for found in reading.problems] == [f"/0/parameters{pointer}"]


@given(st.dictionaries(st.sampled_from(["80", "080", "0080", "81", "081", "7"]), st.text(max_size=2)))
def test_no_entry_of_a_mapping_gets_lost(ports: Dict[str, str]) -> None:
    """Either all values are planned, or the keys are refused."""
    catalog = {"act": Action(parameters=holding(Dict[int, str]))}
    step = Step(name="s", action="act", parameters={"value": ports})
    if check([step], catalog=catalog):
        assert len({int(key) for key in ports}) < len(ports)
    else:
        planned = plan([step], catalog=catalog).steps["s"].parameters["value"]
        assert planned == {str(int(key)): value for key, value in ports.items()}
        assert len(planned) == len(ports)


@pytest.mark.parametrize(
    ("annotation", "given"),
    [
        (Dict[str, int], {"80": 1, "080": 2}),
        (Dict[int, int], {}),
        (Dict[Color, int], {"red": 1}),
        (Dict[Literal["a", "b"], int], {"a": 1, "b": 2}),
        (Dict[int, Dict[str, Any]], {"07": {"80": 1, "080": [{"1": 1, "01": 2}]}}),
        (Union[Dict[int, int], str], "80"),
        (List[Union[int, Dict[int, int]]], [1, {"1": 1, "2": 2}]),
        (Any, {"80": 1, "080": 2}),
    ],
)
def test_keys_that_do_not_are_kept(annotation: Any, given: Any) -> None:
    step = Step(name="s", action="act", parameters={"value": given})
    planned = plan([step], catalog={"act": Action(parameters=holding(annotation))}).steps["s"].parameters["value"]
    assert len(planned) == len(given)
