"""Values that JSON can hold: copied in, bounded in depth and in number."""

from __future__ import annotations

import math
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from typing_extensions import TypeGuard

from wfplan.names import quote

__all__ = [
    "MAX_DEPTH",
    "MAX_VALUES",
    "NotJsonError",
    "check_json_object",
    "copy_json_object",
    "copy_plain",
    "is_list",
    "is_mapping",
    "is_object",
]

MAX_DEPTH = 64
"""Levels of a value, the outermost object counted."""
MAX_VALUES = 1_000_000
"""Values in one object: what refers to itself many times over is refused before it fills the memory."""

_Path = Tuple[Any, ...]
_TOO_LARGE = 10**4300  # Python refuses to write or read integers of more digits
_NEED_NO_LOOK = frozenset((str, bool, int, type(None)))


class NotJsonError(ValueError):
    """A value, or something in it, is none that JSON can hold; `path` tells where it is in the value."""

    path: _Path

    def __init__(self, path: _Path, reason: str) -> None:
        self.path = path
        super().__init__(path, reason)

    def __str__(self) -> str:
        where = "/".join(quote(str(part)) if isinstance(part, str) else str(part)[:20] for part in self.path)
        return f"{f'at {where} ' if where else ''}{self.args[1]}"


def is_object(value: object) -> TypeGuard[Dict[Any, Any]]:
    """Whether a value is what JSON calls an object; its keys are texts where it was JSON."""
    return isinstance(value, dict)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping of any class."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value is what JSON calls a list: a list, or a tuple from Python."""
    return isinstance(value, (list, tuple))


def check_json_object(value: Dict[str, Any]) -> Dict[str, Any]:
    """`value`, fresh from a JSON parser, if its numbers are finite and it is not too deep.

    Raises NotJsonError otherwise.
    """
    if len(value) <= MAX_VALUES and _NEED_NO_LOOK.issuperset(map(type, value.values())):
        return value
    return copy_json_object(value)


def copy_plain(value: Dict[str, Any]) -> Dict[str, Any]:
    """A copy of an object that has been checked already."""
    if _NEED_NO_LOOK.issuperset(map(type, value.values())):
        return value.copy()
    return copy_json_object(value)


def copy_json_object(value: Dict[str, Any]) -> Dict[str, Any]:
    """A copy of `value`, made of dict, list, str, int, float, bool and None only.

    Tuples become lists. Raises NotJsonError for anything that JSON cannot hold.
    """
    result: Dict[str, Any] = {}
    budget = MAX_VALUES
    pending: List[Tuple[Any, Any, _Path]] = [(value, result, ())]
    while pending:
        source, target, path = pending.pop()
        budget -= len(source)
        if budget < 0:
            raise NotJsonError((), f"holds more than {MAX_VALUES:,} values")
        if len(path) >= MAX_DEPTH:
            raise NotJsonError((), f"is nested deeper than {MAX_DEPTH} levels")
        keyed = is_object(source)
        for key, item in source.items() if keyed else enumerate(source):
            inner = (*path, key)
            copied: Any
            if is_object(item) or is_list(item):
                copied = {} if is_object(item) else []
                pending.append((item, copied, inner))
            else:
                copied = _copy_scalar(item, inner)
            if keyed:
                target[_copy_key(key, path)] = copied
            else:
                target.append(copied)
    return result


def _copy_key(key: Any, path: _Path) -> str:
    if not isinstance(key, str):
        raise NotJsonError(path, f"has a key of type {type(key).__name__}, not a text")
    return _copy_text(key, path)


def _copy_scalar(item: Any, path: _Path) -> Any:
    if item is None or isinstance(item, bool):
        return item
    if isinstance(item, str):
        return _copy_text(item, path)
    if isinstance(item, int):
        number = int.__int__(item)  # of any class, by its value and not by what it says of itself
        if abs(number) >= _TOO_LARGE:
            raise NotJsonError(path, "is a whole number of more than 4,300 digits")
        return number
    if isinstance(item, float):
        if not math.isfinite(item):
            raise NotJsonError(path, f"is {float.__float__(item)}, which JSON cannot hold")
        return float.__float__(item)
    raise NotJsonError(path, f"is of type {type(item).__name__}, which JSON cannot hold")


def _copy_text(text: str, path: _Path) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise NotJsonError(path, "holds half of a surrogate pair") from None
    return str.__str__(text)
