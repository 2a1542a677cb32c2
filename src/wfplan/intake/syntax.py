"""Text to a document: encoding, syntax, duplicate keys, depth."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple, Union

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from wfplan.intake.limits import Limits
from wfplan.json_values import is_list, is_object
from wfplan.locations import pointer
from wfplan.problems import ProblemList

__all__ = ["RepeatedKey", "decode", "has_plain_objects", "inspect_document", "parse", "parse_inner"]

# Parses the whole text in Rust, where depth is bounded, and makes no Python object of it.
_PARSER = SchemaValidator(core_schema.typed_dict_schema({}, extra_behavior="ignore"))

_HOW_TO = 'pass JSON text such as {"recommendations": [...]}'
_PLAIN = "write plain JSON: double quotes, no comments, no comma before a closing bracket, nothing around it"

_MOST_KEYS = 1000

RepeatedKey = Tuple[Tuple[Any, ...], str]
"""The path of an object, and a key that it had more than once."""


class _Repeated(Dict[str, Any]):
    """An object that had a key more than once."""

    keys_repeated: Sequence[str]


class _UnusualObjectError(Exception):
    """An object has a key twice, or very many."""


def decode(source: Union[str, bytes, bytearray], limits: Limits, problems: ProblemList) -> str | None:
    """`source` as text within the limits, None with a problem if it is not that."""
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
        text = source if isinstance(source, str) else bytes(source).decode()
    except UnicodeDecodeError as error:
        problems.add("invalid-document", f"byte {error.start + 1} of the document is not UTF-8", suggestion=_HOW_TO)
        return None
    if text.startswith("\ufeff"):
        problems.add("invalid-document", "the document begins with a byte order mark", suggestion="remove it")
        return None
    if not text or text.isspace():
        problems.add("invalid-document", "the document is empty", suggestion=_HOW_TO)
        return None
    return text


def parse(text: str, problems: ProblemList) -> Any:
    """The document that JSON text stands for, None with a problem if it is not JSON or is nested too deep."""
    try:
        _PARSER.validate_json(text)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        if detail["type"] == "json_invalid":
            _report_syntax(text, str(detail.get("ctx", {}).get("error", detail["msg"])), problems)
            return None
    try:
        return json.loads(text, object_pairs_hook=_to_object)
    except RecursionError:
        problems.add("limit-exceeded", "the document is nested deeper than the calling program's stack has room for")
    except json.JSONDecodeError as error:
        problems.add("invalid-document", f"the document is not JSON: {error}", suggestion=_PLAIN)
    except ValueError as error:
        problems.add("limit-exceeded", f"the document holds what this Python does not read: {error}")
    return None


def _report_syntax(text: str, reason: str, problems: ProblemList) -> None:
    place = reason.rpartition(" at ")[2]
    if "recursion" in reason:
        problems.add("limit-exceeded", f"the document is nested too deep to be read: {place}")
    elif "number out of range" in reason:
        problems.add("limit-exceeded", f"a number in the document has more than 4,300 digits: {place}")
    elif "EOF" in reason and text.lstrip()[:1] in "{[":
        problems.add(
            "invalid-document",
            f"the document is not JSON, it is cut off: {reason}",
            suggestion="ask for the whole answer",
        )
    else:
        problems.add("invalid-document", f"the document is not JSON: {reason}", suggestion=_PLAIN)


def _to_object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    repeated = _Repeated(result)
    repeated.keys_repeated = _repeated_in(pairs)
    return repeated


class Inner(NamedTuple):
    """What a text inside of a document stands for as JSON."""

    value: Any
    repeated: List[str]
    """The keys that an object in it has more than once."""


def parse_inner(text: str) -> Inner | None:
    """A text inside of a document as JSON; None if it is none."""
    repeated: List[str] = []

    def keep(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            repeated.extend(_repeated_in(pairs))
        return made

    try:
        return Inner(json.loads(text, object_pairs_hook=keep), repeated)
    except (ValueError, RecursionError):
        return None


def _repeated_in(pairs: List[Tuple[str, Any]]) -> List[str]:
    return [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def has_plain_objects(text: str) -> bool:
    """Whether this is JSON in which no object has a key twice, or more than 1,000; the parse keeps nothing."""
    try:
        json.loads(text, object_pairs_hook=_refuse_unusual)
    except (_UnusualObjectError, RecursionError, ValueError):
        return False
    return True


def _refuse_unusual(pairs: List[Tuple[str, Any]]) -> None:
    if not len(dict(pairs)) == len(pairs) <= _MOST_KEYS:
        raise _UnusualObjectError


def inspect_document(document: Any, limits: Limits, problems: ProblemList) -> list[RepeatedKey] | None:
    """The keys that a document repeats; None, with a problem, if it is too deep or has a key that is no text."""
    repeated: list[RepeatedKey] = []
    depth_seen: dict[int, int] = {}
    pending: list[tuple[Any, tuple[Any, ...]]] = [(document, ())]
    while pending:
        value, path = pending.pop()
        if not (is_object(value) or is_list(value)):
            continue
        depth = len(path) + 1
        if depth_seen.get(id(value), 0) >= depth:  # what is there many times over is walked once for each depth
            continue
        depth_seen[id(value)] = depth
        if depth > limits.max_depth:
            message = f"the document is nested deeper than {limits.max_depth} levels"
            problems.add("limit-exceeded", message, location=pointer(path[:8]))
            return None
        if is_object(value):
            if not _has_text_keys(value, path, problems):
                return None
            if isinstance(value, _Repeated):
                repeated.extend((path, key) for key in value.keys_repeated)
        pending.extend((item, (*path, key)) for key, item in (value.items() if is_object(value) else enumerate(value)))
    return repeated


def _has_text_keys(value: Dict[Any, Any], path: tuple[Any, ...], problems: ProblemList) -> bool:
    for key in value:
        if not isinstance(key, str):
            problems.add(
                "invalid-document",
                f"a key is of type {type(key).__name__}, not a text",
                location=pointer(path),
                suggestion="JSON has text keys only",
            )
            return False
    return True
