"""A plan in the form that the WorkflowExecution resource of kubernaut has for it."""

from __future__ import annotations

from typing import Any

from wfplan.plans import ExecutionPlan

__all__ = ["to_execution_plan"]


def to_execution_plan(plan: ExecutionPlan) -> dict[str, Any]:
    """`{"executionPlan": {"strategy": ..., "executionOrder": [{"batch": 1, "steps": [...], "parallel": ...}]}}`."""
    order = [{"batch": batch.number, "steps": list(batch.steps), "parallel": batch.parallel} for batch in plan.batches]
    return {"executionPlan": {"strategy": plan.strategy, "executionOrder": order}}
