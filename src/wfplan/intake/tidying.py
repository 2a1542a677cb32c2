"""The items of a document as models write them, made what the canonical reader wants; every change is told."""

from __future__ import annotations

from typing import AbstractSet, Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from wfplan.intake.aliases import TITLES, canonical_field
from wfplan.intake.need_objects import id_in, ids_of_mapping
from wfplan.intake.parameter_pairs import fold_parameters, split_action
from wfplan.intake.shapes import Shape
from wfplan.intake.spelling import as_id
from wfplan.intake.syntax import parse_inner
from wfplan.json_values import is_list, is_object
from wfplan.locations import pointer
from wfplan.names import list_names, quote, why_not_a_name
from wfplan.problems import ProblemList
from wfplan.validation import RECOMMENDATIONS, STEPS

__all__ = ["Spelling", "tidy"]

_NOTHING = frozenset(("", "none", "null", "nil", "n/a", "-", "[]", "-1", "start", "end"))
_LONGEST_ACTION = 1024
_LONGEST_NOTHING = 20
_MOST_COMPARED = 100_000


class Spelling(NamedTuple):
    """How a document writes its items, by their positions, where it differs from the canonical form."""

    fields: Dict[int, Dict[str, Tuple[str, ...]]]
    """Where it has fields: the keys on the way from the item."""
    places: Dict[int, List[Any]]
    """Where in its list of dependencies each dependency is."""


def tidy(shape: Shape, spelling: Spelling, problems: ProblemList) -> List[Any]:
    """The items of a document in canonical form, with a warning for everything that was read otherwise than written.

    `spelling` is filled in on the way, before anything is told that it is needed for.
    """
    return _Tidying(shape, spelling, problems).tidied()


