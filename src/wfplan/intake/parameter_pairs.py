"""Parameters that did not come as an object of their own."""

from __future__ import annotations

from typing import Any, Collection, Dict, Tuple

from typing_extensions import TypeGuard

from wfplan.intake.aliases import canonical_field, plain
from wfplan.intake.syntax import parse_inner
from wfplan.json_values import is_list, is_object

__all__ = ["fold_parameters", "means_a_field", "split_action"]

_WHAT_IT_IS = frozenset(("kind", "name", "type"))


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


def split_action(action: Any, known: Collection[str]) -> Tuple[str, Dict[str, Any]] | None:
    """An action and its parameters, where both are written as `{action: parameters}`; None for anything else.

    So the schema of a catalog asks for it: the parameters are an object, or a text that holds one, or pairs, or null
    for none. What may be a field (one of the `known`, or another name of one) says something of an action and is none.

    >>> split_action({"scale": {"replicas": 3}}, ("action",)), split_action({"verify": None}, ("action",))
    (('scale', {'replicas': 3}), ('verify', {}))
    >>> split_action({"tool": {"replicas": 3}}, ("action",)), split_action({"scale": 3}, ("action",))
    (None, None)
    """
    if not is_object(action) or len(action) != 1:
        return None
    ((name, value),) = action.items()
    if not isinstance(name, str) or not name or means_a_field(name, known):
        return None
    parameters: Any = {} if value is None else _in_text(value) if isinstance(value, str) else fold_parameters(value)
    return (str.__str__(name), parameters) if is_object(parameters) else None


def means_a_field(name: str, known: Collection[str]) -> bool:
    """Whether the key of an object says what its value is to an action, rather than what the action is called.

    >>> [means_a_field(name, ("id", "action")) for name in ("arguments", "toolName", "type", "restart_pods")]
    [True, True, True, False]
    """
    return plain(name) in _WHAT_IT_IS or canonical_field(name, known) is not None


def _in_text(text: str) -> Any:
    """What a text holds as JSON in which no key is there twice; None if it is not that."""
    parsed = parse_inner(text)
    return None if parsed is None or parsed.repeated else parsed.value


def _is_pair(value: Any) -> TypeGuard[Dict[str, Any]]:
    return is_object(value) and len(value) == 2 and "value" in value and isinstance(value.get("name"), str)
