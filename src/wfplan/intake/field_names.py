"""The table of field names, of list names, and of values that mean "none".

Names and words are compared without case and punctuation, see `plain`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Collection, FrozenSet, Mapping

from wfplan._internal.json import is_object

__all__ = [
    "AUTHOR",
    "DEPENDENCIES",
    "FIELDS",
    "LISTS",
    "NOTHING",
    "ONE_ID",
    "TITLES",
    "TITLE_WORDS",
    "field_of",
    "is_list_name",
    "number_as_id",
    "plain",
    "says_nothing",
]


def _words(text: str) -> FrozenSet[str]:
    return frozenset(text.split())


LISTS = _words(
    """
    actionplan actions jobs nodes plan planofaction plannedsteps recommendation recommendations recommendedactions
    remediationplan remediationsteps stages steps subtasks tasklist tasknodes tasks todolist todos workflow
    workflowsteps
    """
)
"""What a list of recommendations or steps may be called."""

DEPENDENCIES = _words(
    """
    after await awaits blockedby dep depend dependencies dependency dependencyids dependenton dependenttaskids depends
    dependson dependsonids dependsonsteps dependsontasks dependsupon deps needs predecessors prereq prereqs prerequisite
    prerequisites requires runafter startafter upstream waitfor waiton waitsfor waitson
    """
)
"""Words for what a step itself waits for; a word that may mean the other direction is not among them."""

FIELDS: Mapping[str, FrozenSet[str]] = {
    "id": _words("id identifier key recid recommendationid stepid stepnumber taskid taskkey tasknumber uid"),
    "action": _words(
        """
        action actionname actiontype command function functionname operation run task tool toolname tooltouse uses
        """
    ),
    "dependencies": DEPENDENCIES,
    "description": _words("description instruction instructions"),
    "parameters": _words("args arguments inputs parameters params with"),
    "confidence": _words("confidence confidencescore prob probability"),
    "continue_on_failure": _words("continueonerror continueonfailure"),
}
"""Each field of an item with the words for it; all other fields go by their own names alone."""

TITLES = ("title", "name", "label", "summary", "subject", "display_name", "active_form", "description", "content")
"""The fields that may say what a step does where no action is given, the best first."""

ONE_ID = _words("dependsonid id job key name ref step stepid task taskid taskkey")
"""The keys under which an object in the place of a dependency holds its id."""

NOTHING = frozenset(("", "-", "-1", "[]", "n/a", "nil", "none", "nothing", "null", "start", "end"))
"""Strings in the place of dependencies that mean "none", unless a step is called so."""

AUTHOR = _words(
    """
    annotations args arguments env environment files inputs matrix metadata output outputs parameters params pindata
    ports secrets staticdata variables vars volumes with
    """
)
"""Fields whose content belongs to the author of the document, so it is not searched for an order."""

_LARGEST_ID = 10**15
_FIELD_OF = {word: field for field, words in FIELDS.items() for word in words}


@lru_cache(maxsize=4096)  # the items of a document have the same keys, thousands of times
def plain(text: str) -> str:
    """Return a string without case and punctuation; one of nothing else stays as it is."""
    return "".join(char for char in text.casefold() if char.isalnum()) or text.casefold()


TITLE_WORDS = frozenset(map(plain, TITLES))


def field_of(key: str, known: Collection[str]) -> str | None:
    """Return the field that the key of an item names, None if it names none of the `known` ones.

    >>> [field_of(key, ("id", "dependencies", "timeout_seconds")) for key in ("dependsOn", "timeoutSeconds", "next")]
    ['dependencies', 'timeout_seconds', None]
    """
    if key in known:
        return key
    word = plain(key)
    field = _FIELD_OF.get(word)
    if field in known:
        return field
    return next((name for name in known if plain(name) == word), None)


def is_list_name(key: object) -> bool:
    """Return whether a key may name the list of recommendations or steps of a document."""
    return isinstance(key, str) and plain(key) in LISTS


def says_nothing(value: Any) -> bool:
    """Return whether a value states nothing, whatever its key: null, or an empty string, list or object."""
    return value is None or (not value and (isinstance(value, (str, list, tuple)) or is_object(value)))


def number_as_id(value: Any) -> str | None:
    """Return the string that a whole number is as an id, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return str(int(value)) if abs(value) < _LARGEST_ID and value == int(value) else None
