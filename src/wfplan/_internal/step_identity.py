"""The one rule for when a step of one plan is a step of another: for resuming and comparing."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping

from wfplan._internal.json import json_digest
from wfplan.models import Step
from wfplan.plans import ExecutionPlan

__all__ = ["StepKeys", "identities", "match_steps"]


class StepKeys:
    """The keys of the steps of a plan, by name; made when asked for.

    A key is the SHA-256, in hexadecimal digits, of identity, action, parameters and the sorted identities of the
    dependencies; the identity of a step is its recommendation id, else its name. So a step that was only renamed, or
    whose timeout was changed, keeps its key.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        self._steps: Mapping[str, Step] = plan.steps
        self._identities = identities({step.name: step.recommendation_id for step in plan.workflow.steps})

    def __getitem__(self, name: str) -> str:
        step = self._steps[name]
        needs = sorted({self._identities[needed] for needed in step.dependencies})
        content: list[Any] = [self._identities[name], step.action, step.parameters, needs]
        return json_digest(content)


def identities(recommendation_ids: Mapping[str, str | None]) -> dict[str, str]:
    """By which id each step is known, by name: that of its recommendation, if nothing else goes by it."""
    known = Counter(recommendation_ids.values())
    return {
        name: own if own is not None and known[own] == 1 and (own == name or own not in recommendation_ids) else name
        for name, own in recommendation_ids.items()
    }


def match_steps(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> dict[str, str]:
    """Return the new name of each step of both plans, by its old name, from the recommendation ids of both.

    Steps are the same if they have the same identity; of the others, those with the same name.
    """
    old, new = identities(before), identities(after)
    names = {identity: name for name, identity in new.items()}
    partner = {name: names[identity] for name, identity in old.items() if identity in names}
    taken = set(partner.values())
    for name in before:
        if name not in partner and name in new and name not in taken:
            partner[name] = name
    return partner
