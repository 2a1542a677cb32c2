"""Mermaid, within the bounds of what draws it."""

from __future__ import annotations

from typing_extensions import Literal, TypeAlias

from wfplan.execution.report import ExecutionReport
from wfplan.problems import refusal
from wfplan.render.flowchart import flowchart
from wfplan.render.gantt import gantt
from wfplan.render.view import Thing, scene_of

__all__ = ["MAX_CHARACTERS", "MAX_EDGES", "Kind", "mermaid_of"]

Kind: TypeAlias = Literal["flowchart", "gantt"]

MAX_EDGES = 500
"""`maxEdges` of Mermaid's own configuration; beyond it, an error is drawn."""
MAX_CHARACTERS = 50_000
"""`maxTextSize` of the same."""


def mermaid_of(thing: Thing, kind: Kind, max_edges: int, max_characters: int) -> str:
    """The text of the diagram; RefusedError if Mermaid would not draw it."""
    scene = scene_of(thing)
    if kind == "gantt":
        if not isinstance(thing, ExecutionReport):
            raise refusal("a gantt chart shows when steps ran, so it takes a report", "a plan is a flowchart")
        return _bounded(gantt(scene), max_characters)
    if kind != "flowchart":
        raise refusal(f"the kind is {kind!r}, but can be flowchart or gantt only")
    if scene.edges > max_edges:
        raise refusal(
            f"{scene.edges:,} dependencies, and Mermaid draws {max_edges:,} at most",
            "use svg or dot, or raise `max_edges` here and `maxEdges` in the configuration of Mermaid",
            code="limit-exceeded",
        )
    return _bounded(flowchart(scene), max_characters)


def _bounded(text: str, max_characters: int) -> str:
    if len(text) > max_characters:
        raise refusal(
            f"{len(text):,} characters, and Mermaid reads {max_characters:,} at most",
            "use svg or dot, or raise `max_characters` here and `maxTextSize` in the configuration of Mermaid",
            code="limit-exceeded",
        )
    return text
