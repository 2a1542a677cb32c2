"""What pydantic has to say of a value's fields, as problems in the words of this library."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping

from pydantic import ValidationError

from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["add_field_errors", "kind_of", "pointer"]

_WANTED = {
    "string_type": "a text",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
}
_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    set: "a set",
    frozenset: "a set",
}


def add_field_errors(
    error: ValidationError,
    problems: ProblemList,
    *,
    subject: str,
    steps: Iterable[str] = (),
    location: str | None = None,
    spelled: Mapping[str, str] | None = None,
) -> None:
    """Add an `invalid-field` for each error of `error`.

    `subject` is what the sentences are about ("recommendation 3"); `location` is the pointer of the value in its
    document, None if there is no document; `spelled` tells how the document writes a field, where it differs.
    """
    steps = tuple(steps)
    for detail in error.errors(include_url=False):
        path = [(spelled or {}).get(str(part), part) for part in detail["loc"] if part != "[key]"]
        field = ".".join(str(part) for part in path)
        of = f"{quote(field)} of {subject}" if field else subject
        message, suggestion = _tell(detail)
        problems.add(
            "invalid-field",
            f"{of} {message}",
            steps=steps,
            location="" if location is None else location + pointer(path),
            suggestion=suggestion,
        )


def pointer(path: Iterable[Any]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and positions.

    >>> pointer(["recommendations", 0, "a/b"])
    '/recommendations/0/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _tell(detail: Mapping[str, Any]) -> tuple[str, str]:
    """The end of the sentence that tells an error, and what to do about it."""
    kind, value, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {kind_of(value)}", _list_advice(kind, value)
    tell = _TELL.get(kind)
    if tell:
        return tell(value, context)
    return f"does not fit: {detail['msg']}", ""


def kind_of(value: Any) -> str:
    """What a value is, in the words of JSON where it has one."""
    return _KINDS.get(type(value)) or f"a value of type {type(value).__name__}"


def _list_advice(kind: str, value: Any) -> str:
    if kind != "tuple_type":
        return ""
    if isinstance(value, str):
        return f"write [{quote(value)}]"
    if value is None:
        return "write [] where there is nothing to list"
    return "a set has no order: write a list" if isinstance(value, (set, frozenset)) else ""


def _bound(words: str, key: str) -> Callable[[Any, Mapping[str, Any]], tuple[str, str]]:
    def tell(value: Any, context: Mapping[str, Any]) -> tuple[str, str]:
        return f"must be {words} {context[key]}, not {_short(value)}", ""

    return tell


def _short(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value) if value.bit_length() < 64 else "a very large number"
    return quote(value) if isinstance(value, str) else kind_of(value)


_TELL: Mapping[str, Callable[[Any, Mapping[str, Any]], tuple[str, str]]] = {
    "missing": lambda value, context: ("is missing", ""),
    "extra_forbidden": lambda value, context: ("is not a known field", "correct its spelling or leave it out"),
    "value_error": lambda value, context: (str(context["error"]), ""),
    "finite_number": lambda value, context: (f"is {_short(value)}, which is no finite number", ""),
    "literal_error": lambda value, context: (f"must be {context['expected']}, not {_short(value)}", ""),
    "string_too_short": lambda value, context: ("is empty", ""),
    "string_too_long": lambda value, context: (
        f"has {len(value):,} characters, at most {context['max_length']:,} are allowed",
        "",
    ),
    "string_unicode": lambda value, context: ("holds half of a surrogate pair", ""),
    "greater_than": _bound("greater than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than_equal": _bound("at most", "le"),
}
