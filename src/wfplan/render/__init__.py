"""Render plans, reports, readings and errors for people.

>>> import wfplan
>>> print(text(wfplan.plan({"shirt": [], "tie": ["shirt"], "shoes": []})))
sequential-with-parallel: 3 steps in 2 batches
<BLANKLINE>
batch  parallel  step   action  waits for
1      yes       shirt  shirt   -
                 shoes  shoes   -
2      no        tie    tie     shirt
"""

from __future__ import annotations

from typing import Dict

from wfplan.problems import require_type

# All at once: these modules have the names of the functions below, and one that is imported later would take the place
# of its function.
from wfplan.render.dot import graph
from wfplan.render.html import bundle, page
from wfplan.render.mermaid import DiagramKind, mermaid_of
from wfplan.render.svg import draw_scene
from wfplan.render.text import plain, plan_to_text, report_to_text
from wfplan.render.view import DISPLAYABLE, Displayable, Drawable, scene_of

__all__ = ["dot", "html", "mermaid", "mimebundle", "plan_to_text", "report_to_text", "svg", "text"]


def text(shown: Displayable) -> str:
    """Return plain text: the batches of a plan, the outcome of a report, the problems of anything else.

    Args:
        shown: A plan, a report, a reading, or an error with problems.
    """
    require_type(shown, *DISPLAYABLE)
    return plain(shown)


def mermaid(
    thing: Drawable, kind: DiagramKind = "flowchart", *, max_edges: int = 500, max_characters: int = 50_000
) -> str:
    """Return a Mermaid diagram.

    Args:
        thing: A plan, a report or a reading.
        kind: `flowchart`, by batches, or `gantt`, from a report only.
        max_edges: The most dependencies to draw; Mermaid's own default for `maxEdges`.
        max_characters: The longest diagram; Mermaid's own default for `maxTextSize`.

    Raises:
        ValueError: The diagram would be larger than these limits.
    """
    return mermaid_of(thing, kind, max_edges, max_characters)


def dot(thing: Drawable) -> str:
    """Return a graph for Graphviz, with a cluster for each batch.

    Args:
        thing: A plan, a report or a reading.
    """
    return graph(scene_of(thing))


def svg(thing: Drawable) -> str:
    """Return an SVG picture: each step as a box in its batch, up to 200 steps; each batch as a bar if there are more.

    Args:
        thing: A plan, a report or a reading.
    """
    return draw_scene(scene_of(thing))


def html(shown: Displayable) -> str:
    """Return a self-contained HTML page without scripts: the picture, the problems, and all steps with their details.

    Args:
        shown: A plan, a report, a reading, or an error with problems.
    """
    require_type(shown, *DISPLAYABLE)
    return page(shown)


def mimebundle(shown: Displayable) -> Dict[str, str]:
    """Return what a notebook shows, by MIME type: HTML, plain text and, if Mermaid can draw it, a flowchart.

    Args:
        shown: A plan, a report, a reading, or an error with problems.
    """
    require_type(shown, *DISPLAYABLE)
    return bundle(shown)
