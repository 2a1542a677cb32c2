"""The catalog: what is known of actions, whoever proposes them, and how that gets onto steps."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from pydantic import BaseModel
from typing_extensions import TypeAlias

from wfplan.field_errors import kind_of
from wfplan.json_values import is_mapping
from wfplan.models import Compensation, Effect, PositiveSeconds, Seconds, Step
from wfplan.names import quote, tell_error, why_not_an_action
from wfplan.problems import ProblemList
from wfplan.values import Value, trusted

__all__ = ["Action", "Catalog", "Known", "apply_catalog", "as_catalog", "claims", "worse_effect"]

_MILDEST_FIRST: Tuple[Optional[Effect], ...] = ("read", "write", None, "destructive")


class Action(Value):
    """What is known of an action, whoever proposes it; a catalog is a mapping from actions to these."""

    parameters: Optional[Type[BaseModel]] = None
    """The model that its parameters have to fit; without one, it takes none."""
    effect: Optional[Effect] = None
    """None: unknown, and a step that says so itself does not make it known, unless it says `destructive`."""
    idempotent: Optional[bool] = None
    """Whether it can safely be done twice; None: unknown."""
    rollback: Optional[Callable[[Any], Optional[Compensation]]] = None
    """Gives, for an instance of the model, what undoes the step; None where nothing does."""
    locks: Optional[Callable[[Any], Iterable[str]]] = None
    """Gives, for an instance of the model, keys of what the step touches: it holds each alone while it runs."""
    timeout_seconds: Optional[PositiveSeconds] = None
    """For each attempt, at most."""
    estimated_seconds: Optional[Seconds] = None


Catalog: TypeAlias = Mapping[str, Action]
"""Everything that may be done; what is no key of it is refused."""


class Known(NamedTuple):
    """What the catalog says of one step."""

    action: Action
    parameters: Dict[str, Any]
    """Converted, with all defaults."""
    locks: Tuple[str, ...]
    rollback: Optional[Compensation]
    effect: Optional[Effect]
    """The worse of that of the action and, if the catalog has it, that of what undoes it: both may run."""


def worse_effect(one: Optional[Effect], other: Optional[Effect]) -> Optional[Effect]:
    """The one that is worse: `read`, `write`, not known, `destructive`."""
    return one if _MILDEST_FIRST.index(one) > _MILDEST_FIRST.index(other) else other


def as_catalog(given: object, problems: ProblemList) -> Optional[Dict[str, Action]]:
    """A copy of a catalog; None, with a problem for everything in it that cannot be, if it is none."""
    if not is_mapping(given):
        problems.add("invalid-catalog", f"a catalog is a mapping from actions to Action, not {kind_of(given)}")
        return None
    try:
        entries: Dict[Any, Any] = dict(given)
    except Exception as error:  # noqa: BLE001 - it is a mapping of somebody else's
        problems.add("invalid-catalog", f"looking at the catalog raised {tell_error(error)}")
        return None
    sound = True
    for name, action in entries.items():
        shown = quote(name) if isinstance(name, str) else kind_of(name)
        reason = why_not_an_action(name) if isinstance(name, str) else "is no text"
        if reason is not None:
            problems.add("invalid-catalog", f"{shown} is no action for a catalog: it {reason}")
        if not _is_action(action):
            problems.add("invalid-catalog", f"the catalog has {kind_of(action)} for {shown}, not an Action")
        sound = sound and reason is None and _is_action(action)
    return entries if sound else None


def _is_action(value: object) -> bool:
    """Whether it is one, and was not made without checks."""
    try:
        return isinstance(value, Action) and bool(Action.model_validate(vars(value)))
    except ValueError:
        return False


def apply_catalog(steps: Sequence[Step], known: Sequence[Known]) -> Tuple[Step, ...]:
    """The steps with what the catalog says of each.

    What a step says of itself counts only where it is stricter: the worse effect, the shorter timeout, locks besides
    those of the catalog. What undoes it is the catalog's to say, and what is not idempotent is not tried again.
    """
    return tuple(map(_with_known, steps, known))


def _with_known(step: Step, known: Known) -> Step:
    own, action = vars(step), known.action
    changes: Dict[str, Any] = {
        "parameters": known.parameters,
        "locks": tuple(dict.fromkeys((*known.locks, *step.locks))),
        "estimated_seconds": action.estimated_seconds if step.estimated_seconds is None else step.estimated_seconds,
        "timeout_seconds": min(
            (seconds for seconds in (action.timeout_seconds, step.timeout_seconds) if seconds is not None), default=None
        ),
        "rollback": known.rollback,
        "effect": worse_effect(known.effect, step.effect or "read"),
        "idempotent": False if step.idempotent is False else action.idempotent,
        "retry": None if action.idempotent is False else step.retry,
    }
    return trusted(Step, {**own, **changes})


def claims(step: Step, known: Known) -> Tuple[str, ...]:
    """The fields in which a step says something milder of itself than the catalog does."""
    found: List[str] = []
    if step.effect is not None and worse_effect(step.effect, known.effect) != step.effect:
        found.append("effect")
    if step.retry is not None and known.action.idempotent is False:
        found.append("retry")
    if step.idempotent is True and known.action.idempotent is not True:
        found.append("idempotent")
    if step.rollback is not None and step.rollback != known.rollback:
        found.append("rollback")
    return tuple(found)
