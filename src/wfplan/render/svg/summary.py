"""A picture of very many steps: a bar for each batch, or for several."""

from __future__ import annotations

from collections import Counter
from math import ceil
from typing import Iterator, NamedTuple, Tuple

from wfplan._internal.messages import pluralize
from wfplan.render.svg.legend import legend, state_entries
from wfplan.render.svg.picture import MARGIN, heading
from wfplan.render.svg.primitives import BODY, SMALL, document, label, title
from wfplan.render.svg.routing import short
from wfplan.render.view import STATES, Band, Scene

__all__ = ["summarize"]

MOST_LINES = 60
LINE_HEIGHT = 26
BAR_WIDTH = 460
BAR_HEIGHT = 16
_GAP = 16
_TOP = 32
_NAME = 22


class _Line(NamedTuple):
    """One batch, or several after each other."""

    bands: Tuple[Band, ...]
    steps: int
    states: Tuple[Tuple[str, int], ...]
    """How many steps are in each state; in a plan all are in none."""

    @property
    def name(self) -> str:
        first, last = self.bands[0].number, self.bands[-1].number
        return self.bands[0].label if first == last else f"{self.bands[0].plural} {first:,} to {last:,}"

    @property
    def words(self) -> str:
        """How many steps, in which states, and how many may overlap."""
        words = [pluralize(self.steps, "step")]
        words += [f"{number:,} {state.replace('_', ' ')}" for state, number in self.states if state]
        parallel = sum(1 for band in self.bands if band.parallel)
        if len(self.bands) == 1:
            words += [mode for mode in (self.bands[0].mode,) if mode]
        elif self.bands[0].parallel is not None:
            words.append(f"{parallel:,} of {pluralize(len(self.bands), 'batch', 'es')} parallel")
        return ", ".join(words)


def summarize(scene: Scene) -> str:
    """Return the picture of a scene with many steps: each counted, none drawn."""
    lines = list(_lines(scene))
    head, width = heading(scene)
    names = max(BODY.wide(line.name) for line in lines)
    bar_x = MARGIN + names + _GAP
    words_x = bar_x + BAR_WIDTH + _GAP
    width = max(width, words_x + max(SMALL.wide(line.words) for line in lines) + MARGIN)
    y = MARGIN + _TOP + (_NAME if scene.name else 0)
    unit = BAR_WIDTH / max(line.steps for line in lines)
    drawn = [
        part for place, line in enumerate(lines) for part in _draw(line, y + place * LINE_HEIGHT, bar_x, words_x, unit)
    ]
    end = y + len(lines) * LINE_HEIGHT
    signs, legend_height = legend(state_entries(scene), width - 2 * MARGIN)
    parts = [*head, *drawn, f'<g transform="translate({MARGIN} {short(end + MARGIN)})">', *signs, "</g>"]
    return document(width, end + (legend_height + MARGIN if signs else 0) + MARGIN, scene.title, parts)


def _lines(scene: Scene) -> Iterator[_Line]:
    """At most so many lines as can be looked at; each stands for as many batches as the others."""
    together = ceil(len(scene.bands) / MOST_LINES)
    for start in range(0, len(scene.bands), together):
        bands = scene.bands[start : start + together]
        counts = Counter(scene.nodes[name].state for band in bands for name in band.steps)
        states = tuple((state, counts[state]) for state in ("", *STATES) if state in counts)
        yield _Line(bands, sum(counts.values()), states)


def _draw(line: _Line, y: float, bar_x: float, words_x: float, unit: float) -> Iterator[str]:
    middle = y + LINE_HEIGHT / 2
    yield label(BODY, MARGIN, middle + 4, line.name)
    yield "<g>" + title([f"{line.name}: {line.words}"]) + "".join(_bar(line, bar_x, middle, unit)) + "</g>"
    yield label(SMALL, words_x, middle + 4, line.words)


def _bar(line: _Line, x: float, middle: float, unit: float) -> Iterator[str]:
    for state, number in line.states:
        width = max(number * unit, 2.0)
        yield (
            f'<rect class="{f"box {state}" if state else "bar"}" x="{short(x)}" y="{short(middle - BAR_HEIGHT / 2)}"'
            f' width="{short(width)}" height="{BAR_HEIGHT}" rx="2"/>'
        )
        x += width
