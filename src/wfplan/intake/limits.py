"""How much of a document is read at most."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DEFAULT", "Limits"]


class Limits(NamedTuple):
    """Bounds of a document; what is beyond one of them is refused, never cut."""

    max_bytes: int = 128 * 1024 * 1024
    max_depth: int = 100
    max_steps: int = 200_000
    max_dependencies: int = 2_000_000


DEFAULT = Limits()
