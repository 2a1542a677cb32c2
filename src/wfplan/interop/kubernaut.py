"""A plan as the execution plan of a kubernaut WorkflowExecution."""

from __future__ import annotations

from typing import Any, Iterator, List, Tuple

from wfplan.plans import ExecutionPlan
from wfplan.problems import refusal, require_type

__all__ = ["to_execution_plan"]


def to_execution_plan(plan: ExecutionPlan) -> dict[str, Any]:
    """Return `{"executionPlan": {"strategy": ..., "executionOrder": [{"batch": 1, "steps": [...], "parallel": ...}]}}`.

    A controller that reads this starts all steps of a parallel batch at once, and the first step alone of any other
    batch. So a batch that is not parallel is written as one batch for each step, and a batch of more than
    `max_parallel` steps is cut into several. `strategy` is the strategy of what is written.

    Args:
        plan: A plan whose schedule is `batch`.

    Raises:
        RefusedError: The schedule of the plan is `eager` (`unsupported`): this form has batches only, each of which
            waits for the one before it.
    """
    require_type(plan, ExecutionPlan)
    if plan.workflow.execution_strategy.schedule != "batch":
        raise refusal(
            'the schedule "eager" cannot be written as an executionPlan, which runs batch after batch',
            'plan with the schedule "batch"',
            code="unsupported",
        )
    parts = list(_parts(plan))
    order = [
        {"batch": number, "steps": steps, "parallel": parallel} for number, (steps, parallel) in enumerate(parts, 1)
    ]
    return {"executionPlan": {"strategy": _strategy(parts), "executionOrder": order}}


def _parts(plan: ExecutionPlan) -> Iterator[Tuple[List[str], bool]]:
    """Yield the steps that start together, and whether they are several."""
    limit = plan.workflow.execution_strategy.max_parallel
    for batch in plan.batches:
        size = len(batch.steps) if limit is None else limit
        for start in range(0, len(batch.steps), size if batch.parallel else 1):
            steps = list(batch.steps[start : start + (size if batch.parallel else 1)])
            yield steps, len(steps) > 1


def _strategy(parts: List[Tuple[List[str], bool]]) -> str:
    if not any(parallel for _, parallel in parts):
        return "sequential"
    return "parallel" if len(parts) == 1 else "sequential-with-parallel"
