"""How many steps could run together, if nothing but their dependencies kept them apart."""

from __future__ import annotations

from itertools import chain
from typing import Iterable, Sequence

from wfplan._internal.plan_index import Layout
from wfplan.collector import without_collection
from wfplan.plans import ExecutionPlan

__all__ = ["largest_antichain", "width", "width_bounds"]

_MOST_LOOKS = 10_000_000


def width(plan: ExecutionPlan) -> int:
    """The most steps that could ever run together: no one of them waits for another, directly or not.

    More than the largest batch may be: of `a->b, a->c, d, e` the batches hold 3 and 2 steps, and b, c, d, e could run
    together. It is that of the graph: hints, locks and limits are not part of it.

    The time is linear where `width_bounds` meet, as they do for chains, fans and layers. Else the steps and
    dependencies are gone through again and again, mostly fewer than 25 times. Raises ValueError, which tells the
    bounds, where that would be more than 10,000,000 looks at one of them, some half a minute.

    >>> import wfplan
    >>> width(wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []}))
    4
    """
    return len(_widest(plan))


def largest_antichain(plan: ExecutionPlan) -> tuple[str, ...]:
    """As many steps as could run together at most, by name, in declared order; time and errors are as for `width`.

    >>> import wfplan
    >>> largest_antichain(wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []}))
    ('b', 'c', 'd', 'e')
    """
    names = list(plan.steps)
    return tuple(names[number] for number in sorted(_widest(plan)))


def width_bounds(plan: ExecutionPlan) -> tuple[int, int]:
    """What `width` is at least and at most; linear, whatever the plan.

    >>> import wfplan
    >>> width_bounds(wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []}))
    (4, 4)
    """
    cover = _Cover(plan)
    return len(cover.largest_level()), cover.paths


def _widest(plan: ExecutionPlan) -> Sequence[int]:
    cover = _Cover(plan)
    level = cover.largest_level()
    while len(level) < cover.paths:
        if cover.looks > _MOST_LOOKS:
            raise ValueError(
                f"the width of so many steps and dependencies takes too long to find: it is from {len(level):,} to "
                f"{cover.paths:,}"
            )
        if not cover.improve():
            return cover.unreached()
    return level


class _Cover:
    """Paths along dependencies that together go through every step; several may go through one.

    By Dilworth's theorem the fewest such paths are as many as the steps of the largest set in which none waits for
    another. To find them is a problem of flow: each step has a place to go out of and one to come into. A path goes on
    from the one of a step into the other of one that needs it; there it ends, or passes through to the way out. Each
    step is left once, and entered once, as the next of a path of its own; passing through costs nothing.
    """

    def __init__(self, plan: ExecutionPlan) -> None:
        with without_collection():
            self._layout = layout = Layout(plan, "batch")
        count = len(layout.names)
        self.looks: int = 0
        """How many steps and dependencies were looked at, over and over."""
        self.size: int = count + sum(map(len, layout.needs))
        self._leaves = [False] * count  # whether a path of the step's own goes on from it
        self._entered = [False] * count  # whether one has it as its next
        self._through = [0] * count  # how many pass through it
        self._came: list[dict[int, int]] = [{} for _ in range(count)]  # how many come into it from which
        self.paths: int = count
        """How many paths there are."""
        for number in chain.from_iterable(layout.batches):
            before = next((needed for needed in layout.needs[number] if not self._leaves[needed]), None)
            if before is not None:
                self._join(before, number)

    def largest_level(self) -> list[int]:
        """The largest set of steps that are equally far from the first steps, or from the last."""
        layout = self._layout
        order = list(chain.from_iterable(layout.batches))
        by_depth = _largest_class(order, layout.needs)
        by_height = _largest_class(order[::-1], layout.dependents)
        return max(by_depth, by_height, key=len)

    def improve(self) -> bool:
        """Join pairs of paths by the shortest ways there are, as many as go together; whether there were any.

        This is a phase of Dinic's algorithm.
        """
        if not self._measure_ways():
            return False
        self._onward: dict[int, list[int]] = {}
        for number, leaves in enumerate(self._leaves):
            way = [] if leaves else self._find_way(2 * number)
            if way:
                self._take(way)
                self.looks += len(way)
        return True

    def unreached(self) -> list[int]:
        """After the last look, which found no way: the steps that no way out of another led into."""
        far = self._far
        return [number for number in range(len(self._leaves)) if far[2 * number] >= 0 > far[2 * number + 1]]

    def _join(self, before: int, number: int) -> None:
        self._leaves[before] = self._entered[number] = True
        self._came[number][before] = self._came[number].get(before, 0) + 1
        self.paths -= 1

    def _measure_ways(self) -> bool:
        """Measure how far places are, breadth first, from the steps that no path goes on from.

        Up to the nearest steps that no path has entered; whether there are any. A place is an even number for the way
        out of a step, the next odd one for the way in.
        """
        self.looks += self.size
        self._far = far = [-1] * (2 * len(self._leaves))
        places = [2 * number for number, leaves in enumerate(self._leaves) if not leaves]
        distance = 0
        while places:
            for place in places:
                far[place] = distance
            if any(place & 1 and not self._entered[place >> 1] for place in places):
                return True
            places = list({there: None for place in places for there in self._next_places(place) if far[there] < 0})
            distance += 1
        return False

    def _find_way(self, start: int) -> list[int]:
        """A shortest way from here to a step that no path has entered; empty if none is left.

        What is a dead end once remains one for this phase.
        """
        far, onward = self._far, self._onward
        way = [start]
        while way:
            place = way[-1]
            if place & 1 and not self._entered[place >> 1]:
                break
            if place not in onward:
                onward[place] = [there for there in self._next_places(place) if far[there] == far[place] + 1]
            ahead = onward[place]
            while ahead and not self._is_open(place, ahead[-1]):
                ahead.pop()
            if ahead:
                way.append(ahead[-1])
            else:
                way.pop()
                if way:
                    onward[way[-1]].pop()
        return way

    def _next_places(self, place: int) -> list[int]:
        """Where flow can go on to from here, or be taken back from."""
        number = place >> 1
        if place & 1:
            return [place - 1, *(2 * before for before, count in self._came[number].items() if count)]
        onward = [2 * dependent + 1 for dependent in self._layout.dependents[number]]
        return [*onward, place + 1] if self._through[number] else onward

    def _is_open(self, here: int, there: int) -> bool:
        """Whether a way that was open when the phase began still is."""
        one, other = here >> 1, there >> 1
        if here & 1:
            return one == other or self._came[one][other] > 0
        return one != other or self._through[one] > 0

    def _take(self, way: Sequence[int]) -> None:
        """Send one more along this way."""
        for here, there in zip(way, way[1:]):
            one, other = here >> 1, there >> 1
            if one == other:
                self._through[one] += 1 if here & 1 else -1
            elif here & 1:
                self._came[one][other] -= 1
            else:
                self._came[other][one] = self._came[other].get(one, 0) + 1
        self._leaves[way[0] >> 1] = self._entered[way[-1] >> 1] = True
        self.paths -= 1


def _largest_class(order: Iterable[int], before: Sequence[Sequence[int]]) -> list[int]:
    """Of the classes of steps with as many steps on the longest path before them, the largest."""
    depth = [0] * len(before)
    classes: list[list[int]] = []
    for number in order:
        depth[number] = own = max((depth[other] + 1 for other in before[number]), default=0)
        if own == len(classes):
            classes.append([])
        classes[own].append(number)
    return max(classes, key=len) if classes else []
