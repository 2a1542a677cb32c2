"""The short way for JSON text that is just what this library writes: pydantic reads it whole."""

from __future__ import annotations

from typing import Any, Sequence, Tuple

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import Literal

from wfplan.intake.limits import Limits
from wfplan.intake.syntax import has_duplicate_keys
from wfplan.json_values import MAX_DEPTH
from wfplan.models import ExecutionStrategy, Recommendation, Step, Workflow
from wfplan.validation import Item
from wfplan.values import Value

__all__ = ["read_canonical"]

_LEVELS_AROUND = 4  # of document, list, item and field, around parameters of the greatest depth


class _Document(Value):
    """Either list; which one is there, `model_fields_set` tells."""

    schema_version: Literal[1] = 1
    name: str = ""
    recommendations: Tuple[Recommendation, ...] = ()
    steps: Tuple[Step, ...] = ()
    execution_strategy: ExecutionStrategy = Field(default_factory=ExecutionStrategy)


_LIST = TypeAdapter(Tuple[Recommendation, ...])


def read_canonical(text: str, limits: Limits) -> tuple[tuple[Any, ...], Workflow | None, str] | None:
    """The items of `text`, their workflow if they are steps, and the pointer of the list they are in.

    None if the text has to be read the long way: whatever is wrong with it, or merely unusual, is found out there.
    """
    if limits.max_depth < MAX_DEPTH + _LEVELS_AROUND:
        return None
    try:
        if text.lstrip()[:1] == "[":
            recommendations = _LIST.validate_json(text)
            document = _Document.model_construct({"recommendations"}, recommendations=recommendations)
        else:
            document = _Document.model_validate_json(text)
    except ValidationError:
        return None
    lists = document.model_fields_set.intersection(("recommendations", "steps"))
    items = document.steps or document.recommendations
    if len(lists) != 1 or not _are_within(items, len(text), limits) or has_duplicate_keys(text):
        return None
    if "steps" in lists:
        strategy = document.execution_strategy
        workflow = Workflow.model_construct(name=document.name, steps=(), execution_strategy=strategy)
        return items, workflow, "/steps"
    return items, None, "" if text.lstrip()[:1] == "[" else "/recommendations"


def _are_within(items: Sequence[Item], length: int, limits: Limits) -> bool:
    if len(items) > limits.max_steps:
        return False
    if length < limits.max_dependencies:  # a dependency takes more than one character
        return True
    return sum(len(item.dependencies) for item in items) <= limits.max_dependencies
