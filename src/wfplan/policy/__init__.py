"""May this plan run? A policy, the review of a plan under it, and the approval of a person."""

from __future__ import annotations

from wfplan.policy import policies
from wfplan.policy.approval import Approval, ApprovalRequest, StepToApprove
from wfplan.policy.gate import Review, review
from wfplan.policy.judging import StepReview, Verdict
from wfplan.policy.rules import Policy, read_policy

__all__ = [
    "Approval",
    "ApprovalRequest",
    "Policy",
    "Review",
    "StepReview",
    "StepToApprove",
    "Verdict",
    "policies",
    "read_policy",
    "review",
]
