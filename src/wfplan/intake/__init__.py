"""Documents to Readings: what was meant, and every problem with it."""

from __future__ import annotations

from wfplan.intake.reader import read
from wfplan.intake.repair import repair

__all__ = ["read", "repair"]
