"""Fixes that cannot change what runs when."""

from __future__ import annotations

from collections import Counter
from typing import AbstractSet, Any, List, Sequence, Tuple

from wfplan._internal.messages import join_names, quote
from wfplan.problems import ProblemCollector
from wfplan.reading import Reading

__all__ = ["repair"]


def repair(reading: Reading) -> Reading:
    """Return the reading with everything fixed that has only one possible fix; each is an `info` problem, `repaired`.

    A dependency that is listed more than once is listed once, and one that differs from an id only by spaces around it
    becomes that id. Everything else might change the order, so it is left to a person or a model: `reading.replace(id,
    dependencies=[...])`.

    Args:
        reading: What `read` returned.

    >>> import wfplan
    >>> answer = [{"id": "a", "action": "x"}, {"id": "b", "action": "y", "dependencies": [" a", "a"]}]
    >>> reading = repair(wfplan.read(answer))
    >>> reading.ok, reading.recommendations[1].dependencies
    (True, ('a',))
    """
    key = reading.item_kind.key
    ids = {vars(item)[key] for item in reading.items}
    found = ProblemCollector()
    items: List[Any] = []
    for item in reading.items:
        needs = _mend(vars(item)[key], item.dependencies, ids, found)
        items.append(item if needs == item.dependencies else item.model_copy(update={"dependencies": needs}))
    return reading.with_items(items, found.as_tuple()) if found.as_tuple() else reading


def _mend(name: str, needs: Sequence[str], ids: AbstractSet[str], found: ProblemCollector) -> Tuple[str, ...]:
    """Return what an item needs, each once, without spaces around it."""
    stripped = tuple(need.strip() if need not in ids and need.strip() in ids else need for need in needs)
    once = tuple(dict.fromkeys(stripped))
    spaced = [need for need, other in zip(needs, stripped) if need != other]
    if spaced:
        message = f"{quote(name)} needs {join_names(spaced)}: without the spaces, it is an id"
        found.add("repaired", message, steps=(name,))
    if len(once) < len(stripped):
        twice = [need for need, count in Counter(stripped).items() if count > 1]
        found.add("repaired", f"{quote(name)} lists {join_names(twice)} more than once: once is kept", steps=(name,))
    return once
