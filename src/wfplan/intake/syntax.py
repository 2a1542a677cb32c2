"""Text or Python objects to a document: syntax, duplicate keys, size and depth."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Dict, List, Sequence, Tuple, Union

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from wfplan.field_errors import pointer
from wfplan.intake.limits import Limits
from wfplan.json_values import is_list, is_object
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["decode", "has_duplicate_keys", "inspect_document", "parse"]

# Parses the whole text in Rust, where depth is bounded, and makes no Python object of it.
_PARSER = SchemaValidator(core_schema.typed_dict_schema({}, extra_behavior="ignore"))

_HOW_TO = 'pass JSON text such as {"recommendations": [...]}'


class _Repeated(Dict[str, Any]):
    """An object that had a key more than once."""

    keys_repeated: Sequence[str]


class _KeyRepeatedError(Exception):
    """A key is there twice."""


def decode(source: Union[str, bytes, bytearray], limits: Limits, problems: ProblemList) -> str | None:
    """`source` as text within the limits, None if it is not that."""
    try:
        encoded = source.encode() if isinstance(source, str) and not source.isascii() else source
    except UnicodeEncodeError as error:
        problems.add("invalid-document", f"character {error.start + 1} of the document is half of a surrogate pair")
        return None
    if len(encoded) > limits.max_bytes:
        problems.add(
            "limit-exceeded", f"the document has {len(encoded):,} bytes, at most {limits.max_bytes:,} are read"
        )
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
    """The document that JSON text stands for, None with a problem if it is not JSON or nested too deep."""
    try:
        _PARSER.validate_json(text)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        if detail["type"] == "json_invalid":
            _report_syntax(text, detail, problems)
            return None
    try:
        return json.loads(text, object_pairs_hook=_to_object)
    except (ValueError, RecursionError) as error:
        problems.add("invalid-document", f"the document is not JSON: {error}", suggestion=_HOW_TO)
        return None


def _report_syntax(text: str, detail: Any, problems: ProblemList) -> None:
    reason = str(detail.get("ctx", {}).get("error", detail["msg"]))
    if "recursion" in reason:
        problems.add("limit-exceeded", f"the document is nested too deep: {reason.rpartition(' at ')[2]}")
        return
    begins = text.lstrip()[:1]
    advice = _HOW_TO if begins not in "{[" else "the answer may be cut off" if "EOF" in reason else ""
    problems.add("invalid-document", f"the document is not JSON: {reason}", suggestion=advice)


def _to_object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    repeated = _Repeated(result)
    repeated.keys_repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    return repeated


def has_duplicate_keys(text: str) -> bool:
    """Whether any object in this JSON text has a key twice; the parse keeps nothing."""
    try:
        json.loads(text, object_pairs_hook=_refuse_repeated)
    except _KeyRepeatedError:
        return True
    return False


def _refuse_repeated(pairs: List[Tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _KeyRepeatedError


def inspect_document(document: Any, limits: Limits, problems: ProblemList) -> bool:
    """Whether a document has text keys only and is not too deep; adds a problem where not, or where a key repeats."""
    sound = True
    depth_seen: dict[int, int] = {}
    pending: list[tuple[Any, tuple[Any, ...]]] = [(document, ())]
    while pending:
        value, path = pending.pop()
        depth = len(path) + 1
        if depth_seen.get(id(value), 0) >= depth:
            continue
        depth_seen[id(value)] = depth
        if depth > limits.max_depth:
            problems.add(
                "limit-exceeded",
                f"the document is nested deeper than {limits.max_depth} levels",
                location=pointer(path[:8]),
            )
            return False
        if is_object(value):
            sound = _has_text_keys(value, path, problems) and sound
        for key, item in value.items() if is_object(value) else enumerate(value):
            if is_object(item) or is_list(item):
                pending.append((item, (*path, key)))
    return sound


def _has_text_keys(value: Dict[Any, Any], path: tuple[Any, ...], problems: ProblemList) -> bool:
    others = [key for key in value if not isinstance(key, str)]
    for key in others:
        problems.add(
            "invalid-document",
            f"a key is of type {type(key).__name__}, not a text",
            location=pointer(path),
            suggestion="JSON has text keys only",
        )
    repeated: Sequence[str] = value.keys_repeated if isinstance(value, _Repeated) else ()
    for key in repeated:
        problems.add(
            "duplicate-key",
            f"the key {quote(key)} is there more than once",
            location=pointer((*path, key)),
            suggestion="keep the one that is meant",
        )
    return not others
