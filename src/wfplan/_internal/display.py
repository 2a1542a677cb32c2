"""Displays of values: the one way from a value to what renders it, imported when it is asked for."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Sequence

__all__ = ["mimebundle", "table", "text"]


def text(value: Any) -> str:
    """Return a plan, a report or a reading as plain text."""
    from wfplan.render.text import plain

    return plain(value)


def table(rows: Iterable[Sequence[str]]) -> List[str]:
    """Return rows as lines with aligned columns."""
    from wfplan.render.text import table as aligned

    return aligned(list(rows))


def mimebundle(value: Any) -> Dict[str, str]:
    """Return what a notebook shows, by MIME type."""
    from wfplan.render import mimebundle as bundle

    return bundle(value)
