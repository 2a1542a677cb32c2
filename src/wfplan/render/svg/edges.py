"""Choose the dependencies to draw: all, or those that do not follow from others."""

from __future__ import annotations

from typing import Dict, List, Tuple

from wfplan.render.view import Scene

__all__ = ["MOST_EDGES", "Edge", "edges_of"]

Edge = Tuple[str, str]
"""What is needed, and what needs it."""

MOST_EDGES = 1000
"""Up to so many are drawn, whether they follow from others or not."""


def edges_of(scene: Scene) -> tuple[list[Edge], int]:
    """Return the dependencies to draw, and how many are left out."""
    edges = [(needed, node.name) for node in scene.nodes.values() for needed in node.needs]
    if len(edges) <= MOST_EDGES:
        return edges, 0
    kept = _essential(scene)
    return kept, len(edges) - len(kept)


def _essential(scene: Scene) -> list[Edge]:
    """Return the dependencies without those that other ways lead along too; sets of steps are the bits of a number."""
    bit = {name: 1 << place for place, name in enumerate(scene.nodes)}
    before: Dict[str, int] = {}
    kept: List[Edge] = []
    for band in scene.bands:
        for name in band.steps:
            needs = scene.nodes[name].needs
            behind = 0
            for needed in needs:
                behind |= before[needed]
            kept += [(needed, name) for needed in needs if not behind & bit[needed]]
            for needed in needs:
                behind |= bit[needed]
            before[name] = behind
    return kept
