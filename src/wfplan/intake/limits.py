"""How much of a document is read at most."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Bounds of a document; what is beyond one of them is refused, never cut."""

    max_bytes: int
    max_depth: int
    max_steps: int
    max_dependencies: int
