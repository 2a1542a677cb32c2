"""Keys and values that may state an order, and so must not be passed over."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import AbstractSet, Any

from wfplan.intake.aliases import plain
from wfplan.json_values import is_list, is_object
from wfplan.names import similarity

__all__ = [
    "as_id",
    "has_arrow",
    "ids_named_in",
    "is_execution_mode",
    "is_made_of_ids",
    "is_order_by",
    "looks_like_dependencies",
    "may_state_order",
    "states_order",
]

_MOST_VALUES = 100_000
_ALIKE = 0.7
_LONGEST_NUMBER = 10**15

_DEPENDENCY_WORDS = frozenset("dep deps edge edges link links".split())
_ORDER_WORDS = frozenset(
    """
    after before blockedby blocker blockers blocking blocks child children comesafter comesbefore dep deps downstream
    edge edges followedby follows needs next parent parents precededby precedes preceding predecessor predecessors
    prereq prereqs prerequisite prerequisites previous require required requiredby requires runafter runbefore
    runsafter runsbefore startafter successor successors then unblocks upstream waitfor waitingfor waiton waitsfor
    waitson
    """.split()
)
_ENDS = frozenset("destination dst from head source src tail target to".split())
_MAYBE_WORDS = frozenset("order prior sequence trigger triggers wait".split())
_ARROW = re.compile(r"([\w.:-]*\w)[\"'\])]*\s*(?:-{1,3}>|={1,2}>|→)\s*[\"'\[(]*(\w[\w.:-]*\w|\w)")
_WORD = re.compile(r"\w[\w.:-]*\w|\w")
_OBJECTS = re.compile("(ids?|steps?|tasks?|list|names?|recommendations?|recs?)$")


@lru_cache(maxsize=1024)  # the items of a document have the same keys, thousands of times
def looks_like_dependencies(key: str) -> bool:
    """Whether a key may be another spelling of `dependencies`, or edges.

    >>> [looks_like_dependencies(key) for key in ("dependancies", "dependsOn", "depedencies", "edges", "description")]
    [True, True, True, True, False]
    """
    word = plain(key)
    if "depend" in word or word in _DEPENDENCY_WORDS or word.endswith(("edges", "links")):
        return True
    return similarity("dependencies", word) >= _ALIKE


@lru_cache(maxsize=1024)
def states_order(key: str) -> bool:
    """Whether a key of an item may say what it has to wait for, or what waits for it.

    >>> [states_order(key) for key in ("Run_After", "needs", "depends_on", "prerequisite_ids", "risk")]
    [True, True, True, True, False]
    """
    word = plain(key)
    return _OBJECTS.sub("", word) in _ORDER_WORDS or word in _ORDER_WORDS or looks_like_dependencies(key)


@lru_cache(maxsize=1024)
def is_execution_mode(key: str) -> bool:
    """Whether a key is `execution_mode`, however it is written.

    >>> is_execution_mode("executionMode"), is_execution_mode("mode")
    (True, False)
    """
    return plain(key) == "executionmode"


def is_order_by(key: str, value: Any, ids: AbstractSet[str]) -> bool:
    """Whether a key that may mean many things means an order here: its value is an id of the document.

    >>> [is_order_by("wait", value, {"a"}) for value in ("a", 30)], is_order_by("risk", "a", {"a"})
    ([True, False], False)
    """
    return plain(key) in _MAYBE_WORDS and as_id(value) in ids


def has_arrow(text: str, ids: AbstractSet[str]) -> bool:
    """Whether a text draws an arrow from one id to another.

    >>> has_arrow("first a, then a -> b", {"a", "b"}), has_arrow("x -> b", {"a", "b"})
    (True, False)
    """
    return any(one in ids and other in ids for one, other in _ARROW.findall(text))


def may_state_order(value: Any, ids: AbstractSet[str], key: str = "") -> bool:
    """Whether something in a value, which is under a key, may say what waits for what, however deep it is.

    That is nothing but ids, an edge from one to another, or an id under a key that states an order.

    >>> [may_state_order(value, {"a", "b"}) for value in ({"flow": ["a", "b"]}, {"then": "run b"}, {"next": "monitor"})]
    [True, True, False]
    """
    pending: list[tuple[bool, Any]] = [(_may_order(key), value)]
    for _ in range(_MOST_VALUES):
        if not pending:
            return False
        ordered, value = pending.pop()
        if (is_object(value) or (is_list(value) and len(value) > 1)) and is_made_of_ids(value, ids):
            return True
        if is_object(value):
            if sum(_is_end_of_edge(key, inner, ids) for key, inner in value.items()) > 1:
                return True
            pending.extend((ordered or _may_order(key), inner) for key, inner in value.items())
        elif is_list(value):
            pending.extend((ordered, inner) for inner in value)
        elif (ordered and _names_any(value, ids)) or (isinstance(value, str) and has_arrow(value, ids)):
            return True
    return True  # too much to look through: the safe side


def _is_end_of_edge(key: Any, value: Any, ids: AbstractSet[str]) -> bool:
    return isinstance(key, str) and plain(key) in _ENDS and as_id(value) in ids


def _may_order(key: Any) -> bool:
    return isinstance(key, str) and (states_order(key) or plain(key) in _MAYBE_WORDS)


def _names_any(value: Any, ids: AbstractSet[str]) -> bool:
    return as_id(value) in ids or (isinstance(value, str) and bool(ids_named_in(value, ids)))


def ids_named_in(text: str, ids: AbstractSet[str]) -> AbstractSet[str]:
    """The ids that are words of a text.

    >>> ids_named_in("first rec-001.", {"rec-001", "rec-002"})
    {'rec-001'}
    """
    return ids & set(_WORD.findall(text))


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
