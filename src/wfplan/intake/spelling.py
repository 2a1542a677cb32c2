"""Keys and values that may state an order, and so must not be passed over."""

from __future__ import annotations

from typing import AbstractSet, Any

from wfplan.json_values import is_list, is_object

__all__ = ["is_made_of_ids", "looks_like_dependencies"]

_MOST_VALUES = 100_000

_ORDER_WORDS = frozenset(
    """
    after before blockedby blocks blocking child children dep deps downstream edge edges follows followedby from
    link links needs next parent parents predecessor predecessors prereq prereqs prerequisite prerequisites preceding
    require required requires requirements runafter runsafter startafter successor successors then upstream
    waitfor waitsfor waiton waitson
    """.split()
)


def looks_like_dependencies(key: str) -> bool:
    """Whether a key may be another spelling of `dependencies`, or another way to state an order.

    >>> [looks_like_dependencies(key) for key in ("dependancies", "dependsOn", "Run_After", "edges", "description")]
    [True, True, True, True, False]
    """
    plain = "".join(char for char in key.casefold() if char.isalnum())
    return "depend" in plain or plain in _ORDER_WORDS or _is_nearly("dependencies", plain)


def _is_nearly(word: str, plain: str) -> bool:
    if not plain.startswith("de") or abs(len(plain) - len(word)) > 3:
        return False
    import difflib  # rarely needed

    return difflib.SequenceMatcher(None, word, plain).ratio() >= 0.8


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
            pending.extend(inner for inner in item.values() if not (keyed and inner in (None, [], {}, "")))
        elif is_list(item):
            pending.extend(item)
        elif isinstance(item, bool) or not isinstance(item, (str, int)) or str(item) not in ids:
            return False
        else:
            found = True
    return found
