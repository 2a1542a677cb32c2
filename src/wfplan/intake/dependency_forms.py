"""The dependencies of an item as a list of ids, however they are written."""

from __future__ import annotations

import unicodedata
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from wfplan._internal.json import is_list, is_object
from wfplan._internal.messages import quote
from wfplan._internal.validation_errors import kind_of
from wfplan.intake.field_names import NOTHING, ONE_ID, TITLES, number_as_id, plain, says_nothing
from wfplan.intake.item import Item
from wfplan.intake.order_words import CONDITION, DEFAULT_RULE, is_inert
from wfplan.intake.positions import Path, Positions
from wfplan.intake.syntax import JsonError, parse
from wfplan.problems import ProblemCollector

__all__ = ["DependencyReader"]

_LONGEST_NUMBER = 15
_MOST_TOLD = 20

Found = List[Tuple[str, Path]]
"""Ids, each with its path below the field."""


class DependencyReader:
    """Reads the dependencies of all items of a document, since what one means may depend on all ids."""

    def __init__(
        self, items: Sequence[Item], key: str, noun: str, positions: Positions, problems: ProblemCollector
    ) -> None:
        self._items = items
        self._key = key
        self._noun = noun
        self._positions = positions
        self._problems = problems
        named = (item.fields.get(key) for item in items)
        self._ids = {name for name in named if isinstance(name, str)}
        self._words: Optional[Set[str]] = None
        self._have_commas = any("," in id_ for id_ in self._ids)
        self._wrong = 0
        """How many values of the list that is read cannot be ids."""
        self._titles: Optional[Dict[str, str]] = None
        self._shift: Optional[str] = None

    def read(self) -> None:
        """Replace the dependencies of every item by a list of ids, as far as that can be known without guessing."""
        ids = self._ids
        for item in self._items:
            value = item.fields.get("dependencies", ())
            if is_list(value) and all(type(need) is str and need in ids for need in value):
                continue
            found = self._read_field(item, value)
            item.fields["dependencies"] = [need for need, _ in found]
            self._positions.place_dependencies(item.position, [place for _, place in found])
        self._take_names_for_ids()

    # ---------------------------------------------------------------------------------------------------- the field

    def _read_field(self, item: Item, value: Any) -> Found:
        if is_list(value):
            self._wrong = 0
            found = [found for at, need in enumerate(value) for found in self._read_one(item, need, (at,))]
            if self._wrong > _MOST_TOLD:
                more = self._wrong - _MOST_TOLD
                message = f'"dependencies" of {item.subject} has {more:,} more values that are not strings'
                self._note(item, "invalid-field", message, (), "")
            return found
        if says_nothing(value) or value is False:
            self._none(item, value, ())
            return []
        if isinstance(value, str):
            return self._read_string(item, value)
        if is_object(value):
            one = self._is_one_object(value)
            if one:
                self._note(item, "text-as-list", f'"dependencies" of {item.subject} is an object', (), "write a list")
            return self._read_object(item, value, ()) if one else self._read_mapping(item, value)
        found = self._read_one(item, value, ())
        if found:
            self._note(
                item, "text-as-list", f'"dependencies" of {item.subject} is {kind_of(value)}', (), "write a list"
            )
        return found

    def _read_string(self, item: Item, text: str) -> Found:
        if text not in self._ids and text.lstrip()[:1] == "[":
            try:
                parsed = parse(text).value
            except JsonError:
                parsed = None
            if is_list(parsed):
                message = f'"dependencies" of {item.subject} is a string that holds a list'
                self._note(item, "text-in-text", message, (), "write the list itself")
                return [(need, ()) for value in parsed for need, _ in self._read_one(item, value, ())]
        found = self._read_one(item, text, ())
        if found:
            message = f'"dependencies" of {item.subject} is a string'
            self._note(item, "text-as-list", message, (), "write a list of ids")
        if len(found) == 1 and found[0][0] not in self._ids and "," in text and not self._have_commas:
            return [(self._spelled_as_id(part.strip()) or part.strip(), ()) for part in text.split(",") if part.strip()]
        return found

    def _is_one_object(self, value: Dict[str, Any]) -> bool:
        """Return whether an object in place of the list stands for one dependency, rather than being keyed by ids."""
        return self._id_key(value) is not None and self._ids.isdisjoint(value)

    # -------------------------------------------------------------------------------------------------- one dependency

    def _read_one(self, item: Item, need: Any, place: Path) -> Found:
        if isinstance(need, str):
            return self._read_name(item, need, place)
        if need is None or need is False:
            self._none(item, need, place)
            return []
        if is_object(need):
            return self._read_object(item, need, place)
        number = number_as_id(need)
        if number is None:
            self._wrong += 1
            if self._wrong > _MOST_TOLD:
                return []
            field = ".".join(map(str, ("dependencies", *place)))
            message = f"{quote(field)} of {item.subject} must be a string, not {kind_of(need)}"
            self._note(item, "invalid-field", message, place, "write the id of a " + self._noun)
            return []
        if self._means_nothing(number):
            self._none(item, need, place)
            return []
        message = f"a dependency of {item.subject} is a number"
        self._note(item, "number-as-id", message, place, "write it as a string")
        return [(number, place)]

    def _read_name(self, item: Item, text: str, place: Path) -> Found:
        if text in self._ids:
            return [(text, place)]
        if self._means_nothing(text):
            self._none(item, text, place)
            return []
        id_ = self._spelled_as_id(text)
        if id_ is not None:
            message = f"a dependency of {item.subject} is read as {quote(id_)}"
            self._note(item, "id-spelling", message, place, "write the id as it is")
            return [(id_, place)]
        if place and "," in text and not self._have_commas:
            parts = [part.strip() for part in text.split(",")]
            ids = [part if part in self._ids else self._spelled_as_id(part) for part in parts]
            if all(ids):
                message = f"a dependency of {item.subject} is {len(parts)} ids in one string"
                self._note(item, "text-as-list", message, place, "write each as a string of its own")
                return [(each, place) for each in ids if each is not None]
        return [(text, place)]

    def _spelled_as_id(self, text: str) -> str | None:
        """Return the one id that a string can only mean, None if it is not clear."""
        clean = text.strip().replace("\\_", "_").replace("\\*", "*")
        clean = clean if clean.isascii() else unicodedata.normalize("NFC", clean)
        for form in (clean, clean[1:] if clean.startswith("#") else clean):
            if form in self._ids:
                return form
            if form.endswith(".0") and form[:-2].isdecimal() and form[:-2] in self._ids:
                return form[:-2]
        return None

    def _means_nothing(self, text: str) -> bool:
        """Return whether a string says that there is no dependency, and cannot mean an item."""
        if len(text) > _MOST_TOLD:
            return False
        word = text.strip().casefold()
        if word not in NOTHING:
            return False
        if self._words is None:
            self._words = self._find_words()
        return word not in self._words

    def _find_words(self) -> Set[str]:
        """Return the ids and short titles of all items."""
        words = {id_.strip().casefold() for id_ in self._ids}
        for item in self._items:
            for title in (*TITLES, "action"):
                text = item.fields.get(title, item.rest.get(title))
                if isinstance(text, str) and len(text) < _MOST_TOLD:
                    words.add(text.strip().casefold())
        return words

    def _read_object(self, item: Item, need: Dict[str, Any], place: Path) -> Found:
        """Return the id in an object that stands for a dependency, if nothing in it says anything else."""
        key = self._id_key(need)
        number = None if key is None else number_as_id(need[key])
        id_ = None if key is None else need[key] if isinstance(need[key], str) else number
        if key is None or id_ is None:
            message = f"a dependency of {item.subject} is an object without an id"
            self._note(item, "invalid-field", message, place, "write the id alone")
            return []
        for other, value in need.items():
            if other != key and not self._is_harmless(other, value):
                message = f"{item.subject} waits for {quote(id_)} with {quote(other)}, which is not read"
                advice = "write the id alone if the step waits for its success; anything else cannot be said"
                self._note(item, "order-not-read", message, (*place, other), advice)
                return []
        message = f"a dependency of {item.subject} is an object: its {quote(key)} is read"
        self._note(item, "dependency-object", message, place, "write the id alone")
        return [(self._spelled_as_id(id_) or id_, (*place, key))]

    def _id_key(self, need: Dict[str, Any]) -> str | None:
        keys = [key for key in need if plain(key) in ONE_ID and not says_nothing(need[key])]
        return keys[0] if len(keys) == 1 or (keys and keys[0] == "id") else None

    def _is_harmless(self, key: str, value: Any) -> bool:
        """Return whether a field beside the id of a dependency says nothing but what a dependency says anyway."""
        word = plain(key)
        if says_nothing(value) or (value is True and word in ("required", "restart")):
            return True
        if word in CONDITION:
            return _is_default_rule(value)
        if word in ("name", "title", "label", "action") or is_inert(word):
            return isinstance(value, str) and (value not in self._ids or is_inert(word))
        return False

    def _read_mapping(self, item: Item, value: Dict[str, Any]) -> Found:
        """Return the keys of a mapping from ids to conditions, where each says what holds anyway."""
        found: Found = []
        for key, rule in value.items():
            inner = rule.items() if is_object(rule) else [("condition", rule)]
            odd = next((other for other, said in inner if not (said is True or self._is_harmless(other, said))), None)
            if rule is False or odd is not None:
                message = f"{item.subject} waits for {quote(key)} under a condition, which is not read"
                advice = "write a list of ids if the step waits for their success; anything else cannot be said"
                self._note(item, "order-not-read", message, (key,), advice)
                continue
            found.append((self._spelled_as_id(key) or key, (key,)))
        if found:
            message = f'"dependencies" of {item.subject} is an object: its keys are read'
            self._note(item, "dependency-object", message, (), "write a list of ids")
        return found

    # -------------------------------------------------------------------------------------------- names in place of ids

    def _take_names_for_ids(self) -> None:
        """Replace names by ids where every item has a name, and every dependency is the name of just one of them."""
        needs = [need for item in self._items for need in item.fields.get("dependencies", ())]
        if not needs or any(need in self._ids for need in needs) or self._key == "name":
            return
        owners: Dict[str, str] = {}
        for item in self._items:
            name, id_ = item.rest.get("name"), item.fields.get(self._key)
            if not isinstance(name, str) or not isinstance(id_, str) or name in owners:
                return
            owners[name] = id_
        if not all(need in owners for need in needs):
            return
        for item in self._items:
            named = item.fields.get("dependencies", ())
            if named:
                message = f"{item.subject} names what it needs instead of giving ids"
                self._note(item, "name-as-id", message, (), "write ids")
                item.fields["dependencies"] = [owners[need] for need in named]

    # ------------------------------------------------------------------------------------------------- likely causes

    def cause_of(self, need: str) -> str:
        """Return the likely cause of an unknown dependency; an empty string if none is known."""
        if self._titles is None:
            self._titles = self._find_titles()
            self._shift = self._find_shift()
        if self._shift:
            return self._shift
        owner = self._titles.get(need)
        return f"{quote(owner)} has this for a title: name its {self._key}" if owner else ""

    def _find_titles(self) -> Dict[str, str]:
        """Return which item has a string for its title, description or action, if only one has it."""
        owners: Dict[str, str] = {}
        taken: Set[str] = set()
        for item in self._items:
            owner = item.fields.get(self._key)
            for key in (*TITLES, "action") if isinstance(owner, str) else ():
                text = item.fields.get(key, item.rest.get(key))
                if isinstance(text, str) and owners.setdefault(text, str(owner)) != owner:
                    taken.add(text)
        return {text: owner for text, owner in owners.items() if text not in taken}

    def _find_shift(self) -> str | None:
        """Return whether every reference fits, and none becomes one of a step to itself, when counted differently."""
        numbers = sorted(int(id_) for id_ in self._ids if _is_number(id_))
        pairs = [
            (item.fields.get(self._key), need) for item in self._items for need in item.fields.get("dependencies", ())
        ]
        if len(numbers) < len(self._ids) or not numbers or not all(_is_number(need) for _, need in pairs):
            return None
        for shift in (1, -1):
            moved = [(own, str(int(need) + shift)) for own, need in pairs]
            if all(need in self._ids and need != own for own, need in moved):
                start = numbers[0] - shift
                return f"every reference fits when counted from {start}, but the ids begin at {numbers[0]}: write ids"
        return None

    # -------------------------------------------------------------------------------------------------------- problems

    def _none(self, item: Item, value: Any, place: Path) -> None:
        shown = quote(value) if isinstance(value, str) else kind_of(value) if value is not False else "false"
        message = f'"dependencies" of {item.subject}: {shown} is read as no dependency'
        self._note(item, "null-as-none", message, place, "write an empty list")

    def _note(self, item: Item, code: str, message: str, place: Path, suggestion: str) -> None:
        path = self._positions.path(item.position, "dependencies")
        location = self._positions.at((*path, *place))
        self._problems.add(code, message, steps=item.steps, location=location, suggestion=suggestion)


def _is_default_rule(value: Any) -> bool:
    """Return whether the value of a condition says what holds anyway."""
    return value is True or (isinstance(value, str) and plain(value) in DEFAULT_RULE)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER and str(int(text)) == text
