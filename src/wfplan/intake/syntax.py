"""Strings and Python objects to plain JSON values: encoding, syntax, repeated keys, depth."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Set, Tuple, Union

from wfplan._internal.json import is_list, is_object
from wfplan._internal.locations import pointer
from wfplan._internal.messages import quote
from wfplan.intake.positions import Path
from wfplan.problems import ProblemCollector

__all__ = [
    "DEFAULT",
    "Json",
    "JsonError",
    "Limits",
    "decode",
    "is_plain",
    "is_within_depth",
    "parse",
    "parse_prefix",
    "report_repeated",
    "to_plain",
]

HOW_TO = 'write JSON such as {"recommendations": [{"id": ..., "action": ..., "dependencies": [...]}, ...]}'
_MOST_DIGITS = 4300  # what Python itself reads at most, from 3.11 on
_TOO_LARGE = 10**_MOST_DIGITS
_MOST_VALUES = 1_000_000


class Limits(NamedTuple):
    """Bounds of a document; what is beyond one of them is refused, never cut."""

    max_bytes: int = 128 * 1024 * 1024
    max_depth: int = 100
    max_steps: int = 200_000
    max_dependencies: int = 2_000_000


DEFAULT = Limits()


class Json(NamedTuple):
    """A parsed JSON value."""

    value: Any
    repeated: Dict[int, List[str]]
    """The keys that an object had more than once, by the identity of the object."""


class JsonError(Exception):
    """The text is not JSON.

    Args:
        reason: What is wrong, without its place.
        position: The character at which it was found.
        is_limit: Whether it is JSON, but beyond what is read.
    """

    def __init__(self, reason: str, position: int = 0, *, is_limit: bool = False) -> None:
        super().__init__(reason, position)
        self.reason = reason
        self.position = position
        self.is_limit = is_limit


def decode(source: Union[str, bytes, bytearray], limits: Limits, problems: ProblemCollector) -> str | None:
    """Return `source` as a string without a byte order mark, None with a problem if it is not one within the limits."""
    try:
        encoded = source.encode() if isinstance(source, str) and not source.isascii() else source
    except UnicodeEncodeError as error:
        problems.add("invalid-document", f"character {error.start + 1} of the document is half of a surrogate pair")
        return None
    if len(encoded) > limits.max_bytes:
        message = f"the document has {len(encoded):,} bytes, at most {limits.max_bytes:,} are read"
        problems.add("limit-exceeded", message)
        return None
    try:
        text = str.__str__(source) if isinstance(source, str) else bytes(source).decode()
    except UnicodeDecodeError as error:
        message = f"byte {error.start + 1} of the document is not UTF-8"
        problems.add("invalid-document", message, suggestion="encode it in UTF-8")
        return None
    text = text[1:] if text.startswith("\ufeff") else text
    if not text or text.isspace():
        problems.add("invalid-document", "the document is empty", suggestion=HOW_TO)
        return None
    return text


def parse(text: str) -> Json:
    """Return the value of JSON text. Raise JsonError if it is not JSON as a whole."""
    found, end = parse_prefix(text, _skip_space(text, 0))
    end = _skip_space(text, end)
    if end < len(text):
        raise JsonError("there is something behind the JSON", end)
    return found


def parse_prefix(text: str, start: int) -> Tuple[Json, int]:
    """Return the JSON value that begins at `start`, and the position behind it. Raise JsonError if there is none."""
    repeated: Dict[int, List[str]] = {}
    kept: List[Dict[str, Any]] = []  # what is alive keeps its identity

    def to_object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            kept.append(made)
            repeated[id(made)] = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        return made

    try:
        value, end = json.JSONDecoder(object_pairs_hook=to_object, parse_int=_to_int).raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise JsonError(_REASONS.get(error.msg, error.msg), error.pos) from None
    except RecursionError:
        raise JsonError("it is nested too deep to be read", start, is_limit=True) from None
    return Json(value, repeated), end


_REASONS = {
    "Expecting value": "a value is missing",
    "Expecting property name enclosed in double quotes": "a key in double quotes is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Unterminated string starting at": "a string does not end",
    "Invalid \\escape": "a backslash begins no escape sequence: write \\\\ for a backslash",
    "Invalid \\uXXXX escape": "\\u is not followed by four hexadecimal digits",
    "Invalid control character at": "a string holds a line break or another control character",
    "Illegal trailing comma before end of array": "a comma stands before a closing bracket",
    "Illegal trailing comma before end of object": "a comma stands before a closing bracket",
    "Extra data": "there is something behind the JSON",
}


def _to_int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise JsonError(f"a number has more than {_MOST_DIGITS:,} digits", is_limit=True)
    return int(digits)


def _skip_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


# As values of any type, since the types of what they hold are not known.
_DICT: Any = dict
_LIST: Any = list
_TUPLE: Any = tuple
_TYPE: Any = type
_CONTAINERS: Any = (dict, list)
_FOREIGN: Any = (dict, list, tuple)


class _UnusualObjectError(Exception):
    """An object has a key twice."""


def is_plain(text: str) -> bool:
    """Return whether this is JSON in which no object has a key twice; the parse keeps nothing."""
    try:
        json.loads(text, object_pairs_hook=_refuse_unusual, parse_int=len)
    except (_UnusualObjectError, RecursionError, ValueError):
        return False
    return True


def _refuse_unusual(pairs: List[Tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _UnusualObjectError


def is_within_depth(document: Any, limits: Limits, problems: ProblemCollector) -> bool:
    """Return whether a document is within the limits of depth; add a problem if it is not."""
    level: List[Any] = [document]
    depth = 0
    while level:
        level = [value for value in level if type(value) in _CONTAINERS]
        depth += bool(level)
        if depth > limits.max_depth:
            message = f"the document is nested deeper than {limits.max_depth} levels"
            problems.add("limit-exceeded", message, location=pointer(_way_down(document, 8)))
            return False
        level = [value for holder in level for value in (holder.values() if type(holder) is _DICT else holder)]
    return True


def _way_down(value: Any, length: int) -> Path:
    """Return the first steps of a way to the deepest level, without looking for it: the way of the first container."""
    way: List[Any] = []
    while len(way) < length:
        entries = value.items() if is_object(value) else enumerate(value) if is_list(value) else ()
        step = next(((key, inner) for key, inner in entries if is_object(inner) or is_list(inner)), None)
        if step is None:
            break
        way.append(step[0])
        value = step[1]
    return tuple(way)


def report_repeated(document: Json, problems: ProblemCollector) -> None:
    """Add a problem for each key that an object of the document has twice."""
    pending: List[Tuple[Any, Path, Tuple[str, ...]]] = [(document.value, (), ())] if document.repeated else []
    key: Any
    while pending:
        value, path, steps = pending.pop()
        for key in document.repeated.get(id(value), ()) if is_object(value) else ():
            message = f"the key {quote(key)} is there more than once"
            suggestion = "keep the one that is meant"
            where = pointer((*path, key))
            problems.add("duplicate-key", message, steps=steps, location=where, suggestion=suggestion)
        for key, inner in value.items() if is_object(value) else enumerate(value):
            if is_object(inner) or is_list(inner):
                name = None
                if is_object(inner) and is_list(value) and not steps:
                    name = inner.get("id", inner.get("name"))
                pending.append((inner, (*path, key), (name,) if isinstance(name, str) and name else steps))


def to_plain(source: Any, limits: Limits, problems: ProblemCollector) -> Any:
    """Return a copy of a dict or list made of JSON values only, None with a problem if it cannot be copied whole.

    Nothing of the classes of its values is called, so it cannot run code. What is not a JSON value is a
    problem and becomes null.
    """
    root: List[Any] = []
    pending: List[Tuple[Any, Any, Any, Path]] = [(source, root, None, ())]
    budget = _MOST_VALUES
    seen: Set[int] = set()
    while pending:
        value, target, key, path = pending.pop()
        if isinstance(value, _FOREIGN):
            budget -= len(value) if id(value) in seen else 0
            seen.add(id(value))
        if len(path) > limits.max_depth or budget < 0:
            deep = f"is nested deeper than {limits.max_depth} levels"
            message = f"the document {deep if budget >= 0 else 'holds the same values again and again'}"
            problems.add("limit-exceeded", message, location=pointer(path[:8]))
            return None
        copied: Any = _copy(value, path, problems)
        if isinstance(target, _LIST):
            target.append(copied)
        elif key in target:
            message = f"the key {quote(key)} is there more than once"
            problems.add("duplicate-key", message, location=pointer(path), suggestion="keep the one that is meant")
        else:
            target[key] = copied
        if isinstance(copied, _DICT):
            entries: List[Tuple[Any, Any]] = list(_DICT.items(value))
            odd = next((type(name).__name__ for name, _ in entries if not isinstance(name, str)), None)
            if odd is not None:
                message = f"a key is of type {odd}, not a string"
                problems.add(
                    "invalid-document", message, location=pointer(path), suggestion="JSON has string keys only"
                )
                return None
            names = [(str.__str__(name), inner) for name, inner in entries]
            pending.extend((inner, copied, name, (*path, name)) for name, inner in reversed(names))
        elif isinstance(copied, _LIST):
            values = _values_of(value)
            last = len(values) - 1
            pending.extend((inner, copied, None, (*path, last - at)) for at, inner in enumerate(reversed(values)))
    return root[0]


def _values_of(value: Any) -> List[Any]:
    """Return the values of a list or tuple of any class, by the method of list or tuple itself."""
    return list((_TUPLE if isinstance(value, _TUPLE) else _LIST).__iter__(value))


def _copy(value: Any, path: Path, problems: ProblemCollector) -> Any:
    """Return a scalar as a plain one, an empty container for a container, None with a problem for anything else."""
    kind: Any = _TYPE(value)
    if value is None or kind in (bool, str, float) or (kind is int and abs(value) < _TOO_LARGE):
        return value
    if issubclass(kind, dict):
        return {}
    if issubclass(kind, (list, tuple)):
        return []
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int) and abs(int.__int__(value)) < _TOO_LARGE:
        return int.__int__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    is_large = issubclass(kind, int)
    digits = f"a number has more than {_MOST_DIGITS:,} digits"
    message = digits if is_large else f"a value of type {kind.__name__} is not JSON"
    problems.add("invalid-field", message, location=pointer(path), suggestion="pass what json.loads returns")
    return None
