"""Recommendations in, a checked and explained execution plan out.

>>> import wfplan
>>> plan = wfplan.plan({"shirt": [], "tie": ["shirt"], "shoes": []})
>>> [batch.steps for batch in plan.batches]
[('shirt', 'shoes'), ('tie',)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfplan.catalog import Action
    from wfplan.execution.events import Event
    from wfplan.execution.functions import FunctionExecutor
    from wfplan.execution.interface import Executor, StepCall
    from wfplan.execution.loop import arun
    from wfplan.execution.progress import Progress
    from wfplan.execution.report import ExecutionError, ExecutionReport, StepReport
    from wfplan.execution.signals import StopSignal
    from wfplan.execution.stream import astream
    from wfplan.execution.threads import run
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
    from wfplan.problems import (
        BackendNotAvailableError,
        InvalidWorkflowError,
        PermanentError,
        Problem,
        RefusedError,
        WfplanError,
    )
    from wfplan.reading import Reading

__version__ = "0.1.0.dev0"

__all__ = [
    "Action",
    "BackendNotAvailableError",
    "Compensation",
    "Event",
    "ExecutionBatch",
    "ExecutionError",
    "ExecutionPlan",
    "ExecutionReport",
    "ExecutionStrategy",
    "Executor",
    "FunctionExecutor",
    "InvalidWorkflowError",
    "PermanentError",
    "Problem",
    "Progress",
    "Reading",
    "Recommendation",
    "RefusedError",
    "RetryPolicy",
    "Step",
    "StepCall",
    "StepReport",
    "StopSignal",
    "WfplanError",
    "Workflow",
    "arun",
    "astream",
    "check",
    "plan",
    "read",
    "run",
]

_HOMES = {
    "Action": "catalog",
    "BackendNotAvailableError": "problems",
    "Compensation": "models",
    "Event": "execution.events",
    "ExecutionBatch": "models",
    "ExecutionError": "execution.report",
    "ExecutionPlan": "plans",
    "ExecutionReport": "execution.report",
    "ExecutionStrategy": "models",
    "Executor": "execution.interface",
    "FunctionExecutor": "execution.functions",
    "InvalidWorkflowError": "problems",
    "PermanentError": "problems",
    "Problem": "problems",
    "Progress": "execution.progress",
    "Reading": "reading",
    "Recommendation": "models",
    "RefusedError": "problems",
    "RetryPolicy": "models",
    "Step": "models",
    "StepCall": "execution.interface",
    "StepReport": "execution.report",
    "StopSignal": "execution.signals",
    "WfplanError": "problems",
    "Workflow": "models",
    "arun": "execution.loop",
    "astream": "execution.stream",
    "check": "planner",
    "plan": "planner",
    "read": "intake",
    "run": "execution.threads",
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
