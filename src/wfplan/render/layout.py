"""Where the steps stand: batches from top to bottom, each in rows, and in a row near what they need."""

from __future__ import annotations

from math import ceil
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from wfplan.render.scene import Band, Scene

__all__ = ["BAND_PADDING", "BOX_HEIGHT", "Layout", "PlacedBand", "Row", "lay_out"]

BOX_HEIGHT = 40
COLUMN_GAP = 28
"""Between two boxes of a row; dependencies that pass the row go through here."""
ROW_GAP = 34
BAND_GAP = 34
BAND_PADDING = 11
BAND_LABEL_HEIGHT = 46
"""What the words beside a batch need."""
MOST_WIDE = 1240
"""Batches that would be wider go on in another row."""


class Row(NamedTuple):
    """Boxes beside each other, from left to right."""

    y: float
    names: Tuple[str, ...]
    band: int
    """The place of their batch among all."""


class PlacedBand(NamedTuple):
    """A batch and its place."""

    band: Band
    y: float
    height: float


class Layout(NamedTuple):
    """The places of all boxes and batches, from the left upper corner of all of them."""

    width: float
    height: float
    box_width: float
    left: Mapping[str, float]
    """The left edge of each box, by name."""
    rows: Tuple[Row, ...]
    bands: Tuple[PlacedBand, ...]


def lay_out(scene: Scene, box_width: float) -> Layout:
    """The places of the steps of a scene, in n log n time."""
    pitch = box_width + COLUMN_GAP
    most = max(1, int((MOST_WIDE + COLUMN_GAP) // pitch))
    width = max((_columns(len(band.steps), most) for band in scene.bands), default=1) * pitch - COLUMN_GAP
    grids = [_Grid(band, pitch, width, most) for band in scene.bands]
    left = _settled(scene, grids)
    rows, bands, height = _stacked(grids, left)
    return Layout(width, height, box_width, left, rows, bands)


def _columns(steps: int, most: int) -> int:
    """How many boxes stand side by side: rows of one batch are as even as they can be."""
    return ceil(steps / ceil(steps / most))


class _Grid:
    """The places that a batch has to give away; which step gets which is settled bit by bit."""

    def __init__(self, band: Band, pitch: float, room: float, most: int) -> None:
        self.band = band
        self.names = list(band.steps)
        self.columns = _columns(len(band.steps), most)
        self.pitch = pitch
        self.room = room

    def settle(self, wishes: Mapping[str, float]) -> dict[str, float]:
        """A place for each step, as near to its wish as the others allow.

        Steps that run one by one keep their order, which is the order in which they run.
        """
        if self.band.parallel is not False:
            self.names.sort(key=wishes.__getitem__)
        if self.columns == len(self.names):
            return dict(zip(self.names, _apart([wishes[name] for name in self.names], self.pitch, self.room)))
        start = (self.room - self.columns * self.pitch + COLUMN_GAP) / 2
        return {name: start + column * self.pitch for row in self.rows() for column, name in enumerate(row)}

    def rows(self) -> list[list[str]]:
        """The steps row by row; where their order is free, those that stand below each other have alike wishes."""
        count = ceil(len(self.names) / self.columns)
        if self.band.parallel is False:
            return [self.names[row * self.columns : (row + 1) * self.columns] for row in range(count)]
        return [self.names[row::count] for row in range(count)]


def _settled(scene: Scene, grids: Sequence[_Grid]) -> dict[str, float]:
    """The left edges after three passes: downwards to what is needed, upwards to what needs it, downwards to both."""
    needs = {name: node.needs for name, node in scene.nodes.items()}
    needed_by = _reversed(needs)
    both = {name: (*needs[name], *needed_by[name]) for name in needs}
    left: Dict[str, float] = {}
    for grid in grids:
        middle = (grid.room - grid.columns * grid.pitch + COLUMN_GAP) / 2
        left.update(grid.settle({name: middle + place * grid.pitch for place, name in enumerate(grid.names)}))
    for order, neighbours in ((grids, needs), (grids[::-1], needed_by), (grids, both)):
        for grid in order:
            left.update(grid.settle({name: _mean(left, neighbours[name], left[name]) for name in grid.names}))
    return left


def _reversed(needs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    needed_by: Dict[str, List[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for other in needed:
            needed_by[other].append(name)
    return needed_by


def _mean(left: Mapping[str, float], names: Sequence[str], default: float) -> float:
    return sum(left[name] for name in names) / len(names) if names else default


def _apart(wishes: Sequence[float], pitch: float, room: float) -> list[float]:
    """Places in the order of the wishes, at least `pitch` apart: the middle between pushing right and pushing left."""
    rightwards: List[float] = []
    for wish in wishes:
        rightwards.append(max(wish, rightwards[-1] + pitch) if rightwards else wish)
    leftwards: List[float] = []
    for wish in reversed(wishes):
        leftwards.append(min(wish, leftwards[-1] - pitch) if leftwards else wish)
    end = room + COLUMN_GAP
    return [
        min(max((one + other) / 2, place * pitch), end - (len(wishes) - place) * pitch)
        for place, (one, other) in enumerate(zip(rightwards, reversed(leftwards)))
    ]


def _stacked(
    grids: Sequence[_Grid], left: Mapping[str, float]
) -> tuple[tuple[Row, ...], tuple[PlacedBand, ...], float]:
    """The rows and the batches below each other, and where the last of them ends."""
    rows: List[Row] = []
    bands: List[PlacedBand] = []
    y = 0.0
    for number, grid in enumerate(grids):
        names = grid.rows()
        inner = len(names) * (BOX_HEIGHT + ROW_GAP) - ROW_GAP
        height = max(inner, BAND_LABEL_HEIGHT) + 2 * BAND_PADDING
        bands.append(PlacedBand(grid.band, y, height))
        first = y + (height - inner) / 2
        rows += [
            Row(first + place * (BOX_HEIGHT + ROW_GAP), tuple(sorted(row, key=left.__getitem__)), number)
            for place, row in enumerate(names)
        ]
        y += height + BAND_GAP
    return tuple(rows), tuple(bands), max(y - BAND_GAP, 0.0)
