"""pydantic's validation errors as problems."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, Sequence

from pydantic import ValidationError

from wfplan._internal.json import NotJsonError
from wfplan._internal.locations import pointer
from wfplan._internal.messages import escape, quote
from wfplan._internal.suggestions import Suggester
from wfplan.problems import ProblemCollector

__all__ = ["add_field_errors", "kind_of", "show"]

_TEMPLATES: Mapping[str, str] = {
    "bool_type": "must be true or false, not {kind}",
    "dict_type": "must be an object, not {kind}",
    "extra_forbidden": "is not a known field",
    "unexpected_keyword_argument": "is not a known field",
    "finite_number": "must be a finite number, not {value}",
    "float_type": "must be a number, not {kind}",
    "greater_than": "must be greater than {gt}, not {value}",
    "greater_than_equal": "must be at least {ge}, not {value}",
    "int_from_float": "must be a whole number, not {value}",
    "invalid_key": "has a key that is not a string",
    "int_type": "must be a whole number, not {kind}",
    "less_than_equal": "must be at most {le}, not {value}",
    "literal_error": "must be {expected}, not {value}",
    "missing": "is missing",
    "model_attributes_type": "must be an object, not {kind}",
    "model_type": "must be an object, not {kind}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "is empty",
    "string_type": "must be a string, not {kind}",
    "string_unicode": "holds half of a surrogate pair",
    "tuple_type": "must be a list, not {kind}",
    "value_error": "{error}",
    "int_parsing": "must be a whole number, not {value}",
    "float_parsing": "must be a number, not {value}",
    "bool_parsing": "must be true or false, not {value}",
    "enum": "must be {expected}, not {value}",
}
"""How the sentence about an error of pydantic's ends, by the type of the error."""

_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    set: "a set",
    frozenset: "a set",
}

_LONGEST_SHOWN = 64  # bits of a whole number
_LONGEST_SENTENCE = 500


def add_field_errors(
    error: ValidationError,
    problems: ProblemCollector,
    *,
    subject: str,
    steps: Iterable[str] = (),
    location: str | None = None,
    locate: Callable[[Sequence[Any]], str] | None = None,
    spelled: Mapping[str, str] | None = None,
    within: Sequence[str] = (),
    place: Callable[[Sequence[Any]], Sequence[Any]] | None = None,
    known: Sequence[str] = (),
    code: str = "invalid-field",
    most: int | None = None,
) -> None:
    """Add a problem of this code for each error of `error`; of more than `most`, one that counts the rest.

    `subject` is what the sentences are about ("recommendation 3"); `location` is the pointer of the subject in its
    document, None if there is no document, unless `locate` gives that of a way from the subject;
    `spelled` says how the document writes a field, where that differs; `within`
    is the way from the subject to what was validated, where that is only a part of it; `place` makes a way in the
    document of what pydantic gives for one; `known` are names that one which is not known may have been meant for.
    """
    steps = tuple(steps)

    def where(path: Sequence[Any]) -> str:
        if locate is not None:
            return locate(path)
        return "" if location is None else location + pointer(path)

    details = error.errors(include_url=False)
    for detail in details[:most]:
        way = tuple(part for part in detail["loc"] if part != "[key]")
        path = [*within, *((spelled or {}).get(str(part), part) for part in (place(way) if place else way))]
        cause = detail.get("ctx", {}).get("error")
        inner = cause.path if isinstance(cause, NotJsonError) else ()
        field = ".".join(str(part) for part in path)
        of = f"{quote(field)} of {subject}" if field else subject
        problems.add(
            code,
            f"{of} {_emit(detail)}",
            steps=steps,
            location=where((*path, *inner)),
            suggestion=_advise(detail, known if len(way) == 1 else ()),
        )
    rest = 0 if most is None else len(details) - most
    if rest > 0:
        field = f"{quote('.'.join(within))} of " if within else ""
        problems.add(
            code,
            f"{field}{subject} has {rest:,} more errors",
            steps=steps,
            location=where(within),
        )


def _emit(detail: Mapping[str, Any]) -> str:
    """Return the end of the sentence that describes an error."""
    value = detail.get("input")
    template = _TEMPLATES.get(detail["type"])
    if detail["type"] == "float_type" and isinstance(value, int) and not isinstance(value, bool):
        return "is too large a number"
    context = {key: _whole(bound) for key, bound in detail.get("ctx", {}).items()}
    try:
        sentence = (template or "").format_map({**context, "kind": kind_of(value), "value": show(value)})
    except (KeyError, ValueError):  # a third-party error of a type that pydantic has too
        sentence = ""
    return sentence if sentence and template != "{error}" else _cut(sentence or f"does not fit: {detail['msg']}")


def _cut(text: str) -> str:
    """Return the message of third-party code, which may repeat its input."""
    return escape(text[:_LONGEST_SENTENCE]) + ("..." if len(text) > _LONGEST_SENTENCE else "")


def _whole(bound: Any) -> Any:
    """Return a bound without a decimal point that says nothing."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _advise(detail: Mapping[str, Any], known: Sequence[str]) -> str:
    """Return what to do about an error."""
    value = detail.get("input")
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return Suggester(known).suggest(str(detail["loc"][-1]))
    if detail["type"] != "tuple_type":
        return ""
    if isinstance(value, str):
        return f"write [{quote(value)}]"
    if value is None:
        return "write [] where there is nothing to list"
    return "a set has no order: write a list" if isinstance(value, (set, frozenset)) else ""


def kind_of(value: Any) -> str:
    """Return what a value is, in the words of JSON where it has one."""
    return _KINDS.get(value.__class__) or f"a value of type {type(value).__name__}"


def show(value: Any) -> str:
    """Return a value for a message, if it is short."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float) or (isinstance(value, int) and value.bit_length() <= _LONGEST_SHOWN):
        return repr(value)
    return kind_of(value)
