"""The legend of a picture."""

from __future__ import annotations

from collections import Counter
from typing import Iterable, Iterator, List, NamedTuple

from wfplan.render.svg.primitives import SMALL, label, sign
from wfplan.render.svg.routing import short
from wfplan.render.view import MARKS, STATES, Scene, marks_of

__all__ = ["Entry", "legend", "sign_entries", "state_entries"]

_LINE = 22
_GAP = 22
_SIGN = 30
"""The room of a sign, left of its words."""


class Entry(NamedTuple):
    """A sign and what it means."""

    drawing: str
    words: str


def legend(entries: Iterable[Entry], width: float) -> tuple[list[str], float]:
    """Return the entries in lines of this width, and how high they are together."""
    parts: List[str] = []
    x, y = 0.0, 0.0
    for entry in entries:
        needed = _SIGN + SMALL.wide(entry.words)
        if x and x + needed > width:
            x, y = 0.0, y + _LINE
        parts.append(
            f'<g transform="translate({short(x)} {short(y)})">{entry.drawing}{label(SMALL, _SIGN, 14, entry.words)}</g>'
        )
        x += needed + _GAP
    return parts, y + _LINE if parts else 0.0


def state_entries(scene: Scene) -> Iterator[Entry]:
    """Yield how many steps are in each state; nothing in the picture of a plan."""
    counts = Counter(node.state for node in scene.nodes.values())
    for state, look in STATES.items():
        if state in counts:
            box = f'<rect class="box" x="1" y="2" width="22" height="16" rx="4"/>{sign(6, 4, look.drawing, "mark")}'
            yield Entry(f'<g class="{state}">{box}</g>', f"{counts[state]:,} {state.replace('_', ' ')}")


def sign_entries(scene: Scene, left_out: int) -> Iterator[Entry]:
    """Yield what batches, marks and arrows mean, and how many dependencies are left out."""
    if any(band.mode == "one by one" for band in scene.bands):
        yield Entry('<rect class="band serial" x="1" y="2" width="22" height="16" rx="4"/>', "one by one")
    found = {mark for node in scene.nodes.values() for mark in marks_of(node)}
    for mark, (drawing, words) in MARKS.items():
        if mark in found:
            yield Entry(sign(6, 4, drawing), words)
    if any(node.needs for node in scene.nodes.values()):
        arrow = '<path class="edge" d="M12 1V14"/><path class="tip" d="M8 12H16L12 19Z"/>'
        yield Entry(arrow, "the lower waits for the upper")
    if left_out:
        yield Entry("", f"{left_out:,} dependencies that follow from others are not drawn")
