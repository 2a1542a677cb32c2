"""Items to their fields and a remainder, whatever the fields are called."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from wfplan._internal.identifiers import name_error
from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import kind_of
from wfplan.intake.dependency_forms import DependencyReader
from wfplan.intake.envelope import Envelope
from wfplan.intake.field_names import FIELDS, TITLES, field_of, number_as_id, plain, says_nothing
from wfplan.intake.item import Item
from wfplan.intake.positions import Positions
from wfplan.intake.syntax import JsonError, parse
from wfplan.models import Step
from wfplan.problems import ProblemCollector
from wfplan.relations import RECOMMENDATIONS, STEPS, ItemKind

__all__ = ["ReadItems", "read_items"]

_LONGEST_ACTION = 1024
_STRINGS = ("id", "name", "action", "description", "dependencies")
_NO_REST: Dict[str, Any] = {}
_WHAT_IT_IS = frozenset(("kind", "name", "type"))


class _Layout(NamedTuple):
    """What the keys of an item name."""

    taken: List[Tuple[str, str]]
    """Fields, each with its key."""
    rest: List[str]
    ways: Dict[str, Tuple[Any, ...]]
    """The fields that go by another name."""
    stated: Dict[str, List[str]]
    """Fields that several keys name."""


class ReadItems(NamedTuple):
    """All items of a document."""

    items: List[Item]
    item_kind: ItemKind
    positions: Positions
    has_dependency_fields: bool
    """Whether any item says what it waits for, even if that is nothing."""
    cause_of: Any
    """Returns the likely cause of an unknown dependency; an empty string if none is known."""


def read_items(
    envelope: Envelope, ignore: Collection[str], spelled: Dict[Tuple[int, Any], str], problems: ProblemCollector
) -> ReadItems | None:
    """Return the items of a document; add a warning for all that was read otherwise than it was written.

    Args:
        envelope: The list and what is around it.
        ignore: Keys, without case and punctuation, that state nothing: they are not other names of fields.
        spelled: How the scalars of a YAML document are written that are not strings there.
        problems: Where problems go.

    Returns:
        None, with a problem, if it cannot be known whether these are recommendations or steps.
    """
    item_kind = _wording_of(envelope, problems)
    if item_kind is None:
        return None
    return _ItemReader(envelope, item_kind, ignore, spelled, problems).read()


def _wording_of(envelope: Envelope, problems: ProblemCollector) -> ItemKind | None:
    """Return the kind of the items: recommendations if they have an id, steps if they have only a name."""
    if envelope.keys is not None:
        return RECOMMENDATIONS
    kinds: List[ItemKind] = []
    cache: Dict[Tuple[str, ...], Optional[ItemKind]] = {}
    for position, item in enumerate(envelope.items):
        if not is_object(item):
            continue
        keys = tuple(item)
        if keys not in cache:
            words = {plain(key) for key in keys if key not in Step.model_fields}  # recommendation_id is one of these
            has_id = not words.isdisjoint(FIELDS["id"]) or not words.isdisjoint(_own_words(envelope))
            cache[keys] = RECOMMENDATIONS if has_id else STEPS if "name" in map(plain, keys) else None
        kind = cache[keys]
        if kind is not None and kind not in kinds:
            kinds.append(kind)
            if len(kinds) > 1:
                problems.add(
                    "invalid-document",
                    f"steps and recommendations are mixed: item {position + 1} is the first {kind.noun}",
                    location=envelope.positions.of(position),
                    suggestion="give every item an id, or every item a name and none an id",
                )
                return None
    usual = STEPS if envelope.list_key == "steps" else RECOMMENDATIONS
    if envelope.items and not kinds:
        return RECOMMENDATIONS
    return kinds[0] if kinds else usual


def _own_words(envelope: Envelope) -> FrozenSet[str]:
    """Return the words for one item of the list: the number or name of a step may stand under them, `{"step": 1}`."""
    name = plain(envelope.list_key)
    return frozenset(("step", name[:-1])) if name in ("stages", "jobs", "nodes") else frozenset(("step",))


class _ItemReader:
    def __init__(
        self,
        envelope: Envelope,
        item_kind: ItemKind,
        ignore: Collection[str],
        spelled: Dict[Tuple[int, Any], str],
        problems: ProblemCollector,
    ) -> None:
        self._envelope = envelope
        self._wording = item_kind
        self._positions = envelope.positions
        self._ignore = ignore
        self._spelled = spelled
        self._problems = problems
        self._known = item_kind.kind.model_fields
        self._layouts: Dict[Tuple[str, ...], _Layout] = {}
        self._own_words: FrozenSet[str] = _own_words(envelope) if item_kind is RECOMMENDATIONS else frozenset()
        self._have_no_id: Optional[bool] = None

    def read(self) -> ReadItems:
        key = self._wording.key
        split = [self._split(position, item) for position, item in enumerate(self._envelope.items)]
        items = [item for item in split if item is not None]
        items = self._name_all(items)
        has_fields = any("dependencies" in item.fields for item in items)
        self._check_absent(items)
        dependencies = DependencyReader(items, key, self._wording.noun, self._positions, self._problems)
        dependencies.read()
        for item in items:
            self._read_values(item)
        return ReadItems(items, self._wording, self._positions, has_fields, dependencies.cause_of)

    # ------------------------------------------------------------------------------------------------ fields and rest

    def _split(self, position: int, raw: Any) -> Item | None:
        noun = self._wording.noun
        if not is_object(raw):
            message = f"{noun} {position + 1} must be an object, not {kind_of(raw)}"
            self._problems.add("invalid-field", message, location=self._positions.of(position))
            return None
        layout = self._layout_of(raw)
        fields = {field: raw[key] for field, key in layout.taken}
        rest = {key: raw[key] for key in layout.rest} if layout.rest else _NO_REST
        item = Item(position, fields, rest, self._wording)
        if layout.ways:
            self._positions.move_all(position, layout.ways)
            self._note_aliases(item, layout)
        for field, keys in layout.stated.items():
            self._take_stated(item, field, [(key, raw[key]) for key in keys])
        if self._spelled:
            self._respell(item, raw)
        return item

    def _layout_of(self, raw: Dict[str, Any]) -> _Layout:
        """Return what the keys of an item name; items with the same keys share the answer."""
        keys = tuple(raw)
        if keys not in self._layouts:
            self._layouts[keys] = self._make_layout(keys)
        return self._layouts[keys]

    def _make_layout(self, keys: Tuple[str, ...]) -> _Layout:
        layout = _Layout([], [], {}, {})
        named: Dict[str, List[str]] = {}
        for key in keys:
            field = self._field_of(key)
            if field is None or (field == "id" and key != "id" and "id" in keys):
                layout.rest.append(key)
            else:
                named.setdefault(field, []).append(key)
        for field, own in named.items():
            if field in own and field != "dependencies":  # beside the field itself, another name is something else
                layout.taken.append((field, field))
                layout.rest.extend(key for key in own if key != field)
            elif len(own) == 1:
                layout.taken.append((field, own[0]))
                layout.ways.update({field: (own[0],)} if own[0] != field else {})
            else:
                layout.stated[field] = own
        return layout

    def _note_aliases(self, item: Item, layout: _Layout) -> None:
        if not self._problems.has_room("warning"):
            self._problems.add_unlisted("warning", len(layout.ways))
            return
        for field, (key,) in layout.ways.items():
            message = f"{item.subject} calls {quote(field)} {quote(key)}"
            self._note(item, "key-alias", message, (field,), f"call it {field}")

    def _field_of(self, key: str) -> str | None:
        if key in self._known:
            return key
        word = plain(key)
        if word in self._ignore:
            return None
        if word in self._own_words:
            return "id" if self._no_item_has_an_id() else None
        return field_of(key, self._known)

    def _no_item_has_an_id(self) -> bool:
        """Return whether ids are missing, so that a word such as `step` may stand for one."""
        if self._have_no_id is None:
            words = {plain(key) for item in self._envelope.items if is_object(item) for key in item}
            self._have_no_id = words.isdisjoint(FIELDS["id"])
        return self._have_no_id

    def _take_stated(self, item: Item, field: str, values: List[Tuple[str, Any]]) -> None:
        """Take a field that is stated under other names than its own, or under several."""
        said = [(key, value) for key, value in values if (value == [] and key == field) or not says_nothing(value)]
        if len(said) > 1 or not said:
            said = [(key, value) for key, value in said if key == field or not says_nothing(value)] or values[:1]
        key, value = said[0]
        other = next((other for other in said[1:] if not _same(value, other[1])), None)
        item.fields[field] = value
        if key != field:
            self._positions.move(item.position, field, (key,))
            self._note(
                item, "key-alias", f"{item.subject} calls {quote(field)} {quote(key)}", (field,), f"call it {field}"
            )
        elif len(said) > 1 and other is None:
            message = f"{item.subject} has {quote(field)} twice, as {quote(key)} and {quote(said[1][0])}, which agree"
            self._note(item, "key-alias", message, (field,), f"keep {field}")
        if other is not None:
            message = f"{item.subject} has {quote(field)} twice, as {quote(key)} and {quote(other[0])}, which disagree"
            self._note(
                item, "conflicting-fields", message, (field,), f"keep the one that is meant, and call it {field}"
            )

    def _respell(self, item: Item, raw: Dict[str, Any]) -> None:
        """Give what is a string whatever it looks like the form in which YAML has it: ids, names and dependencies."""
        for field in _STRINGS:
            value = item.fields.get(field)
            if value is None or type(value) is str or (is_list(value) and {str}.issuperset(map(type, value))):
                continue
            if field == "dependencies" or not is_object(value):  # an action may be an object of its parameters
                way = self._positions.path(item.position, field)[-1]
                item.fields[field] = self._as_written(value, (id(raw), way))

    def _as_written(self, value: Any, place: Tuple[int, Any]) -> Any:
        if is_list(value):
            return [self._as_written(inner, (id(value), at)) for at, inner in enumerate(value)]
        if is_object(value):
            return {key: self._as_written(inner, (id(value), key)) for key, inner in value.items()}
        return self._spelled.get(place, value)

    # ---------------------------------------------------------------------------------------------------- ids and names

    def _name_all(self, items: List[Item]) -> List[Item]:
        """Give every item its id or name in canonical form."""
        key = self._wording.key
        keys = self._envelope.keys
        if keys is not None:
            for item in items:
                self._name_by_key(item, keys[item.position])
        elif key == "id" and items and self._may_be_numbered(items):
            self._problems.add(
                "missing-id",
                "no recommendation has an id: they are numbered from 1",
                location=self._positions.whole(),
                suggestion="give each an id",
            )
            for number, item in enumerate(items, start=1):
                item.fields["id"] = str(number)
        for item in items:
            if key in item.fields:
                self._clean_id(item, key)
        return items

    def _may_be_numbered(self, items: List[Item]) -> bool:
        """Return whether no item has an id, all are objects, and none needs another."""
        if len(items) < len(self._envelope.items) or any("id" in item.fields for item in items):
            return False
        return all(says_nothing(item.fields.get("dependencies")) for item in items)

    def _name_by_key(self, item: Item, key: str) -> None:
        own = item.fields.get("id")
        if own is not None and _as_id(own) != key:
            message = f"the item under the key {quote(key)} has another id"
            self._note(item, "conflicting-fields", message, ("id",), "make both the same")
        item.fields["id"] = key
        self._positions.move(item.position, "id", ())

    def _clean_id(self, item: Item, key: str) -> None:
        value = item.fields[key]
        if isinstance(value, str):
            clean = clean_id(value) if name_error(value) else value
            if clean != value and not name_error(clean):
                message = f"the {key} of {item.subject} is read as {quote(clean)}"
                self._note(item, "id-spelling", message, (key,), "write it so, without spaces or escapes, in NFC")
                item.fields[key] = clean
        elif key == "id":
            id_ = _as_id(value)
            if id_ is not None:
                message = f"the id of {item.subject} is a number"
                self._note(item, "number-as-id", message, (key,), "write it as a string")
                item.fields[key] = id_

    def _check_absent(self, items: List[Item]) -> None:
        """Add an error where a step without dependencies waits for all before it, by the rule of the key of the others.

        This is what `waitFor` means in Google Cloud Build.
        """
        if not any("waitFor" in keys for keys in self._layouts):
            return
        waits = [self._positions.path(item.position, "dependencies")[-1] == "waitFor" for item in items]
        for item in items[waits.index(True) if any(waits) else len(items) :]:
            if "dependencies" not in item.fields:
                message = f'{item.subject} has no "waitFor", which may mean that it waits for all steps before it'
                self._note(item, "order-not-read", message, (), "state what it waits for, [] if it is nothing")

    # ---------------------------------------------------------------------------------------------------------- values

    def _read_values(self, item: Item) -> None:
        fields = item.fields
        if is_object(fields.get("action")):
            self._split_action(item)
        if "parameters" in fields and not is_object(fields["parameters"]):
            fields["parameters"] = self._read_parameters(item, fields["parameters"])
        if isinstance(fields.get("confidence"), str):
            self._read_confidence(item)
        nothing: Dict[str, Any] = {"description": "", "metadata": {}}
        for field, none in nothing.items():
            if field in fields and fields[field] is None:
                self._note(item, "null-as-none", f'"{field}" of {item.subject} is null', (field,), "leave it out")
                fields[field] = none
        if self._wording is RECOMMENDATIONS and says_nothing(fields.get("action")):
            self._find_action(item)

    def _split_action(self, item: Item) -> None:
        """Take action and parameters apart where the action is an object of its parameters.

        Nothing is noted: the schema of a catalog asks for just this.
        """
        found = None
        if says_nothing(item.fields.get("parameters")):
            found = split_action(item.fields["action"], self._known)
        if found is None:
            return
        action, parameters = found
        way = self._positions.path(item.position, "action")[len(self._positions.path(item.position)) :]
        is_string = isinstance(item.fields["action"][action], str)
        self._positions.move(item.position, "parameters", (*way, action), is_string=is_string)
        item.fields["action"] = action
        item.fields["parameters"] = parameters

    def _read_parameters(self, item: Item, value: Any) -> Any:
        if value is None or value == "":
            self._note(item, "null-as-none", f'"parameters" of {item.subject} is {kind_of(value)}', ("parameters",), "")
            return {}
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            parsed = _parsed_object(value)
            if parsed is not None:
                message = f'"parameters" of {item.subject} is a string that holds JSON'
                self._note(item, "text-in-text", message, ("parameters",), "write the object itself")
                way = self._positions.path(item.position, "parameters")[len(self._positions.path(item.position)) :]
                self._positions.move(item.position, "parameters", way, is_string=True)
                return parsed
        return fold_parameters(value)

    def _read_confidence(self, item: Item) -> None:
        number = _as_share(item.fields["confidence"])
        if number is not None:
            message = f'"confidence" of {item.subject} is a string'
            self._note(item, "confidence-text", message, ("confidence",), f"write {number:g}")
            item.fields["confidence"] = number

    def _find_action(self, item: Item) -> None:
        """Take what the item says that it does for its action, else its id."""
        for key in TITLES:
            value = item.fields.get(key) or next(
                (item.rest[own] for own in item.rest if plain(own) == plain(key)), None
            )
            if isinstance(value, str) and value.strip():
                message = f"{item.subject} has no action: its {key} is taken"
                self._note(item, "missing-action", message, ("action",), "say what to do")
                item.fields["action"] = value.strip()[:_LONGEST_ACTION]
                return
        if item.steps and "id" in item.fields and self._has_ids_of_its_own():
            message = f"{item.subject} has no action: its id is taken"
            self._note(item, "missing-action", message, ("action",), "say what to do")
            item.fields["action"] = item.steps[0]

    def _has_ids_of_its_own(self) -> bool:
        """Return whether the items were not numbered for want of ids."""
        return self._envelope.keys is not None or any(
            is_object(item) and any(self._field_of(key) == "id" for key in item) for item in self._envelope.items[:1]
        )

    def _note(self, item: Item, code: str, message: str, path: Sequence[Any], suggestion: str) -> None:
        location = self._positions.of(item.position, *path)
        self._problems.add(code, message, steps=item.steps, location=location, suggestion=suggestion)


def clean_id(text: str) -> str:
    r"""Return an id without outer spaces and escapes of Markdown, in Unicode normal form NFC.

    >>> clean_id(r" rec\_1 ")
    'rec_1'
    """
    text = text.strip()
    if "\\" in text:
        text = text.replace("\\_", "_").replace("\\*", "*")
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _as_id(value: Any) -> str | None:
    """Return a value as an id, None if it cannot be one."""
    return clean_id(value) if isinstance(value, str) else number_as_id(value)


def _same(one: Any, other: Any) -> bool:
    """Return whether two values say the same: lists in any order, one like the value alone, numbers like strings."""
    return _said(one) == _said(other)


def _said(value: Any) -> List[str]:
    values = value if is_list(value) else [value]
    return sorted({_as_id(each) or json.dumps(each, sort_keys=True) for each in values})


def _as_share(text: str) -> float | None:
    """Return the number from 0 to 1 that a string such as `"0.9"` or `"90%"` stands for, None for any other string."""
    text = text.strip()
    percent = text.endswith("%")
    digits = text[:-1].strip() if percent else text
    if len(digits) > 20 or not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
        return None
    number = float(digits) / (100 if percent else 1)
    return number if 0 <= number <= 1 else None


def _parsed_object(text: str) -> Dict[str, Any] | None:
    """Return the object that a string holds as JSON, None if it holds none, or one with a key twice."""
    try:
        parsed = parse(text)
    except JsonError:
        return None
    return parsed.value if is_object(parsed.value) and not parsed.repeated else None


def fold_parameters(value: Any) -> Any:
    """Return the object that a list of `{"name": ..., "value": ...}` stands for; any other value as it is.

    A list in which a name occurs twice is one of those: as an object it would lose a value.

    >>> fold_parameters([{"name": "replicas", "value": "5"}, {"name": "zone", "value": "a"}])
    {'replicas': '5', 'zone': 'a'}
    >>> fold_parameters([{"name": "zone", "value": "a"}, {"name": "zone", "value": "b"}])
    [{'name': 'zone', 'value': 'a'}, {'name': 'zone', 'value': 'b'}]
    """
    if not is_list(value) or not all(map(_is_pair, value)):
        return value
    folded = {pair["name"]: pair["value"] for pair in value}
    return folded if len(folded) == len(value) else value


def _is_pair(value: Any) -> bool:
    return is_object(value) and len(value) == 2 and "value" in value and isinstance(value.get("name"), str)


def split_action(action: Any, known: Iterable[str]) -> Tuple[str, Dict[str, Any]] | None:
    """Return action and parameters where both are written as `{action: parameters}`, None for anything else.

    The parameters are an object, a string that holds one, pairs of names and values, or null for none. A key that may
    be a field says something about an action and is not one.

    >>> split_action({"scale": {"replicas": 3}}, ("action",)), split_action({"verify": None}, ("action",))
    (('scale', {'replicas': 3}), ('verify', {}))
    >>> split_action({"tool": {"replicas": 3}}, ("action",)), split_action({"scale": 3}, ("action",))
    (None, None)
    """
    if not is_object(action) or len(action) != 1:
        return None
    ((name, value),) = action.items()
    if not name or means_a_field(name, known):
        return None
    parameters: Any = (
        {} if value is None else _parsed_object(value) if isinstance(value, str) else fold_parameters(value)
    )
    return (name, parameters) if is_object(parameters) else None


def means_a_field(name: str, known: Iterable[str]) -> bool:
    """Return whether the key of an object says what its value is to an action, rather than what the action is called.

    >>> [means_a_field(name, ("id", "action")) for name in ("arguments", "toolName", "type", "restart_pods")]
    [True, True, True, False]
    """
    fields: Set[str] = {*known, *FIELDS}
    return plain(name) in _WHAT_IT_IS or field_of(name, fields) is not None
