"""Route each dependency from one box to another."""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from wfplan.render.svg.edges import Edge
from wfplan.render.svg.lanes import lanes_of
from wfplan.render.svg.layout import BOX_HEIGHT, LANE, Layout
from wfplan.render.svg.nets import nets_of
from wfplan.render.svg.stack import ARROW_HEIGHT, Stack, stack_up
from wfplan.render.svg.tracks import channels_of, way
from wfplan.render.view import Band

__all__ = ["Routes", "routes_of", "short"]

_RADIUS = 4
"""Of a corner; less than lanes and tracks are apart."""
_Point = Tuple[float, float]


class Routes(NamedTuple):
    """All dependencies as paths of an SVG, and the heights that they need."""

    paths: Dict[Edge, str]
    stack: Stack
    left: float
    """How far to the left they go; not above 0."""
    right: float
    """How far to the right they or the boxes go."""


def routes_of(layout: Layout, bands: Sequence[Band], edges: Sequence[Edge]) -> Routes:
    """Return the path of each dependency, from the box of what is needed to that of what needs it, further down."""
    nets = nets_of(layout, edges)
    lanes = lanes_of(layout, edges, nets)
    ways = {edge: way(edge, layout, nets, lanes) for edge in edges}
    channels = channels_of(layout, nets, ways)
    stack = stack_up(layout, bands, channels)
    paths: Dict[Edge, str] = {}
    for edge, places in ways.items():
        first, net = nets.rows[edge[0]], nets.of[edge]
        last = nets.rows[edge[1]]
        heights = [stack.tracks[row] + channels[row].tracks.get(net, 0) * LANE for row in range(first, last)]
        end = stack.rows[last] - ARROW_HEIGHT + 1
        paths[edge] = _path(list(_corners(places, heights)), stack.rows[first] + BOX_HEIGHT, end)
    outer = [lane.place * LANE for lane in lanes.values()]
    return Routes(paths, stack, min((0, *outer)), max((layout.width, *outer)))


def _corners(places: Sequence[int], heights: Sequence[float]) -> Iterator[_Point]:
    """Yield where a way begins, and where it turns."""
    yield places[0] * LANE, 0.0
    for place, then, y in zip(places, places[1:], heights):
        if place != then:
            yield place * LANE, y
            yield then * LANE, y


def _path(corners: List[_Point], start: float, end: float) -> str:
    """Down to each corner and around it."""
    parts = [f"M{short(corners[0][0])} {short(start)}"]
    for (x, y), (to_x, _) in zip(corners[1::2], corners[2::2]):
        radius = min(_RADIUS, abs(to_x - x) / 2)
        turn = radius if to_x > x else -radius
        parts.append(f"V{short(y - radius)}Q{short(x)} {short(y)} {short(x + turn)} {short(y)}H{short(to_x - turn)}")
        parts.append(f"Q{short(to_x)} {short(y)} {short(to_x)} {short(y + radius)}")
    return "".join((*parts, f"V{short(end)}"))


def short(number: float) -> str:
    """Return a number for a path: no digit more than can be seen."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
