"""What pydantic has to say of a value's fields, as problems in the words of this library."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from pydantic import ValidationError

from wfplan.locations import pointer
from wfplan.names import quote
from wfplan.problems import ProblemList

__all__ = ["add_field_errors", "kind_of", "show"]

_TOLD: Mapping[str, str] = {
    "bool_type": "must be true or false, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "extra_forbidden": "is not a known field",
    "finite_number": "must be a finite number, not {value}",
    "float_type": "must be a number, not {kind}",
    "greater_than": "must be greater than {gt}, not {value}",
    "greater_than_equal": "must be at least {ge}, not {value}",
    "int_from_float": "must be a whole number, not {value}",
    "invalid_key": "has a key that is no text",
    "int_type": "must be a whole number, not {kind}",
    "less_than_equal": "must be at most {le}, not {value}",
    "literal_error": "must be {expected}, not {value}",
    "missing": "is missing",
    "model_attributes_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "is empty",
    "string_type": "must be a text, not {kind}",
    "string_unicode": "holds half of a surrogate pair",
    "tuple_type": "must be a list, not {kind}",
    "value_error": "{error}",
}
"""How the sentence about an error of pydantic's ends, by the type of the error."""

_KINDS: Mapping[type, str] = {
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

_LONGEST_SHOWN = 64  # bits of a whole number


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
        inner = getattr(detail.get("ctx", {}).get("error"), "path", ())
        field = ".".join(str(part) for part in path)
        of = f"{quote(field)} of {subject}" if field else subject
        problems.add(
            "invalid-field",
            f"{of} {_tell(detail)}",
            steps=steps,
            location="" if location is None else location + pointer((*path, *inner)),
            suggestion=_advise(detail),
        )


def _tell(detail: Mapping[str, Any]) -> str:
    """The end of the sentence that tells an error."""
    value = detail.get("input")
    told = _TOLD.get(detail["type"])
    if detail["type"] == "float_type" and isinstance(value, int) and not isinstance(value, bool):
        return "is too large a number"
    if told is None:
        return f"does not fit: {detail['msg']}"
    context = {key: _whole(bound) for key, bound in detail.get("ctx", {}).items()}
    return told.format_map({**context, "kind": kind_of(value), "value": show(value)})


def _whole(bound: Any) -> Any:
    """A bound without a decimal point that says nothing."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _advise(detail: Mapping[str, Any]) -> str:
    """What to do about an error."""
    value = detail.get("input")
    if detail["type"] == "extra_forbidden":
        return "correct its spelling or leave it out"
    if detail["type"] != "tuple_type":
        return ""
    if isinstance(value, str):
        return f"write [{quote(value)}]"
    if value is None:
        return "write [] where there is nothing to list"
    return "a set has no order: write a list" if isinstance(value, (set, frozenset)) else ""


def kind_of(value: Any) -> str:
    """What a value is, in the words of JSON where it has one."""
    return _KINDS.get(value.__class__) or f"a value of type {type(value).__name__}"


def show(value: Any) -> str:
    """A value for a message, if it is short."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= _LONGEST_SHOWN):
        return repr(value)
    return kind_of(value)
