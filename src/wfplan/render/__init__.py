"""Plans for people to look at: functions from a plan to a string."""

from __future__ import annotations

from wfplan.render.text import plan_to_text

__all__ = ["plan_to_text"]
