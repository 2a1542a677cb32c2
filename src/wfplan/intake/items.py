"""The items of a document to recommendations or steps, with every problem that one has by itself."""

from __future__ import annotations

from typing import AbstractSet, Any, Dict, List, NamedTuple, Sequence

from pydantic import ValidationError

from wfplan.field_errors import add_field_errors, kind_of, pointer
from wfplan.intake.shapes import Shape
from wfplan.intake.spelling import is_made_of_ids, looks_like_dependencies
from wfplan.json_values import is_list, is_object
from wfplan.names import quote, why_not_a_name
from wfplan.problems import ProblemList
from wfplan.validation import Item, Wording

__all__ = ["ReadItems", "ids_of", "read_items", "report_order"]


class ReadItems(NamedTuple):
    """What the items of a document gave."""

    items: List[Item]
    """Those that are valid in every field."""
    item_positions: List[int]
    """Where in the list of the document each of these is."""
    names: List[str]
    """Of those that have a valid name or id, whether all else is valid or not."""
    dependencies: List[Sequence[Any]]
    name_positions: List[int]


def ids_of(shape: Shape) -> set[str]:
    """What identifies the items, valid or not; whole numbers as texts."""
    values = (item.get(shape.wording.key) for item in shape.items if is_object(item))
    return {str(value) for value in values if isinstance(value, (str, int))}


def read_items(shape: Shape, ids: AbstractSet[str], problems: ProblemList) -> ReadItems:
    """The items as models; adds every problem that an item has by itself."""
    read = ReadItems([], [], [], [], [])
    for position, raw in enumerate(shape.items):
        location = f"{shape.location}/{position}"
        subject = f"{shape.wording.noun} {position + 1}"
        if not is_object(raw):
            problems.add("invalid-field", f"{subject} must be an object, not {kind_of(raw)}", location=location)
            continue
        name = raw.get(shape.wording.key)
        steps: tuple[str, ...] = ()
        if isinstance(name, str) and not why_not_a_name(name):
            steps = (name,)
            subject = f"{shape.wording.noun} {quote(name)}"
            needs = raw.get("dependencies")
            read.names.append(name)
            read.dependencies.append(needs if is_list(needs) else ())
            read.name_positions.append(position)
        fields = _known_fields(raw, ids, shape.wording, subject, steps, location, problems)
        try:
            item = shape.wording.kind.model_validate(fields)
        except ValidationError as error:
            add_field_errors(error, problems, subject=subject, steps=steps, location=location)
        else:
            read.items.append(item)
            read.item_positions.append(position)
    return read


def _known_fields(
    raw: Dict[str, Any],
    ids: AbstractSet[str],
    wording: Wording,
    subject: str,
    steps: tuple[str, ...],
    location: str,
    problems: ProblemList,
) -> Dict[str, Any]:
    """The fields of an item, the unknown ones moved into its metadata."""
    known = wording.kind.model_fields
    unknown = [key for key in raw if key not in known]
    if not unknown:
        return raw
    fields = {key: value for key, value in raw.items() if key in known}
    kept = [key for key in unknown if not report_order(key, raw[key], ids, subject, steps, location, problems)]
    for key in kept:
        problems.add(
            "unknown-field",
            f"{quote(key)} is no field of a {wording.noun}: {subject} keeps it in its metadata",
            steps=steps,
            location=location + pointer((key,)),
            suggestion="put it into metadata",
        )
    metadata = fields.get("metadata", {})
    if is_object(metadata):
        fields["metadata"] = _merged(metadata, {key: raw[key] for key in kept})
    return fields


def _merged(metadata: Dict[str, Any], more: Dict[str, Any]) -> Dict[str, Any]:
    """Both; where a key is in both, the one in `more` gets another key."""
    result = dict(metadata)
    for key, value in more.items():
        free = key
        while free in result:
            free += "_"
        result[free] = value
    return result


def report_order(
    key: str,
    value: Any,
    ids: AbstractSet[str],
    subject: str,
    steps: tuple[str, ...],
    location: str,
    problems: ProblemList,
) -> bool:
    """Whether this unknown field may state an order, which must not be passed over: then it is an error."""
    if looks_like_dependencies(key):
        reason = "looks like dependencies"
    elif is_made_of_ids(value, ids):
        reason = "is made of nothing but ids of this document"
    else:
        return False
    problems.add(
        "unknown-field",
        f"{quote(key)} of {subject} {reason}, but is not read as such",
        steps=steps,
        location=location + pointer((key,)),
        suggestion='state what a step needs in its field "dependencies", and leave this one out',
        severity="error",
    )
    return True
