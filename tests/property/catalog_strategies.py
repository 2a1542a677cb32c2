"""Catalogs, and steps and recommendations with actions and parameters that are in them, or nearly."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple, Type

from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel
from strategies import json_objects, json_values, recommendation_lists, step_fields, step_lists

from wfplan import Action, Compensation, Recommendation, Step

KEYS = ("disk", "node-1", "x", "y")
"""Lock keys, some of which steps have of their own as well."""
ACTIONS = ("restart", "scale", "two words", "é", "drain", "a")
UNKNOWN_ACTIONS = ("restrat", "", "nothing like it", "\u202e", "A", "a ")
EFFECTS: Tuple[Any, ...] = ("read", "write", None, "destructive")
"""The mildest first."""


class Zone(BaseModel, extra="forbid"):
    zone: str = "a"
    weight: float = 1


class Target(BaseModel, extra="forbid"):
    namespace: str = "default"
    replicas: int = Field(1, ge=0)
    zones: List[Zone] = Field(default_factory=list)
    main: Optional[Zone] = None


class Named(BaseModel, extra="forbid"):
    name: str = Field("n", validation_alias=AliasChoices("name", "title"))
    label: Optional[str] = Field(None, alias="Label")


class Strict(BaseModel, extra="forbid"):
    model_config = ConfigDict(strict=True, extra="forbid")

    pair: Tuple[int, bool] = (1, True)


class Open(BaseModel, extra="forbid"):
    value: Any = None
    more: Dict[str, Any] = Field(default_factory=dict)


class Counts(RootModel[Dict[str, int]]):
    pass


def _zones() -> st.SearchStrategy[Any]:
    weights = st.one_of(st.integers(0, 9), st.floats(0, 9), st.just("2.5"))
    return st.fixed_dictionaries({}, optional={"zone": st.text(max_size=3), "weight": weights})


FITTING: Sequence[Tuple[Optional[Type[BaseModel]], st.SearchStrategy[Dict[str, Any]]]] = (
    (None, st.just({})),
    (
        Target,
        st.fixed_dictionaries(
            {},
            optional={
                "namespace": st.text(max_size=3),
                "replicas": st.sampled_from((0, 3, "3", 7.0, True)),
                "zones": st.lists(_zones(), max_size=2),
                "main": st.none() | _zones(),
            },
        ),
    ),
    (Named, st.fixed_dictionaries({}, optional={"title": st.text(max_size=3), "Label": st.none() | st.just("l")})),
    (Strict, st.fixed_dictionaries({}, optional={"pair": st.tuples(st.integers(), st.booleans()).map(list)})),
    (Open, st.fixed_dictionaries({}, optional={"value": json_values(), "more": json_objects()})),
    (Counts, st.dictionaries(st.text(max_size=3), st.integers(0, 9) | st.just("12"), max_size=3)),
)
"""Models, and parameters that fit."""


def size_of(parameters: BaseModel) -> int:
    """A number that depends on everything in the parameters."""
    return len(parameters.model_dump_json())


def _locks(count: int, turn: int) -> Callable[[BaseModel], List[str]]:
    return lambda parameters: [KEYS[(size_of(parameters) + turn + 2 * more) % len(KEYS)] for more in range(count)]


def _undo(action: str) -> Callable[[BaseModel], Optional[Compensation]]:
    def undo(parameters: BaseModel) -> Optional[Compensation]:
        if size_of(parameters) % 3 == 0:
            return None
        return Compensation(action=action, parameters={"was": parameters.model_dump(mode="json")})

    return undo


@lru_cache(maxsize=None)
def _actions() -> st.SearchStrategy[Tuple[Action, st.SearchStrategy[Dict[str, Any]]]]:
    locks = st.builds(_locks, st.integers(0, 3), st.integers(0, 3))
    numbers = st.sampled_from((None, 1, 2.5, 60))

    def with_model(
        fitting: Tuple[Optional[Type[BaseModel]], st.SearchStrategy[Dict[str, Any]]],
    ) -> st.SearchStrategy[Tuple[Action, st.SearchStrategy[Dict[str, Any]]]]:
        action = st.builds(
            Action,
            parameters=st.just(fitting[0]),
            effect=st.sampled_from(EFFECTS),
            idempotent=st.sampled_from((None, True, False)),
            rollback=st.none() | st.builds(_undo, st.sampled_from(("undo", "put back"))),
            locks=st.none() | locks,
            timeout_seconds=numbers,
            estimated_seconds=numbers,
        )
        return st.tuples(action, st.just(fitting[1]))

    return st.sampled_from(FITTING).flatmap(with_model)


class Known(NamedTuple):
    """A catalog, and for each of its actions, what gives parameters that fit."""

    catalog: Dict[str, Action]
    fitting: Dict[str, st.SearchStrategy[Dict[str, Any]]]


@lru_cache(maxsize=None)
def catalogs() -> st.SearchStrategy[Known]:
    """At least one action; all of them sound."""
    entries = st.dictionaries(st.sampled_from(ACTIONS), _actions(), min_size=1, max_size=3)
    return entries.map(
        lambda made: Known(
            {name: action for name, (action, _) in made.items()},
            {name: fitting for name, (_, fitting) in made.items()},
        )
    )


class Cataloged(NamedTuple):
    """Steps, each of an action of the catalog and with parameters that fit."""

    steps: List[Step]
    catalog: Dict[str, Action]


@st.composite
def cataloged_steps(
    draw: st.DrawFn,
    *,
    fields: Callable[[], st.SearchStrategy[Dict[str, Any]]] = step_fields,
    max_size: int = 6,
) -> Cataloged:
    """Sound steps that also claim all kinds of things of themselves."""
    known = draw(catalogs())
    names = sorted(known.catalog)
    steps = []
    for step in draw(step_lists(fields=fields, max_size=max_size)):
        action = draw(st.sampled_from(names))
        parameters = draw(known.fitting[action])
        steps.append(Step(**{**vars(step), "action": action, "parameters": parameters}))
    return Cataloged(steps, known.catalog)


class CatalogedRecommendations(NamedTuple):
    """The same of recommendations."""

    recommendations: List[Recommendation]
    catalog: Dict[str, Action]


@st.composite
def cataloged_recommendations(draw: st.DrawFn) -> CatalogedRecommendations:
    """Sound recommendations of actions of the catalog, with parameters that fit."""
    known = draw(catalogs())
    names = sorted(known.catalog)
    made = []
    for recommendation in draw(recommendation_lists(max_size=5)):
        action = draw(st.sampled_from(names))
        fields = {**vars(recommendation), "action": action, "parameters": draw(known.fitting[action])}
        made.append(Recommendation(**fields))
    return CatalogedRecommendations(made, known.catalog)


@lru_cache(maxsize=None)
def contested_fields() -> st.SearchStrategy[Dict[str, Any]]:
    """The fields of a step that conflicts and batches are about; a lock may be listed twice."""
    return st.fixed_dictionaries(
        {"effect": st.sampled_from(EFFECTS)},
        optional={
            "locks": st.lists(st.sampled_from(KEYS[:3]), max_size=3),
            "metadata": st.sampled_from(({}, {}, {"execution_mode": "sequential"}, {"execution_mode": "odd"})),
            "estimated_seconds": st.sampled_from((None, 0, 1, 5)),
        },
    )