class _Tidying:
    def __init__(self, shape: Shape, spelling: Spelling, problems: ProblemList) -> None:
        self._shape = shape
        self._problems = problems
        self._known = shape.wording.kind.model_fields
        self._fields: Dict[str, Optional[str]] = {}
        self._spelled, self._places = spelling
        self._numbered = False
        self._words: Set[str] = set()
        self._told: Set[Tuple[str, int]] = set()
        self._steps: Tuple[str, ...] = ()
        self._position = 0

    def tidied(self) -> List[Any]:
        raw = self._shape.items
        items = [self._rename(number, item) if is_object(item) else item for number, item in enumerate(raw)]
        items = self._number(items)
        self._ids: AbstractSet[str] = {item[self._shape.wording.key] for item in items if self._has_name(item)}
        self._words = {word for item in items if is_object(item) for word in _names_of(item, self._shape.wording.key)}
        tidied = [self._tidy_values(number, item) if is_object(item) else item for number, item in enumerate(items)]
        self._check_other_ids(tidied)
        return tidied

    # Keys and ids, first of all items: what a dependency means may depend on all ids.

    def _rename(self, number: int, raw: Dict[str, Any]) -> Dict[str, Any]:
        """The item with its fields under their own names, and an id that is a text."""
        self._look_at(number, raw)
        fields: Dict[str, Any] = raw
        if not self._known.keys() >= raw.keys():
            fields = self._renamed(raw)
        key = self._shape.wording.key
        value = fields.get(key)
        if type(value) is int and key == "id" and as_id(value) is not None:
            self._note("number-as-id", f"the id of {self._subject} is a number", (key,), "write it as a text")
            fields = {**fields, key: str(value)}
        return self._take_apart(fields) if is_object(fields.get("action")) else fields

    def _renamed(self, raw: Dict[str, Any]) -> Dict[str, Any]:
        fields: Dict[str, Any] = {}
        needs: List[Tuple[str, Any]] = []
        for key, value in raw.items():
            if key not in self._fields:
                self._fields[key] = canonical_field(key, self._known)
            field = self._fields[key]
            if field == "dependencies":
                needs.append((key, value))
            elif field is None or field == key:
                fields[key] = value
            elif field in raw or (field == "id" and self._shape.wording is STEPS):
                fields[key] = value  # beside the field itself, it is something else
            elif field in fields:
                self._conflict(field, self._spelled[self._position][field][0], key, fields[field], value)
            else:
                self._spell(field, key)
                fields[field] = value
        for key, value in needs:
            if "dependencies" in fields:
                first = self._spelled.get(self._position, {}).get("dependencies", ("dependencies",))
                self._conflict("dependencies", first[0], key, fields["dependencies"], value)
            else:
                fields["dependencies"] = value
                if key != "dependencies":
                    self._spell("dependencies", key)
        return fields

    def _spell(self, field: str, key: str) -> None:
        self._spelled.setdefault(self._position, {})[field] = (key,)
        told = f"{self._subject} calls {quote(field)} {quote(key)}"
        self._note("key-alias", told, (field,), f"call it {field}")

    def _conflict(self, field: str, one: str, other: str, value: Any, rival: Any) -> None:
        """A field is there under two names: both have to say the same."""
        if _same(value, rival):
            told = f"{self._subject} has {quote(field)} twice, as {quote(one)} and {quote(other)}, which agree"
            self._note("key-alias", told, (field,), f"keep {field}")
        else:
            told = f"{self._subject} has {quote(field)} twice, as {quote(one)} and {quote(other)}, which disagree"
            self._note("conflicting-fields", told, (field,), f"keep the one that is meant, and call it {field}")

    def _take_apart(self, fields: Dict[str, Any]) -> Dict[str, Any]:
        """The item with action and parameters apart, where the action was an object of its parameters.

        Nothing is told of it: a schema that has a branch for each action asks for just this.
        """
        found = None if _holds_something(fields.get("parameters")) else split_action(fields["action"], self._known)
        if found is None:
            return fields
        action, parameters = found
        spelled = self._spelled.setdefault(self._position, {})
        spelled["parameters"] = (*spelled.get("action", ("action",)), action)
        return {**fields, "action": action, "parameters": parameters}

    def _number(self, items: List[Any]) -> List[Any]:
        """Items without any id are counted from 1, as long as none of them needs another."""
        if self._shape.wording is STEPS or not items or not all(map(is_object, items)):
            return items
        if any("id" in item or item.get("dependencies") for item in items):
            return items
        self._numbered = True
        told = "no recommendation has an id: they are numbered from 1"
        self._problems.add("missing-id", told, location=self._shape.location, suggestion="give each an id")
        return [{"id": str(number), **item} for number, item in enumerate(items, start=1)]

    def _has_name(self, item: Any) -> bool:
        return is_object(item) and isinstance(item.get(self._shape.wording.key), str)

    def _check_other_ids(self, items: List[Any]) -> None:
        """An item may have a second id, which is not read; an error if a dependency may mean one of these."""
        owners: Dict[str, Any] = {}
        for item in items if self._shape.wording is RECOMMENDATIONS else ():
            for key in item if is_object(item) else ():
                other = as_id(item[key]) if key != "id" and self._fields.get(key) == "id" else None
                if other is not None and other in self._ids and other != item.get("id"):
                    owners[other] = item.get("id")
        for number, item in enumerate(items) if owners else ():
            needs = item.get("dependencies") if is_object(item) else ()
            for need in needs if is_list(needs) else ():
                if isinstance(need, str) and need in owners:
                    self._look_at(number, item)
                    told = f"{self._subject} needs {quote(need)}, which is the id of one and another id of another"
                    self._note("conflicting-fields", told, ("dependencies",), "give each a single id")

    # Values.

    def _tidy_values(self, number: int, item: Dict[str, Any]) -> Dict[str, Any]:
        self._look_at(number, item)
        changes: Dict[str, Any] = {}
        needs = item.get("dependencies", ())
        if not (is_list(needs) and all(type(need) is str and need in self._ids for need in needs)):
            changes["dependencies"] = self._tidy_dependencies(needs)
        parameters = item.get("parameters")
        if not is_object(parameters) and "parameters" in item:
            changes["parameters"] = self._tidy_parameters(parameters)
        if isinstance(item.get("confidence"), str):
            changes["confidence"] = self._tidy_confidence(item["confidence"])
        for field in ("description", "metadata"):
            if field in item and item[field] is None:
                self._none(field, "null")
                changes[field] = "" if field == "description" else {}
        if self._shape.wording is RECOMMENDATIONS and not item.get("action"):
            action = self._find_action(item)
            if action:
                changes["action"] = action
        return {**item, **changes} if changes else item

    def _find_action(self, item: Dict[str, Any]) -> Any:
        """What the item says that it does, else its id."""
        if item.get("action") not in (None, ""):
            return item["action"]
        for key in TITLES:
            text = item.get(key)
            if isinstance(text, str) and text.strip():
                self._note(
                    "missing-action",
                    f"{self._subject} has no action: its {key} is taken",
                    ("action",),
                    "say what to do",
                )
                return text.strip()[:_LONGEST_ACTION]
        if not self._has_name(item) or self._numbered:
            return None
        told = f"{self._subject} has no action: its id is taken"
        self._note("missing-action", told, ("action",), "say what to do")
        return item["id"]

    def _tidy_parameters(self, value: Any) -> Any:
        if value is None or value == "":
            self._none("parameters", "null" if value is None else "an empty text")
            return {}
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            parsed = _parse_plainly(value)
            if is_object(parsed):
                told = f'"parameters" of {self._subject} is a text that holds JSON'
                self._note("text-in-text", told, ("parameters",), "write the object itself")
                return parsed
        return fold_parameters(value)

    def _tidy_confidence(self, text: str) -> Any:
        number = _as_share(text)
        if number is None:
            return text
        told = f'"confidence" of {self._subject} is a text'
        self._note("confidence-text", told, ("confidence",), f"write {number:g}")
        return number

    # Dependencies.

    def _tidy_dependencies(self, value: Any) -> Any:
        """A list of ids, as far as that can be known without guessing; else the value itself."""
        if value is None:
            self._none("dependencies", "null")
            return ()
        if isinstance(value, str):
            value = self._split(value)
        elif type(value) is int and as_id(value) is not None:
            if self._means_nothing(str(value)):
                self._none("dependencies", str(value))
                return ()
            self._note_list("a number")
            value = [value]
        elif is_object(value):
            value = self._keys_of(value)
        if not is_list(value):
            return value
        found: List[Any] = []
        places: List[Any] = []
        for place, need in enumerate(value):
            tidied = self._tidy_dependency(need, place)
            if tidied is not None:
                found.append(tidied)
                places.append(place)
        if len(found) < len(value):
            self._places[self._position] = places
        return found

    def _tidy_dependency(self, need: Any, place: int) -> Any:
        """An id; None if it stands for nothing."""
        if need is None:
            self._none("dependencies", "null", place)
            return None
        if is_object(need):
            return self._id_in(need, place)
        if type(need) is int and as_id(need) is not None:
            if self._means_nothing(str(need)):
                self._none("dependencies", str(need), place)
                return None
            told = f"a dependency of {self._subject} is a number"
            self._note("number-as-id", told, ("dependencies", place), "write it as a text")
            return str(need)
        if isinstance(need, str) and self._means_nothing(need):
            self._none("dependencies", quote(need), place)
            return None
        return need

    def _means_nothing(self, text: str) -> bool:
        """Whether a text says that there is no dependency, and cannot mean an item."""
        word = text.strip().casefold()
        return word in _NOTHING and word not in self._words

    def _split(self, text: str) -> Any:
        """The ids in a text: itself, or what it lists."""
        if self._means_nothing(text):
            self._none("dependencies", quote(text))
            return ()
        if text not in self._ids and text.lstrip()[:1] == "[":
            parsed = _parse_plainly(text)
            if is_list(parsed):
                told = f'"dependencies" of {self._subject} is a text that holds a list'
                self._note("text-in-text", told, ("dependencies",), "write the list itself")
                return parsed
        self._note_list("a text")
        if text in self._ids or "," not in text or any("," in known for known in self._ids):
            return [text]
        return [part.strip() for part in text.split(",")]

    def _keys_of(self, value: Dict[str, Any]) -> Any:
        """The keys of a mapping from ids to conditions, which are not read."""
        if not value:
            self._none("dependencies", "an empty object")
            return ()
        if value.keys() <= {"id", "name"}:  # one dependency, as an object
            return [value]
        needs = ids_of_mapping(value, self._ids)
        if needs is None:
            return value
        told = f'"dependencies" of {self._subject} is an object: its keys are taken, its values are not read'
        self._note("dependency-object", told, ("dependencies",), "write a list of ids")
        return needs

    def _id_in(self, need: Dict[str, Any], place: int) -> Any:
        """The id in an object that stands for a dependency."""
        found = id_in(need, self._ids)
        if found is None:
            return need
        id_, key = found
        rest = [other for other in need if other != key]
        unread = f", {list_names(rest)} beside it is not read" if rest else ""
        told = f"a dependency of {self._subject} is an object: its {quote(key)} is taken{unread}"
        self._note("dependency-object", told, ("dependencies", place), "write the id alone")
        return id_

    # What is told.

    def _look_at(self, number: int, item: Dict[str, Any]) -> None:
        wording = self._shape.wording
        name = item.get(wording.key)
        named = isinstance(name, str) and not why_not_a_name(name)
        self._position = number
        self._steps = (str(name),) if named else ()

    @property
    def _subject(self) -> str:
        noun = self._shape.wording.noun
        return f"{noun} {quote(self._steps[0]) if self._steps else self._position + 1}"

    def _none(self, field: str, what: str, place: Optional[int] = None) -> None:
        told = f"{quote(field)} of {self._subject} {'holds' if place is not None else 'is'} {what}, taken for none"
        path: Tuple[Any, ...] = (field,) if place is None else (field, place)
        self._note("null-as-none", told, path, "leave it out")

    def _note_list(self, what: str) -> None:
        told = f'"dependencies" of {self._subject} is {what}, not a list'
        self._note("text-as-list", told, ("dependencies",), "write a list of ids")

    def _note(self, code: str, message: str, path: Tuple[Any, ...], suggestion: str) -> None:
        if len(path) > 1:  # of a hundred dependencies that are numbers, one says it
            if (code, self._position) in self._told:
                return
            self._told.add((code, self._position))
        where = f"{self._shape.location}/{self._position}{pointer(path)}"
        self._problems.add(code, message, steps=self._steps, location=where, suggestion=suggestion)


