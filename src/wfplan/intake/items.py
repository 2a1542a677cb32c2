"""The items of a document to recommendations or steps, with every problem that one has by itself."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, Dict, List, NamedTuple, Sequence, Set, Tuple

from pydantic import ValidationError

from wfplan.field_errors import add_field_errors, kind_of
from wfplan.intake.shapes import Shape
from wfplan.intake.spelling import as_id, is_made_of_ids, looks_like_dependencies, states_order
from wfplan.json_values import NotJsonError, copy_json_object, is_list, is_object
from wfplan.locations import ListLocation, pointer
from wfplan.names import quote, why_not_a_name
from wfplan.problems import ProblemList
from wfplan.validation import Item, Wording

__all__ = ["Place", "ReadItems", "ids_of", "items_location", "read_items", "report_order"]


class ReadItems(NamedTuple):
    """What the items of a document gave."""

    items: List[Item]
    """Those that are valid in every field."""
    item_positions: List[int]
    """Where in the list of the document each of these is."""
    moved_modes: Set[int]
    """Positions of the items whose execution mode stood beside their metadata."""
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


def items_location(shape: Shape, read: ReadItems) -> ListLocation:
    """Where the items that were read are in their document."""
    return ListLocation(shape.location, read.item_positions, read.moved_modes)


def read_items(shape: Shape, ids: AbstractSet[str], problems: ProblemList) -> ReadItems:
    """The items as models; adds every problem that an item has by itself."""
    read = ReadItems([], [], set(), [], [], [])
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
        fields = _known_fields(raw, ids, wording, place, problems)
        if "execution_mode" in raw and not _has_mode(raw.get("metadata")):
            read.moved_modes.add(position)
        try:
            item = wording.kind.model_validate(fields)
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
    kept: Dict[str, Any] = {}
    for key in unknown:
        if report_order(key, raw[key], ids, place, problems, states_order):
            continue
        problems.add(
            "unknown-field",
            f"{quote(key)} is no field of a {wording.noun}: {place.subject} keeps it in its metadata",
            steps=place.steps,
            location=place.location + pointer((key,)),
            suggestion="put it into metadata",
        )
        try:
            kept.update(copy_json_object({key: raw[key]}))
        except NotJsonError as error:
            location = place.location + pointer(error.path or (key,))
            problems.add("invalid-field", f"{place.subject}: {error}", steps=place.steps, location=location)
    metadata = fields.get("metadata", {})
    if is_object(metadata):
        fields["metadata"] = _merge(metadata, kept)
    return fields


def _has_mode(metadata: Any) -> bool:
    return is_object(metadata) and "execution_mode" in metadata


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
