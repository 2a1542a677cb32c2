"""Recommendations in, a checked and explained execution plan out.

>>> import wfplan
>>> plan = wfplan.plan({"shirt": [], "tie": ["shirt"], "shoes": []})
>>> [batch.steps for batch in plan.batches]
[('shirt', 'shoes'), ('tie',)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wfplan import analysis as analysis
    from wfplan import catalog as catalog
    from wfplan import conflicts as conflicts
    from wfplan import diff as diff
    from wfplan import errors as errors
    from wfplan import execution as execution
    from wfplan import graph as graph
    from wfplan import intake as intake
    from wfplan import interop as interop
    from wfplan import models as models
    from wfplan import planner as planner
    from wfplan import plans as plans
    from wfplan import policy as policy
    from wfplan import problems as problems
    from wfplan import prompting as prompting
    from wfplan import reading as reading
    from wfplan import recommendations as recommendations
    from wfplan import render as render
    from wfplan import testing as testing
    from wfplan.catalog.actions import Action
    from wfplan.errors import BackendNotAvailableError, PermanentError, UnknownNameError, WfplanError
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
    from wfplan.problems import InvalidWorkflowError, Problem, RefusedError
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
    "UnknownNameError",
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
    "Action": "catalog.actions",
    "BackendNotAvailableError": "errors",
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
    "PermanentError": "errors",
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
    "UnknownNameError": "errors",
    "WfplanError": "errors",
    "Workflow": "models",
    "arun": "execution.loop",
    "astream": "execution.stream",
    "check": "planner",
    "plan": "planner",
    "read": "intake",
    "run": "execution.threads",
}


def __getattr__(name: str) -> object:
    """Import a public name or a submodule when it is first asked for (PEP 562)."""
    import sys
    from importlib import import_module

    home = _HOMES.get(name)
    if home is not None:
        value = globals()[name] = getattr(import_module(f"wfplan.{home}"), name)
        return value
    return import_module("wfplan._internal.submodules").import_submodule(sys.modules[__name__], name)


def __dir__() -> list[str]:
    from wfplan._internal.submodules import list_submodules

    return sorted({*globals(), *__all__, *list_submodules(__path__)})
