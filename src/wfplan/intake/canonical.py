"""The fast path for JSON in this library's own form."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Set, Tuple

from pydantic import Field, TypeAdapter, ValidationError

from wfplan._internal.json import MAX_DEPTH, is_list, is_object
from wfplan._internal.model import EMPTY, FreeText, Model, SchemaVersion, TupleOf
from wfplan.intake.references import are_scalar, parameter_values
from wfplan.intake.syntax import Limits, is_plain
from wfplan.models import ExecutionBatch, ExecutionStrategy, Recommendation, Step, Workflow
from wfplan.problems import Problem
from wfplan.relations import Item

__all__ = ["Canonical", "read_canonical"]

_HEAD_LENGTH = 2000
_KEYS = ('"recommendations"', '"steps"', '"workflow"')
_LEVELS_AROUND = 5  # of document, workflow, list, item and field, around parameters of the greatest depth


class Canonical(NamedTuple):
    """What such a string holds."""

    items: Tuple[Any, ...]
    location: str
    """JSON pointer of the list that they are in."""
    workflow: Optional[Workflow] = None
    """The workflow, without its steps, if they are steps."""
    plan: Optional[Dict[str, Any]] = None
    """Batches and strategy, if it is the dump of a plan."""


class _Document(Model):
    """What can be in such a string; `model_fields_set` says what is there."""

    schema_version: SchemaVersion = 1
    name: FreeText = ""
    recommendations: TupleOf[Recommendation] = EMPTY
    steps: TupleOf[Step] = EMPTY
    execution_strategy: ExecutionStrategy = Field(default_factory=ExecutionStrategy)
    workflow: Optional[Workflow] = None
    batches: TupleOf[ExecutionBatch] = EMPTY
    strategy: str = ""
    problems: TupleOf[Problem] = EMPTY


_LIST: TypeAdapter[Any] = TypeAdapter(TupleOf[Recommendation])
_RARE = frozenset(("metadata", "retry", "rollback"))
"""The fields of items beside the parameters that hold objects."""
_HEAD = {"schema_version", "name", "execution_strategy"}


def read_canonical(text: str, limits: Limits) -> Canonical | None:
    """Return the content of `text`, None if it has to be read the long way.

    Whatever is wrong with it, or merely unusual, is found out there.
    """
    head = text[:_HEAD_LENGTH].lstrip()
    if limits.max_depth < MAX_DEPTH + _LEVELS_AROUND or not (head[:1] == "[" or any(key in head for key in _KEYS)):
        return None
    try:
        document = _LIST.validate_json(text) if head[:1] == "[" else _Document.model_validate_json(text)
    except ValidationError:
        return None
    found = _look_into(document) if isinstance(document, _Document) else Canonical(document, "")
    if found is None or not _are_within(found.items, len(text), limits):
        return None
    # A colon stands behind each key, so as many colons as keys settle it. Colons in strings need another parse.
    return found if _count_keys(document, found.items) == text.count(":") or is_plain(text) else None


def _count_keys(document: Any, items: Sequence[Any]) -> int:
    """Return the number of keys in all objects that were parsed."""
    given: List[Set[str]] = [item.__pydantic_fields_set__ for item in items]
    values = parameter_values(items)
    keys = sum(map(len, given)) + len(values)
    pending: List[Any] = [document, *(() if are_scalar(values) else values)]
    named: Set[str] = set()
    named.update(*given)
    pending.extend([getattr(item, field) for field in _RARE & named for item in items])
    for value in pending:
        if is_object(value):
            keys += len(value)
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(() if value is items else value)
        elif isinstance(value, Model):
            keys += len(value.model_fields_set)
            pending.extend(vars(value).values())
    return keys


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
    if length < 3 * limits.max_dependencies:  # each dependency or lock has two quotes and a comma or a bracket
        return True
    locks = sum(len(item.locks) for item in items if isinstance(item, Step))
    return locks + sum(len(item.dependencies) for item in items) <= limits.max_dependencies
