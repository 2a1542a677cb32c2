"""A model's words to a Reading: what was meant, and every problem with it; and what to ask and to tell a model."""

from __future__ import annotations

from wfplan.intake.loop import Attempt, Conversation, aplan_with_feedback, plan_with_feedback
from wfplan.intake.model_feedback import Feedback, feedback
from wfplan.intake.reader import read
from wfplan.intake.repairs import repair
from wfplan.intake.schema import prompt_instructions, recommendation_schema

__all__ = [
    "Attempt",
    "Conversation",
    "Feedback",
    "aplan_with_feedback",
    "feedback",
    "plan_with_feedback",
    "prompt_instructions",
    "read",
    "recommendation_schema",
    "repair",
]
