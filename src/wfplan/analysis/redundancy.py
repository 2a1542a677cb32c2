"""Redundant dependencies: those that a longer path implies."""

from __future__ import annotations

from itertools import chain
from typing import Iterator, NamedTuple

from wfplan._internal.bitset import count, members
from wfplan._internal.plan_index import PlanIndex
from wfplan.plans import ExecutionPlan

__all__ = ["Redundancies", "RedundantEdge", "find_redundant"]

_MOST_LISTED = 1000
_BLOCK = 4096


class RedundantEdge(NamedTuple):
    """A dependency that is there by way of another one too."""

    step: str
    dependency: str
    by_way_of: str
    """Another dependency of the step, which needs `dependency`, directly or not."""


class Redundancies(NamedTuple):
    """What was found."""

    listed: list[RedundantEdge]
    """In declared order; if there are more than 1,000, any 1,000 of them."""
    total: int


def find_redundant(plan: ExecutionPlan) -> Redundancies:
    """Yield every dependency without which the order of the steps, and so the levels, would be the same.

    Only a dependency that skips a level can be one. What is above each step is gathered on the way down, as the bits of
    an integer, for 4,096 of the steps at a time that such dependencies lead to. So the time is that of steps and
    dependencies, once for each 4,096 of those.
    """
    index = PlanIndex(plan, "batch")
    order = list(chain.from_iterable(index.batches))
    level = [0] * len(order)
    for number in order:
        level[number] = max((level[needed] + 1 for needed in index.needs[number]), default=0)
    skipped_to = {
        needed: None for number in order for needed in index.needs[number] if level[number] - level[needed] > 1
    }
    sources = sorted(skipped_to, key=level.__getitem__)
    found: list[tuple[int, int, int]] = []
    total = 0
    for start in range(0, len(sources), _BLOCK):
        block = sources[start : start + _BLOCK]
        bit_of = {number: 1 << place for place, number in enumerate(block)}
        for number, by_way_of, hits in _look_down(index, order, bit_of):
            total += count(hits)
            places = members(hits, _MOST_LISTED - len(found))
            found += [(number, block[place], by_way_of) for place in places]
    names = index.names
    return Redundancies([RedundantEdge(*(names[number] for number in edge)) for edge in sorted(found)], total)


def _look_down(index: PlanIndex, order: list[int], bit_of: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    """Steps, each with one that it needs and, as bits, which of the others that it needs are above that one."""
    above: dict[int, int] = {}  # of each step, itself included
    for number in order:
        needs = index.needs[number]
        wanted = all_above = 0
        for needed in needs:
            wanted |= bit_of.get(needed, 0)
            all_above |= above.get(needed, 0)
        all_above |= bit_of.get(number, 0)
        if all_above:
            above[number] = all_above
        for needed in needs if wanted and len(needs) > 1 else ():
            hits = above.get(needed, 0) & wanted & ~bit_of.get(needed, 0)
            if hits:
                wanted &= ~hits
                yield number, needed, hits
