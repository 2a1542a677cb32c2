"""The dump of a plan: its batches and strategy have to be what its workflow gives."""

from __future__ import annotations

from typing import Any, Dict

from pydantic import TypeAdapter, ValidationError

from wfplan.models import ExecutionBatch, Workflow
from wfplan.ordering import determine_execution_strategy
from wfplan.plans import batch_steps
from wfplan.problems import ProblemList
from wfplan.validation import Survey
from wfplan.values import Items

__all__ = ["verify_plan"]


def verify_plan(
    dump: Dict[str, Any], steps: tuple[Any, ...], workflow: Workflow, surveyed: Survey, problems: ProblemList
) -> None:
    """Add a problem where the dump of a plan says something else than its workflow gives."""
    batches = batch_steps(steps, surveyed, workflow.execution_strategy)
    dumped: Any
    try:
        dumped = TypeAdapter(Items[ExecutionBatch]).validate_python(dump["batches"])
    except ValidationError:
        dumped = None
    wrong = ["batches"] if dumped != batches else []
    strategy = dump.get("strategy")
    if not isinstance(strategy, str) or strategy != determine_execution_strategy(batches):
        wrong.append("strategy")
    for key in wrong:
        problems.add(
            "invalid-document",
            f"the field {key} of this plan is not what its workflow gives",
            location=f"/{key}",
            suggestion="leave out all but the workflow, and plan it again",
        )
