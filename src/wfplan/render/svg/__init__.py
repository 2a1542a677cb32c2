"""Pictures of plans and reports as SVG."""

from __future__ import annotations

from wfplan.render.view import Scene

__all__ = ["draw_scene"]


def draw_scene(scene: Scene) -> str:
    """Return the picture of a scene: its steps or, where they are too many, its batches.

    What draws is imported for the first picture: printing a plan does without.
    """
    from wfplan.render.svg.picture import MOST_STEPS, draw
    from wfplan.render.svg.summary import summarize

    return draw(scene) if len(scene.nodes) <= MOST_STEPS else summarize(scene)
