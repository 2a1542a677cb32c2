"""A plan or a report as DOT, the language of Graphviz: a cluster for each batch."""

from __future__ import annotations

from typing import Iterator

from wfplan.render.details import details_of
from wfplan.render.escaping import dot_text
from wfplan.render.view import MARKS, STATES, Band, Node, Scene, marks_of

__all__ = ["graph"]

_LONGEST = 200
_HEAD = """\
digraph {
  graph [bgcolor="#ffffff", fontname="sans-serif", fontsize=11, color="#94a3b8", newrank=true]
  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#64748b", fontname="monospace", fontsize=11]
  edge [color="#64748b", arrowsize=0.7]"""


def graph(scene: Scene) -> str:
    """Return the graph, whole, however large it is."""
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield _HEAD
    yield f'  label="{dot_text(f"{scene.name}: {scene.title}" if scene.name else scene.title)}"'
    ids = {name: f"s{number}" for number, name in enumerate(scene.nodes, 1)}
    for place, band in enumerate(scene.bands, 1):
        yield f"  subgraph cluster_{place} {{"
        yield f'    label="{_title(band)}"; style="rounded{",dashed" if band.mode == "one by one" else ""}"'
        for name in band.steps:
            yield f"    {ids[name]} [{_attributes(scene.nodes[name])}]"
        yield "  }"
    for name, node in scene.nodes.items():
        for needed in node.needs:
            yield f"  {ids[needed]} -> {ids[name]}"
    yield "}"


def _title(band: Band) -> str:
    return band.label + (f", {band.mode}" if band.mode else "")


def _attributes(node: Node) -> str:
    r"""Label, tooltip and colors; `\n` parts the lines of a label."""
    name = f"{STATES[node.state].sign} {node.name}" if node.state else node.name
    below = ", ".join(text for text in (node.subtitle, *(MARKS[mark][1] for mark in marks_of(node))) if text)
    label = "\\n".join(dot_text(text, _LONGEST) for text in (name, below) if text)
    tooltip = "\\n".join(dot_text(f"{key}: {value}") for key, value in details_of(node))
    attributes = f'label="{label}", tooltip="{tooltip}"'
    if node.state:
        state = STATES[node.state]
        attributes += f', fillcolor="{state.fill}", color="{state.line}"'
    return attributes + (", penwidth=2.5" if node.hinted else "")
