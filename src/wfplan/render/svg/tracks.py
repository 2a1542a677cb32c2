"""The tracks in which dependencies run sideways between two rows."""

from __future__ import annotations

from math import fsum
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple

from wfplan.render.svg.edges import Edge
from wfplan.render.svg.lanes import Lanes
from wfplan.render.svg.layout import Layout
from wfplan.render.svg.nets import Net, Nets

__all__ = ["Channel", "channels_of", "way"]

_FEW = 12
"""Up to so many tracks the order that crosses less matters more than how few there are."""


class Channel(NamedTuple):
    """What is between a row and the next one."""

    tracks: Mapping[Net, int]
    """From top to bottom; nets that go straight down have none."""
    height: int
    """How many tracks there are."""


class _Aside(NamedTuple):
    """How far a net goes aside in a channel."""

    net: Net
    left: int
    right: int
    leaves: bool
    """Whether it comes from the upper row and goes past the lower one, which is of the same batch.

    All that does goes aside above what comes to the lower row: the boxes of a batch stand right below each other.
    """
    tops: Tuple[int, ...]
    bottoms: Tuple[int, ...]

    @property
    def order(self) -> tuple[bool, float]:
        """Those that go right, from right to left, then those that go left, from left to right: so few cross."""
        top, bottom = fsum(self.tops) / len(self.tops), fsum(self.bottoms) / len(self.bottoms)
        return bottom < top, -top if bottom >= top else top


def way(edge: Edge, layout: Layout, nets: Nets, lanes: Lanes) -> list[int]:
    """Return the lanes of a dependency: where it leaves its step, passes each row, and reaches the other step."""
    net = nets.of[edge]
    first, last = nets.rows[edge[0]], nets.rows[edge[1]]
    passed = [lanes[layout.rows[row].band, net].place for row in range(first + 1, last)]
    return [nets.exits[edge], *passed, layout.middle[edge[1]]]


def channels_of(layout: Layout, nets: Nets, ways: Mapping[Edge, Sequence[int]]) -> list[Channel]:
    """Return the channel below each row but the last."""
    aside: List[Dict[Net, List[Tuple[int, int, bool]]]] = [{} for _ in layout.rows[1:]]
    for edge, places in ways.items():
        first = nets.rows[edge[0]]
        for row, (top, bottom) in enumerate(zip(places, places[1:]), first):
            if top != bottom:
                one_batch = layout.rows[row].band == layout.rows[row + 1].band
                aside[row].setdefault(nets.of[edge], []).append((top, bottom, one_batch and row == first))
    return [_channel([_measure(net, parts) for net, parts in found.items()]) for found in aside]


def _measure(net: Net, parts: Sequence[Tuple[int, int, bool]]) -> _Aside:
    tops, bottoms, leaves = zip(*parts)
    both = (*tops, *bottoms)
    return _Aside(net, min(both), max(both), any(leaves), tuple(set(tops)), tuple(set(bottoms)))


def _channel(found: Sequence[_Aside]) -> Channel:
    """Return the nets by track, those that leave above all others."""
    tracks: Dict[Net, int] = {}
    height = 0
    for leaves in (True, False):
        taken: List[List[_Aside]] = []
        for one in sorted((one for one in found if one.leaves is leaves), key=lambda one: one.order):
            track = _free_track(one, taken)
            taken[track].append(one)
            tracks[one.net] = height + track
        height += len(taken)
    return Channel(tracks, height)


def _free_track(one: _Aside, taken: List[List[_Aside]]) -> int:
    """Return the track right below all that it would overlap with or, where these are many, the first that has room."""
    free = [all(one.right + 1 < other.left or other.right + 1 < one.left for other in track) for track in taken]
    track = max((place + 1 for place, has_room in enumerate(free) if not has_room), default=0)
    if track >= _FEW and True in free:
        track = free.index(True)
    if track == len(taken):
        taken.append([])
    return track
