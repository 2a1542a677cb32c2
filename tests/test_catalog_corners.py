"""Odd models, odd functions, odd values: each has a defined answer."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Mapping as MappingABC
from typing import Any, Dict, Iterator, List, Tuple, Union

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from wfplan import (
    Action,
    Compensation,
    InvalidWorkflowError,
    Problem,
    Reading,
    Recommendation,
    RetryPolicy,
    Step,
    check,
    plan,
    read,
)


def one(action: Action, parameters: Any = None, **fields: Any) -> Tuple[Problem, ...]:
    return check([Step(name="s", action="act", parameters=parameters or {}, **fields)], catalog={"act": action})


def codes(problems: Any) -> List[str]:
    return [problem.code for problem in problems]


@pytest.mark.parametrize("source", [[Step(name="a"), None], [Step(name="a"), Recommendation(id="b", action="c")]])
def test_items_that_are_no_steps(source: Any) -> None:
    assert "invalid-document" in codes(check(source))
    assert "invalid-document" in codes(check(source, catalog={"a": Action()}))


class CustomError(BaseModel):
    x: int = 1

    @field_validator("x")
    @classmethod
    def v(cls, x: int) -> int:
        raise PydanticCustomError("value_error", "not a good {what}", {"what": "number"})


class CustomGreaterError(CustomError):
    @field_validator("x")
    @classmethod
    def v(cls, x: int) -> int:
        raise PydanticCustomError("greater_than", "too small")


@pytest.mark.parametrize("model", [CustomError, CustomGreaterError])
def test_custom_errors_of_pydantic(model: Any) -> None:
    assert codes(one(Action(parameters=model), {"x": 1})) == ["invalid-parameters"]


class PathError(ValueError):
    path = 5


class RaisesPathError(BaseModel):
    x: int = 1

    @field_validator("x")
    @classmethod
    def v(cls, x: int) -> int:
        raise PathError("no")


def test_errors_with_a_path() -> None:
    document = [{"id": "a", "action": "act", "parameters": {"x": 1}}]
    assert "invalid-parameters" in codes(read(document, catalog={"act": Action(parameters=RaisesPathError)}).problems)


class Raising(MappingABC):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[str]:
        return iter("ab")

    def __len__(self) -> int:
        return 2


def test_a_catalog_that_raises() -> None:
    assert codes(check({"a": []}, catalog=Raising())) == ["invalid-catalog"]
    assert "invalid-catalog" in codes(read([{"id": "a", "action": "b"}], catalog=Raising()).problems)


@pytest.mark.parametrize(
    "fields", [{"action": []}, {"action": "x", "parameters": 3}, {"action": "x", "parameters": {"a": {1}}}]
)
def test_steps_made_without_checks(fields: Dict[str, Any]) -> None:
    step = Step.model_construct(name="a", dependencies=(), **fields)
    assert isinstance(check([step], catalog={"x": Action()}), tuple)


def test_a_dependency_made_without_checks_hides_no_other_problem() -> None:
    """What is no string is passed over; all else is told as ever."""
    odd = Step.model_construct(name="a", dependencies=(1, "gone"))
    assert codes(check([odd, Step(name="b", dependencies=["b"])])) == ["unknown-dependency", "self-dependency"]


@pytest.mark.parametrize("fields", [{"effect": "odd"}, {"timeout_seconds": "soon"}])
def test_actions_made_without_checks(fields: Dict[str, Any]) -> None:
    step = Step(name="a", timeout_seconds=5)
    assert isinstance(check([step], catalog={"a": Action.model_construct(**fields)}), tuple)


class Secret(BaseModel):
    token: SecretStr = SecretStr("")


def test_a_secret_is_not_written() -> None:
    assert codes(one(Action(parameters=Secret), {"token": "hunter2"})) == ["invalid-catalog"]


class Excluded(BaseModel):
    namespace: str = Field("default", exclude=True)


def test_a_field_that_is_not_written() -> None:
    action = Action(parameters=Excluded, locks=lambda p: [p.namespace])
    assert codes(one(action, {"namespace": "prod"})) == ["invalid-catalog"]


class Rounds(BaseModel):
    ratio: float

    @model_serializer
    def s(self) -> Dict[str, Any]:
        return {"ratio": round(self.ratio, 1)}


def test_a_value_that_is_written_rounded() -> None:
    assert codes(one(Action(parameters=Rounds), {"ratio": 0.123})) == ["invalid-catalog"]


def test_sets_are_written_the_same_whatever_the_hash_seed() -> None:
    script = (
        "from typing import Set\nfrom pydantic import BaseModel\nfrom wfplan import Action, Step, plan\n"
        "class P(BaseModel):\n    tags: Set[str]\n"
        "steps = [Step(name='s', parameters={'tags': list('abcdef')})]\n"
        "print(plan(steps, catalog={'s': Action(parameters=P)}).fingerprint)"
    )
    outputs = set()
    for seed in "123":
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


class Item(BaseModel):
    namespace: str = "default"


class Dedupe(BaseModel):
    items: List[Item]

    @field_validator("items")
    @classmethod
    def v(cls, items: List[Item]) -> List[Item]:
        return items[:1]


class OneOrMany(BaseModel):
    items: List[Item]

    @field_validator("items", mode="before")
    @classmethod
    def v(cls, items: Any) -> Any:
        return items if isinstance(items, list) else [items]


class Image(BaseModel):
    repo: str
    tag: str = "latest"

    @model_validator(mode="before")
    @classmethod
    def b(cls, v: Any) -> Any:
        return dict(zip(("repo", "tag"), v.split(":"))) if isinstance(v, str) else v

    @model_serializer
    def s(self) -> str:
        return f"{self.repo}:{self.tag}"


class HasImage(BaseModel):
    image: Image


class Computed(BaseModel):
    replicas: int = 1

    @computed_field  # type: ignore[misc]
    @property
    def total(self) -> int:
        return self.replicas * 2


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (Dedupe, {"items": [{"namespce": "a"}, {"namespce": "b"}]}),
        (OneOrMany, {"items": {"namespce": "a"}}),
        (HasImage, {"image": {"repo": "x", "tga": "1"}}),
        (Computed, {"replicas": 2, "total": 99}),
    ],
)
def test_keys_that_nobody_looks_at(model: Any, given: Any) -> None:
    assert set(codes(one(Action(parameters=model), given))) == {"invalid-parameters"}


class Truthy(BaseModel):
    level: str = "info"

    @model_validator(mode="before")
    @classmethod
    def b(cls, d: Any) -> Any:
        d = dict(d)
        if d.pop("verbose", False):
            d["level"] = "debug"
        return d


def test_a_key_of_which_only_the_truth_is_looked_at() -> None:
    assert codes(one(Action(parameters=Truthy), {"verbose": True})) == []


class AnyAlias(BaseModel):
    x: Any = Field(validation_alias=AliasChoices("payload", "body"))
    y: int


class AnyAliasText(BaseModel):
    x: Any = Field(validation_alias="payload", serialization_alias="payload")
    y: int


@pytest.mark.parametrize("model", [AnyAlias, AnyAliasText])
def test_another_name_of_a_field_that_takes_anything(model: Any) -> None:
    assert [p.message for p in one(Action(parameters=model), {"payload": 1})] == [
        '"parameters.y" of step "s" is missing'
    ]


class Parsed(BaseModel):
    prices: Dict[int, float]

    @model_validator(mode="before")
    @classmethod
    def count(cls, data: Any) -> Any:
        _CALLS.append(1)
        return data


_CALLS: List[int] = []


def test_keys_that_are_converted_are_not_each_looked_at_anew() -> None:
    assert one(Action(parameters=Parsed), {"prices": {str(n): 1 for n in range(500)}}) == ()
    assert len(_CALLS) < 100


class Echoes(BaseModel):
    x: str

    @field_validator("x")
    @classmethod
    def v(cls, x: str) -> str:
        raise ValueError(f"bad {x}")


class Asserts(BaseModel):
    x: str

    @field_validator("x")
    @classmethod
    def v(cls, x: str) -> str:
        raise AssertionError(f"bad {x}")


@pytest.mark.parametrize("model", [Echoes, Asserts])
def test_what_a_validator_says_is_escaped_and_cut(model: Any) -> None:
    (problem,) = one(Action(parameters=model), {"x": "\u202e\x1b[31m\n"})
    assert problem.message.isprintable()
    (problem,) = one(Action(parameters=model), {"x": "x" * 1_000_000})
    assert len(problem.message) < 2000


def test_what_is_not_listed_is_counted() -> None:
    steps = [Step(name=f"s{n}", action="nope", dependencies=["zz"] if n < 10 else []) for n in range(5000)]
    assert check(steps, catalog={})[-1].message == "4,011 more problems are not listed"


def test_a_reading_of_many_problems() -> None:
    document = [{"id": f"r{n}", "action": "nope", "dependencies": ["zz"] if n < 3 else []} for n in range(2000)]
    reading = read(document, catalog={})
    assert check(reading, catalog={}) == reading.problems


class Ratio(BaseModel):
    ratio: float = 1


@pytest.mark.parametrize("value", ["inf", "nan", 10**400])
def test_numbers_that_json_cannot_hold(value: Any) -> None:
    assert codes(one(Action(parameters=Ratio), {"ratio": value})) == ["invalid-parameters"]


class Sloppy(BaseModel):
    names: List[str] = ()  # type: ignore[assignment]


def test_warnings_of_the_serializer_are_nobodys_business() -> None:
    for action in ("error", "always"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)  # type: ignore[arg-type]
            assert one(Action(parameters=Sloppy)) == ()
            assert caught == []


class Either(BaseModel):
    target: Union[int, List[int]]


def test_pointers_of_unions_lead_somewhere() -> None:
    document = [{"id": "a", "action": "act", "parameters": {"target": "x"}}]
    for problem in read(document, catalog={"act": Action(parameters=Either)}).problems:
        assert problem.location in ("/0/parameters/target", "")


class Inner(BaseModel, extra="forbid"):
    zone: str = "a"


class Outer(BaseModel):
    namespace: str = "x"
    inner: Inner = Inner()


def test_suggestions_are_of_the_same_depth() -> None:
    (problem,) = one(Action(parameters=Outer), {"inner": {"namespaces": 1}})
    assert 'namespace"?' not in problem.suggestion


class ListRoot(RootModel[List[int]]):
    pass


def test_an_object_for_a_list_is_one_problem() -> None:
    assert len(one(Action(parameters=ListRoot), {"a": 1})) == 1


def test_locks_that_depend_on_which_fields_were_given() -> None:
    catalog = {"s": Action(parameters=Item, locks=lambda p: ["given" if p.model_fields_set else "default"])}
    made = plan([Step(name="s")], catalog=catalog)
    assert plan(made.workflow, catalog=catalog) == made


class NoEq:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = object.__hash__


def test_keywords_that_cannot_be_compared() -> None:
    assert codes(check({"a": []}, on_conflict=NoEq())) == ["invalid-field"]  # type: ignore[arg-type]


class Stubborn:
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = object.__hash__


class HoldsStubborn(BaseModel):
    x: Any

    @field_validator("x")
    @classmethod
    def v(cls, x: Any) -> Any:
        return Stubborn()

    @field_serializer("x")
    def s(self, x: Any) -> str:
        return "x"


def test_a_value_that_cannot_be_compared_is_an_error_of_the_catalog() -> None:
    (problem,) = one(Action(parameters=HoldsStubborn), {"x": 1})
    assert problem.code == "invalid-catalog"
    assert "raises RuntimeError: no where it is compared" in problem.message


class Texts(BaseModel):
    texts: Dict[str, Any]

    @field_validator("texts")
    @classmethod
    def v(cls, texts: Dict[str, Any]) -> Dict[str, str]:
        return {key: str(value) for key, value in texts.items()}


def test_many_keys_that_take_anything_are_looked_at_one_by_one() -> None:
    assert one(Action(parameters=Texts), {"texts": {str(number): number for number in range(20)}}) == ()


@pytest.mark.scale
def test_more_of_them_than_can_be_looked_at_are_refused() -> None:
    (problem,) = one(Action(parameters=Texts), {"texts": {str(number): number for number in range(1200)}})
    assert problem.code == "invalid-parameters"
    assert "not all of it can be checked" in problem.message


class Strips(BaseModel):
    namespace: str = "default"
    name: str

    @model_validator(mode="before")
    @classmethod
    def b(cls, data: Any) -> Any:
        return {key: value.strip() for key, value in data.items()}


class WantsTexts(Strips):
    @model_validator(mode="before")
    @classmethod
    def b(cls, data: Any) -> Any:
        if not all(isinstance(value, str) for value in data.values()):
            raise ValueError("texts only")
        return data


class WantsTwo(BaseModel):
    namespace: str = "default"
    name: str

    @model_validator(mode="before")
    @classmethod
    def b(cls, data: Any) -> Any:
        if len(data) < 2:
            raise ValueError("too few")
        return data


class NoNests(WantsTwo):
    @model_validator(mode="before")
    @classmethod
    def n(cls, data: Any) -> Any:
        if any(isinstance(value, list) and value and isinstance(value[0], list) for value in data.values()):
            raise ValueError("no lists of lists")
        return data


class Pod(BaseModel):
    name: str
    port: int


class Node(BaseModel):
    name: str
    zone: int


class HasTarget(BaseModel):
    target: Union[Pod, Node]


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (Strips, {"name": "a", "namespce": "prod"}),
        (WantsTexts, {"name": "a", "namespce": "prod"}),
        (WantsTwo, {"name": "a", "namespce": "prod"}),
        *((NoNests, {"name": "a", "namespce": value}) for value in ("x", True, 1, 1.5, ["x"], [], {"x": 1}, None)),
        (HasTarget, {"target": {"name": "a", "port": "80", "Pod": "x"}}),
    ],
)
def test_a_validator_that_looks_at_everything_hides_no_misspelt_key(model: Any, given: Dict[str, Any]) -> None:
    (problem,) = one(Action(parameters=model), given)
    assert problem.code == "invalid-parameters"
    assert "is not a known field" in problem.message


class Chooses(BaseModel):
    name: str

    @model_validator(mode="before")
    @classmethod
    def b(cls, data: Any) -> Any:
        data = dict(data)
        if data.pop("mode", "fast") not in ("fast", "slow"):
            raise ValueError("what mode?")
        return data


def test_a_key_that_only_a_validator_looks_at_is_taken() -> None:
    assert one(Action(parameters=Chooses), {"name": "a", "mode": "fast"}) == ()


def test_locks_are_in_an_order_of_their_own() -> None:
    action = Action(locks=lambda _: ["b", "a", "b"])
    assert plan([Step(name="s")], catalog={"s": action}).steps["s"].locks == ("a", "b")


def test_a_problem_that_only_warns_does_not_switch_the_catalog_off() -> None:
    made = Reading(
        recommendations=[Recommendation(id="1", action="rm", parameters={"x": 1})],
        problems=[Problem(code="unknown-action", severity="warning", message="x")],
    )
    with pytest.raises(InvalidWorkflowError, match="not in the catalog"):
        plan(made, catalog={"look": Action()})


def test_what_undoes_a_step_counts_for_its_effect_where_the_catalog_has_it() -> None:
    catalog = {
        "scale": Action(effect="write", rollback=lambda _: Compensation(action="wipe")),
        "wipe": Action(effect="destructive"),
        "mild": Action(effect="write", rollback=lambda _: Compensation(action="unlisted")),
    }
    steps = plan([Step(name="scale"), Step(name="mild")], catalog=catalog).steps
    assert (steps["scale"].effect, steps["mild"].effect) == ("destructive", "write")


def test_what_is_not_idempotent_is_not_tried_again() -> None:
    step = Step(name="s", retry=RetryPolicy(max_attempts=4))
    planned = plan([step], catalog={"s": Action(idempotent=False)})
    assert planned.steps["s"].retry is None
    assert [problem.code for problem in planned.problems] == ["overruled-field"]
    assert plan([step], catalog={"s": Action(idempotent=True)}).steps["s"].retry == step.retry
