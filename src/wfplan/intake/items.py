"""The items of a document to recommendations or steps, with every problem that one has by itself."""

from __future__ import annotations

from contextlib import suppress
from typing import AbstractSet, Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from pydantic import ValidationError

from wfplan.catalog_lookup import ActionUse, uses_of
from wfplan.field_errors import add_field_errors, kind_of
from wfplan.intake.plan_looks import holds_work
from wfplan.intake.shapes import Beside, Shape
from wfplan.intake.spelling import (
    as_id,
    is_execution_mode,
    is_made_of_ids,
    is_order_by,
    looks_like_dependencies,
    may_state_order,
    states_order,
)
from wfplan.json_values import NotJsonError, copy_json_object, is_list, is_object
from wfplan.locations import ListLocation, pointer
from wfplan.names import quote, why_not_a_name
from wfplan.problems import ProblemList
from wfplan.validation import STEPS, Item, Wording

_MOST_TOLD = 20

__all__ = ["Place", "ReadItems", "ids_of", "items_location", "read_items", "report_beside"]


class ReadItems(NamedTuple):
    """What the items of a document gave."""

    items: List[Item]
    """Those that are valid in every field."""
    item_positions: List[int]
    """Where in the list of the document each of these is."""
    moved_modes: Dict[int, str]
    """Positions of the items whose execution mode stood beside their metadata, and its key there."""
    names: List[str]
    """Of those that have a valid name or id, whether all else is valid or not."""
    dependencies: List[Sequence[Any]]
    name_positions: List[int]
    uses: List[ActionUse]
    """Of actions, as far as they can be told, whether all else is valid or not; positions are those in the document."""


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
    read = ReadItems([], [], {}, [], [], [], [])
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
        mode = next((key for key in raw if is_execution_mode(key)), None)
        if mode is not None and not _has_mode(raw.get("metadata")):
            read.moved_modes[position] = mode
        texts = _bounded(fields, place, problems)
        try:
            item = wording.kind.model_validate(texts)
        except ValidationError as error:
            add_field_errors(error, problems, subject=place.subject, steps=place.steps, location=place.location)
            read.uses.extend(_use_of_invalid(fields, position, place, wording))
        else:
            read.uses.extend(use._replace(position=position) for use in uses_of((item,), wording))
            if texts is fields:
                read.items.append(item)
                read.item_positions.append(position)
    return read


def _use_of_invalid(fields: Dict[str, Any], position: int, place: Place, wording: Wording) -> Iterator[ActionUse]:
    """The use of an action by an item of which something else is wrong, if there is one."""
    action = fields.get("action", fields.get(wording.key) if wording is STEPS else None)
    parameters = fields.get("parameters", {})
    if place.steps and isinstance(action, str) and is_object(parameters):
        with suppress(NotJsonError):  # which has been told
            yield ActionUse(position, place.steps[0], action, copy_json_object(parameters))


def _known_fields(
    raw: Dict[str, Any], ids: AbstractSet[str], wording: Wording, place: Place, problems: ProblemList
) -> Dict[str, Any]:
    """The fields of an item, the unknown ones moved into its metadata."""
    known = wording.kind.model_fields
    unknown = [key for key in raw if key not in known]
    if not unknown:
        return raw
    fields = {key: value for key, value in raw.items() if key in known}
    kept: List[Tuple[str, Any]] = []
    for key in unknown:
        if _report_order(key, raw[key], ids, place, problems, states_order):
            continue
        problems.add(
            "unknown-field",
            f"{quote(key)} is no field of a {wording.noun}: {place.subject} keeps it in its metadata",
            steps=place.steps,
            location=place.location + pointer((key,)),
            suggestion="put it into metadata",
        )
        try:
            kept.append((key, copy_json_object({key: raw[key]})[key]))
        except NotJsonError as error:
            location = place.location + pointer(error.path or (key,))
            problems.add("invalid-field", f"{place.subject}: {error}", steps=place.steps, location=location)
    metadata = fields.get("metadata", {})
    if is_object(metadata):
        fields["metadata"] = _merge(metadata, kept, place, problems)
    return fields


