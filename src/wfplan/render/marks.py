"""The signs in a box that say how a step has to be handled."""

from __future__ import annotations

from typing import Iterator, Mapping

from wfplan.render.view import Node

__all__ = ["MARKS", "marks_of"]

MARKS: Mapping[str, tuple[str, str]] = {
    "alone": ("M6 1.5A4.5 4.5 0 1 0 6 10.5A4.5 4.5 0 1 0 6 1.5M5 4.5L6.3 3.7V8.3", "overlaps with no other step"),
    "locked": ("M2.5 5.5H9.5V10.5H2.5ZM4 5.5V3.8A2 2 0 0 1 8 3.8V5.5", "holds locks"),
    "destructive": ("M6 1.5L11 10.5H1ZM6 5V7.2M6 8.9V9", "destructive"),
}
"""Each mark as an SVG path in a square of 12 by 12, and in words."""


def marks_of(node: Node) -> Iterator[str]:
    """The marks of a step."""
    if node.hinted:
        yield "alone"
    if node.step is not None and node.step.locks:
        yield "locked"
    if node.step is not None and node.step.effect == "destructive":
        yield "destructive"
