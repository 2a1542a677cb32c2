"""Where in a document the recommendations or steps are, and what stands around them."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple

from wfplan.field_errors import kind_of
from wfplan.json_values import is_list, is_object
from wfplan.problems import ProblemList
from wfplan.validation import RECOMMENDATIONS, STEPS, Wording

__all__ = ["Found", "Shape", "find_shape"]

_HOW_TO = 'write {"recommendations": [{"id": ..., "action": ..., "dependencies": [...]}, ...]}'
_LISTS = ("recommendations", "steps")
_STRATEGY = ("execution_strategy", "executionStrategy")

Found = Tuple[str, Any]
"""A value with its JSON pointer."""


class Shape(NamedTuple):
    """The list of a document, and what belongs to it."""

    items: Sequence[Any]
    location: str
    """JSON pointer of the list."""
    wording: Wording
    around: Tuple[Tuple[str, Dict[str, Any]], ...] = ()
    """The objects around the list, each with its pointer."""
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
    lists = [key for key in _LISTS if document.get(key)]
    if is_object(workflow) and not lists:
        return _of_dump(document, workflow, problems)
    if is_object(spec) and is_object(definition) and not lists:
        return _of_resource(document, spec, definition, problems)
    return _of_object(document, "", problems)


def _of_object(holder: Dict[str, Any], location: str, problems: ProblemList) -> Shape | None:
    """The shape of an object with a list in it."""
    keys = [key for key in (*_LISTS, "spec") if key in holder]
    if len(keys) != 1 or keys == ["spec"]:
        has = f"more than one list: {' and '.join(keys)}" if len(keys) > 1 else "no list of recommendations or steps"
        problems.add("invalid-document", f"the document holds {has}", location=location, suggestion=_HOW_TO)
        return None
    key = keys[0]
    shape = _of_list(holder[key], f"{location}/{key}", STEPS if key == "steps" else RECOMMENDATIONS, problems)
    return shape and shape._replace(
        around=((location, holder),),
        versions=_find(holder, location, "schema_version") if shape.wording is STEPS else (),
        names=_find(holder, location, "name") if shape.wording is STEPS else (),
        strategies=_find(holder, location, *_STRATEGY),
    )


def _of_dump(document: Dict[str, Any], workflow: Dict[str, Any], problems: ProblemList) -> Shape | None:
    """The shape of what this library dumps with a workflow in it: a plan, or a reading."""
    shape = _of_object(workflow, "/workflow", problems)
    if shape is None:
        return None
    if shape.wording is not STEPS:
        message = "the steps of a workflow have names, not ids"
        problems.add("invalid-document", message, location=shape.location)
        return None
    return shape._replace(
        around=(*shape.around, ("", document)),
        versions=(*shape.versions, *_find(document, "", "schema_version")),
        plan=document if "batches" in document or "strategy" in document else None,
    )


def _of_resource(
    document: Dict[str, Any], spec: Dict[str, Any], definition: Dict[str, Any], problems: ProblemList
) -> Shape | None:
    """The shape of a WorkflowExecution resource, whose steps are named."""
    location = "/spec/workflowDefinition"
    items = _as_list(definition.get("steps"), f"{location}/steps", problems)
    if items is None:
        return None
    root = {key: value for key, value in document.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    return Shape(
        items,
        f"{location}/steps",
        STEPS,
        around=((location, definition), ("/spec", spec), ("", root)),
        names=_find(definition, location, "name"),
        strategies=(*_find(spec, "/spec", *_STRATEGY), *_find(definition, location, *_STRATEGY)),
    )


def _of_list(value: Any, location: str, usual: Wording, problems: ProblemList) -> Shape | None:
    """The shape of a list, whose items are recommendations if they have an id, steps if they have a name."""
    items = _as_list(value, location, problems)
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
    if not is_object(item) or not ("id" in item or "name" in item):
        return None
    return RECOMMENDATIONS if "id" in item else STEPS


def _as_list(value: Any, location: str, problems: ProblemList) -> Sequence[Any] | None:
    if is_list(value):
        return value
    problems.add("invalid-field", f"the list of steps is {kind_of(value)}, not a list", location=location)
    return None


def _find(holder: Dict[str, Any], location: str, *keys: str) -> tuple[Found, ...]:
    return tuple((f"{location}/{key}", holder[key]) for key in keys if key in holder)
