"""Keys and values that may state an order, and so must not be passed over."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import AbstractSet, Any

from wfplan.json_values import is_list, is_object
from wfplan.names import similarity

__all__ = ["as_id", "is_execution_mode", "is_made_of_ids", "looks_like_dependencies", "states_order"]

_MOST_VALUES = 100_000
_ALIKE = 0.7
_LONGEST_NUMBER = 10**15

_DEPENDENCY_WORDS = frozenset("dep deps edge edges link links".split())
_ORDER_WORDS = frozenset(
    """
    after before blockedby blocks blocking child children dep deps downstream edge edges follows followedby needs next
    parent parents preceding predecessor predecessors prereq prereqs prerequisite prerequisites previous require
    required requires runafter runsafter startafter successor successors then upstream waitfor waitsfor waiton waitson
    """.split()
)
_OBJECTS = re.compile("(ids?|steps?|tasks?|list|names?|recommendations?|recs?)$")


@lru_cache(maxsize=1024)  # the items of a document have the same keys, thousands of times
def looks_like_dependencies(key: str) -> bool:
    """Whether a key may be another spelling of `dependencies`, or edges.

    >>> [looks_like_dependencies(key) for key in ("dependancies", "dependsOn", "depedencies", "edges", "description")]
    [True, True, True, True, False]
    """
    plain = _plain(key)
    return "depend" in plain or plain in _DEPENDENCY_WORDS or similarity("dependencies", plain) >= _ALIKE


@lru_cache(maxsize=1024)
def states_order(key: str) -> bool:
    """Whether a key of an item may say what it has to wait for, or what waits for it.

    >>> [states_order(key) for key in ("Run_After", "needs", "depends_on", "prerequisite_ids", "risk")]
    [True, True, True, True, False]
    """
    plain = _plain(key)
    return _OBJECTS.sub("", plain) in _ORDER_WORDS or plain in _ORDER_WORDS or looks_like_dependencies(key)


@lru_cache(maxsize=1024)
def is_execution_mode(key: str) -> bool:
    """Whether a key is `execution_mode`, however it is written.

    >>> is_execution_mode("executionMode"), is_execution_mode("mode")
    (True, False)
    """
    return _plain(key) == "executionmode"


def _plain(key: str) -> str:
    return "".join(char for char in key.casefold() if char.isalnum())


def as_id(value: Any) -> str | None:
    """What a value would be as an id: a text is one, a whole number was meant as one."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONGEST_NUMBER:
        return str(value)
    return None


def is_made_of_ids(value: Any, ids: AbstractSet[str]) -> bool:
    """Whether a list or mapping, however nested, holds nothing but ids, and at least one.

    The keys of a mapping need not be ids where all its values are (`{"from": "a", "to": "b"}`), and its values may be
    empty where its keys are (`{"a": []}`).
    """
    if not (is_list(value) or is_object(value)):
        return False
    found = False
    pending: list[Any] = [value]
    for _ in range(_MOST_VALUES):
        if not pending:
            return found
        item = pending.pop()
        if is_object(item):
            keyed = all(key in ids for key in item)
            found = found or (keyed and bool(item))
            pending.extend(inner for inner in item.values() if not (keyed and _is_empty(inner)))
        elif is_list(item):
            pending.extend(item)
        elif as_id(item) not in ids:
            return False
        else:
            found = True
    return True  # too much to look through: the safe side


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (str, list, tuple, dict)) and not value)
