"""A plan or a report as a Mermaid flowchart: a subgraph for each batch."""

from __future__ import annotations

from typing import Iterator

from wfplan.render.escaping import mermaid_text
from wfplan.render.marks import marks_of
from wfplan.render.states import STATES
from wfplan.render.view import Band, Node, Scene

__all__ = ["flowchart"]

_WORDS = {"alone": "alone", "locked": "locks", "destructive": "destructive"}
_LONGEST = 200
_NO_BREAK = "#160;"


def flowchart(scene: Scene) -> str:
    """The flowchart, whole, however large it is."""
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield "flowchart TD"
    ids = {name: f"s{number}" for number, name in enumerate(scene.nodes, 1)}
    for place, band in enumerate(scene.bands, 1):
        yield f'  subgraph b{place}["{mermaid_text(_title(band))}"]'
        for name in band.steps:
            yield f'    {ids[name]}["{_label(scene.nodes[name])}"]{_css_class(scene.nodes[name])}'
        yield "  end"
    for name, node in scene.nodes.items():
        for needed in node.needs:
            yield f"  {ids[needed]} --> {ids[name]}"
    yield from _styles(scene)


def _title(band: Band) -> str:
    return f"batch {band.number}" + (f", {band.mode}" if band.mode else "")


def _label(node: Node) -> str:
    """The name, below it what else there is to say. `<br/>` is the one tag, and it is ours."""
    name = mermaid_text(node.name, _LONGEST)
    if node.state:
        name = f"{mermaid_text(STATES[node.state].sign)}{_NO_BREAK}{name}"
    below = ", ".join(text for text in (node.subtitle, *(_WORDS[mark] for mark in marks_of(node))) if text)
    return f"{name}<br/>{mermaid_text(below, _LONGEST)}" if below else name


def _css_class(node: Node) -> str:
    return f":::{node.state}" if node.state else ""


def _styles(scene: Scene) -> Iterator[str]:
    """Every colour is given together with that of its text, so that both backgrounds do."""
    found = {node.state for node in scene.nodes.values()}
    for name, state in STATES.items():
        if name in found:
            yield f"  classDef {name} fill:{state.fill},stroke:{state.line},color:#1b222c"
    for place, band in enumerate(scene.bands, 1):
        if band.mode == "one by one":
            yield f"  style b{place} stroke-dasharray:5 4"