def _has_mode(metadata: Any) -> bool:
    return is_object(metadata) and "execution_mode" in metadata


def _merge(
    metadata: Dict[str, Any], more: List[Tuple[str, Any]], place: Place, problems: ProblemList
) -> Dict[str, Any]:
    """Both; where a key is in both, the one in `more` gets a `_` or some, but an execution mode has to be clear."""
    result = dict(metadata)
    for key, value in more:
        is_mode = is_execution_mode(key)
        wanted = "execution_mode" if is_mode else key
        names = (wanted + "_" * count for count in range(_MOST_TOLD))
        free = next((name for name in names if name not in result), None)
        contradicts = is_mode and free != wanted and result[wanted] != value
        if free is None or contradicts:
            problems.add(
                "invalid-field",
                f"{quote(key)} of {place.subject} contradicts its metadata",
                steps=place.steps,
                location=place.location + pointer((key,)),
                suggestion="state it once, in metadata",
            )
        else:
            result[free] = value
    return result


def _bounded(fields: Dict[str, Any], place: Place, problems: ProblemList) -> Dict[str, Any]:
    """The fields without what pydantic would have a million errors about; of these, the first are told here."""
    for field in ("dependencies", "locks"):
        values = fields.get(field)
        if not is_list(values) or {str}.issuperset(map(type, values)):
            continue
        wrong = [position for position, value in enumerate(values) if not isinstance(value, str)]
        for position in wrong[:_MOST_TOLD]:
            problems.add(
                "invalid-field",
                f"{quote(f'{field}.{position}')} of {place.subject} must be a text, not {kind_of(values[position])}",
                steps=place.steps,
                location=f"{place.location}/{field}/{position}",
            )
        if len(wrong) > _MOST_TOLD:
            problems.add(
                "invalid-field",
                f"{quote(field)} of {place.subject} has {len(wrong) - _MOST_TOLD:,} more values that are no texts",
                steps=place.steps,
                location=f"{place.location}/{field}",
            )
        if wrong:
            fields = {**fields, field: ()}
    for field in ("retry", "rollback"):
        value = fields.get(field)
        if is_object(value) and len(value) > _MOST_TOLD:
            problems.add(
                "invalid-field",
                f"{quote(field)} of {place.subject} has {len(value):,} fields, most of which cannot be known",
                steps=place.steps,
                location=f"{place.location}/{field}",
            )
            fields = {**fields, field: None}
    return fields


def report_beside(beside: Iterable[Beside], ids: AbstractSet[str], problems: ProblemList) -> None:
    """Add an error for each field beside the list that may state an order of it, or more of it."""
    for location, key, value in beside:
        place = Place("the document", location)
        if not _report_order(key, value, ids, place, problems) and may_state_order(value, ids, key):
            problems.add(
                "ambiguous-answer",
                f"{quote(key)} of the document may say what waits for what, but is not read as such",
                location=location + pointer((key,)),
                suggestion='state what a step needs in its field "dependencies", and leave this one out',
            )


def _report_order(
    key: str,
    value: Any,
    ids: AbstractSet[str],
    place: Place,
    problems: ProblemList,
    is_telling: Callable[[str], bool] = looks_like_dependencies,
) -> bool:
    """Whether an unknown field may state an order, by its key or its value, or more steps; then it is an error.

    Nothing may turn into "no dependencies" by a spelling, and no step be lost.
    """
    if not isinstance(value, bool) and is_telling(key):
        reason = "looks like dependencies"
    elif is_made_of_ids(value, ids):
        reason = "is made of nothing but ids of this document"
    elif is_order_by(key, value, ids):
        reason = "names an id of this document"
    elif holds_work(value):
        problems.add(
            "ambiguous-answer",
            f"{quote(key)} of {place.subject} holds what may be steps of their own",
            steps=place.steps,
            location=place.location + pointer((key,)),
            suggestion="answer with one list, in which every step is",
        )
        return True
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
