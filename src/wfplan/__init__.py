"""Recommendations in, a checked and explained execution plan out.

>>> import wfplan
>>> plan = wfplan.plan({"shirt": [], "tie": ["shirt"], "shoes": []})
>>> [batch.steps for batch in plan.batches]
[('shirt', 'shoes'), ('tie',)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfplan.intake import read
    from wfplan.models import (
        Compensation,
        ExecutionBatch,
        ExecutionStrategy,
        Recommendation,
        RetryPolicy,
        Step,
        Workflow,
    )
    from wfplan.planner import check, plan
    from wfplan.plans import ExecutionPlan
    from wfplan.problems import InvalidWorkflowError, Problem, WfplanError
    from wfplan.reading import Reading

__version__ = "0.1.0.dev0"

__all__ = [
    "Compensation",
    "ExecutionBatch",
    "ExecutionPlan",
    "ExecutionStrategy",
    "InvalidWorkflowError",
    "Problem",
    "Reading",
    "Recommendation",
    "RetryPolicy",
    "Step",
    "WfplanError",
    "Workflow",
    "check",
    "plan",
    "read",
]

_HOMES = {
    "Compensation": "models",
    "ExecutionBatch": "models",
    "ExecutionPlan": "plans",
    "ExecutionStrategy": "models",
    "InvalidWorkflowError": "problems",
    "Problem": "problems",
    "Reading": "reading",
    "Recommendation": "models",
    "RetryPolicy": "models",
    "Step": "models",
    "WfplanError": "problems",
    "Workflow": "models",
    "check": "planner",
    "plan": "planner",
    "read": "intake",
}


def __getattr__(name: str) -> object:
    """Import the module that a public name lives in when it is first asked for (PEP 562)."""
    import importlib

    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'wfplan' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"wfplan.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
