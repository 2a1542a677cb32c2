"""Group dependencies that share a line.

A line that only splits comes from one step, and one that only merges leads to one. So whoever follows a dependency
from its step onwards comes to those that wait for it, and to no others.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, FrozenSet, List, Mapping, NamedTuple, Sequence, Tuple

from typing_extensions import TypeAlias

from wfplan.render.svg.edges import Edge
from wfplan.render.svg.layout import Layout

__all__ = ["Net", "Nets", "nets_of"]

Net: TypeAlias = Tuple[str, ...]
"""What shares a line: all `("from", step)`, all `("to", step)`, or `("only", step, step)`, one that is straight."""
Pin: TypeAlias = Tuple[int, int]
"""A row, and the lane in which a line leaves or reaches a box of it."""

_ASIDE = 2
"""How many lanes beside the middle of a box a line leaves it, where the line of another step arrives right below."""
_NEARLY = 2
"""How many lanes beside it the only line of a box leaves it, at most, so as to run straight down."""


class Nets(NamedTuple):
    """The lines of a picture, and where they touch boxes."""

    rows: Mapping[str, int]
    """The row of each step."""
    of: Mapping[Edge, Net]
    exits: Mapping[Edge, int]
    """The lane in which a dependency leaves its step."""
    leaving: Mapping[Pin, FrozenSet[Net]]
    """Which nets may go straight on in a lane in which steps are left; no other may be in it right below."""
    arriving: Mapping[Pin, FrozenSet[Net]]
    """Which nets may come straight down in a lane in which steps are reached; no other may be in it right above."""


def nets_of(layout: Layout, edges: Sequence[Edge]) -> Nets:
    """Return the net of each dependency, and how it leaves its step."""
    leaving, arriving = Counter(needed for needed, _ in edges), Counter(name for _, name in edges)
    rows = {name: number for number, row in enumerate(layout.rows) for name in row.names}
    of: Dict[Edge, Net] = {}
    for needed, name in edges:
        of[needed, name] = ("from", needed) if leaving[needed] >= arriving[name] else ("to", name)
    exits: Dict[Edge, int] = {}
    for needed, name in edges:
        exits[needed, name] = middle = layout.middle[needed]
        below = _below(layout, rows[needed], middle, arriving)
        if below and (needed, below) not in of:
            exits[needed, name] = middle + _ASIDE
        elif below and leaving[needed] > 1 and arriving[below] > 1:
            if name == below:
                of[needed, name] = ("only", needed, name)
            else:
                exits[needed, name] = middle + _ASIDE
        elif leaving[needed] == 1 and _is_nearly_below(layout, rows[needed], middle, name):
            exits[needed, name] = layout.middle[name]
    starts: Dict[Pin, List[Edge]] = {}
    ends: Dict[Pin, List[Edge]] = {}
    for edge in edges:
        starts.setdefault((rows[edge[0]], exits[edge]), []).append(edge)
        ends.setdefault((rows[edge[1]], layout.middle[edge[1]]), []).append(edge)
    return Nets(rows, of, exits, _straight(starts, of, "from"), _straight(ends, of, "to"))


def _below(layout: Layout, row: int, middle: int, arriving: Mapping[str, int]) -> str:
    """Return the step right below, in the next batch, that waits for something; empty if there is none."""
    if row + 1 == len(layout.rows) or layout.rows[row].band == layout.rows[row + 1].band:
        return ""
    found = (name for name in layout.rows[row + 1].names if layout.middle[name] == middle and arriving[name])
    return next(found, "")


def _is_nearly_below(layout: Layout, row: int, middle: int, name: str) -> bool:
    return name in layout.rows[row + 1].names and abs(layout.middle[name] - middle) <= _NEARLY


def _straight(pins: Mapping[Pin, List[Edge]], of: Mapping[Edge, Net], kind: str) -> dict[Pin, frozenset[Net]]:
    """At each pin the nets that split or merge nowhere but there; whichever it is, if it is alone."""
    return {
        pin: frozenset(of[edge] for edge in edges if len(edges) == 1 or of[edge][0] == kind)
        for pin, edges in pins.items()
    }
