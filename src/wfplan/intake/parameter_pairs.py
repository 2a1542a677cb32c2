"""Parameters that came as a list of names and values."""

from __future__ import annotations

from typing import Any, Dict

from typing_extensions import TypeGuard

from wfplan.json_values import is_list, is_object

__all__ = ["fold_parameters"]


def fold_parameters(value: Any) -> Any:
    """The object that a list of `{"name": ..., "value": ...}` stands for; any other value as it is.

    A list in which a name occurs twice is one of those: as an object it would lose a value.

    >>> fold_parameters([{"name": "replicas", "value": "5"}, {"name": "zone", "value": "a"}])
    {'replicas': '5', 'zone': 'a'}
    >>> fold_parameters([{"name": "zone", "value": "a"}, {"name": "zone", "value": "b"}])
    [{'name': 'zone', 'value': 'a'}, {'name': 'zone', 'value': 'b'}]
    """
    if not is_list(value):
        return value
    folded: Dict[str, Any] = {}
    for pair in value:
        if not _is_pair(pair):
            return value
        folded[str.__str__(pair["name"])] = pair["value"]  # of any class, it must not say itself what its hash is
    return folded if len(folded) == len(value) else value


def _is_pair(value: Any) -> TypeGuard[Dict[str, Any]]:
    return is_object(value) and len(value) == 2 and "value" in value and isinstance(value.get("name"), str)
