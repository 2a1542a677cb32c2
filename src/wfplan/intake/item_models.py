"""Items to recommendations or steps, with every problem of each."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Collection, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from wfplan._internal.json import NotJsonError, copy_json_object, is_list, is_object
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import add_field_errors, kind_of
from wfplan.catalog.lookup import ActionUse, uses_of
from wfplan.intake.field_names import plain
from wfplan.intake.item import Item
from wfplan.intake.items import ReadItems
from wfplan.problems import ProblemCollector
from wfplan.relations import STEPS, ItemKind

__all__ = ["Models", "make_models", "move_rest"]

_MOST_TOLD = 20
_FINISHED = frozenset("closed complete completed done finished succeeded success successful".split())
_STATES = frozenset("completed done finished state status".split())


class Models(NamedTuple):
    """What the items of a document gave."""

    valid: List[Any]
    """Those that are valid in every field."""
    valid_positions: List[int]
    names: List[str]
    """Of those that have a valid name or id, whether all else is valid or not."""
    dependencies: List[Sequence[str]]
    name_positions: List[int]
    other_uses: List[ActionUse]
    """Of actions by items of which something else is wrong; positions are those in the document."""

    def uses(self, item_kind: ItemKind) -> List[ActionUse]:
        """Return the uses of actions, as far as they are known, by their positions in the document."""
        found = uses_of(self.valid, item_kind)
        known = [use._replace(position=self.valid_positions[use.position]) for use in found]
        return sorted([*known, *self.other_uses], key=lambda use: use.position)


def move_rest(
    items: ReadItems,
    hints: Dict[int, Tuple[str, str]],
    refused: Collection[Tuple[int, str]],
    problems: ProblemCollector,
) -> None:
    """Move what no field took, and was not refused, into the metadata of its item, and its mode as a hint."""
    for item in items.items:
        for key in [key for key in item.rest if (item.position, key) in refused]:
            del item.rest[key]
        metadata = item.fields.get("metadata", {})
        if item.position in hints and is_object(metadata):
            metadata = _with_hint(items, item, metadata, hints[item.position], problems)
            item.fields["metadata"] = metadata
        if item.rest and is_object(metadata):
            item.fields["metadata"] = _with_rest(items, item, metadata, hints.get(item.position), problems)


def _with_hint(
    items: ReadItems, item: Item, metadata: Dict[str, Any], hint: Tuple[str, str], problems: ProblemCollector
) -> Dict[str, Any]:
    key, mode = hint
    where = items.positions.at((*items.positions.path(item.position), key))
    if "execution_mode" in metadata:
        if metadata["execution_mode"] != mode:
            message = f"{quote(key)} of {item.subject} contradicts the execution mode in its metadata"
            advice = "state it once, in metadata"
            problems.add("conflicting-fields", message, steps=item.steps, location=where, suggestion=advice)
        return metadata
    message = f"{quote(key)} of {item.subject} is read as its execution mode, {mode}"
    advice = f'write "metadata": {{"execution_mode": {quote(mode)}}}'
    problems.add("mode-alias", message, steps=item.steps, location=where, suggestion=advice)
    return {**metadata, "execution_mode": mode}


def _with_rest(
    items: ReadItems, item: Item, metadata: Dict[str, Any], hint: Tuple[str, str] | None, problems: ProblemCollector
) -> Dict[str, Any]:
    result = dict(metadata)
    path = items.positions.path(item.position)
    for key, value in item.rest.items():
        if hint is not None and key == hint[0]:
            continue
        where = items.positions.at((*path, key))
        noun = items.item_kind.noun
        message = f"{quote(key)} is not a field of a {noun}: {item.subject} keeps it in its metadata"
        problems.add("unknown-field", message, steps=item.steps, location=where, suggestion="put it into metadata")
        _note_finished(item, key, value, where, problems)
        try:
            copied = copy_json_object({key: value})[key]
        except NotJsonError as error:
            inner = items.positions.at((*path, *(error.path or (key,))))
            problems.add("invalid-field", f"{item.subject}: {error}", steps=item.steps, location=inner)
            continue
        names = (key + "_" * count for count in range(_MOST_TOLD))
        free = next((name for name in names if name not in result), None)
        if free is None:
            message = f"{quote(key)} of {item.subject} is in its metadata already"
            problems.add("invalid-field", message, steps=item.steps, location=where, suggestion="state it once")
        else:
            result[free] = copied
    return result


def _note_finished(item: Item, key: str, value: Any, where: str, problems: ProblemCollector) -> None:
    word = plain(key)
    if word not in _STATES or not (value is True or (isinstance(value, str) and plain(value[:20]) in _FINISHED)):
        return
    if value is True and word in ("state", "status"):
        return
    problems.add(
        "finished-step",
        f"{quote(key)} says that {item.subject} is done, but it is planned like any other",
        steps=item.steps,
        location=where,
        suggestion="leave out what is done, together with the dependencies on it",
    )


def make_models(items: ReadItems, problems: ProblemCollector) -> Models:
    """Return the items as models; add every problem that one has by itself."""
    models = Models([], [], [], [], [], [])
    if _make_all(items, models):
        return models
    for item in items.items:
        if item.steps:
            models.names.append(item.steps[0])
            models.dependencies.append(item.fields.get("dependencies", ()))
            models.name_positions.append(item.position)
    for item in items.items:
        _make_one(items, item, models, problems)
    return models


def _make_all(items: ReadItems, models: Models) -> bool:
    """Make all models at once, if all are valid; return whether they are."""
    if any(_is_suspect(item.fields) for item in items.items):
        return False
    try:
        # Pydantic is faster with text than with objects.
        text = to_json([item.fields for item in items.items], inf_nan_mode="constants")
        models.valid.extend(_adapter(items.item_kind.kind).validate_json(text))
    except ValueError:  # pydantic's, or what it cannot write
        return False
    models.valid_positions.extend(item.position for item in items.items)
    return True


def _is_suspect(fields: Dict[str, Any]) -> bool:
    """Return whether pydantic might have a million errors about an item."""
    return "locks" in fields or "retry" in fields or "rollback" in fields


_ADAPTERS: Dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        listed: Any = List
        _ADAPTERS[kind] = TypeAdapter(listed[kind])
    return _ADAPTERS[kind]


def _make_one(items: ReadItems, item: Item, models: Models, problems: ProblemCollector) -> None:
    item_kind = items.item_kind
    fields = _bounded(items, item, problems)
    try:
        made = item_kind.kind.model_validate(fields)
    except ValidationError as error:
        add_field_errors(
            error,
            problems,
            subject=item.subject,
            steps=item.steps,
            locate=lambda path: items.positions.of(item.position, *path),
        )
        models.other_uses.extend(_use_of_invalid(items, item))
    else:
        if fields is item.fields:
            models.valid.append(made)
            models.valid_positions.append(item.position)
        else:
            models.other_uses.extend(_use_of_invalid(items, item))


def _use_of_invalid(items: ReadItems, item: Item) -> Iterator[ActionUse]:
    """Return the use of an action by an item of which something else is wrong, if there is one."""
    fields = item.fields
    action = fields.get("action", fields.get(items.item_kind.key) if items.item_kind is STEPS else None)
    parameters = fields.get("parameters", {})
    if item.steps and isinstance(action, str) and is_object(parameters):
        with suppress(NotJsonError):  # which is a problem already
            yield ActionUse(item.position, item.steps[0], action, copy_json_object(parameters))


def _bounded(items: ReadItems, item: Item, problems: ProblemCollector) -> Dict[str, Any]:
    """Return the fields without what pydantic would have a million errors about; the first of these are added here."""
    fields = item.fields
    values = fields.get("locks")
    if is_list(values) and not {str}.issuperset(map(type, values)):
        wrong = [at for at, value in enumerate(values) if not isinstance(value, str)]
        for at in wrong[:_MOST_TOLD]:
            message = f"{quote(f'locks.{at}')} of {item.subject} must be a string, not {kind_of(values[at])}"
            where = items.positions.of(item.position, "locks", at)
            problems.add("invalid-field", message, steps=item.steps, location=where)
        if len(wrong) > _MOST_TOLD:
            message = f'"locks" of {item.subject} has {len(wrong) - _MOST_TOLD:,} more values that are not strings'
            where = items.positions.of(item.position, "locks")
            problems.add("invalid-field", message, steps=item.steps, location=where)
        fields = {**fields, "locks": ()}
    for field in ("retry", "rollback"):
        value = fields.get(field)
        if is_object(value) and len(value) > _MOST_TOLD:
            message = f"{quote(field)} of {item.subject} has {len(value):,} fields, most of which cannot be known"
            where = items.positions.of(item.position, field)
            problems.add("invalid-field", message, steps=item.steps, location=where)
            fields = {**fields, field: None}
    return fields
