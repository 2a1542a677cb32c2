"""The horizontal places of steps: rows of batches, each step near what it needs."""

from __future__ import annotations

from math import ceil, floor, fsum
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from wfplan.render.svg.edges import Edge
from wfplan.render.view import Band, Scene

__all__ = ["BOX_HEIGHT", "CLEARANCE", "LANE", "Layout", "Row", "lay_out"]

BOX_HEIGHT = 40
LANE = 6
"""Between two dependencies side by side; whatever runs downwards does so at a multiple of it."""
CLEARANCE = 6
"""Between a box and what passes it."""
_LEAST_GAP = 28
_MOST_GAP = 100
"""Between two boxes of a row; dependencies that pass the row go through here."""
_MOST_WIDE = 1240
"""Batches that would be wider go on in another row."""


class Row(NamedTuple):
    """Boxes beside each other, from left to right."""

    names: Tuple[str, ...]
    band: int
    """The place of their batch among all."""


class Layout(NamedTuple):
    """The places of all boxes from left to right, and their rows from top to bottom."""

    width: float
    box_width: float
    middle: Mapping[str, int]
    """The middle of each box in lanes, by name."""
    rows: Tuple[Row, ...]


def lay_out(scene: Scene, edges: Sequence[Edge], box_width: float) -> Layout:
    """Return the places of the steps of a scene, in n log n time."""
    most = max(1, int((_MOST_WIDE + _LEAST_GAP) // (box_width + _LEAST_GAP)))
    gap = _gap(scene, edges, most)
    pitch = ceil((box_width + gap) / LANE) * LANE
    gap = pitch - box_width
    width = max((_columns(len(band.steps), most) for band in scene.bands), default=1) * pitch - gap
    grids = [_Grid(band, pitch, gap, width, most) for band in scene.bands]
    left = _settled(scene, grids)
    middle = {name: floor(round((x + box_width / 2) / LANE, 3) + 0.5) for name, x in left.items()}
    rows = [
        Row(tuple(sorted(row, key=middle.__getitem__)), place)
        for place, grid in enumerate(grids)
        for row in grid.rows()
    ]
    return Layout(width, box_width, middle, tuple(rows))


def _gap(scene: Scene, edges: Sequence[Edge], most: int) -> float:
    """Return how far apart columns are, so that lines that pass a batch have room."""
    band_of = {name: place for place, band in enumerate(scene.bands) for name in band.steps}
    ends: List[Tuple[set[str], set[str]]] = [(set(), set()) for _ in scene.bands]
    for needed, name in edges:
        first, last = band_of[needed], band_of[name]
        for place in range(first, last + 1):
            steps = len(scene.bands[place].steps)
            if first < place < last or _columns(steps, most) < steps:
                ends[place][0].add(needed)
                ends[place][1].add(name)
    lanes = [ceil(min(map(len, both)) / (_columns(len(band.steps), most) + 1)) for band, both in zip(scene.bands, ends)]
    return min(max(_LEAST_GAP, 2 * CLEARANCE + (max(lanes, default=0) + 1) * LANE), _MOST_GAP)


def _columns(steps: int, most: int) -> int:
    """Return how many boxes stand side by side: rows of one batch are as even as they can be."""
    return ceil(steps / ceil(steps / most))


class _Grid:
    """The places that a batch has to give away; which step gets which is settled bit by bit."""

    def __init__(self, band: Band, pitch: float, gap: float, room: float, most: int) -> None:
        self.band = band
        self.names = list(band.steps)
        self.columns = _columns(len(band.steps), most)
        self.pitch = pitch
        self.gap = gap
        self.room = room

    def place_near(self, wishes: Mapping[str, float]) -> dict[str, float]:
        """Return a place for each step, as near to its wish as the others allow.

        Steps that run one by one keep their order, which is the order in which they run.
        """
        if self.band.parallel is not False:
            self.names.sort(key=wishes.__getitem__)
        if self.columns == len(self.names):
            return dict(
                zip(self.names, _apart([wishes[name] for name in self.names], self.pitch, self.room + self.gap))
            )
        start = (self.room - self.columns * self.pitch + self.gap) / 2
        return {name: start + column * self.pitch for row in self.rows() for column, name in enumerate(row)}

    def rows(self) -> list[list[str]]:
        """Return the steps row by row; where their order is free, by the places that they would like."""
        count = ceil(len(self.names) / self.columns)
        if self.band.parallel is False:
            return [self.names[row * self.columns : (row + 1) * self.columns] for row in range(count)]
        return [self.names[row::count] for row in range(count)]


def _settled(scene: Scene, grids: Sequence[_Grid]) -> dict[str, float]:
    """Return the left edges after three passes: down to dependencies, up to dependents, down to both."""
    needs = {name: node.needs for name, node in scene.nodes.items()}
    needed_by = _reversed(needs)
    both = {name: (*needs[name], *needed_by[name]) for name in needs}
    left: Dict[str, float] = {}
    for grid in grids:
        middle = (grid.room - grid.columns * grid.pitch + grid.gap) / 2
        left.update(grid.place_near({name: middle + place * grid.pitch for place, name in enumerate(grid.names)}))
    for order, neighbors in ((grids, needs), (grids[::-1], needed_by), (grids, both)):
        for grid in order:
            left.update(grid.place_near({name: _mean(left, neighbors[name], left[name]) for name in grid.names}))
    return left


def _reversed(needs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    needed_by: Dict[str, List[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for other in needed:
            needed_by[other].append(name)
    return needed_by


def _mean(left: Mapping[str, float], names: Sequence[str], default: float) -> float:
    return fsum(left[name] for name in names) / len(names) if names else default  # fsum: sum differs by Python


def _apart(wishes: Sequence[float], pitch: float, end: float) -> list[float]:
    """Places in the order of the wishes, at least `pitch` apart: the middle between pushing right and pushing left."""
    rightwards: List[float] = []
    for wish in wishes:
        rightwards.append(max(wish, rightwards[-1] + pitch) if rightwards else wish)
    leftwards: List[float] = []
    for wish in reversed(wishes):
        leftwards.append(min(wish, leftwards[-1] - pitch) if leftwards else wish)
    return [
        min(max((one + other) / 2, place * pitch), end - (len(wishes) - place) * pitch)
        for place, (one, other) in enumerate(zip(rightwards, reversed(leftwards)))
    ]
