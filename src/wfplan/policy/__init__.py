"""Policies, reviews and approvals: whether a plan may run."""

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
