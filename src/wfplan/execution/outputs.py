"""Outputs of steps: their JSON form, and copies for those who may change them."""

from __future__ import annotations

from typing import Any, cast

from wfplan._internal.json import FrozenDict, FrozenList, freeze_object

__all__ = ["COPIED", "as_json", "own_copy"]

_OBJECTS = frozenset((dict, FrozenDict))
COPIED = _OBJECTS.union((list, FrozenList))
"""What `own_copy` copies."""

_EXACT = COPIED.union((tuple, str, int, float, bool, type(None)))
_MOST_COPIED = 1_000_000


class _InexactError(ValueError):
    """JSON would give something of another class back."""


def as_json(output: Any) -> Any:
    """Return the output as JSON holds it, a tuple as an array.

    Raises ValueError, or what a hostile value raises, if anything else than what was given would come back: for a
    subclass, such as a named tuple or a member of an enum, as for what JSON does not have at all.
    """
    pending: list[Any] = [output]
    left = _MOST_COPIED
    while pending:
        value: Any = pending.pop()
        kind = cast("Any", type(value))
        if kind not in _EXACT:
            raise _InexactError(kind.__name__)
        if kind in _OBJECTS:
            left -= len(value)
            pending.extend(value)
            pending.extend(value.values())
        elif kind in COPIED or kind is tuple:
            left -= len(value)
            pending.extend(value)
        if left < 0:
            raise _InexactError("too many values")
    return freeze_object({"": output})[""]


def own_copy(output: Any) -> Any:
    """Return a deep copy of dicts and lists; leaves are shared, and so is anything huge."""
    if type(output) not in COPIED:
        return output
    copies: dict[int, Any] = {}
    made = _empty(output, copies)
    pending: list[Any] = [output]
    left = _MOST_COPIED
    while pending:
        source: Any = pending.pop()
        kind = cast("Any", type(source))
        keyed = kind in _OBJECTS
        target = copies[id(source)]
        left -= len(source)
        if left < 0:
            return output
        entries: Any = tuple(source.items()) if keyed else enumerate(tuple(source))
        for key, item in entries:
            inner: Any = item
            if type(item) in COPIED:
                if id(item) not in copies:
                    _empty(item, copies)
                    pending.append(item)
                inner = copies[id(item)]
            if keyed:
                target[key] = inner
            else:
                target.append(inner)
    return made


def _empty(source: Any, copies: dict[int, Any]) -> Any:
    copies[id(source)] = {} if type(source) in _OBJECTS else []
    return copies[id(source)]
