"""The vertical places of rows, batches and tracks."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

from wfplan.render.svg.layout import BOX_HEIGHT, LANE, Layout
from wfplan.render.svg.tracks import Channel
from wfplan.render.view import Band

__all__ = ["ARROW_HEIGHT", "PlacedBand", "Stack", "stack_up"]

ARROW_HEIGHT = 7
_LEAST_GAP = 34
"""Between two rows or batches."""
_PADDING = 11
"""Between a batch and its boxes."""
_LABEL_HEIGHT = 46
"""What the words beside a batch need."""


class PlacedBand(NamedTuple):
    """A batch and its place."""

    band: Band
    y: float
    height: float


class Stack(NamedTuple):
    """Heights, from the upper edge of the first batch on."""

    rows: Tuple[float, ...]
    """The upper edges of the boxes of each row."""
    tracks: Tuple[float, ...]
    """The first track below each row but the last."""
    bands: Tuple[PlacedBand, ...]
    height: float


def stack_up(layout: Layout, bands: Sequence[Band], channels: Sequence[Channel]) -> Stack:
    """Return the rows and batches below each other."""
    rows: List[float] = []
    tracks: List[float] = []
    placed: List[PlacedBand] = []
    y = 0.0
    for place, band in enumerate(bands):
        numbers = [number for number, row in enumerate(layout.rows) if row.band == place]
        inner = [_gap(channels[number], ARROW_HEIGHT) for number in numbers[:-1]]
        boxes = len(numbers) * BOX_HEIGHT + sum(inner)
        height = max(boxes, _LABEL_HEIGHT) + 2 * _PADDING
        placed.append(PlacedBand(band, y, height))
        top = y + (height - boxes) / 2
        for number, gap in zip(numbers, [*inner, 0.0]):
            rows.append(top)
            top += BOX_HEIGHT
            tracks.append(_first_track(channels[number], top, gap - ARROW_HEIGHT) if gap else 0.0)
            top += gap
        y += height
        if place + 1 < len(bands):
            below = channels[numbers[-1]]
            tracks[-1] = _first_track(below, y, _gap(below, 0))
            y += _gap(below, 0)
    return Stack(tuple(rows), tuple(tracks), tuple(placed), y)


def _gap(channel: Channel, more: float) -> float:
    """Return the room that the tracks of a channel need."""
    return max(_LEAST_GAP, (channel.height + 1) * LANE + more)


def _first_track(channel: Channel, y: float, gap: float) -> float:
    """Tracks are in the middle of the room that they have."""
    return y + (gap - (channel.height - 1) * LANE) / 2
