"""The lanes in which dependencies pass batches."""

from __future__ import annotations

from itertools import count
from math import ceil
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from typing_extensions import TypeAlias

from wfplan.render.svg.edges import Edge
from wfplan.render.svg.layout import CLEARANCE, LANE, Layout
from wfplan.render.svg.nets import Net, Nets

__all__ = ["Lanes", "lanes_of"]


class _Lane(NamedTuple):
    """Where a net passes rows of a batch: straight down, from the first of them to the last."""

    place: int
    """From the left, in lanes."""
    first: int
    last: int


Lanes: TypeAlias = Mapping[Tuple[int, Net], _Lane]
"""By batch and net."""


def lanes_of(layout: Layout, edges: Sequence[Edge], nets: Nets) -> Lanes:
    """Return the lane of each net in each batch of which it passes a row, as straight as it can be."""
    of_net: Dict[Net, List[Edge]] = {}
    for edge in edges:
        of_net.setdefault(nets.of[edge], []).append(edge)
    lanes: Dict[Tuple[int, Net], _Lane] = {}
    for band, passing in enumerate(_passing(layout, edges, nets)):
        street = _Street(layout, nets, band, lanes)
        starts = {net: _start(of_net[net], nets, lanes.get((band - 1, net)), rows) for net, rows in passing.items()}
        for net in sorted(passing, key=lambda net: ((band - 1, net) not in lanes, starts[net])):
            first, last = passing[net]
            ends = [layout.middle[name] for _, name in of_net[net] if nets.rows[name] > first]
            lanes[band, net] = street.pass_rows(net, first, last, starts[net], sum(ends) // len(ends))
    return lanes


def _passing(layout: Layout, edges: Sequence[Edge], nets: Nets) -> list[dict[Net, tuple[int, int]]]:
    """By batch the nets that pass rows of it, and the first and the last of these rows."""
    passing: List[Dict[Net, Tuple[int, int]]] = [{} for _ in range(layout.rows[-1].band + 1)] if layout.rows else []
    for needed, name in edges:
        net = nets.of[needed, name]
        for row in range(nets.rows[needed] + 1, nets.rows[name]):
            of_band = passing[layout.rows[row].band]
            first, last = of_band.get(net, (row, row))
            of_band[net] = (min(first, row), max(last, row))
    return passing


def _start(edges: Sequence[Edge], nets: Nets, before: _Lane | None, rows: tuple[int, int]) -> int:
    """Return where a net comes from: its lane beside the batch before, or the mean of the steps that it leaves."""
    if before is not None:
        return before.place
    exits = [nets.exits[edge] for edge in edges if rows[0] - 1 <= nets.rows[edge[0]] < rows[1]]
    return sum(exits) // len(exits)


class _Street:
    """The lanes of a batch."""

    def __init__(self, layout: Layout, nets: Nets, band: int, lanes: Lanes) -> None:
        rows = [number for number, row in enumerate(layout.rows) if row.band == band]
        self._first, self._last = rows[0], rows[-1]
        half = ceil((layout.box_width / 2 + CLEARANCE) / LANE) - 1
        self._boxes = {
            row: {
                lane
                for name in layout.rows[row].names
                for lane in range(layout.middle[name] - half, layout.middle[name] + half + 1)
            }
            for row in rows
        }
        self._above = {lane: allowed for (row, lane), allowed in nets.leaving.items() if row == self._first - 1}
        for (other, net), lane in lanes.items():
            if other == band - 1 and lane.last == self._first - 1:
                self._above[lane.place] = frozenset((net,))
        self._below = {lane: allowed for (row, lane), allowed in nets.arriving.items() if row == self._last + 1}
        self._taken: Dict[int, List[_Lane]] = {}

    def pass_rows(self, net: Net, first: int, last: int, start: int, aim: int) -> _Lane:
        """Return a way past these rows that leads from one place to another with as few detours as the others leave."""
        place = start
        if not self._is_free(net, _Lane(start, first, last)):
            step = 1 if aim > start else -1
            ahead = self._next(net, first, last, start, step)
            behind = self._next(net, first, last, start, -step)
            place = min(ahead, behind, key=lambda lane: abs(lane - start) + abs(lane - aim))
        lane = _Lane(place, first, last)
        self._taken.setdefault(place, []).append(lane)
        return lane

    def _next(self, net: Net, first: int, last: int, start: int, step: int) -> int:
        return next(place for place in count(start, step) if self._is_free(net, _Lane(place, first, last)))

    def _is_free(self, net: Net, lane: _Lane) -> bool:
        """Return whether no box and no other net is there, beside the rows or where it leaves or reaches them.

        Of the rows of a batch the upper ones have boxes wherever lower ones have.
        """
        place, first, last = lane
        if place in self._boxes[first] or any(
            other.first <= last + 1 and first <= other.last + 1 for other in self._taken.get(place, ())
        ):
            return False
        if first == self._first and net not in self._above.get(place, (net,)):
            return False
        return last != self._last or net in self._below.get(place, (net,))
