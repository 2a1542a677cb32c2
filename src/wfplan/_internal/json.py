"""JSON values: copied in, frozen, and bounded in depth and number."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any, Callable, Dict, Iterable, List, Mapping, Sequence, Tuple, cast

from pydantic_core import core_schema
from typing_extensions import Self, TypeGuard

from wfplan._internal.messages import quote

__all__ = [
    "EMPTY_OBJECT",
    "MAX_DEPTH",
    "MAX_VALUES",
    "FrozenDict",
    "FrozenList",
    "NotJsonError",
    "canonical_json",
    "copy_json_object",
    "freeze_object",
    "freeze_parsed_object",
    "is_list",
    "is_mapping",
    "is_object",
    "is_same_json",
    "json_digest",
    "to_plain",
]

MAX_DEPTH = 64
"""Levels of a value, the outermost object counted."""
MAX_VALUES = 1_000_000
"""Values in one object: what refers to itself many times over is refused before it fills the memory."""

_Path = Tuple[Any, ...]
_TOO_LARGE = 10**4300  # Python refuses to write or read integers of more digits
_NEED_NO_LOOK = frozenset((str, bool, int, type(None)))
_NEED_NO_COPY = frozenset((bool, type(None)))
_DICT: Any = dict
_LIST: Any = list
_new_dict, _update_dict = _DICT.__new__, _DICT.update
_new_list, _extend_list = _LIST.__new__, _LIST.extend


canonical_json: Callable[[Any], str] = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
"""The one JSON of a value: sorted keys, no spaces, ASCII. Equal values of the same types have equal JSON."""


def json_digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class NotJsonError(ValueError):
    """Raised for a value that JSON cannot represent; `path` locates the offending part."""

    path: _Path

    def __init__(self, path: _Path, reason: str) -> None:
        self.path = path
        super().__init__(path, reason)

    def __str__(self) -> str:
        where = "/".join(quote(str(part)) if isinstance(part, str) else str(part)[:20] for part in self.path)
        return f"{f'at {where} ' if where else ''}{self.args[1]}"


def is_object(value: object) -> TypeGuard[Dict[Any, Any]]:
    """Return whether a value is what JSON calls an object; its keys are texts where it was JSON."""
    return isinstance(value, dict)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Return whether a value is a mapping of any class."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is what JSON calls a list: a list, or a tuple from Python."""
    return isinstance(value, (list, tuple))


def _refuse_change(*_: Any, **__: Any) -> Any:
    raise TypeError(
        "what a plan is made of cannot be changed: change a copy, which wfplan.models.to_plain(value) makes, "
        "or make a changed workflow with Workflow.replace"
    )


class FrozenDict(Dict[str, Any]):
    """A dictionary that refuses to be changed; it equals a plain one, and `to_plain` makes one of it."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a frozen dictionary of what `dict` would hold; the values are taken as they are."""
        frozen: Self = _new_dict(cls)
        _update_dict(frozen, *args, **kwargs)
        return frozen

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Change nothing: calling this once more must not."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """Freeze what comes from JSON text, and a copy of what comes from Python."""
        from_json = core_schema.dict_schema(core_schema.str_schema())
        from_python = core_schema.dict_schema(strict=True)
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(freeze_parsed_object, from_json),
            python_schema=core_schema.no_info_after_validator_function(freeze_object, from_python),
        )

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: Dict[int, Any]) -> FrozenDict:
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (dict(self),)

    __setitem__: Any = _refuse_change
    __delitem__: Any = _refuse_change
    __ior__: Any = _refuse_change
    clear: Any = _refuse_change
    pop: Any = _refuse_change
    popitem: Any = _refuse_change
    setdefault: Any = _refuse_change
    update: Any = _refuse_change


class FrozenList(List[Any]):
    """A list that refuses to be changed; it equals a plain one, and `to_plain` makes one of it."""

    __slots__ = ()

    def __new__(cls, items: Iterable[Any] = ()) -> Self:
        """Return a frozen list of these items, which are taken as they are."""
        frozen: Self = _new_list(cls)
        _extend_list(frozen, items)
        return frozen

    def __init__(self, items: Iterable[Any] = ()) -> None:
        """Change nothing: calling this once more must not."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: Dict[int, Any]) -> FrozenList:
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (list(self),)

    __setitem__: Any = _refuse_change
    __delitem__: Any = _refuse_change
    __iadd__: Any = _refuse_change
    __imul__: Any = _refuse_change
    append: Any = _refuse_change
    clear: Any = _refuse_change
    extend: Any = _refuse_change
    insert: Any = _refuse_change
    pop: Any = _refuse_change
    remove: Any = _refuse_change
    reverse: Any = _refuse_change
    sort: Any = _refuse_change


