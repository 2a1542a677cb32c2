"""Plans, reports, readings and refusals for people to look at: functions to a string.

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

# All of it at once: these modules have the names of the functions below, and one that is imported for the first time
# later would take the place of its function.
from wfplan.render.dot import graph
from wfplan.render.html import bundle, draw_scene, page
from wfplan.render.mermaid import Kind, mermaid_of
from wfplan.render.text import plain, plan_to_text, report_to_text
from wfplan.render.view import Shown, Thing, scene_of

__all__ = ["dot", "html", "mermaid", "mimebundle", "plan_to_text", "report_to_text", "svg", "text"]


def text(shown: Shown) -> str:
    """Plain text: a plan as its batches, a report as what happened, the rest as the problems."""
    return plain(shown)


def mermaid(thing: Thing, kind: Kind = "flowchart", *, max_edges: int = 500, max_characters: int = 50_000) -> str:
    """A diagram for Mermaid: a `flowchart` by batches or, from a report, a `gantt` chart.

    Raises ValueError if it would be larger than Mermaid draws: 500 dependencies and 50,000 characters, unless its
    `maxEdges` and `maxTextSize` are raised.
    """
    return mermaid_of(thing, kind, max_edges, max_characters)


def dot(thing: Thing) -> str:
    """A graph for Graphviz, with a cluster for each batch."""
    return graph(scene_of(thing))


def svg(thing: Thing) -> str:
    """A picture: each step as a box in its batch, up to 200 steps; each batch as a bar, if there are more."""
    return draw_scene(scene_of(thing))


def html(shown: Shown) -> str:
    """A page that works from a file: the picture, problems, and all steps with their details. It has no script."""
    return page(shown)


def mimebundle(shown: Shown) -> Dict[str, str]:
    """What a notebook shows, by MIME type: HTML, plain text and, where Mermaid can draw it, a flowchart."""
    return bundle(shown)
