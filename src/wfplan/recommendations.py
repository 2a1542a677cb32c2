"""Recommendations to steps: names and fields."""

from __future__ import annotations

from collections import Counter
from typing import AbstractSet, Any, Mapping, Sequence

from typing_extensions import Literal, TypeAlias

from wfplan._internal.identifiers import name_error
from wfplan._internal.model import construct_unchecked
from wfplan.models import Recommendation, Step

__all__ = ["NAMINGS", "Naming", "name_recommendations", "recommendations_to_steps"]

Naming: TypeAlias = Literal["action", "id"]
NAMINGS: tuple[Naming, ...] = ("action", "id")


def name_recommendations(recommendations: Sequence[Recommendation], naming: Naming = "action") -> dict[str, str]:
    """Return the name of the step that each recommendation becomes, by id.

    With `naming="action"`, the first that applies: the action, if it is a valid name that no other recommendation has
    as its action or id; `action-id`, if several share the action and this is valid and free; otherwise the id.

    Args:
        recommendations: Recommendations with distinct ids.
        naming: `action`, or `id` to name every step by its id.

    >>> scale = Recommendation(id="1", action="scale")
    >>> restarts = [Recommendation(id="2", action="restart"), Recommendation(id="3", action="restart")]
    >>> name_recommendations([scale, *restarts])
    {'1': 'scale', '2': 'restart-2', '3': 'restart-3'}
    """
    ids = [recommendation.id for recommendation in recommendations]
    if naming == "id":
        return dict(zip(ids, ids))
    actions = [recommendation.action for recommendation in recommendations]
    known = frozenset(ids)
    count = Counter(actions)
    names = {
        id_: action if count[action] == 1 and _is_usable(action, id_, known) else ""
        for id_, action in zip(ids, actions)
    }
    taken = set(names.values())
    for id_, action in zip(ids, actions):
        if not names[id_]:
            name = f"{action}-{id_}"
            usable = count[action] > 1 and name not in taken and _is_usable(name, id_, known)
            names[id_] = name if usable else id_
            taken.add(names[id_])
    return names


def _is_usable(name: str, own_id: str, ids: AbstractSet[str]) -> bool:
    return (name == own_id or name not in ids) and name_error(name) is None


def recommendations_to_steps(recommendations: Sequence[Recommendation], names: dict[str, str]) -> tuple[Step, ...]:
    """Return the steps that these recommendations become.

    Args:
        recommendations: Recommendations with distinct ids.
        names: The name of each step by the id of its recommendation, from `name_recommendations`.
    """
    return tuple(_to_step(vars(recommendation), names) for recommendation in recommendations)


def _to_step(own: Mapping[str, Any], names: Mapping[str, str]) -> Step:
    return construct_unchecked(
        Step,
        {
            "name": names[own["id"]],
            "action": own["action"],
            "parameters": own["parameters"],
            "dependencies": tuple(map(names.__getitem__, own["dependencies"])),
            "locks": (),
            "metadata": own["metadata"],
            "description": own["description"],
            "confidence": own["confidence"],
            "recommendation_id": own["id"],
            "estimated_seconds": None,
            "timeout_seconds": None,
            "retry": None,
            "rollback": None,
            "effect": None,
            "continue_on_failure": False,
            "idempotent": None,
        },
    )
