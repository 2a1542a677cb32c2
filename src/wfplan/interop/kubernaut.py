"""A plan in the form that the WorkflowExecution resource of kubernaut has for it."""

from __future__ import annotations

from typing import Any, List

from wfplan.models import ExecutionBatch
from wfplan.plans import ExecutionPlan

__all__ = ["to_execution_plan"]


def to_execution_plan(plan: ExecutionPlan) -> dict[str, Any]:
    """`{"executionPlan": {"strategy": ..., "executionOrder": [{"batch": 1, "steps": [...], "parallel": ...}]}}`.

    Whoever reads it starts all steps of a parallel batch at once. So a batch of more than `max_parallel` steps, where
    the plan has such a limit, is cut into several.
    """
    limit = plan.workflow.execution_strategy.max_parallel
    parts = [(part, batch.parallel) for batch in plan.batches for part in _cut(batch, limit)]
    order = [
        {"batch": number, "steps": part, "parallel": parallel and len(part) > 1}
        for number, (part, parallel) in enumerate(parts, start=1)
    ]
    return {"executionPlan": {"strategy": plan.strategy, "executionOrder": order}}


def _cut(batch: ExecutionBatch, limit: int | None) -> List[List[str]]:
    size = limit if limit is not None and batch.parallel else len(batch.steps)
    return [list(batch.steps[start : start + size]) for start in range(0, len(batch.steps), size)]
