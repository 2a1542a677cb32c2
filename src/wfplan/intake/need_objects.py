"""Dependencies that are written as objects, read as far as they can mean nothing but an id."""

from __future__ import annotations

from typing import AbstractSet, Any, Dict, List, Optional, Tuple

from wfplan.intake.aliases import plain
from wfplan.intake.spelling import as_id
from wfplan.json_values import is_list, is_object

__all__ = ["id_in", "ids_of_mapping"]

_IDS = ("id", "name", "step", "task", "key", "ref", "target")
_SAYING = frozenset("comment condition conditions description name note reason restart status title when".split())
"""What may stand beside an id without making it anything else than a dependency."""
_DENIALS = frozenset("0 disabled false ignore ignored inactive never no none not off optional skip skipped".split())
_MOST_VALUES = 1000


def id_in(need: Dict[str, Any], ids: AbstractSet[str]) -> Tuple[str, str] | None:
    """The id in an object that stands for one dependency, with its key; None if it may say something else, too.

    >>> id_in({"id": "a", "condition": "done"}, {"a"}), id_in({"id": "a", "optional": True}, {"a"})
    (('a', 'id'), None)
    """
    key = next((key for key in _IDS if key in need), None)
    found: Optional[str] = None if key is None else as_id(need[key])
    if key is None or found is None:
        return None
    for other, value in need.items():
        if other != key and not (plain(other) in _SAYING and _is_harmless(value, ids)):
            return None
    return str.__str__(found), key


def ids_of_mapping(value: Dict[str, Any], ids: AbstractSet[str]) -> List[str] | None:
    """The keys of a mapping from ids to conditions; None if one of these may say that it is no dependency.

    >>> ids_of_mapping({"a": "done", "b": {}}, {"a", "b"}), ids_of_mapping({"a": "done", "b": False}, {"a", "b"})
    (['a', 'b'], None)
    """
    for inner in value.values():
        if inner is not True and (is_list(inner) or not _is_harmless(inner, ids)):
            return None
    return list(value)


def _is_harmless(value: Any, ids: AbstractSet[str]) -> bool:
    """Whether a value is empty or words, and neither denies anything nor names another step."""
    pending: List[Any] = [value]
    for _ in range(_MOST_VALUES):
        if not pending:
            return True
        value = pending.pop()
        if is_object(value):
            if not all(isinstance(key, str) and plain(key) in _SAYING for key in value):
                return False
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(value)
        elif isinstance(value, str):
            if value in ids or value.strip().casefold() in _DENIALS:
                return False
        elif value is not None:
            return False
    return False
