"""Talking to a model: schema, instructions, feedback, conversation."""

from __future__ import annotations

from wfplan.prompting.conversation import Conversation, Exchange, aplan_with_feedback, plan_with_feedback
from wfplan.prompting.feedback import Feedback, feedback
from wfplan.prompting.instructions import prompt_instructions
from wfplan.prompting.schema import recommendation_schema

__all__ = [
    "Conversation",
    "Exchange",
    "Feedback",
    "aplan_with_feedback",
    "feedback",
    "plan_with_feedback",
    "prompt_instructions",
    "recommendation_schema",
]
