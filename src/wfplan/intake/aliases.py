"""Other names of keys: how models call what this library calls `recommendations`, `dependencies` and the like."""

from __future__ import annotations

from functools import lru_cache
from typing import Collection

from wfplan.json_values import is_object

__all__ = ["TITLES", "canonical_field", "is_list_key", "looks_like_item", "plain"]

_LISTS = frozenset(
    """
    actionplan actions jobs nodes plan planofaction plannedsteps recommendation recommendations recommendedactions
    remediationplan remediationsteps stages steps subtasks tasklist tasknodes tasks todolist todos workflow
    workflowsteps
    """.split()
)

_FIELDS = {
    "id": "identifier recid stepid stepnumber taskid tasknumber",
    "action": "actionname actiontype command function functionname operation task tool toolname tooltouse",
    "description": "instruction instructions",
    "parameters": "args arguments inputs params",
    # Only words that say what a step itself has to wait for; what may mean the other direction is never read.
    "dependencies": """
        after blockedby dep dependency dependencyids dependenton dependenttaskids dependson dependsonids dependsonsteps
        dependsontasks dependsupon deps needs predecessors prereq prereqs prerequisite prerequisites requires runafter
        startafter upstream waitfor waiton waitsfor waitson
    """,
    "confidence": "confidencescore prob probability",
}
_ALIASES = {alias: field for field, aliases in _FIELDS.items() for alias in aliases.split()}

TITLES = ("title", "name", "label", "summary", "description")
"""What tells what a step does where no action is given, in this order."""

_MARKS = frozenset(
    ("id", "action", "dependencies", *(_FIELDS["id"] + " " + _FIELDS["action"] + _FIELDS["dependencies"]).split())
)


@lru_cache(maxsize=4096)  # the items of a document have the same keys, thousands of times
def plain(key: str) -> str:
    """A key without case and punctuation."""
    return "".join(char for char in key.casefold() if char.isalnum())


def canonical_field(key: str, known: Collection[str]) -> str | None:
    """The field that a key of an item means; None if that is not known.

    >>> [canonical_field(key, ("id", "timeout_seconds")) for key in ("dependsOn", "ID", "timeoutSeconds", "next")]
    ['dependencies', 'id', 'timeout_seconds', None]
    """
    if key in known:
        return key
    word = plain(key)
    return _ALIASES.get(word) or next((name for name in known if plain(name) == word), None)


def is_list_key(key: object) -> bool:
    """Whether a key may hold the recommendations or steps of a document."""
    return isinstance(key, str) and plain(key) in _LISTS


def looks_like_item(value: object) -> bool:
    """Whether a value may be a recommendation or step: an object with a key that says what it is or needs."""
    return is_object(value) and any(isinstance(key, str) and plain(key) in _MARKS for key in value)
