"""A model's words to a Reading: what was meant, and every problem with it."""

from __future__ import annotations

from wfplan.intake.reader import read

__all__ = ["read"]
