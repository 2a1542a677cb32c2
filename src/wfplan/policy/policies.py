"""Ready-made policies."""

from __future__ import annotations

from wfplan.policy.rules import Policy

__all__ = ["kubernaut"]

kubernaut: Policy = Policy(
    max_parallel=5, approval_above_steps=10, approval_below_confidence=0.8, approval_for_effects=()
)
"""The limits of the kubernaut project: five steps at once, approval for more than ten (architecture decision 020) and
for a confidence below 0.8 (design decision CONTRACT-001). It knows no effects, so none needs approval by itself."""
