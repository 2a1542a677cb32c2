"""Levels to batches, and batches to the strategy of a plan."""

from __future__ import annotations

from typing import Iterable, Iterator, Mapping, Sequence

from wfplan.graph import DependencyGraph
from wfplan.models import ExecutionBatch, Strategy
from wfplan.parallelism import split_by_locks
from wfplan.values import trusted

__all__ = ["calculate_execution_order", "determine_execution_strategy", "order_levels"]


def calculate_execution_order(
    graph: DependencyGraph, *, isolate_sequential: bool = False, max_batch_size: int | None = None
) -> tuple[ExecutionBatch, ...]:
    """The batches of a graph: its levels, split where hints, locks and `max_batch_size` ask for it.

    A level with a sequential hint is one batch, done one by one; with `isolate_sequential` the steps without a hint
    stay together and each hinted one follows alone. Raises InvalidWorkflowError (reason `execution_order_failed`) if
    there is a cycle.

    >>> graph = DependencyGraph.from_mapping({"left": [], "right": [], "join": ["left", "right"]})
    >>> for batch in calculate_execution_order(graph):
    ...     print(batch.number, batch.steps, batch.parallel)
    1 ('left', 'right') True
    2 ('join',) False
    """
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
    """The batches of these levels, whose names are in declared order; without `overlap`, none is parallel."""
    batches: list[tuple[tuple[str, ...], bool]] = []
    together: Iterable[tuple[str, ...]]
    alone: list[tuple[str, ...]]
    for level in levels:
        if sequential.isdisjoint(level):
            together, alone = _split(level, locks, max_batch_size), []
        elif isolate_sequential:
            free = [name for name in level if name not in sequential]
            together = _split(free, locks, max_batch_size)
            alone = [(name,) for name in level if name in sequential]
        else:
            together, alone = [], [tuple(level)]
        batches.extend((steps, overlap and len(steps) > 1) for steps in together)
        batches.extend((steps, False) for steps in alone)
    return tuple(
        trusted(ExecutionBatch, {"number": number, "steps": steps, "parallel": parallel})
        for number, (steps, parallel) in enumerate(batches, 1)
    )


def _split(names: Sequence[str], locks: Mapping[str, Sequence[str]], size: int | None) -> Iterator[tuple[str, ...]]:
    for part in split_by_locks(names, locks) if locks else [names]:
        step = size or len(part) or 1
        for start in range(0, len(part), step):
            yield tuple(part[start : start + step])


def determine_execution_strategy(batches: Sequence[ExecutionBatch]) -> Strategy:
    """`parallel`: one batch, and it is parallel. `sequential`: no batch is. Else `sequential-with-parallel`.

    >>> determine_execution_strategy([])
    'sequential'
    """
    if not any(batch.parallel for batch in batches):
        return "sequential"
    return "parallel" if len(batches) == 1 else "sequential-with-parallel"
