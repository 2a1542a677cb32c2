"""Conflicts: two unordered steps that touch the same thing."""

from __future__ import annotations

from itertools import chain
from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence, Set, Tuple

from wfplan._internal.bitset import count, members
from wfplan._internal.messages import quote
from wfplan._internal.model import Model, TupleOf
from wfplan.graph import DependencyGraph
from wfplan.models import Step

__all__ = ["Conflict", "Conflicts", "find_conflicts"]

_MOST_LISTED = 1000
_BLOCK = 4096


class Conflict(Model):
    """Two steps that touch the same thing, one of which does more than read it, and neither waits for the other."""

    steps: TupleOf[str]
    """Their names, in declared order."""
    lock: str
    """The key that both hold. So they never overlap; but nothing says which of them comes first."""

    def __str__(self) -> str:
        one, other = map(quote, self.steps)
        return f"{one} and {other} touch {quote(self.lock)}, and neither waits for the other"


class Conflicts(NamedTuple):
    """What was found."""

    listed: Tuple[Conflict, ...]
    """In declared order; if there are more than 1,000, any 1,000 of them."""
    total: int


def find_conflicts(steps: Iterable[Step]) -> Conflicts:
    """Return every pair of unordered steps that share a lock and of which one does more than read.

    A step does more than read unless its `effect` is `read`. Ancestors are gathered level by level as the bits of an
    integer, for 4,096 holders of locks at a time; a lock that each holder hands on to one that depends on it needs no
    such search. The time is that of steps, dependencies and findings, once for each 4,096 holders of other locks.

    Args:
        steps: The steps, whose dependencies are among them.

    Raises:
        InvalidWorkflowError: The dependencies form a cycle.
        ValueError: A dependency is not a step, or a name is declared twice.

    >>> scale, restart = (Step(name=name, locks=["prod/web"]) for name in ("scale", "restart"))
    >>> print(*find_conflicts([scale, restart]).listed)
    "scale" and "restart" touch "prod/web", and neither waits for the other
    >>> find_conflicts([scale, Step(name="restart", locks=["prod/web"], dependencies=["scale"])]).total
    0
    """
    steps = tuple(steps)
    by_name = {step.name: step for step in steps}
    graph = DependencyGraph([step.name for step in steps], [step.dependencies for step in steps])
    ordered = [by_name[name] for name in chain.from_iterable(graph.levels())]
    contested = _contested(ordered)
    holders = [place for place, step in enumerate(ordered) if not contested.isdisjoint(step.locks)]
    declared = {step.name: number for number, step in enumerate(steps)}
    pairs: List[Tuple[int, int, str]] = []
    total = 0
    for start in range(0, len(holders), _BLOCK):
        block = holders[start : start + _BLOCK]
        for later, lock, earlier in _unordered(ordered, block, contested):
            total += count(earlier)
            for other in members(earlier, _MOST_LISTED - len(pairs)):
                one, two = declared[ordered[block[other]].name], declared[later.name]
                pairs.append((min(one, two), max(one, two), lock))
    listed = (Conflict(steps=(steps[one].name, steps[two].name), lock=lock) for one, two, lock in sorted(pairs))
    return Conflicts(tuple(listed), total)


def _contested(ordered: Sequence[Step]) -> Set[str]:
    """Return the locks of several steps of which one does more than read, unless each hands it on to the next."""
    last: Dict[str, str] = {}
    written: Set[str] = set()
    broken: Set[str] = set()
    for step in ordered:
        needs = frozenset(step.dependencies) if step.locks else ()
        for lock in step.locks:
            if last.get(lock, step.name) != step.name and last[lock] not in needs:
                broken.add(lock)
            last[lock] = step.name
            if step.effect != "read":
                written.add(lock)
    return broken & written


def _unordered(ordered: Sequence[Step], block: Sequence[int], contested: Set[str]) -> Iterator[Tuple[Step, str, int]]:
    """Of the steps from the first of the block on: a step, a lock, and which of the block are in conflict with it.

    Steps of the block are known by their place in it, and a set of them is an integer with their bits.
    """
    bit_of = {ordered[place].name: 1 << number for number, place in enumerate(block)}
    above: Dict[str, int] = {}  # of each step, itself included where it is in the block
    holding: Dict[str, int] = {}
    writing: Dict[str, int] = {}
    for step in ordered[block[0] :]:
        before = 0
        for needed in step.dependencies:
            before |= above.get(needed, 0)
        own = bit_of.get(step.name, 0)
        above[step.name] = before | own
        for lock in filter(contested.__contains__, dict.fromkeys(step.locks)):
            rivals = writing if step.effect == "read" else holding
            earlier = rivals.get(lock, 0) & ~before
            if earlier:
                yield step, lock, earlier
            holding[lock] = holding.get(lock, 0) | own
            if step.effect != "read":
                writing[lock] = writing.get(lock, 0) | own