def _holds_something(value: Any) -> bool:
    return value is not None and not (isinstance(value, (dict, list, tuple, str)) and not value)


def _same(one: Any, other: Any) -> bool:
    """Whether two values of a field say the same; of lists of ids, in whatever order, numbers being ids too.

    What is too large to be compared is not the same: it may hold itself, many times over.
    """
    ids, rivals = ([as_id(value) for value in values] if is_list(values) else [None] for values in (one, other))
    if None not in ids and None not in rivals:
        return sorted(map(str, ids)) == sorted(map(str, rivals))
    pending = [(one, other)]
    for _ in range(_MOST_COMPARED):
        if not pending:
            return True
        one, other = pending.pop()
        if is_object(one) and is_object(other) and one.keys() == other.keys():
            pending.extend((one[key], other[key]) for key in one)
        elif is_list(one) and is_list(other) and len(one) == len(other):
            pending.extend(zip(one, other))
        elif type(one) is not type(other) or is_object(one) or is_list(one) or one != other:
            return False
    return False


def _names_of(item: Dict[str, Any], key: str) -> Iterable[str]:
    """What an item may be called, for those of these that could mean nothing."""
    for name in (key, *TITLES, "action"):
        text = as_id(item.get(name))
        if text is not None and len(text) < _LONGEST_NOTHING and text.strip().casefold() in _NOTHING:
            yield text.strip().casefold()


def _parse_plainly(text: str) -> Any:
    """What a text stands for as JSON in which no key is there twice; None if it is not that."""
    parsed = parse_inner(text)
    return None if parsed is None or parsed.repeated else parsed.value


def _as_share(text: str) -> float | None:
    """The number from 0 to 1 that a text states, plainly or in per cent."""
    plain = text.strip()
    percent = plain.endswith("%")
    try:
        number = float(plain[:-1] if percent else plain) if plain.isascii() and "_" not in plain else -1.0
    except ValueError:
        return None
    number = number / 100 if percent else number
    return number if 0 <= number <= 1 else None
