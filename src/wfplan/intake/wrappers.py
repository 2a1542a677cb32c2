"""What models put around a list of recommendations or steps, taken off."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from wfplan.intake.aliases import canonical_field, is_list_key, looks_like_item
from wfplan.intake.plan_looks import has_list, inner_plans, is_mapping_of_items, may_be_list
from wfplan.intake.shapes import Beside
from wfplan.intake.spelling import as_id
from wfplan.intake.syntax import parse_inner
from wfplan.json_values import is_list, is_object
from wfplan.locations import pointer
from wfplan.names import list_names, quote
from wfplan.problems import ProblemList

__all__ = ["Unwrapped", "unwrap"]

_LISTS = ("recommendations", "steps")


class Unwrapped(NamedTuple):
    """A document as the canonical reader wants it, and where in the original its parts were."""

    document: Any
    base: str = ""
    """JSON pointer of the object that it was."""
    list_key: Optional[str] = None
    """How the original calls `recommendations`, if it has another name; "" if the object itself is the list."""
    keys: Optional[Sequence[str]] = None
    """The keys of the items, if they were in a mapping."""
    beside: Tuple[Beside, ...] = ()
    """What stood around it."""


def unwrap(document: Any, problems: ProblemList) -> Unwrapped:
    """Take off one wrapper of each kind; adds a warning for each.

    A text around a document, a list of one around it, an object around it, another name of the list, a text in place of
    the list, a mapping from ids to items in place of it.
    """
    document = _parse_text(document, "", problems)
    base = ""
    beside: Tuple[Beside, ...] = ()
    if is_list(document) and len(document) == 1 and has_list(document[0]):
        _note(problems, "the document is in a list of one", "")
        document, base = document[0], "/0"
    elif is_object(document) and not has_list(document) and not is_mapping_of_items(document):
        inner = inner_plans(document)
        if len(inner) == 1:
            (key,) = inner
            _note(problems, f"the document is in an object, as its {quote(key)}", pointer((key,)))
            beside = tuple(Beside("", other, value) for other, value in document.items() if other != key)
            document, base = document[key], pointer((key,))
    unwrapped = _find_list(document, base, problems)
    return unwrapped._replace(beside=beside)


def _find_list(document: Any, base: str, problems: ProblemList) -> Unwrapped:
    """The document with its list under its usual name."""
    if not is_object(document):
        return Unwrapped(document, base)
    if not has_list(document):
        if not is_mapping_of_items(document):
            return Unwrapped(document, base)
        items = _as_items(document, base, problems)
        return Unwrapped({"recommendations": items}, base, "", tuple(document))
    key = _choose_list(document, base, problems)
    if key is None:
        return Unwrapped(document, base)
    place = base + pointer((key,))
    value = _parse_text(document[key], place, problems)
    name = key if key in _LISTS else "recommendations"
    if name != key:
        problems.add("key-alias", f"the list is called {quote(key)}", location=place, suggestion=f"call it {name}")
    if is_object(value) and value and all(map(is_object, value.values())):
        items = _as_items(value, place, problems)
        return Unwrapped(_renamed(document, key, name, items), base, key, tuple(value))
    return Unwrapped(_renamed(document, key, name, value), base, None if name == key else key)


def _choose_list(document: Dict[str, Any], base: str, problems: ProblemList) -> str | None:
    """The key of the list in an object; None, with a problem or not, where the canonical reader decides."""
    if is_object(document.get("spec")) or "batches" in document:
        return None
    keys = [key for key in document if is_list_key(key) and may_be_list(document[key])]
    usual = [key for key in keys if key in _LISTS]
    if len(usual) > 1:
        return None
    filled = [key for key in keys if document[key]]
    chosen = (usual or filled or keys)[0]
    rivals = [key for key in filled if key != chosen and (not usual or _has_items(document[key]))]
    if rivals or (document.get("action") and _has_items(document[chosen])):
        others = list_names(rivals) if rivals else "an action of its own"
        problems.add(
            "ambiguous-answer",
            f"the document holds {quote(chosen)} and {others}: which is meant, or when, cannot be known",
            location=base,
            suggestion="keep the one that is meant",
        )
        return None
    return chosen


def _has_items(value: Any) -> bool:
    items = value.values() if is_object(value) else value
    return not isinstance(value, str) and any(map(looks_like_item, items))


def _renamed(document: Dict[str, Any], key: str, name: str, value: Any) -> Dict[str, Any]:
    """The same object with another name and value for this key, in its place."""
    if key == name and document[key] is value:
        return document
    return {(name if other == key else other): (value if other == key else old) for other, old in document.items()}


def _as_items(mapping: Dict[str, Any], place: str, problems: ProblemList) -> List[Dict[str, Any]]:
    """The values of a mapping from ids to items, each with its id."""
    problems.add(
        "mapping-of-steps",
        "the items are in a mapping, their keys are taken for their ids",
        location=place,
        suggestion="write a list of items, each with its id",
    )
    items: List[Dict[str, Any]] = []
    for key, value in mapping.items():
        own = [as_id(inner) for other, inner in value.items() if canonical_field(other, ("id",)) == "id"]
        if own and set(own) != {key}:
            problems.add(
                "conflicting-fields",
                f"the item under the key {quote(key)} has another id",
                location=place + pointer((key, "id")),
                suggestion="make both the same",
            )
        items.append({"id": key, **value})
    return items


def _parse_text(value: Any, place: str, problems: ProblemList) -> Any:
    """What a text that is JSON itself stands for; anything else as it is. Keys that are there twice are told."""
    parsed = parse_inner(value) if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") else None
    if parsed is None:
        return value
    problems.add("text-in-text", "a text holds JSON", location=place, suggestion="write the JSON itself")
    for key in parsed.repeated:
        problems.add("duplicate-key", f"the key {quote(key)} is there more than once", location=place)
    return parsed.value


def _note(problems: ProblemList, message: str, location: str) -> None:
    problems.add("wrapped-document", message, location=location, suggestion="leave out what is around it")