EMPTY_OBJECT = FrozenDict()
"""The one empty object that all values share."""
_EMPTY_LIST = FrozenList()


def freeze_parsed_object(value: Dict[str, Any]) -> FrozenDict:
    """Return `value`, fresh from a JSON parser, frozen all the way down.

    Raise NotJsonError if a number in it is not finite, or it is too deep or too large.
    """
    if not value:
        return EMPTY_OBJECT
    if len(value) <= MAX_VALUES and _NEED_NO_LOOK.issuperset(map(type, value.values())):
        frozen: FrozenDict = _new_dict(FrozenDict)
        _update_dict(frozen, value)
        return frozen
    return freeze_object(value)


def freeze_object(value: Dict[str, Any]) -> FrozenDict:
    """Return a copy of `value` that is frozen all the way down: objects, lists, str, int, float, bool and None only.

    Tuples become lists. Raise NotJsonError for anything that JSON cannot hold.
    """
    result: FrozenDict = _new_dict(FrozenDict) if value else EMPTY_OBJECT
    budget = MAX_VALUES
    pending: List[Tuple[Any, Any, _Path]] = [(value, result, ())]
    while pending:
        source, target, path = pending.pop()
        budget -= len(source)
        if budget < 0:
            raise NotJsonError((), f"holds more than {MAX_VALUES:,} values")
        if is_object(source):
            pairs = {_copy_key(key, path): _freeze_item(item, key, path, pending) for key, item in source.items()}
            _update_dict(target, pairs)
        else:
            _extend_list(target, [_freeze_item(item, place, path, pending) for place, item in enumerate(source)])
    return result


def _freeze_item(item: Any, key: Any, path: _Path, pending: List[Tuple[Any, Any, _Path]]) -> Any:
    """Return a frozen copy of one value; of an object or a list an empty one, which is filled when its turn comes."""
    kind: Any = cast("Any", type(item))
    if kind in _NEED_NO_COPY or (kind is str and item.isascii()):
        return item
    inner_object = is_object(item)
    if not inner_object and not is_list(item):
        return _copy_scalar(item, (*path, key))
    if len(path) + 1 >= MAX_DEPTH:
        raise NotJsonError((), f"is nested deeper than {MAX_DEPTH} levels")
    if not item:
        return EMPTY_OBJECT if inner_object else _EMPTY_LIST
    target: Any = _new_dict(FrozenDict) if inner_object else _new_list(FrozenList)
    pending.append((item, target, (*path, key)))
    return target


def copy_json_object(value: Dict[str, Any]) -> Dict[str, Any]:
    """Return a plain copy of `value`; raise NotJsonError for anything in it that JSON cannot hold."""
    plain: Dict[str, Any] = to_plain(freeze_object(value))
    return plain


def to_plain(value: Any) -> Any:
    """Return a mutable copy of `value` in which every object is a plain `dict` and every list or tuple a plain `list`.

    Values of a plan are frozen; some tools, such as YAML writers, need plain ones.

    Args:
        value: A JSON value; anything else in it is kept as it is.

    >>> to_plain(FrozenDict(replicas=3))
    {'replicas': 3}
    """
    if is_object(value):
        if _NEED_NO_LOOK.issuperset(map(type, value.values())):
            return dict(value)
        return {key: to_plain(item) for key, item in value.items()}
    return list(map(to_plain, value)) if is_list(value) else value


def is_same_json(one: Any, other: Any) -> bool:
    """Return whether two JSON values are written alike: `1`, `1.0` and `true` differ, and so do `0.0` and `-0.0`.

    The order of keys does not matter.
    """
    if one is other:
        return True
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(is_same_json(item, other[key]) for key, item in one.items())
    if is_list(one) and is_list(other):
        return len(one) == len(other) and all(map(is_same_json, one, other))
    return type(one) is type(other) and one == other and (bool(one) or str(one) == str(other))


def _copy_key(key: Any, path: _Path) -> str:
    if type(key) is str and key.isascii():
        return key
    if not isinstance(key, str):
        raise NotJsonError(path, f"has a key of type {type(key).__name__}, not a string")
    return _copy_text(key, path)


def _copy_scalar(item: Any, path: _Path) -> Any:
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
