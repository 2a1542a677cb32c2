"""Verify the dump of a plan: its batches and strategy must follow from its workflow."""

from __future__ import annotations

from typing import Any, Dict

from pydantic import TypeAdapter, ValidationError

from wfplan._internal.model import TupleOf
from wfplan.batching import determine_execution_strategy
from wfplan.models import ExecutionBatch, Workflow
from wfplan.plans import batch_steps
from wfplan.problems import ProblemCollector
from wfplan.relations import Levels

__all__ = ["verify_plan"]

_ADVICE = "leave out all but the workflow, and plan it again"


def verify_plan(
    dump: Dict[str, Any], steps: tuple[Any, ...], workflow: Workflow, checked_levels: Levels, problems: ProblemCollector
) -> None:
    """Add a problem where the dump of a plan says something else than its workflow gives."""
    batches = batch_steps(steps, checked_levels, workflow.execution_strategy)
    for key in ("batches", "strategy"):
        if key not in dump:
            problems.add("invalid-document", f"this plan has no {key}", suggestion=_ADVICE)
    try:
        dumped: Any = TypeAdapter(TupleOf[ExecutionBatch]).validate_python(dump.get("batches", batches))
    except ValidationError:
        dumped = None
    expected = determine_execution_strategy(batches)
    strategy = dump.get("strategy", expected)
    sound = {"batches": dumped == batches, "strategy": isinstance(strategy, str) and strategy == expected}
    for key in [key for key, holds in sound.items() if not holds]:
        message = f"the field {key} of this plan is not what its workflow gives"
        problems.add("invalid-document", message, location=f"/{key}", suggestion=_ADVICE)
