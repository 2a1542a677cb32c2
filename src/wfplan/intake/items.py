"""The items of a document to recommendations or steps, with every problem that one has by itself."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from pydantic import ValidationError

from wfplan.field_errors import add_field_errors, kind_of, pointer
from wfplan.intake.shapes import Shape
from wfplan.intake.spelling import as_id, is_made_of_ids, looks_like_dependencies, states_order
from wfplan.json_values import is_list, is_object
from wfplan.names import quote, why_not_a_name
from wfplan.problems import ProblemList
from wfplan.validation import Item, Wording

__all__ = ["Place", "ReadItems", "ids_of", "read_items", "report_order"]


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
    ids = (as_id(item.get(shape.wording.key)) for item in shape.items if is_object(item))
    return {id_ for id_ in ids if id_ is not None}


class Place(NamedTuple):
    """What a problem is about, and where that is in the document."""

    subject: str
    location: str
    steps: Tuple[str, ...] = ()


def read_items(shape: Shape, ids: AbstractSet[str], problems: ProblemList) -> ReadItems:
    """The items as models; adds every problem that an item has by itself."""
    read = ReadItems([], [], [], [], [])
    wording = shape.wording
    for position, raw in enumerate(shape.items):
        place = Place(f"{wording.noun} {position + 1}", f"{shape.location}/{position}")
        if not is_object(raw):
            message = f"{place.subject} must be an object, not {kind_of(raw)}"
            problems.add("invalid-field", message, location=place.location)
            continue
        name = raw.get(wording.key)
        if isinstance(name, str) and not why_not_a_name(name):
            place = Place(f"{wording.noun} {quote(name)}", place.location, (name,))
            needs = raw.get("dependencies")
            read.names.append(name)
            read.dependencies.append(needs if is_list(needs) else ())
            read.name_positions.append(position)
        try:
            item = wording.kind.model_validate(_known_fields(raw, ids, wording, place, problems))
        except ValidationError as error:
            add_field_errors(error, problems, subject=place.subject, steps=place.steps, location=place.location)
        else:
            read.items.append(item)
            read.item_positions.append(position)
    return read


def _known_fields(
    raw: Dict[str, Any], ids: AbstractSet[str], wording: Wording, place: Place, problems: ProblemList
) -> Dict[str, Any]:
    """The fields of an item, the unknown ones moved into its metadata."""
    known = wording.kind.model_fields
    unknown = [key for key in raw if key not in known]
    if not unknown:
        return raw
    fields = {key: value for key, value in raw.items() if key in known}
    kept = [key for key in unknown if not report_order(key, raw[key], ids, place, problems, states_order)]
    for key in kept:
        problems.add(
            "unknown-field",
            f"{quote(key)} is no field of a {wording.noun}: {place.subject} keeps it in its metadata",
            steps=place.steps,
            location=place.location + pointer((key,)),
            suggestion="put it into metadata",
        )
    metadata = fields.get("metadata", {})
    if is_object(metadata):
        fields["metadata"] = _merge(metadata, {key: raw[key] for key in kept})
    return fields


def _merge(metadata: Dict[str, Any], more: Dict[str, Any]) -> Dict[str, Any]:
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
    place: Place,
    problems: ProblemList,
    is_telling: Callable[[str], bool] = looks_like_dependencies,
) -> bool:
    """Whether an unknown field may state an order, by its key or its value; then it is an error.

    Nothing may turn into "no dependencies" by a spelling.
    """
    if is_telling(key):
        reason = "looks like dependencies"
    elif is_made_of_ids(value, ids):
        reason = "is made of nothing but ids of this document"
    else:
        return False
    problems.add(
        "unknown-field",
        f"{quote(key)} of {place.subject} {reason}, but is not read as such",
        steps=place.steps,
        location=place.location + pointer((key,)),
        suggestion='state what a step needs in its field "dependencies", and leave this one out',
        severity="error",
    )
    return True
