"""How a dependency runs from one box to another: as a curve between the rows, and past boxes, never behind one."""

from __future__ import annotations

from bisect import bisect_right
from typing import Dict, List, Mapping, NamedTuple, Tuple

from wfplan.render.layout import BOX_HEIGHT, Layout

__all__ = ["ARROW_HEIGHT", "SIDE", "Router", "short"]

ARROW_HEIGHT = 7
SIDE = 48
"""Room for dependencies left and right of all boxes."""
_CLEARANCE = 6
_LANE = 5.5
"""Between two dependencies that pass the same gap."""


class _Passage(NamedTuple):
    """Where a dependency crosses a row: straight down at `x`."""

    x: float
    row: int


class Router:
    """Finds a way for one dependency after the other; remembers which ways are taken."""

    def __init__(self, layout: Layout, owners: Mapping[Tuple[str, str], str]) -> None:
        """The owner of a dependency is the end that has more of them: those of one owner share their way."""
        self._layout = layout
        self._owners = owners
        self._row_of = {name: number for number, row in enumerate(layout.rows) for name in row.names}
        self._lefts = [[layout.left[name] for name in row.names] for row in layout.rows]
        self._lanes: Dict[Tuple[int, int], Dict[str, int]] = {}

    def rows_between(self, needed: str, name: str) -> int:
        """How far a dependency has to go."""
        return self._row_of[name] - self._row_of[needed]

    def path(self, needed: str, name: str) -> str:
        """The path of an SVG from the box of `needed` to that of `name`, which stands further down.

        Between two rows of one batch what leaves the upper one turns aside in the upper half, and what comes to the
        lower one in the lower half: else it would look as if the lower row waited for the upper one.
        """
        first, last = self._row_of[needed], self._row_of[name]
        x, y = self._middle(needed), self._bottom(first)
        parts = [f"M{short(x)} {short(y)}"]
        for passage in self._passages(needed, name):
            if passage.x != x:
                leaves = passage.row == first + 1 and self._is_one_batch(passage.row)
                end = self._half_way(passage.row) if leaves else self._layout.rows[passage.row].y - 2
                parts.append(_curve(x, y, passage.x, end))
            x, y = passage.x, self._bottom(passage.row) + 2
            parts.append(f"V{short(y)}")
        if x != self._middle(name) and self._is_one_batch(last):
            y = self._half_way(last)
            parts.append(f"V{short(y)}")
        parts.append(_curve(x, y, self._middle(name), self._layout.rows[last].y - ARROW_HEIGHT + 1))
        return "".join(parts)

    def _is_one_batch(self, row: int) -> bool:
        """Whether the row above belongs to the same batch."""
        return self._layout.rows[row - 1].band == self._layout.rows[row].band

    def _half_way(self, row: int) -> float:
        """The middle of the gap above a row."""
        return (self._bottom(row - 1) + self._layout.rows[row].y) / 2

    def _passages(self, needed: str, name: str) -> list[_Passage]:
        x, end = self._middle(needed), self._middle(name)
        first, last = self._row_of[needed], self._row_of[name]
        passages: List[_Passage] = []
        for row in range(first + 1, last):
            wish, lean = self._wish(x, end, row, last)
            x = self._free(wish, lean, row, self._owners[needed, name])
            passages.append(_Passage(x, row))
        return passages

    def _wish(self, x: float, end: float, row: int, last: int) -> tuple[float, float]:
        """Where to pass a row, and on which side of a box there.

        Sideways it goes before a batch, where there is more room than between the rows of one.
        """
        before, band, target = (self._layout.rows[number].band for number in (row - 1, row, last))
        if band == target:
            return end, x - end
        if band == before or (abs(end - x) <= self._layout.box_width and self._blocking(x, row) < 0):
            return x, end - x
        return x + (end - x) / (target - band + 1), end - x

    def _blocking(self, x: float, row: int) -> int:
        """Which box of a row is in the way at `x`; -1 if none is."""
        box = bisect_right(self._lefts[row], x + _CLEARANCE) - 1
        return box if box >= 0 and x < self._lefts[row][box] + self._layout.box_width + _CLEARANCE else -1

    def _free(self, wish: float, lean: float, row: int, owner: str) -> float:
        """The way past the boxes of a row that is nearest to a wish, beside those that others took before.

        In the middle of a box it goes left, unless it leans to the right.
        """
        box = self._blocking(wish, row)
        if box < 0:
            return wish
        left = self._lefts[row][box] - _CLEARANCE
        right = left + self._layout.box_width + 2 * _CLEARANCE
        if wish - left < right - wish or (wish - left == right - wish and lean <= 0):
            return left - self._lane(row, box, owner, left - self._end_of(row, box - 1))
        return right + self._lane(row, box + 1, owner, self._start_of(row, box + 1) - right)

    def _lane(self, row: int, gap: int, owner: str, width: float) -> float:
        """How far into a gap an owner's dependencies go; when all lanes are taken, they are shared."""
        lanes = self._lanes.setdefault((row, gap), {})
        return lanes.setdefault(owner, len(lanes)) % (int(width / _LANE) + 1) * _LANE

    def _end_of(self, row: int, box: int) -> float:
        return self._lefts[row][box] + self._layout.box_width + _CLEARANCE if box >= 0 else _CLEARANCE - SIDE

    def _start_of(self, row: int, box: int) -> float:
        lefts = self._lefts[row]
        return lefts[box] - _CLEARANCE if box < len(lefts) else self._layout.width + SIDE - _CLEARANCE

    def _middle(self, name: str) -> float:
        return self._layout.left[name] + self._layout.box_width / 2

    def _bottom(self, row: int) -> float:
        return self._layout.rows[row].y + BOX_HEIGHT


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    """Down, over and down again."""
    if x == to_x:
        return f"V{short(to_y)}"
    middle = short((y + to_y) / 2)
    return f"C{short(x)} {middle} {short(to_x)} {middle} {short(to_x)} {short(to_y)}"


def short(number: float) -> str:
    """A number for a path: no digit more than can be seen."""
    return f"{number:.1f}".rstrip("0").rstrip(".")
