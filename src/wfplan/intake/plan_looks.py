"""What looks like a plan, a list of its items, or one of them: by its keys alone, whatever it is worth."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from wfplan.intake.aliases import canonical_field, is_list_key, looks_like_item
from wfplan.json_values import is_list, is_object

__all__ = ["has_list", "holds_a_plan", "holds_work", "inner_plans", "is_mapping_of_items", "may_be_list"]

_WRAPPERS = 3


def holds_a_plan(value: Any) -> bool:
    """Whether a value may be a document, wrapped or not.

    >>> [holds_a_plan(value) for value in ({"plan": [{"id": 1}]}, [{"id": 1}], {"note": 1}, ["a"], {"id": 1})]
    [True, True, False, False, False]
    """
    if is_list(value):
        return bool(value) and (all(map(looks_like_item, value)) or (len(value) == 1 and has_list(value[0])))
    return is_object(value) and (has_list(value) or is_mapping_of_items(value) or len(inner_plans(value)) == 1)


def holds_work(value: Any) -> bool:
    """Whether a value beside a plan, or in an item of one, may be more of it: it has things to do in it.

    >>> [holds_work(value) for value in ([{"action": "undo"}], {"steps": [{"tool": "x"}]}, [{"id": "evidence-1"}])]
    [True, True, False]
    """
    parts = [value] if holds_a_plan(value) else []
    for _ in range(_WRAPPERS):
        parts = [inner for part in parts for inner in _inner_values(part)]
        if any(map(_does_something, parts)):
            return True
    return False


def has_list(value: Any) -> bool:
    """Whether a value is an object with the list of a document in it, under any name, or a known document around it."""
    if not is_object(value):
        return False
    if is_object(value.get("spec")) or (is_object(value.get("workflow")) and "batches" in value):
        return True
    return any(is_list_key(key) and may_be_list(inner) for key, inner in value.items())


def may_be_list(value: Any) -> bool:
    """Whether a value may be the list of a document: items, in any of the forms that are read, or none."""
    if isinstance(value, str):
        return value.lstrip()[:1] in ("[", "{")
    if is_object(value):
        return bool(value) and all(map(is_object, value.values()))
    return is_list(value) and (not value or any(map(is_object, value)))


def is_mapping_of_items(value: Dict[str, Any]) -> bool:
    """Whether an object is a mapping from ids to items."""
    return bool(value) and not looks_like_item(value) and all(map(looks_like_item, value.values()))


def inner_plans(value: Dict[str, Any]) -> List[str]:
    """The keys of an object under which there is a document."""
    if not {"batches", "strategy"}.isdisjoint(value):
        return []  # a plan, or what is left of one
    may_hold_list = not _does_something(value)  # an item's own list is not all of a plan
    return [
        key
        for key, inner in value.items()
        if (is_object(inner) and (has_list(inner) or is_mapping_of_items(inner)))
        or (may_hold_list and is_list(inner) and bool(inner) and all(map(looks_like_item, inner)))
    ]


def _inner_values(value: Any) -> Sequence[Any]:
    return list(value.values()) if is_object(value) else value if is_list(value) else ()


def _does_something(value: Any) -> bool:
    """Whether a value says what to do, or what it needs."""
    known = ("action", "dependencies")
    return is_object(value) and any(canonical_field(key, known) in known for key in value if isinstance(key, str))
