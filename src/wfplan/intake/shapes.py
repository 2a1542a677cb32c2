"""Where in a document the recommendations or steps are, and what stands around them."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from wfplan.field_errors import kind_of
from wfplan.intake.aliases import canonical_field, plain
from wfplan.json_values import is_list, is_object
from wfplan.locations import pointer
from wfplan.problems import ProblemList
from wfplan.validation import RECOMMENDATIONS, STEPS, Wording

__all__ = ["Beside", "Found", "Shape", "find_shape"]

_HOW_TO = 'write {"recommendations": [{"id": ..., "action": ..., "dependencies": [...]}, ...]}'
_LISTS = ("recommendations", "steps")
_STRATEGY = ("execution_strategy", "executionStrategy")

Found = Tuple[str, Any]
"""A value with its JSON pointer."""


class Beside(NamedTuple):
    """A field beside the list, that is not read."""

    location: str
    """JSON pointer of the object that it is in."""
    key: str
    value: Any


class Shape(NamedTuple):
    """The list of a document, and what belongs to it."""

    items: Sequence[Any]
    location: str
    """JSON pointer of the list."""
    wording: Wording
    beside: Tuple[Beside, ...] = ()
    """What stands beside the list, in the objects around it, and is not read."""
    versions: Tuple[Found, ...] = ()
    names: Tuple[Found, ...] = ()
    strategies: Tuple[Found, ...] = ()
    plan: Optional[Dict[str, Any]] = None
    """The dump of a plan, where the steps are those of its workflow."""


def find_shape(document: Any, problems: ProblemList) -> Shape | None:
    """The shape of a document; None, with a problem, if it is none of those that are read."""
    if is_list(document):
        return _of_list(document, "", RECOMMENDATIONS, problems)
    if not is_object(document):
        problems.add("invalid-document", f"the document is {kind_of(document)}, not an object", suggestion=_HOW_TO)
        return None
    workflow, spec = document.get("workflow"), document.get("spec")
    definition = spec.get("workflowDefinition") if is_object(spec) else None
    lists = [key for key in _LISTS if key in document]
    lists += ["workflow"] if is_object(workflow) and not set(_LISTS).isdisjoint(workflow) else []
    lists += ["spec"] if is_object(definition) else []
    if len(lists) > 1:
        message = f"the document holds more than one list: {' and '.join(lists)}"
        problems.add("invalid-document", message, suggestion="keep the one that is meant")
        return None
    if is_object(workflow) and "batches" in document:
        return _of_plan(document, workflow, problems)
    if is_object(spec) and is_object(definition):
        return _of_resource(document, spec, definition, problems)
    return _of_object(document, "", problems)


def _of_object(holder: Dict[str, Any], location: str, problems: ProblemList) -> Shape | None:
    """The shape of an object with a list in it."""
    key = next((key for key in _LISTS if key in holder), None)
    if key is None:
        message = "the document holds no list of recommendations or steps"
        problems.add("invalid-document", message, location=location, suggestion=_HOW_TO)
        return None
    shape = _of_list(holder[key], f"{location}/{key}", STEPS if key == "steps" else RECOMMENDATIONS, problems)
    if shape is None:
        return None
    head = ("schema_version", "name") if shape.wording is STEPS else ()
    return shape._replace(
        beside=_rest(holder, location, key, *head, *_STRATEGY),
        versions=_find(holder, location, *head[:1]),
        names=_find(holder, location, *head[1:]),
        strategies=_find(holder, location, *_STRATEGY),
    )


def _of_plan(document: Dict[str, Any], workflow: Dict[str, Any], problems: ProblemList) -> Shape | None:
    """The shape of the dump of a plan."""
    shape = _of_object(workflow, "/workflow", problems)
    if shape is None:
        return None
    if shape.wording is not STEPS:
        message = "the steps of a workflow have names, not ids"
        problems.add("invalid-document", message, location=shape.location)
        return None
    rest = _rest(document, "", "schema_version", "workflow", "batches", "strategy", "problems")
    return shape._replace(
        beside=(*shape.beside, *rest),
        versions=(*shape.versions, *_find(document, "", "schema_version")),
        plan=document,
    )


def _of_resource(
    document: Dict[str, Any], spec: Dict[str, Any], definition: Dict[str, Any], problems: ProblemList
) -> Shape | None:
    """The shape of a WorkflowExecution resource, whose steps are named."""
    location = "/spec/workflowDefinition"
    if "steps" not in definition:
        problems.add("invalid-document", "the workflow definition has no steps", location=location)
        return None
    items = _as_list(definition["steps"], f"{location}/steps", STEPS, problems)
    if items is None:
        return None
    return Shape(
        items,
        f"{location}/steps",
        STEPS,
        beside=(
            *_rest(definition, location, "steps", "name", *_STRATEGY),
            *_rest(spec, "/spec", "workflowDefinition", *_STRATEGY),
            *_rest(document, "", "spec", "apiVersion", "kind", "metadata", "status"),
        ),
        names=_find(definition, location, "name"),
        strategies=(*_find(spec, "/spec", *_STRATEGY), *_find(definition, location, *_STRATEGY)),
    )


def _of_list(value: Any, location: str, usual: Wording, problems: ProblemList) -> Shape | None:
    """The shape of a list, whose items are recommendations if they have an id, steps if they have a name."""
    items = _as_list(value, location, usual, problems)
    if items is None:
        return None
    kinds = [_kind_of_item(item) for item in items]
    found = list(dict.fromkeys(kind for kind in kinds if kind is not None))
    if len(found) > 1:
        odd = kinds.index(found[1])
        problems.add(
            "invalid-document",
            f"steps and recommendations are mixed: item {odd + 1} is the first {found[1].noun}",
            location=f"{location}/{odd}",
            suggestion="give every item an id, or every item a name",
        )
        return None
    return Shape(items, location, found[0] if found else usual)


def _kind_of_item(item: Any) -> Wording | None:
    if not is_object(item):
        return None
    keys = [key for key in item if isinstance(key, str)]
    if any(canonical_field(key, ("id",)) == "id" for key in keys):
        return RECOMMENDATIONS
    return STEPS if any(plain(key) == "name" for key in keys) else None


def _as_list(value: Any, location: str, wording: Wording, problems: ProblemList) -> Sequence[Any] | None:
    if is_list(value):
        return value
    message = f"the list of {wording.noun}s is {kind_of(value)}, not a list"
    problems.add("invalid-field", message, location=location, suggestion=_HOW_TO)
    return None


def _find(holder: Dict[str, Any], location: str, *keys: str) -> tuple[Found, ...]:
    return tuple((location + pointer((key,)), holder[key]) for key in keys if key in holder)


def _rest(holder: Dict[str, Any], location: str, *read: str) -> tuple[Beside, ...]:
    return tuple(Beside(location, key, value) for key, value in holder.items() if key not in read)
