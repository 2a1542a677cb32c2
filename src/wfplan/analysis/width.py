"""Bounds on how many steps could ever run together."""

from __future__ import annotations

from itertools import chain
from typing import Iterable, Sequence

from wfplan._internal.plan_index import PlanIndex
from wfplan.plans import ExecutionPlan
from wfplan.problems import require_type

__all__ = ["width_bounds"]


def width_bounds(plan: ExecutionPlan) -> tuple[int, int]:
    """Return a lower and an upper bound on the width, the most steps that could ever run together; linear.

    None of these steps depends on another, directly or not, so there can be more of them than in the largest batch: of
    `a->b, a->c, d, e` the batches hold 3 and 2 steps, and b, c, d, e could run together. Hints, locks and limits play
    no part. The bounds are equal for chains, fans and layers.

    The lower bound is the largest set of steps that are equally far from the first steps, or from the last. The upper
    one is a number of paths that together cover every step, chosen greedily; by Dilworth's theorem, no set of
    independent steps is larger than any such cover.

    Args:
        plan: The plan.

    >>> import wfplan
    >>> width_bounds(wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []}))
    (4, 4)
    """
    require_type(plan, ExecutionPlan)
    index = PlanIndex(plan, "batch")
    order = list(chain.from_iterable(index.batches))
    by_depth = _largest_class(order, index.needs)
    by_height = _largest_class(order[::-1], index.dependents)
    return max(by_depth, by_height), _count_paths(order, index.needs)


def _count_paths(order: Iterable[int], needs: Sequence[Sequence[int]]) -> int:
    """Return how many paths cover all steps if each step prolongs the first path that ends at one it needs."""
    prolonged = [False] * len(needs)
    paths = len(needs)
    for number in order:
        before = next((needed for needed in needs[number] if not prolonged[needed]), None)
        if before is not None:
            prolonged[before] = True
            paths -= 1
    return paths


def _largest_class(order: Iterable[int], before: Sequence[Sequence[int]]) -> int:
    """Return the size of the largest class of steps whose longest paths before them have the same length."""
    depth = [0] * len(before)
    sizes = [0] * (len(before) + 1)
    for number in order:
        depth[number] = max((depth[other] + 1 for other in before[number]), default=0)
        sizes[depth[number]] += 1
    return max(sizes)
