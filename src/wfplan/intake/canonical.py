"""The short way for JSON text that is just what this library writes: pydantic reads it whole."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from pydantic import Field, TypeAdapter, ValidationError

from wfplan.collector import without_collection
from wfplan.intake.syntax import Limits, is_plain
from wfplan.json_values import MAX_DEPTH
from wfplan.models import ExecutionBatch, ExecutionStrategy, Recommendation, Step, Workflow
from wfplan.problems import Problem
from wfplan.validation import Item
from wfplan.values import EMPTY, FreeText, Items, SchemaVersion, Value

__all__ = ["Canonical", "read_canonical"]

_HEAD_LENGTH = 2000
_KEYS = ('"recommendations"', '"steps"', '"workflow"')
_LEVELS_AROUND = 5  # of document, workflow, list, item and field, around parameters of the greatest depth


class Canonical(NamedTuple):
    """What such a text holds."""

    items: Tuple[Any, ...]
    location: str
    """JSON pointer of the list that they are in."""
    workflow: Optional[Workflow] = None
    """The workflow, without its steps, if they are steps."""
    plan: Optional[Dict[str, Any]] = None
    """Batches and strategy, if it is the dump of a plan."""


class _Document(Value):
    """What can be in such a text; what is there, `model_fields_set` tells."""

    schema_version: SchemaVersion = 1
    name: FreeText = ""
    recommendations: Items[Recommendation] = EMPTY
    steps: Items[Step] = EMPTY
    execution_strategy: ExecutionStrategy = Field(default_factory=ExecutionStrategy)
    workflow: Optional[Workflow] = None
    batches: Items[ExecutionBatch] = EMPTY
    strategy: str = ""
    problems: Items[Problem] = EMPTY


_LIST: TypeAdapter[Any] = TypeAdapter(Items[Recommendation])
_HEAD = {"schema_version", "name", "execution_strategy"}


def read_canonical(text: str, limits: Limits) -> Canonical | None:
    """The content of `text`, None if it has to be read the long way.

    Whatever is wrong with it, or merely unusual, is found out there.
    """
    head = text[:_HEAD_LENGTH].lstrip()
    if limits.max_depth < MAX_DEPTH + _LEVELS_AROUND or not (head[:1] == "[" or any(key in head for key in _KEYS)):
        return None
    if not is_plain(text):
        return None
    try:
        with without_collection():
            if text.lstrip()[:1] == "[":
                found: Canonical | None = Canonical(_LIST.validate_json(text), "")
            else:
                found = _look_into(_Document.model_validate_json(text))
    except ValidationError:
        return None
    if found is None or not _are_within(found.items, len(text), limits):
        return None
    return found


def _look_into(document: _Document) -> Canonical | None:
    present = document.model_fields_set
    if present == {"recommendations"}:
        return Canonical(document.recommendations, "/recommendations")
    if "steps" in present and present <= _HEAD | {"steps"}:
        head = Workflow.model_construct(name=document.name, steps=(), execution_strategy=document.execution_strategy)
        return Canonical(document.steps, "/steps", head)
    if document.workflow and present - {"schema_version", "problems"} == {"workflow", "batches", "strategy"}:
        plan = {"batches": document.batches, "strategy": document.strategy}
        return Canonical(document.workflow.steps, "/workflow/steps", document.workflow, plan)
    return None


def _are_within(items: Sequence[Item], length: int, limits: Limits) -> bool:
    if len(items) > limits.max_steps:
        return False
    if length < limits.max_dependencies:  # a dependency or a lock takes more than one character
        return True
    locks = sum(len(item.locks) for item in items if isinstance(item, Step))
    return locks + sum(len(item.dependencies) for item in items) <= limits.max_dependencies
