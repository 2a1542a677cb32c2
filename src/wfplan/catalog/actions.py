"""Actions and catalogs, and how an action's facts get onto steps."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from pydantic import BaseModel
from typing_extensions import TypeAlias

from wfplan._internal.identifiers import action_error
from wfplan._internal.json import is_mapping, json_digest
from wfplan._internal.messages import describe_error, quote
from wfplan._internal.model import EMPTY, NO_VALUES, JsonObject, Model, Text, TupleOf, construct_unchecked
from wfplan._internal.validation_errors import kind_of
from wfplan.catalog.parameter_models import key_rules
from wfplan.models import Compensation, Effect, PositiveSeconds, Seconds, Step
from wfplan.problems import ProblemCollector

__all__ = [
    "Action",
    "Catalog",
    "ResolvedAction",
    "apply_catalog",
    "as_catalog",
    "overruled_fields",
    "request_digest",
    "worse_effect",
]

_MILDEST_FIRST: Tuple[Optional[Effect], ...] = ("read", "write", None, "destructive")


class Action(Model):
    """What is known of an action, whoever proposes it; a catalog is a mapping from actions to these."""

    parameters: Optional[Type[BaseModel]] = None
    """The model that its parameters have to fit; without one, it takes none. It has to forbid unknown keys."""
    effect: Optional[Effect] = None
    """None: unknown, and a step that says so itself does not make it known, unless it says `destructive`."""
    idempotent: Optional[bool] = None
    """Whether it can safely be done twice; None: unknown."""
    rollback: Optional[Callable[[Any], Optional[Compensation]]] = None
    """Called with the parsed parameters; returns the compensation for the step, or None."""
    locks: Optional[Callable[[Any], Iterable[str]]] = None
    """Called with the parsed parameters; returns keys of what the step touches: it holds each alone while it runs."""
    timeout_seconds: Optional[PositiveSeconds] = None
    """For each attempt, at most."""
    estimated_seconds: Optional[Seconds] = None


Catalog: TypeAlias = Mapping[str, Action]
"""Everything that may be done; an action that is not a key of it is refused."""


class ResolvedAction(Model):
    """What a catalog said of an action with parameters: plain data, for whatever item asks for just that."""

    action: Text
    request: str
    """SHA-256 of the action and the parameters that were looked up, in hexadecimal digits."""
    parameters: JsonObject = NO_VALUES
    """Converted, with all defaults."""
    locks: TupleOf[Text] = EMPTY
    rollback: Optional[Compensation] = None
    effect: Optional[Effect] = None
    """The more severe of the action's effect and, if the catalog lists it, its rollback action's effect."""
    idempotent: Optional[bool] = None
    timeout_seconds: Optional[PositiveSeconds] = None
    estimated_seconds: Optional[Seconds] = None


def request_digest(action: str, parameters: Mapping[str, Any]) -> str:
    """Return the `request` of a `ResolvedAction`."""
    return json_digest([action, parameters])


def worse_effect(one: Optional[Effect], other: Optional[Effect]) -> Optional[Effect]:
    """Return the more severe effect: `read`, `write`, not known, `destructive`."""
    return one if _MILDEST_FIRST.index(one) > _MILDEST_FIRST.index(other) else other


def as_catalog(given: object, problems: ProblemCollector) -> Optional[Dict[str, Action]]:
    """Return a copy of a catalog, or None after reporting everything that is wrong with it."""
    if not is_mapping(given):
        problems.add("invalid-catalog", f"a catalog is a mapping from actions to Action, not {kind_of(given)}")
        return None
    try:
        entries: Dict[Any, Any] = dict(given)
    except Exception as error:  # noqa: BLE001 - the mapping may be of any class
        problems.add("invalid-catalog", f"looking at the catalog raised {describe_error(error)}")
        return None
    sound = [_is_sound(name, action, problems) for name, action in entries.items()]
    return entries if all(sound) else None


def _is_sound(name: Any, action: Any, problems: ProblemCollector) -> bool:
    """Return whether an entry can be used, after reporting everything that is wrong with it."""
    shown = quote(name) if isinstance(name, str) else kind_of(name)
    reason = action_error(name) if isinstance(name, str) else "is not a string"
    if reason is not None:
        problems.add("invalid-catalog", f"{shown} is not an action for a catalog: it {reason}")
    if not _is_action(action):
        problems.add("invalid-catalog", f"the catalog has {kind_of(action)} for {shown}, not an Action")
        return False
    return _forbids_unknown_keys(shown, action.parameters, problems) and reason is None


def _is_action(value: object) -> bool:
    """Return whether `value` is an Action, and not one that was made without checks."""
    try:
        return isinstance(value, Action) and bool(Action.model_validate(vars(value)))
    except ValueError:
        return False


def _forbids_unknown_keys(shown: str, model: Optional[Type[BaseModel]], problems: ProblemCollector) -> bool:
    """Return whether no key of the parameters can vanish unnoticed: a misspelt one would mean the default."""
    if model is None:
        return True
    whose = f"the parameters of the action {shown}"
    try:
        loose = key_rules(model).loose
    except Exception as error:  # noqa: BLE001 - whatever building a model raises
        problems.add(
            "invalid-catalog", f"{whose} cannot be checked: building their model raised {describe_error(error)}"
        )
        return False
    for fault, suggestion in loose:
        problems.add("invalid-catalog", f"{whose} {fault}", suggestion=suggestion)
    return not loose


def apply_catalog(steps: Sequence[Step], resolved: Iterable[ResolvedAction]) -> Tuple[Step, ...]:
    """Return the steps with what the catalog says of each; all of them have to be resolved.

    What a step says of itself counts only where it is stricter: the worse effect, the shorter timeout, locks besides
    those of the catalog. What undoes it is the catalog's to say, and what is not idempotent is not tried again.
    """
    known = {one.request: one for one in resolved}
    return tuple(_with_resolved(step, known[request_digest(step.action, step.parameters)]) for step in steps)


def _with_resolved(step: Step, known: ResolvedAction) -> Step:
    own = vars(step)
    changes: Dict[str, Any] = {
        "parameters": known.parameters,
        "locks": tuple(dict.fromkeys((*known.locks, *step.locks))),
        "estimated_seconds": known.estimated_seconds if step.estimated_seconds is None else step.estimated_seconds,
        "timeout_seconds": min(
            (seconds for seconds in (known.timeout_seconds, step.timeout_seconds) if seconds is not None), default=None
        ),
        "rollback": known.rollback,
        "effect": worse_effect(known.effect, step.effect or "read"),
        "idempotent": False if step.idempotent is False else known.idempotent,
        "retry": None if known.idempotent is False else step.retry,
    }
    return construct_unchecked(Step, {**own, **changes})


def overruled_fields(step: Step, known: ResolvedAction) -> Tuple[str, ...]:
    """Return the fields in which a step says something milder of itself than the catalog does."""
    found: List[str] = []
    if step.effect is not None and worse_effect(step.effect, known.effect) != step.effect:
        found.append("effect")
    if step.retry is not None and known.idempotent is False:
        found.append("retry")
    if step.idempotent is True and known.idempotent is not True:
        found.append("idempotent")
    if step.rollback is not None and step.rollback != known.rollback:
        found.append("rollback")
    return tuple(found)
