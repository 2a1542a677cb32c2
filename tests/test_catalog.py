"""The catalog by example: what is refused, what gets onto steps, and what hostile input and hostile catalogs do."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import OrderedDict
from types import MappingProxyType
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Type, Union

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    RootModel,
    ValidationError,
    model_serializer,
    model_validator,
)

import wfplan
from wfplan import (
    Action,
    Compensation,
    ExecutionPlan,
    InvalidWorkflowError,
    Problem,
    Reading,
    Recommendation,
    Step,
    Workflow,
    check,
    plan,
    read,
)

NOT_KNOWN = "is not a known field"
MEND = "fix the catalog"


class Deployment(BaseModel, extra="forbid"):
    namespace: str = "default"
    name: str


class Scale(Deployment):
    replicas: int = Field(ge=0, le=50)
    labels: List[str] = Field(default_factory=list)


class Free(BaseModel, extra="forbid"):
    """All has a default."""

    count: int = 1


def locks_of(parameters: Deployment) -> List[str]:
    return [f"{parameters.namespace}/{parameters.name}"]


def scale_back(parameters: Scale) -> Optional[Compensation]:
    return Compensation(action="scale", parameters={"name": parameters.name, "replicas": "1"})


CATALOG = {
    "scale": Action(
        parameters=Scale,
        effect="write",
        idempotent=True,
        rollback=scale_back,
        locks=locks_of,
        timeout_seconds=60,
        estimated_seconds=5,
    ),
    "restart": Action(parameters=Deployment, effect="write", locks=locks_of),
    "logs": Action(parameters=Deployment, effect="read"),
    "page": Action(),
}


def one(action: Action, parameters: Optional[Dict[str, Any]] = None, **fields: Any) -> Tuple[Problem, ...]:
    """What there is to say of one step with this action."""
    steps = [Step(name="s", action="act", parameters=parameters or {}, **fields)]
    problems = check(steps, catalog={"act": action})
    assert_same_told(steps, {"act": action}, problems)
    return problems


def only(action: Action, parameters: Optional[Dict[str, Any]] = None, **fields: Any) -> Problem:
    (problem,) = one(action, parameters, **fields)
    return problem


def fitted(model: Type[BaseModel], parameters: Dict[str, Any], **fields: Any) -> Dict[str, Any]:
    """The parameters of a planned step, and that planning it again changes nothing."""
    return planned(Action(parameters=model), parameters, **fields).parameters


def planned(action: Action, parameters: Optional[Dict[str, Any]] = None, **fields: Any) -> Step:
    made = plan([Step(name="s", action="act", parameters=parameters or {}, **fields)], catalog={"act": action})
    for again in (plan(made.workflow, catalog={"act": action}), plan(made.workflow)):
        assert again == made
        assert again.model_dump_json(exclude={"problems"}) == made.model_dump_json(exclude={"problems"})
        assert again.fingerprint == made.fingerprint
    assert ExecutionPlan.model_validate_json(made.model_dump_json()) == made
    return made.steps["s"]


def assert_same_told(source: Any, catalog: Any, problems: Sequence[Problem]) -> None:
    """What `check` lists is what `plan` raises or carries; all of it can be printed and dumped."""
    for problem in problems:
        assert str(problem).isprintable()
        assert Problem.model_validate_json(problem.model_dump_json()) == problem
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(InvalidWorkflowError) as raised:
            plan(source, catalog=catalog)
        assert raised.value.problems == tuple(problems)
    else:
        assert plan(source, catalog=catalog).problems == tuple(problems)


def told(problems: Sequence[Problem]) -> List[Tuple[str, Tuple[str, ...], str]]:
    return [(problem.code, problem.steps, problem.suggestion) for problem in problems]


# What gets onto a step


def test_everything_that_the_catalog_knows_is_written_onto_the_step() -> None:
    recommendation = Recommendation(id="1", action="scale", parameters={"name": "web", "replicas": "3"})
    made = plan([recommendation], catalog=CATALOG)
    assert made.problems == ()
    assert made.steps["scale"] == Step(
        name="scale",
        action="scale",
        recommendation_id="1",
        parameters={"namespace": "default", "name": "web", "replicas": 3, "labels": []},
        effect="write",
        idempotent=True,
        locks=["default/web"],
        rollback=Compensation(
            action="scale", parameters={"namespace": "default", "name": "web", "replicas": 1, "labels": []}
        ),
        timeout_seconds=60,
        estimated_seconds=5,
    )


def test_what_the_catalog_says_nothing_of_stays() -> None:
    step = Step(
        name="a",
        action="page",
        metadata={"b": [1]},
        description="d",
        confidence=0.5,
        recommendation_id="r",
        continue_on_failure=True,
        retry=wfplan.RetryPolicy(max_attempts=2),
    )
    made = plan([step], catalog=CATALOG)
    assert made.steps["a"] == step
    assert made.problems == ()


def test_a_mapping_of_names_is_of_actions_without_parameters() -> None:
    assert plan({"page": []}, catalog=CATALOG).steps["page"] == Step(name="page")
    (problem,) = check({"logs": []}, catalog=CATALOG)
    assert problem.message == '"parameters.name" of step "logs" is missing'


def test_an_action_without_a_model_takes_no_parameters() -> None:
    assert planned(Action()).parameters == {}
    problem = only(Action(), {"who": "me"})
    assert (problem.code, problem.message) == ("invalid-parameters", f'"parameters.who" of step "s" {NOT_KNOWN}')


@pytest.mark.parametrize("source", ["recommendations", "steps", "workflow", "reading"])
def test_every_form_of_input_is_looked_up(source: str) -> None:
    parameters = {"name": "web", "replicas": "3"}
    recommendations = [Recommendation(id="s", action="scale", parameters=parameters)]
    steps = [Step(name="s", action="scale", parameters=parameters)]
    given: Any = {
        "recommendations": recommendations,
        "steps": iter(steps),
        "workflow": Workflow(steps=steps, name="w"),
        "reading": Reading(recommendations=recommendations),
    }[source]
    made = plan(given, catalog=CATALOG, naming="id")
    assert made.steps["s"].parameters["replicas"] == 3
    assert made.workflow.name == ("w" if source == "workflow" else "")


def test_any_mapping_is_a_catalog() -> None:
    for catalog in (MappingProxyType(CATALOG), OrderedDict(CATALOG)):
        assert plan({"page": []}, catalog=catalog).strategy == "sequential"


def test_the_input_stays_as_it_was() -> None:
    parameters: Dict[str, Any] = {"name": "web", "replicas": "3"}
    step = Step(name="s", action="scale", parameters=parameters)
    before = step.model_dump_json()
    made = plan([step], catalog=CATALOG)
    with pytest.raises(TypeError, match="to_plain"):
        made.steps["s"].parameters["labels"].append("x")
    assert step.model_dump_json() == before
    assert plan([step], catalog=CATALOG).steps["s"].parameters["labels"] == []


def test_what_the_functions_of_a_catalog_do_to_the_instance_stays_with_them() -> None:
    def locks(parameters: Any) -> List[str]:
        parameters.labels.append("x")
        parameters.name = "other"
        return ["l"]

    step = planned(Action(parameters=Scale, locks=locks), {"name": "web", "replicas": 1})
    assert step.parameters == {"namespace": "default", "name": "web", "replicas": 1, "labels": []}


# What a step says of itself


RANKS: Tuple[Any, ...] = ("read", "write", None, "destructive")


@pytest.mark.parametrize("catalog_says", RANKS)
@pytest.mark.parametrize("step_says", RANKS)
def test_the_worse_effect_counts(catalog_says: Any, step_says: Any) -> None:
    """Not known is worse than `write`; a step that says nothing claims nothing. What is milder is told."""
    step = planned(Action(effect=catalog_says), effect=step_says)
    milder = step_says is not None and RANKS.index(step_says) < RANKS.index(catalog_says)
    worse = catalog_says if step_says is None else max(catalog_says, step_says, key=RANKS.index)
    assert step.effect == worse
    assert told(one(Action(effect=catalog_says), effect=step_says)) == [
        ("overruled-field", ("s",), "leave it to the catalog")
    ] * bool(milder)


@pytest.mark.parametrize(
    ("catalog_says", "step_says", "counts"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, False),
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (False, True, False),
        (False, False, False),
    ],
)
def test_whether_it_can_be_done_twice_is_the_catalogs_to_say(catalog_says: Any, step_says: Any, counts: Any) -> None:
    """But that it cannot is believed. `True` where the catalog does not say so is told."""
    assert planned(Action(idempotent=catalog_says), idempotent=step_says).idempotent is counts
    overruled = [problem.message for problem in one(Action(idempotent=catalog_says), idempotent=step_says)]
    expected = '"idempotent" of step "s" is not what the catalog says, which counts'
    assert overruled == [expected] * (step_says is True and catalog_says is not True)


@pytest.mark.parametrize(
    ("catalog_says", "step_says", "counts"), [(None, None, None), (5, None, 5), (None, 5, 5), (5, 7, 5), (7, 5, 5)]
)
def test_the_shorter_timeout_counts(catalog_says: Any, step_says: Any, counts: Any) -> None:
    assert planned(Action(timeout_seconds=catalog_says), timeout_seconds=step_says).timeout_seconds == counts
    assert one(Action(timeout_seconds=catalog_says), timeout_seconds=step_says) == ()


@pytest.mark.parametrize(("catalog_says", "step_says", "counts"), [(None, None, None), (5, None, 5), (5, 0, 0)])
def test_an_estimate_of_the_steps_own_counts(catalog_says: Any, step_says: Any, counts: Any) -> None:
    assert planned(Action(estimated_seconds=catalog_says), estimated_seconds=step_says).estimated_seconds == counts


def test_locks_of_both_are_held() -> None:
    step = planned(Action(locks=lambda _: iter(["x", "y", "x"])), locks=["z", "y", "z"])
    assert step.locks == ("x", "y", "z")
    assert planned(Action(), locks=["z"]).locks == ("z",)


def test_what_undoes_a_step_is_the_catalogs_to_say() -> None:
    own = Compensation(action="nothing")
    undo = Compensation(action="undo", parameters={"a": [1]})
    for action, counts in ((Action(), None), (Action(rollback=lambda _: undo), undo)):
        assert planned(action, rollback=own).rollback == counts
        problem = only(action, rollback=own)
        assert problem.message == '"rollback" of step "s" is not what the catalog says, which counts'
        assert (problem.code, problem.severity) == ("overruled-field", "warning")
    assert one(Action(rollback=lambda _: undo), rollback=undo) == ()


def test_every_claim_is_told() -> None:
    action = Action(effect="destructive", idempotent=False)
    problems = one(action, effect="read", idempotent=True, rollback=Compensation(action="x"))
    assert [problem.message.split(" ", 1)[0] for problem in problems] == ['"effect"', '"idempotent"', '"rollback"']


def test_a_recommendation_can_claim_nothing() -> None:
    """What it says of the effect in its metadata is no more than metadata."""
    metadata = {"effect": "read", "locks": [], "idempotent": True}
    recommendation = Recommendation(id="1", action="scale", parameters={"name": "w", "replicas": 1}, metadata=metadata)
    step = plan([recommendation], catalog=CATALOG).steps["scale"]
    assert (step.effect, step.locks, step.metadata) == ("write", ("default/w",), metadata)


# What a compensation of the catalog is


def test_the_parameters_of_a_known_compensation_are_converted_too() -> None:
    step = plan([Step(name="s", action="scale", parameters={"name": "w", "replicas": 5})], catalog=CATALOG).steps["s"]
    assert step.rollback is not None
    assert step.rollback.parameters == {"namespace": "default", "name": "w", "replicas": 1, "labels": []}


def test_a_compensation_may_be_of_an_action_that_the_catalog_does_not_know() -> None:
    """It does not come from a model, so nobody has to be kept from it."""
    given = Compensation(action="elsewhere", parameters={"a": 1})
    rollback = planned(Action(rollback=lambda _: given)).rollback
    assert rollback == given
    assert rollback is not None
    assert rollback.parameters is not given.parameters


def test_a_compensation_may_be_of_an_action_without_parameters() -> None:
    assert planned(Action(rollback=lambda _: Compensation(action="act"))).rollback == Compensation(action="act")


@pytest.mark.parametrize(
    "parameters",
    [{}, {"name": 5, "replicas": 1}, {"name": "w", "replicas": 99}, {"name": "w", "replicas": 1, "replica": 2}],
)
def test_the_parameters_of_a_known_compensation_have_to_fit(parameters: Dict[str, Any]) -> None:
    rollback = Action(rollback=lambda _: Compensation(action="scale", parameters=parameters))
    (problem,) = check({"undo me": []}, catalog={"undo me": rollback, "scale": CATALOG["scale"]})
    assert problem.code == "invalid-catalog"
    assert 'rollback of the action "undo me"' in problem.message
    assert 'gives parameters that do not fit the action "scale"' in problem.message


def test_the_model_of_a_known_compensation_has_to_work() -> None:
    rollback = Action(rollback=lambda _: Compensation(action="broken"))
    catalog = {"undo me": rollback, "broken": Action(parameters=SerializerRaises)}
    (problem,) = check({"undo me": []}, catalog=catalog)
    assert (problem.code, problem.suggestion) == ("invalid-catalog", MEND)


# Parameters: what models make of them


class Strict(BaseModel, extra="forbid"):
    model_config = ConfigDict(strict=True)

    when: dt.date
    pair: Tuple[int, str] = (1, "a")


class Forbids(BaseModel, extra="forbid"):
    model_config = ConfigDict(extra="forbid")

    count: int = 1


class AnyKey(RootModel[Dict[str, Any]]):
    pass


class Zone(BaseModel, extra="forbid"):
    zone: str = "a"


class Nested(BaseModel, extra="forbid"):
    zone: Zone = Field(default_factory=Zone)
    zones: List[Zone] = []
    by_name: Dict[str, Zone] = {}
    pair: Tuple[int, Zone] = (1, Zone())
    maybe: Optional[Zone] = None
    either: Union[Zone, int] = 1
    lists: List[List[Zone]] = []


class Aliased(BaseModel, extra="forbid"):
    namespace: str = Field("default", alias="ns")


class AliasedOrNamed(BaseModel, extra="forbid"):
    model_config = ConfigDict(populate_by_name=True)

    namespace: str = Field("default", alias="ns")


class Choices(BaseModel, extra="forbid"):
    namespace: str = Field("default", validation_alias=AliasChoices("namespace", "ns"))


class Root(RootModel[Dict[str, int]]):
    pass


class RootOfList(RootModel[List[int]]):
    pass


class Before(BaseModel, extra="forbid"):
    namespace: str = "default"

    @model_validator(mode="before")
    @classmethod
    def rename(cls, data: Any) -> Any:
        """Another name is taken for that of the field."""
        return {("namespace" if key == "project" else key): value for key, value in data.items()}


class Defaults(BaseModel, extra="forbid"):
    names: List[str] = Field(default_factory=lambda: ["a"])
    ratio: float = 1


@pytest.mark.parametrize(
    ("model", "given", "written"),
    [
        (Free, {}, {"count": 1}),
        (Free, {"count": "3"}, {"count": 3}),
        (Free, {"count": 3.0}, {"count": 3}),
        (Strict, {"when": "2024-02-29"}, {"when": "2024-02-29", "pair": [1, "a"]}),
        (Strict, {"when": "2024-02-29", "pair": [2, "b"]}, {"when": "2024-02-29", "pair": [2, "b"]}),
        (Forbids, {"count": True}, {"count": 1}),
        (AnyKey, {"more": {"a": [1, None]}}, {"more": {"a": [1, None]}}),
        (Aliased, {"ns": "a"}, {"ns": "a"}),
        (AliasedOrNamed, {"namespace": "a"}, {"ns": "a"}),
        (AliasedOrNamed, {"ns": "a"}, {"ns": "a"}),
        (Choices, {"ns": "a"}, {"namespace": "a"}),
        (Choices, {"namespace": "a"}, {"namespace": "a"}),
        (Root, {}, {}),
        (Root, {"any key": "3"}, {"any key": 3}),
        (Before, {"project": "a"}, {"namespace": "a"}),
        (Defaults, {}, {"names": ["a"], "ratio": 1.0}),
        (Defaults, {"ratio": "2.5", "names": []}, {"names": [], "ratio": 2.5}),
    ],
)
def test_parameters_are_what_the_model_writes(
    model: Type[BaseModel], given: Dict[str, Any], written: Dict[str, Any]
) -> None:
    result = fitted(model, given)
    assert result == written
    assert json.dumps(result, sort_keys=True) == json.dumps(written, sort_keys=True)


def test_models_in_models_are_filled_in_at_every_depth() -> None:
    zone = {"zone": "a"}
    given: Dict[str, Any] = {
        "zone": {},
        "zones": [{}, {"zone": "b"}],
        "by_name": {"k": {}},
        "pair": ["2", {}],
        "maybe": {},
        "either": {"zone": "c"},
        "lists": [[], [{}]],
    }
    assert fitted(Nested, given) == {
        "zone": zone,
        "zones": [zone, {"zone": "b"}],
        "by_name": {"k": zone},
        "pair": [2, zone],
        "maybe": zone,
        "either": {"zone": "c"},
        "lists": [[], [zone]],
    }


@pytest.mark.parametrize(
    ("model", "given", "pointer"),
    [
        (Free, {"cuont": 2}, "/cuont"),
        (Forbids, {"cuont": 2}, "/cuont"),
        (Free, {"count": 1, "cuont": None}, "/cuont"),
        (Free, {"cuont": [[["?"]]]}, "/cuont"),
        (Before, {"projct": "a"}, "/projct"),
        (Aliased, {"namespace": "a"}, "/namespace"),
        (Aliased, {"ns": "a", "namespace": "b"}, "/namespace"),
        (AliasedOrNamed, {"ns": "a", "namespace": "b"}, "/namespace"),
        (Choices, {"ns": "a", "namespace": "b"}, "/ns"),
        (Nested, {"zone": {"zoen": "b"}}, "/zone/zoen"),
        (Nested, {"zones": [{}, {"zoen": "b"}]}, "/zones/1/zoen"),
        (Nested, {"by_name": {"k/~": {"zoen": "b"}}}, "/by_name/k~1~0/zoen"),
        (Nested, {"pair": [1, {"zoen": "b"}]}, "/pair/1/zoen"),
        (Nested, {"maybe": {"zone": "b", "zoen": "b"}}, "/maybe/zoen"),
        (Nested, {"lists": [[], [{}, {"zoen": 1}]]}, "/lists/1/1/zoen"),
    ],
)
def test_a_key_that_the_model_does_not_look_at_is_refused(
    model: Type[BaseModel], given: Dict[str, Any], pointer: str
) -> None:
    """At any depth."""
    problem = only(Action(parameters=model), given)
    assert (problem.code, problem.steps) == ("invalid-parameters", ("s",))
    assert problem.message.endswith(NOT_KNOWN)
    document = [{"id": "s", "action": "act", "parameters": given}]
    (found,) = read(document, catalog={"act": Action(parameters=model)}).problems
    assert (found.message.replace("recommendation", "step"), found.location) == (
        problem.message,
        f"/0/parameters{pointer}",
    )


def test_the_nearest_parameters_are_named() -> None:
    wrong = {"name": "w", "replicas": 1, "namespce": "prod", "xyz": 1}
    assert [problem.suggestion for problem in one(Action(parameters=Scale), wrong)] == [
        'did you mean "namespace"?',
        "correct its spelling or leave it out",
    ]
    assert only(Action(parameters=Forbids), {"cuont": 1}).suggestion == 'did you mean "count"?'
    assert only(Action(parameters=Aliased), {"nss": 1}).suggestion == 'did you mean "ns"?'
    assert only(Action(parameters=Nested), {"zone": {"zoen": 1}}).suggestion == "correct its spelling or leave it out"


@pytest.mark.parametrize(
    ("model", "given", "messages"),
    [
        (Scale, {}, ['"parameters.name" of step "s" is missing', '"parameters.replicas" of step "s" is missing']),
        (Scale, {"name": "w", "replicas": 99}, ['"parameters.replicas" of step "s" must be at most 50, not 99']),
        (Scale, {"name": 1, "replicas": 1}, ['"parameters.name" of step "s" must be a string, not a number']),
        (
            Scale,
            {"name": "w", "replicas": "x", "labels": "a"},
            [
                '"parameters.replicas" of step "s" must be a whole number, not "x"',
                '"parameters.labels" of step "s" does not fit: Input should be a valid array',
            ],
        ),
        (Strict, {"when": 1}, ['"parameters.when" of step "s" does not fit: Input should be a valid date']),
        (Root, {"a": "x"}, ['"parameters.a" of step "s" must be a whole number, not "x"']),
        (Forbids, {"count": {}}, ['"parameters.count" of step "s" must be a whole number, not an object']),
        (
            Scale,
            {"nmae": "w", "replicas": 1},
            ['"parameters.name" of step "s" is missing', f'"parameters.nmae" of step "s" {NOT_KNOWN}'],
        ),
        (
            Forbids,
            {"count": "x", "cuont": 1},
            [
                '"parameters.count" of step "s" must be a whole number, not "x"',
                f'"parameters.cuont" of step "s" {NOT_KNOWN}',
            ],
        ),
        (Choices, {"ns": 1}, ['"parameters.ns" of step "s" must be a string, not a number']),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    model: Type[BaseModel], given: Dict[str, Any], messages: List[str]
) -> None:
    """With every reason, and with the keys that nobody looks at."""
    problems = one(Action(parameters=model), given)
    assert [problem.message for problem in problems] == messages
    assert {(problem.code, problem.steps) for problem in problems} == {("invalid-parameters", ("s",))}


def test_a_name_that_is_read_besides_that_of_the_field_is_no_unknown_key_where_something_else_does_not_fit() -> None:
    class Both(BaseModel, extra="forbid"):
        namespace: str = Field(validation_alias=AliasChoices("namespace", "ns"))
        count: int

    problem = only(Action(parameters=Both), {"ns": "a"})
    assert problem.message == '"parameters.count" of step "s" is missing'


@pytest.mark.parametrize(
    "given", [{"list": [{"zone": "b"}]}, {"map": {"x": {"y": [1, {"z": None}]}}}, {"deep": [[[[[1]]]]]}]
)
def test_what_the_model_takes_whole_is_not_looked_into(given: Dict[str, Any]) -> None:
    class Anything(BaseModel, extra="forbid"):
        list: Any = None
        map: Dict[str, Any] = {}
        deep: Any = None

    written = fitted(Anything, given)
    assert {key: written[key] for key in given} == given


# Models that are at fault


class SerializerRaises(BaseModel, extra="forbid"):
    count: int = 1

    @model_serializer
    def write(self) -> Dict[str, Any]:
        raise RuntimeError("no\x1b")


class WritesText(BaseModel, extra="forbid"):
    @model_serializer
    def write(self) -> str:
        return "text"


class InfiniteDefault(BaseModel, extra="forbid"):
    ratio: float = float("inf")


class WritesUnreadable(BaseModel, extra="forbid"):
    count: int = 1

    @model_serializer
    def write(self) -> Dict[str, Any]:
        return {"count": "many"}


class CountsUp(BaseModel, extra="forbid"):
    count: int = 1

    @model_validator(mode="after")
    def up(self) -> CountsUp:
        self.count += 1
        return self


class RaisesPlainly(BaseModel, extra="forbid"):
    count: int = 1

    @model_validator(mode="after")
    def refuse(self) -> RaisesPlainly:
        raise RuntimeError("no\u202e\n")


class CannotTell(BaseModel, extra="forbid"):
    count: int = 1

    @model_validator(mode="after")
    def refuse(self) -> CannotTell:
        raise _UntellableError


class _UntellableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


class FactoryRaises(BaseModel, extra="forbid"):
    ratio: float = Field(default_factory=lambda: 1 / 0)


class WrongDefault(BaseModel, extra="forbid"):
    text: Json[Any] = Field(default_factory=list)


class Differs(BaseModel, extra="forbid"):
    name: str = Field("a", validation_alias="in", serialization_alias="out")


BROKEN: Dict[str, Tuple[Type[BaseModel], Dict[str, Any], str]] = {
    "a serializer raises": (SerializerRaises, {}, "it raises PydanticSerializationError"),
    "it writes no object": (WritesText, {}, "it does not write a JSON object"),
    "a default is infinite": (InfiniteDefault, {}, "it has a default that is inf, which JSON cannot hold"),
    "it refuses what it writes": (WritesUnreadable, {}, "it does not read what it writes"),
    "it reads another value than it wrote": (CountsUp, {}, "it does not read what it writes"),
    "a validator raises what is no refusal": (RaisesPlainly, {}, "it raises RuntimeError: no\\u202e\\n"),
    "a validator raises what cannot be told": (CannotTell, {}, "it raises _UntellableError"),
    "a default cannot be made": (FactoryRaises, {}, "it raises ZeroDivisionError: "),
    "a default is of another type": (WrongDefault, {}, "it does not read what it writes"),
    "names differ for reading and writing": (Differs, {"in": "b"}, "it does not read what it writes"),
}


@pytest.mark.parametrize(("model", "given", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_model_that_is_at_fault_is_an_error_of_the_catalog(
    model: Type[BaseModel], given: Dict[str, Any], reason: str
) -> None:
    problem = only(Action(parameters=model), given)
    assert (problem.code, problem.severity, problem.suggestion) == ("invalid-catalog", "error", MEND)
    assert problem.message.startswith('the model of the parameters of the action "act" cannot be used for step "s": ')
    assert reason in problem.message


def test_a_model_that_cannot_take_an_object_refuses_it() -> None:
    problems = one(Action(parameters=RootOfList), {})
    assert [problem.code for problem in problems] == ["invalid-parameters"]


def test_a_type_that_is_not_known_when_the_model_is_used_is_an_error_of_the_catalog() -> None:
    unfinished = type("Unfinished", (BaseModel,), {"__annotations__": {"a": "Nowhere"}, "__module__": __name__})
    assert only(Action(parameters=unfinished)).code == "invalid-catalog"


def test_a_key_with_which_the_model_breaks_is_looked_at() -> None:
    """What is put in the place of a key may be more than the code of a model can bear."""

    class Before(BaseModel, extra="forbid"):
        name: str = "a"

        @model_validator(mode="before")
        @classmethod
        def lower(cls, data: Dict[str, Any]) -> Dict[str, Any]:
            data = dict(data)
            if "NAME" in data:
                data["name"] = data.pop("NAME").lower()
            return data

    assert fitted(Before, {"NAME": "B"}) == {"name": "b"}


# Functions of the catalog that are at fault


def _raise(_: Any) -> Any:
    raise RuntimeError("no \x1b[31m\u202e")


def _raising_midway(_: Any) -> Iterator[str]:
    yield "x"
    raise RuntimeError("no")


def _interrupted(_: Any) -> Any:
    raise StopIteration


def _takes_two(_: Any, __: Any) -> Any:
    return []


NO_LOCKS: Dict[str, Tuple[Callable[[Any], Any], str]] = {
    "raises": (_raise, "raises RuntimeError: no \\x1b[31m\\u202e"),
    "raises midway": (_raising_midway, "raises RuntimeError: no"),
    "raises StopIteration": (_interrupted, "raises StopIteration"),
    "text": (lambda _: "key", "gives a string, not a list of keys"),
    "bytes": (lambda _: b"key", "gives a value of type bytes, not a list of keys"),
    "set": (lambda _: {"key"}, "gives a set, not a list of keys"),
    "frozenset": (lambda _: frozenset(["key"]), "gives a set, not a list of keys"),
    "dict": (lambda _: {"key": 1}, "gives an object, not a list of keys"),
    "mapping": (lambda _: MappingProxyType({}), "gives a value of type mappingproxy, not a list of keys"),
    "number": (lambda _: 5, "gives a number, not a list of keys"),
    "boolean": (lambda _: False, "gives a boolean, not a list of keys"),
    "numbers": (lambda _: [1, 2], "gives a key that is not a string of 1 to 1,024 characters"),
    "null": (lambda _: ["x", None], "gives a key that is not a string"),
    "lists": (lambda _: [["x"]], "gives a key that is not a string"),
    "empty text": (lambda _: [""], "gives a key that is not a string"),
    "long text": (lambda _: ["x" * 1025], "gives a key that is not a string"),
    "half of a surrogate pair": (lambda _: ["\ud800"], "gives a key that is not a string"),
    "too many": (lambda _: [f"{number}" for number in range(10_001)], "gives more than 10,000 keys"),
    "endless": (lambda _: map(str, itertools.count()), "gives more than 10,000 keys"),
    "endless and the same": (lambda _: itertools.repeat("x"), "gives more than 10,000 keys"),
    "takes two": (_takes_two, "raises TypeError"),
    "a type": (lambda _: Exception, "gives a value of type type, not a list of keys"),
}


@pytest.mark.parametrize(("function", "reason"), NO_LOCKS.values(), ids=NO_LOCKS)
def test_locks_that_are_no_list_of_keys_are_an_error_of_the_catalog(
    function: Callable[[Any], Any], reason: str
) -> None:
    problem = only(Action(locks=function))
    assert (problem.code, problem.steps, problem.suggestion) == ("invalid-catalog", ("s",), MEND)
    assert problem.message.startswith(f'locks of the action "act" cannot be used for step "s": it {reason}')


@pytest.mark.parametrize(
    ("give", "locks"),
    [
        (lambda _: None, ()),
        (lambda _: [], ()),
        (lambda _: ["x", "x"], ("x",)),
        (lambda _: ("y", "x"), ("x", "y")),
        (lambda _: iter("yx"), ("x", "y")),
        (lambda _: {"y": 1, "x": 2}.keys(), ("x", "y")),
        (lambda _: ["x" * 1024, " ", "\x1b\u202e"], ("\x1b\u202e", " ", "x" * 1024)),
    ],
)
def test_locks_are_any_list_of_texts(give: Callable[[Any], Any], locks: Tuple[str, ...]) -> None:
    assert planned(Action(locks=give)).locks == locks


def test_locks_may_be_10000() -> None:
    assert len(planned(Action(locks=lambda _: (f"{number}" for number in range(10_000)))).locks) == 10_000


def test_texts_of_a_class_become_plain_texts() -> None:
    class Key(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "other"

    (lock,) = planned(Action(locks=lambda _: [Key("x")])).locks
    assert (lock, type(lock)) == ("x", str)


NO_ROLLBACKS: Dict[str, Tuple[Callable[[Any], Any], str]] = {
    "raises": (_raise, "raises RuntimeError: no \\x1b[31m\\u202e"),
    "object": (lambda _: {"action": "undo"}, "gives an object, not a Compensation or None"),
    "text": (lambda _: "undo", "gives a string, not a Compensation or None"),
    "boolean": (lambda _: False, "gives a boolean, not a Compensation or None"),
    "step": (lambda _: Step(name="a"), "gives a value of type Step, not a Compensation or None"),
    "unchecked action": (lambda _: Compensation.model_construct(action=5), "raises ValidationError"),
    "action that is a list": (lambda _: Compensation.model_construct(action=[]), "raises TypeError"),
    "unchecked parameters": (
        lambda _: Compensation.model_construct(action="undo", parameters={1: 2}),
        "raises ValidationError",
    ),
    "parameters that JSON cannot hold": (
        lambda _: Compensation.model_construct(action="act", parameters={"a": {1}}),
        'gives parameters that do not fit the action "act"',
    ),
}


@pytest.mark.parametrize(("function", "reason"), NO_ROLLBACKS.values(), ids=NO_ROLLBACKS)
def test_a_rollback_that_is_no_compensation_is_an_error_of_the_catalog(
    function: Callable[[Any], Any], reason: str
) -> None:
    problem = only(Action(rollback=function))
    assert (problem.code, problem.steps, problem.suggestion) == ("invalid-catalog", ("s",), MEND)
    assert problem.message.startswith(f'rollback of the action "act" cannot be used for step "s": it {reason}')


def test_functions_are_not_called_with_parameters_that_do_not_fit() -> None:
    def never(_: Any) -> Any:
        raise AssertionError

    action = Action(parameters=Free, locks=never, rollback=never)
    for parameters in ({"count": "x"}, {"cuont": 1}):
        assert [problem.code for problem in one(action, parameters)] == ["invalid-parameters"]


def test_both_functions_are_told_of_if_both_are_at_fault() -> None:
    problems = one(Action(locks=_raise, rollback=_raise))
    assert [problem.message.split(" ", 1)[0] for problem in problems] == ["locks", "rollback"]


def test_an_interrupt_in_a_function_of_the_catalog_goes_through() -> None:
    def interrupt(_: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check({"a": []}, catalog={"a": Action(locks=interrupt)})


# Catalogs that are none


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ([], "a list"),
        ((), "a list"),
        ("scale", "a string"),
        (5, "a number"),
        (True, "a boolean"),
        ({"scale"}, "a set"),
        ([("scale", Action())], "a list"),
        (Action(), "a value of type Action"),
        (dict, "a value of type type"),
    ],
)
def test_what_is_no_mapping_is_no_catalog(given: Any, kind: str) -> None:
    (problem,) = check({"page": []}, catalog=given)
    assert (problem.code, problem.steps) == ("invalid-catalog", ())
    assert problem.message == f"a catalog is a mapping from actions to Action, not {kind}"
    assert_same_told({"page": []}, given, [problem])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", '"" is not an action for a catalog: it is empty'),
        (" a", '" a" is not an action for a catalog: it begins or ends with a space'),
        ("a\n", '"a\\n" is not an action for a catalog: it begins or ends with a space'),
        ("restart_*", '"restart_*" is not an action for a catalog: it holds "*"'),
        ("a?", '"a?" is not an action for a catalog: it holds "?"'),
        ("[ab]", '"[ab]" is not an action for a catalog: it holds "["'),
        ("a|b", '"a|b" is not an action for a catalog: it holds "|"'),
        ("^a$", '"^a$" is not an action for a catalog: it holds "^"'),
        ("x" * 1025, f'"{"x" * 77}..." is not an action for a catalog: it has 1,025 characters'),
        (5, "a number is not an action for a catalog: it is not a string"),
        (None, "null is not an action for a catalog: it is not a string"),
        (("a", "b"), "a list is not an action for a catalog: it is not a string"),
    ],
)
def test_a_key_that_is_no_action_is_refused(key: Any, reason: str) -> None:
    (problem,) = check({"page": []}, catalog={"page": Action(), key: Action()})
    assert problem.code == "invalid-catalog"
    assert problem.message.startswith(reason)
    assert_same_told({"page": []}, {"page": Action(), key: Action()}, [problem])


@pytest.mark.parametrize("key", ["x" * 1024, "two words", "é", "a/b:c.d-e", "UPPER"])
def test_other_texts_are_actions(key: str) -> None:
    assert check([Step(name="s", action=key)], catalog={key: Action()}) == ()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        ({}, "an object"),
        ({"effect": "read"}, "an object"),
        (Action, "a value of type ModelMetaclass"),
        (Scale, "a value of type ModelMetaclass"),
        (print, "a value of type builtin_function_or_method"),
    ],
)
def test_a_value_that_is_no_action_is_refused(value: Any, kind: str) -> None:
    catalog: Any = {"page": value}
    (problem,) = check({"page": []}, catalog=catalog)
    assert problem.message == f'the catalog has {kind} for "page", not an Action'
    assert_same_told({"page": []}, catalog, [problem])


def test_everything_that_is_wrong_with_a_catalog_is_told() -> None:
    catalog: Any = {"*": None, "b": Action(), 1: 2}
    assert [problem.message for problem in check({"b": []}, catalog=catalog)] == [
        '"*" is not an action for a catalog: it holds "*", but patterns are not known: name each action in full',
        'the catalog has null for "*", not an Action',
        "a number is not an action for a catalog: it is not a string",
        "the catalog has a number for a number, not an Action",
    ]


def test_hostile_keys_of_a_catalog_are_escaped() -> None:
    catalog: Any = {"*\x1b[31m\u202e\ud800": None}
    for problem in check({"b": []}, catalog=catalog):
        assert problem.message.isprintable()
        assert "\\x1b[31m\\u202e\\ud800" in problem.message


def test_a_catalog_that_is_none_comes_with_all_other_problems() -> None:
    catalog: Any = {"": Action()}
    problems = check({"a": ["b", "b"]}, catalog=catalog, on_conflict="odd", naming="odd")  # type: ignore[arg-type]
    assert sorted(problem.code for problem in problems) == [
        "duplicate-dependency",
        "invalid-catalog",
        "invalid-field",
        "invalid-field",
        "unknown-dependency",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"parameters": dict},
        {"parameters": Scale(name="a", replicas=1)},
        {"effect": "harmless"},
        {"idempotent": 1},
        {"rollback": Compensation(action="a")},
        {"locks": ["x"]},
        {"timeout_seconds": 0},
        {"timeout_seconds": float("inf")},
        {"estimated_seconds": -1},
        {"lock": None},
    ],
)
def test_an_action_checks_itself(fields: Dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Action(**fields)


def test_changing_a_catalog_afterwards_changes_no_plan() -> None:
    catalog = dict(CATALOG)
    made = plan([Step(name="s", action="scale", parameters={"name": "w", "replicas": 1})], catalog=catalog)
    before = made.model_dump_json()
    catalog.clear()
    assert made.model_dump_json() == before
    with pytest.raises(ValidationError):
        CATALOG["page"].effect = "read"  # type: ignore[misc]


# Every problem at once


def test_problems_of_the_catalog_come_with_those_of_the_graph() -> None:
    recommendations = [
        Recommendation(id="1", action="scal", parameters={"name": "w"}, dependencies=["2"]),
        Recommendation(id="2", action="scale", parameters={"name": "w", "replicas": 99}, dependencies=["1"]),
        Recommendation(id="3", action="page", parameters={"who": "me"}, dependencies=["4"]),
        Recommendation(id="3", action="logs", metadata={"execution_mode": "odd"}),
    ]
    problems = check(recommendations, catalog=CATALOG)
    assert sorted((problem.code, problem.steps) for problem in problems) == [
        ("dependency-cycle", ("1", "2")),
        ("duplicate-step", ("3",)),
        ("invalid-parameters", ("2",)),
        ("invalid-parameters", ("3",)),
        ("invalid-parameters", ("3",)),
        ("unknown-action", ("1",)),
        ("unknown-dependency", ("3",)),
        ("unknown-execution-mode", ("3",)),
    ]
    assert_same_told(recommendations, CATALOG, problems)


def test_an_unknown_action_is_told_with_the_nearest_known_ones() -> None:
    steps = [Step(name="a", action="scal"), Step(name="b", action="restat"), Step(name="c", action="\x1b\u202e")]
    problems = check(steps, catalog=CATALOG)
    assert [(problem.message, problem.suggestion) for problem in problems] == [
        ('step "a" has the action "scal", which is not in the catalog', 'did you mean "scale"?'),
        ('step "b" has the action "restat", which is not in the catalog', 'did you mean "restart"?'),
        (
            'step "c" has the action "\\x1b\\u202e", which is not in the catalog',
            "correct its spelling or leave it out",
        ),
    ]
    assert {problem.code for problem in problems} == {"unknown-action"}


def test_actions_are_known_by_their_very_text() -> None:
    for action in ("Scale", "scale ", "scale\u200b"):
        assert [problem.code for problem in check([Step(name="s", action=action)], catalog=CATALOG)] == [
            "unknown-action"
        ]


def test_nearest_names_are_looked_up_for_the_first_20_unknown_actions() -> None:
    steps = [Step(name=f"s{number}", action=f"page{number // 2}") for number in range(44)]
    suggestions = [problem.suggestion for problem in check(steps, catalog=CATALOG)]
    assert suggestions == ['did you mean "page"?'] * 40 + ["correct its spelling or leave it out"] * 4


def test_an_empty_catalog_knows_nothing() -> None:
    assert [problem.code for problem in check({"a": []}, catalog={})] == ["unknown-action"]
    assert [problem.code for problem in check({}, catalog={})] == ["empty-workflow"]
    assert plan([], catalog={}).batches == ()


def test_what_cannot_be_planned_at_all_is_told_with_any_catalog() -> None:
    for source in ("text", 5, [1], {1, 2}):
        (problem,) = check(source, catalog=CATALOG)  # type: ignore[arg-type]
        assert problem.code == "invalid-document"


def test_a_reading_tells_where_it_is_and_says_nothing_twice() -> None:
    document = {
        "recommendations": [
            {"id": "1", "action": "scal"},
            {"id": "2", "action": "scale", "parameters": {"name": "w", "replicas": "x", "a/b": 1}, "dependencies": []},
        ]
    }
    reading = read(json.dumps(document), catalog=CATALOG)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert [(problem.code, problem.location) for problem in errors] == [
        ("unknown-action", "/recommendations/0/action"),
        ("invalid-parameters", "/recommendations/1/parameters/replicas"),
        ("invalid-parameters", "/recommendations/1/parameters/a~1b"),
    ]
    assert check(reading) == reading.problems
    without = read(json.dumps(document))
    assert without.ok
    again = [problem for problem in check(without, catalog=CATALOG) if problem.severity == "error"]
    assert [(problem.message, problem.location) for problem in again] == [(problem.message, "") for problem in errors]


def test_claims_in_a_document_are_told_with_their_place() -> None:
    document = {"steps": [{"name": "a", "action": "logs", "parameters": {"name": "w"}, "idempotent": True}]}
    reading = read(document, catalog=CATALOG)
    (problem,) = reading.problems
    assert (problem.code, problem.location) == ("overruled-field", "/steps/0/idempotent")
    assert plan(reading).problems == (problem,)
    assert plan(reading).steps["a"].idempotent is None


# Locks of the catalog in the plan


def test_steps_that_touch_the_same_are_not_in_one_batch_and_are_told() -> None:
    steps = [
        Step(name="a", action="scale", parameters={"name": "w", "replicas": 1}),
        Step(name="b", action="restart", parameters={"name": "w"}),
        Step(name="c", action="restart", parameters={"name": "v"}),
        Step(name="d", action="logs", parameters={"name": "w"}),
    ]
    made = plan(steps, catalog=CATALOG)
    assert [batch.steps for batch in made.batches] == [("a", "c", "d"), ("b",)]
    assert [(problem.code, problem.steps) for problem in made.problems] == [("conflict", ("a", "b"))]
    assert plan(steps, catalog=CATALOG, on_conflict="lock").problems == ()
    assert plan(steps, catalog=CATALOG, on_conflict="lock") == made
    with pytest.raises(InvalidWorkflowError, match="conflict"):
        plan(steps, catalog=CATALOG, on_conflict="error")


def test_two_that_only_read_hold_their_lock_alone_and_are_in_no_conflict() -> None:
    catalog = {"read": Action(effect="read", locks=lambda _: ["x"])}
    made = plan([Step(name="a", action="read"), Step(name="b", action="read")], catalog=catalog)
    assert [batch.steps for batch in made.batches] == [("a",), ("b",)]
    assert made.problems == ()


def test_a_claim_to_only_read_hides_no_conflict() -> None:
    catalog = {"write": Action(effect="write", locks=lambda _: ["x"])}
    steps = [Step(name=name, action="write", effect="read") for name in "ab"]
    assert [problem.code for problem in check(steps, catalog=catalog)] == [
        "overruled-field",
        "overruled-field",
        "conflict",
    ]


# Hostile input


def test_parameters_of_a_megabyte_are_taken_and_refused_in_short() -> None:
    class Text(BaseModel, extra="forbid"):
        text: str = ""

    large = "x" * 1_000_000
    assert fitted(Text, {"text": large}) == {"text": large}
    for parameters in ({"text": [large]}, {large: 1}, {"text": {"a": large}}):
        assert all(len(str(problem)) < 500 for problem in one(Action(parameters=Text), parameters))
    assert len(str(only(Action(parameters=Free), {"count": large}))) < 500


@pytest.mark.parametrize("model", [Free, Forbids, Nested, None])
def test_of_5000_unknown_keys_some_are_told(model: Any) -> None:
    """A list of 20 says as much as one of 5,000."""
    problems = one(Action(parameters=model), {f"key {number}": number for number in range(5000)})
    assert {problem.code for problem in problems} == {"invalid-parameters"}
    assert len(problems) == 21
    assert problems[-1].message == '"parameters" of step "s" has 4,980 more errors'


def test_5000_extra_keys_are_taken_where_they_are_allowed() -> None:
    given = {f"key {number}": number for number in range(5000)}
    assert fitted(AnyKey, given) == given


HOSTILE_KEYS = ("\x1b[31m", "a\nb", "\u202e", '"', "\\", "\x00", "a.b", "/~", "", "[key]", "\u200b", "x" * 5000)


@pytest.mark.parametrize("key", HOSTILE_KEYS)
@pytest.mark.parametrize("model", [Free, Forbids, Scale, Nested])
def test_hostile_keys_are_escaped(key: str, model: Type[BaseModel]) -> None:
    """On one line, and nothing in it that cannot be printed."""
    for parameters in ({key: 1}, {"zone": {key: 1}}, {"count": {key: 1}}):
        problems = one(Action(parameters=model), parameters)
        assert problems
        for problem in problems:
            assert problem.message.isprintable()
            assert problem.suggestion.isprintable()
            assert len(problem.message) < 400


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_hostile_keys_are_taken_where_any_key_is(key: str) -> None:
    assert fitted(Root, {key: "1"}) == {key: 1}
    assert fitted(AnyKey, {key: "1"}) == {key: "1"}


@pytest.mark.parametrize(
    "value", ["\ud7ff\u202e\x00", "", None, 2**70, -(2**70), 1e308, 5e-324, -0.0, [], {}, [[[]]], {"": {"": None}}]
)
def test_any_value_that_json_holds_is_kept(value: Any) -> None:
    class Anything(BaseModel, extra="forbid"):
        value: Any = None

    assert json.dumps(fitted(Anything, {"value": value})) == json.dumps({"value": value})


def test_parameters_may_be_64_levels_deep() -> None:
    class Anything(BaseModel, extra="forbid"):
        value: Any = None

    value: Any = []
    for _ in range(61):
        value = [value]
    assert fitted(Anything, {"value": value}) == {"value": value}


def test_many_steps_of_one_action_are_looked_up() -> None:
    steps = [Step(name=f"s{n}", action="scale", parameters={"name": f"{n}", "replicas": n % 50}) for n in range(5000)]
    made = plan(steps, catalog=CATALOG)
    assert made.problems == ()
    assert made.steps["s4999"].locks == ("default/4999",)
