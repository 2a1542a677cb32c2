"""A plan or a report as an SVG picture: every step a box in its batch, every dependency an arrow."""

from __future__ import annotations

from typing import Iterator, List

from wfplan._internal.messages import pluralize
from wfplan.render.details import details_of
from wfplan.render.svg.edges import edges_of
from wfplan.render.svg.layout import BOX_HEIGHT, LANE, lay_out
from wfplan.render.svg.legend import legend, sign_entries, state_entries
from wfplan.render.svg.primitives import BODY, HEAD, SMALL, document, label, sign, title
from wfplan.render.svg.routing import Routes, routes_of, short
from wfplan.render.svg.stack import ARROW_HEIGHT, PlacedBand
from wfplan.render.view import MARKS, STATES, Node, Scene, marks_of

__all__ = ["MARGIN", "MOST_STEPS", "draw", "heading"]

MOST_STEPS = 200
"""Plans of more steps are drawn by their batches alone."""
MARGIN = 16
_LABEL_WIDTH = 92
"""Left of the boxes, for the words beside a batch."""
_SIDE = 14
"""Left and right of all boxes and dependencies."""
_HEAD_HEIGHT = 30
_WIDEST_HEAD = 900
_INSET = 9
_LONGEST_NAME = 26
_SHORTEST_NAME = 12
_SIGN = 12


def draw(scene: Scene) -> str:
    """Return the picture of a scene with few steps."""
    edges, left_out = edges_of(scene)
    layout = lay_out(scene, edges, _box_width(scene))
    routes = routes_of(layout, scene.bands, edges)
    stack = routes.stack
    head, width = heading(scene)
    x, y = MARGIN + _LABEL_WIDTH + _SIDE - routes.left, MARGIN + (_HEAD_HEIGHT if scene.name else 0) + _HEAD_HEIGHT
    width = max(width, x + routes.right + _SIDE + MARGIN)
    x += (width - x - routes.right - _SIDE - MARGIN) / 2
    signs, legend_height = legend([*state_entries(scene), *sign_entries(scene, left_out)], width - 2 * MARGIN)
    bands = (_band(placed, MARGIN, y, width - 2 * MARGIN) for placed in stack.bands)
    height = y + stack.height + (MARGIN + legend_height if legend_height else 0) + MARGIN
    parts = [
        *head,
        *bands,
        f'<g transform="translate({short(x)} {short(y)})">',
        *_edges(routes),
        *(
            _step(scene.nodes[name], layout.middle[name] * LANE - layout.box_width / 2, top, layout.box_width)
            for row, top in zip(layout.rows, stack.rows)
            for name in row.names
        ),
        "</g>",
        f'<g transform="translate({MARGIN} {short(y + stack.height + MARGIN)})">',
        *signs,
        "</g>",
    ]
    return document(width, height, scene.title, parts)


def heading(scene: Scene) -> tuple[list[str], float]:
    """Name and title of a picture, and how wide it has to be for them."""
    lines = [(HEAD, scene.name), (BODY, scene.title)] if scene.name else [(HEAD, scene.title)]
    parts: List[str] = []
    width = 0.0
    for place, (font, text) in enumerate(lines):
        cut = font.fit(text, _WIDEST_HEAD)
        parts.append(f"<g>{title([text])}{label(font, MARGIN, MARGIN + 16 + place * 22, cut)}</g>")
        width = max(width, font.wide(cut) + 2 * MARGIN)
    return parts, width


def _box_width(scene: Scene) -> float:
    """Return the width of the longest name, within bounds; in a report, of the longest state and its sign, too."""
    reported = any(node.state for node in scene.nodes.values())
    needed = max((BODY.wide(node.name) for node in scene.nodes.values()), default=0.0)
    within = min(max(needed, _SHORTEST_NAME * BODY.width), _LONGEST_NAME * BODY.width)
    if not reported:
        return int(within) + 2 * _INSET + 1
    states = max(SMALL.wide(node.subtitle) + len(list(marks_of(node))) * (_SIGN + 3) for node in scene.nodes.values())
    return int(max(within + _SIGN + 6, states)) + 2 * _INSET + 1


def _band(placed: PlacedBand, x: float, y: float, width: float) -> str:
    band, top = placed.band, y + placed.y
    rect = (
        f'<rect class="band{" serial" if band.mode == "one by one" else ""}" x="{short(x)}" y="{short(top)}"'
        f' width="{short(width)}" height="{short(placed.height)}" rx="8"/>'
    )
    lines = [(BODY, band.label), (SMALL, pluralize(len(band.steps), "step")), (SMALL, band.mode)]
    shown = [(font, text) for font, text in lines if text]
    first = top + placed.height / 2 - len(shown) * 7.5 + 11.5
    return rect + "".join(label(font, x + _INSET, first + place * 15, text) for place, (font, text) in enumerate(shown))


def _edges(routes: Routes) -> Iterator[str]:
    for (needed, name), path in routes.paths.items():
        tooltip = title([f"{needed} \u2192 {name}"])
        yield f'<path class="edge" d="{path}">{tooltip}</path>'


def _step(node: Node, x: float, y: float, width: float) -> str:
    marks = list(marks_of(node))
    parts = [
        title(f"{key}: {value}" for key, value in details_of(node)),
        f'<rect class="box" width="{short(width)}" height="{BOX_HEIGHT}" rx="6"/>',
        *_words(node, width, len(marks)),
    ]
    for place, mark in enumerate(marks, 1):
        parts.append(sign(width - _INSET - place * (_SIGN + 3) + 5, BOX_HEIGHT - _SIGN - 5, MARKS[mark][0]))
    if node.state:
        parts.append(sign(width - _INSET - _SIGN + 2, 6, STATES[node.state].drawing, "mark"))
    if node.hinted:
        parts.append(f'<rect class="stripe" y="6" width="3.5" height="{BOX_HEIGHT - 12}"/>')
    if node.needs:
        middle = width / 2
        parts.append(
            f'<path class="tip" d="M{short(middle - 4)} -{ARROW_HEIGHT}H{short(middle + 4)}L{short(middle)} 0Z"/>'
        )
    css_class = f"step {node.state}".strip()
    return f'<g class="{css_class}" transform="translate({short(x)} {short(y)})">{"".join(parts)}</g>'


def _words(node: Node, width: float, marks: int) -> Iterator[str]:
    room = width - 2 * _INSET
    name = BODY.fit_name(node.name, room - (_SIGN + 4 if node.state else 0))
    subtitle = node.subtitle
    yield label(BODY, _INSET, 17 if subtitle or marks else 24, name)
    if subtitle:
        yield label(SMALL, _INSET, 32, SMALL.fit(subtitle, room - marks * (_SIGN + 3)))
