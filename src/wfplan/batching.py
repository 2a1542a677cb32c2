"""The parallel check, batches from levels, and the strategy of a plan."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Sequence

from wfplan._internal.model import construct_unchecked
from wfplan.graph import DependencyGraph
from wfplan.models import ExecutionBatch, Step, Strategy
from wfplan.problems import invalid

__all__ = [
    "KNOWN_MODES",
    "calculate_execution_order",
    "can_execute_in_parallel",
    "determine_execution_strategy",
    "is_sequential",
    "order_levels",
    "split_by_locks",
]

KNOWN_MODES = ("sequential", "parallel", "auto")
"""What `metadata["execution_mode"]` may be; anything else counts as `sequential`, the safe side."""


def is_sequential(metadata: Mapping[str, Any]) -> bool:
    """Return whether metadata carry a sequential hint.

    >>> is_sequential({"execution_mode": "Sequential"}), is_sequential({"execution_mode": "auto"}), is_sequential({})
    (True, False, False)
    """
    return metadata.get("execution_mode", "auto") not in ("parallel", "auto")


def can_execute_in_parallel(steps: Iterable[Step]) -> bool:
    """Return whether these steps may overlap.

    True if there is more than one, none depends on another of them, none has a sequential hint, and no two share a
    lock.

    Args:
        steps: The steps.

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


def calculate_execution_order(
    graph: DependencyGraph, *, isolate_sequential: bool = False, max_batch_size: int | None = None
) -> tuple[ExecutionBatch, ...]:
    """Return the batches of a graph: its levels, split where hints, locks and `max_batch_size` require it.

    A level with a sequential hint is one batch, done one by one.

    Args:
        graph: The graph.
        isolate_sequential: Whether the steps of such a level without a hint stay together and each hinted one follows
            alone.
        max_batch_size: The most steps of a batch, at least 1. None: no limit.

    Raises:
        InvalidWorkflowError: There is a cycle (reason `execution_order_failed`), or `max_batch_size` is below 1.

    >>> graph = DependencyGraph.from_mapping({"left": [], "right": [], "join": ["left", "right"]})
    >>> for batch in calculate_execution_order(graph):
    ...     print(batch.number, batch.steps, batch.parallel)
    1 ('left', 'right') True
    2 ('join',) False
    """
    if max_batch_size is not None and max_batch_size < 1:
        raise invalid("invalid-field", f"max_batch_size must be at least 1, not {max_batch_size}")
    return order_levels(
        graph.levels(),
        sequential=graph.sequential,
        locks=graph.locks,
        isolate_sequential=isolate_sequential,
        max_batch_size=max_batch_size,
    )


def order_levels(
    levels: Iterable[Sequence[str]],
    *,
    sequential: frozenset[str],
    locks: Mapping[str, Sequence[str]],
    isolate_sequential: bool,
    max_batch_size: int | None,
    overlap: bool = True,
) -> tuple[ExecutionBatch, ...]:
    """Return the batches of these levels, whose names are in declared order; without `overlap`, none is parallel."""
    plain = not (sequential or locks or max_batch_size)
    batches: list[ExecutionBatch] = []
    for level in levels:
        one_by_one = bool(sequential) and not isolate_sequential and not sequential.isdisjoint(level)
        parts = [level] if plain or one_by_one else _split(level, sequential, locks, max_batch_size)
        for part in parts:
            parallel = overlap and not one_by_one and len(part) > 1
            fields = {"number": len(batches) + 1, "steps": tuple(part), "parallel": parallel}
            batches.append(construct_unchecked(ExecutionBatch, fields))
    return tuple(batches)


def _split(
    level: Sequence[str], sequential: frozenset[str], locks: Mapping[str, Sequence[str]], size: int | None
) -> list[Sequence[str]]:
    """Return the parts of a level: the steps without a hint by locks, then by size; each hinted one alone."""
    free = [name for name in level if name not in sequential]
    parts = split_by_locks(free, locks) if free else []
    cut = [
        part[start : start + (size or len(part))] for part in parts for start in range(0, len(part), size or len(part))
    ]
    return [*cut, *([name] for name in level if name in sequential)]


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


def determine_execution_strategy(batches: Sequence[ExecutionBatch]) -> Strategy:
    """Return the strategy: `parallel`, `sequential` or `sequential-with-parallel`.

    `parallel` if there is one batch and it is parallel; `sequential` if no batch is parallel.

    Args:
        batches: The batches, in order.

    >>> determine_execution_strategy([])
    'sequential'
    """
    if not any(batch.parallel for batch in batches):
        return "sequential"
    return "parallel" if len(batches) == 1 else "sequential-with-parallel"
