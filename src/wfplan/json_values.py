"""Values that JSON can hold: copied in, bounded in depth and in number."""

from __future__ import annotations

import math
from typing import Any, Dict

__all__ = ["MAX_DEPTH", "MAX_VALUES", "check_json_object", "copy_json_object"]

MAX_DEPTH = 64
"""Levels of a value, the outermost object counted."""
MAX_VALUES = 1_000_000
"""Values in one object: what refers to itself many times over is refused before it fills the memory."""

_MAX_INTEGER_BITS = 14_000  # about 4,200 digits: Python refuses to write or read integers of more than 4,300
_NEED_NO_LOOK = frozenset((str, bool, int, type(None)))


def check_json_object(value: Dict[str, Any]) -> Dict[str, Any]:
    """`value`, fresh from a JSON parser, if its numbers are finite and it is not too deep.

    Raises ValueError otherwise.
    """
    if _NEED_NO_LOOK.issuperset(map(type, value.values())):
        return value
    return copy_json_object(value)


def copy_json_object(value: Dict[str, Any]) -> Dict[str, Any]:
    """A copy of `value`, made of dict, list, str, int, float, bool and None only.

    Tuples become lists. Raises ValueError for anything that JSON cannot hold, and says where.
    """
    result: Dict[str, Any] = {}
    budget = MAX_VALUES
    pending: list[tuple[Any, Any, tuple[str | int, ...]]] = [(value, result, ())]
    while pending:
        source, target, path = pending.pop()
        is_object = isinstance(source, dict)
        for key, item in source.items() if is_object else enumerate(source):
            budget -= 1
            if budget < 0:
                raise ValueError(f"holds more than {MAX_VALUES:,} values")
            if is_object and not isinstance(key, str):
                raise ValueError(f"{_at(path)}has a key that is no text: {type(key).__name__}")
            copied: Any
            if isinstance(item, (dict, list, tuple)):
                if len(path) + 2 > MAX_DEPTH:
                    raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
                copied = {} if isinstance(item, dict) else []
                pending.append((item, copied, (*path, key)))
            else:
                copied = _copy_scalar(item, (*path, key))
            if is_object:
                target[_plain_text(key, path)] = copied
            else:
                target.append(copied)
    return result


def _copy_scalar(item: Any, path: tuple[str | int, ...]) -> Any:
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, str):
        return _plain_text(item, path)
    if isinstance(item, int):
        if item.bit_length() > _MAX_INTEGER_BITS:
            raise ValueError(f"{_at(path)}is an integer of more than 4,200 digits")
        return int(item)
    if isinstance(item, float):
        if not math.isfinite(item):
            raise ValueError(f"{_at(path)}is {float(item)}, which JSON cannot hold")
        return float(item)
    raise ValueError(f"{_at(path)}is of type {type(item).__name__}, which JSON cannot hold")


def _plain_text(text: str, path: tuple[str | int, ...]) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{_at(path)}holds half of a surrogate pair") from None
    return str(text)


def _at(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{part!r}]" for part in path) + " " if path else ""
