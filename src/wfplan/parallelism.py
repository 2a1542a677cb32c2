"""May these steps overlap? Not if one needs another, has a sequential hint, or holds the same lock."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from wfplan.models import Step

__all__ = ["KNOWN_MODES", "can_execute_in_parallel", "is_sequential", "split_by_locks"]

KNOWN_MODES = ("sequential", "parallel", "auto")
"""What `metadata["execution_mode"]` may be; anything else counts as `sequential`, the safe side."""


def is_sequential(metadata: Mapping[str, Any]) -> bool:
    """Whether metadata carry a sequential hint.

    >>> is_sequential({"execution_mode": "Sequential"}), is_sequential({"execution_mode": "auto"}), is_sequential({})
    (True, False, False)
    """
    return metadata.get("execution_mode", "auto") not in ("parallel", "auto")


def can_execute_in_parallel(steps: Iterable[Step]) -> bool:
    """Whether these steps may overlap.

    More than one step, none depends on another of them, none has a sequential hint, no two share a lock.

    >>> can_execute_in_parallel([Step(name="left"), Step(name="right")])
    True
    >>> can_execute_in_parallel([Step(name="first"), Step(name="then", dependencies=["first"])])
    False
    >>> can_execute_in_parallel([Step(name="drain", locks=["node-1"]), Step(name="patch", locks=["node-1"])])
    False
    """
    steps = tuple(steps)
    names = {step.name for step in steps}
    held: set[str] = set()
    for step in steps:
        if is_sequential(step.metadata) or not (names.isdisjoint(step.dependencies) and held.isdisjoint(step.locks)):
            return False
        held.update(step.locks)
    return len(steps) > 1


def split_by_locks(names: Iterable[str], locks: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Parts in which no two steps share a lock.

    In the given order, each step goes into the part after the last one that holds any of its locks.

    >>> split_by_locks("abcd", {"a": ["x"], "b": ["x"], "d": ["x", "y"]})
    [['a', 'c'], ['b'], ['d']]
    """
    parts: list[list[str]] = [[]]
    free_from: dict[str, int] = {}
    for name in names:
        own = locks.get(name, ())
        part = max((free_from.get(lock, 0) for lock in own), default=0)
        if part == len(parts):
            parts.append([])
        parts[part].append(name)
        for lock in own:
            free_from[lock] = part + 1
    return parts
