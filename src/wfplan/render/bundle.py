"""What a notebook shows of a value, in every form that it may ask for."""

from __future__ import annotations

from contextlib import suppress
from typing import Dict

from wfplan.render.diagrams import MAX_CHARACTERS, MAX_EDGES, mermaid_of
from wfplan.render.page import fragment
from wfplan.render.plain import brief
from wfplan.render.shown import Shown, planned

__all__ = ["bundle"]


def bundle(shown: Shown) -> dict[str, str]:
    """HTML, plain text and, where there is a plan that Mermaid can draw, a flowchart."""
    forms: Dict[str, str] = {"text/plain": brief(shown), "text/html": fragment(shown, as_image=True)}
    thing = planned(shown)
    if thing is not None:
        with suppress(ValueError):  # where it is too large for Mermaid, there is the picture in the HTML
            forms["text/vnd.mermaid"] = mermaid_of(thing, "flowchart", MAX_EDGES, MAX_CHARACTERS)
    return forms
