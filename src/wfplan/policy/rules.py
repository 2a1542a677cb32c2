"""Policy: the rules, as plain data."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple, Union

from pydantic import Field, ValidationError, field_validator, model_validator
from typing_extensions import Annotated

from wfplan._internal.identifiers import action_error
from wfplan._internal.messages import join_names, quote
from wfplan._internal.model import EMPTY, NOT_GIVEN, PLAIN_ZERO, Model, OptionalTupleOf, TupleOf
from wfplan._internal.validation_errors import add_field_errors
from wfplan.catalog.actions import Action, Catalog, as_catalog
from wfplan.models import Effect
from wfplan.problems import ProblemCollector, RefusedError

__all__ = ["Policy", "read_policy"]


_MANY_STEPS = 10
_DESTRUCTIVE: Any = ("destructive",)
_Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
_CountOrNone = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Policy(Model):
    """What a plan may be and do. A limit of None does not limit."""

    max_steps: Optional[_Count] = None
    """More are denied."""
    approval_above_steps: Optional[_CountOrNone] = _MANY_STEPS
    """More need approval: with 10, eleven do."""
    max_parallel: Optional[_Count] = None
    """Steps in flight at once; a plan that allows more is released with this limit."""
    max_levels: Optional[_Count] = None
    """Steps on the longest path of dependencies; more are denied."""
    max_parameter_bytes: Optional[_CountOrNone] = None
    """Of the parameters of one step, or of its compensation, as JSON in UTF-8; more are denied."""
    approval_below_confidence: Optional[Annotated[float, Field(ge=0, le=1), PLAIN_ZERO]] = None
    """Less needs approval; so does a step of which it is not known."""
    approval_for_effects: TupleOf[Effect] = _DESTRUCTIVE
    """Steps of these effects, or of worse ones, need approval; so do steps of unknown effect, unless there are none."""
    approval_for_irreversible: bool = False
    """Whether a step needs approval that does more than read and has no compensation."""
    deny_actions: TupleOf[str] = EMPTY
    """Actions that are denied, also as a compensation."""
    allow_actions: OptionalTupleOf[str] = NOT_GIVEN
    """The only actions that are not denied, also as a compensation; an empty list denies all, None none."""

    def allowed(self, catalog: Catalog) -> Dict[str, Action]:
        """Return the part of `catalog` that this policy does not deny, in the same order.

        What a model is asked, `recommendation_schema`, `prompt_instructions`, `feedback` and
        `plan_with_feedback`, takes it as its catalog: then no action is offered that the review would deny. Whether
        what undoes an action is denied depends on its parameters, so that is for the review.

        >>> from wfplan import Action
        >>> catalog = {"scale": Action(effect="write"), "wipe": Action(effect="destructive")}
        >>> list(Policy(deny_actions=["wipe"]).allowed(catalog))
        ['scale']

        Raises:
            RefusedError: It is not a catalog; with every reason.
        """
        problems = ProblemCollector()
        actions = as_catalog(catalog, problems)
        if actions is None:
            raise RefusedError(problems.as_tuple())
        return {name: action for name, action in actions.items() if not self._denies(name)}

    def _denies(self, action: str) -> bool:
        return action in self.deny_actions or (self.allow_actions is not None and action not in self.allow_actions)

    @field_validator("deny_actions", "allow_actions")
    @classmethod
    def _are_actions(cls, names: Any) -> Any:
        """Check all names at once: pydantic's list stops at the first that does not fit."""
        wrong = [(name, action_error(name)) for name in names or ()]
        faults = [f"{quote(name)}, which {reason}" for name, reason in wrong if reason is not None]
        if faults:
            raise ValueError(f"has {'; '.join(faults)}")
        return names

    @model_validator(mode="after")
    def _rules_agree(self) -> Policy:
        both = sorted(set(self.deny_actions).intersection(self.allow_actions or ()))
        if both:
            raise ValueError(f"denies and allows {join_names(both)}: keep one of both")
        above, most = self.approval_above_steps, self.max_steps
        if above not in (None, _MANY_STEPS) and most is not None and above > most:
            raise ValueError(
                f"never asks for an approval above {above} steps, since more than {most} are denied: "
                "lower approval_above_steps, or set it to null"
            )
        return self


def read_policy(source: Union[str, bytes]) -> Policy:
    """Return the policy in a JSON document.

    Args:
        source: JSON, as a string or in UTF-8.

    Raises:
        RefusedError: With every problem, if it is not a policy; an unknown key is refused because a typo must not
            switch a rule off.

    >>> read_policy('{"max_steps": 20, "deny_actions": ["delete_namespace"]}').max_steps
    20
    >>> read_policy('{"max_step": 20}')
    Traceback (most recent call last):
    wfplan.problems.RefusedError: refused: one error
      error invalid-policy at /max_step: "max_step" of the policy is not a known field (did you mean "max_steps"?)
    """
    problems = ProblemCollector()
    repeated: List[str] = []

    def collect(pairs: List[Tuple[str, Any]]) -> Any:
        seen: Dict[str, Any] = {}
        for name, value in pairs:
            if name in seen:
                repeated.append(name)
            seen[name] = value
        return seen

    try:
        document = json.loads(source, object_pairs_hook=collect)
    except (ValueError, RecursionError, TypeError) as error:
        problems.add("invalid-policy", f"the policy is not JSON: {error}", suggestion="write one JSON object")
        raise RefusedError(problems.as_tuple()) from None
    for name in dict.fromkeys(repeated):
        message = f"the policy has {quote(name)} more than once"
        problems.add("invalid-policy", message, suggestion="keep the one that is meant")
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        add_field_errors(
            error,
            problems,
            subject="the policy",
            location="",
            known=list(Policy.model_fields),
            code="invalid-policy",
        )
        raise RefusedError(problems.as_tuple()) from None
    if problems.has_errors:
        raise RefusedError(problems.as_tuple())
    return policy
