"""What can be shown, and what it is called: plans, reports, readings, and the errors that carry problems."""

from __future__ import annotations

from typing import Union

from typing_extensions import TypeAlias

from wfplan._internal.names import counted
from wfplan.execution.report import ExecutionReport
from wfplan.planner import plan
from wfplan.plans import ExecutionPlan
from wfplan.problems import InvalidWorkflowError, RefusedError
from wfplan.reading import Reading
from wfplan.render.view import Thing, scene_of

__all__ = ["Shown", "headline", "planned"]

Shown: TypeAlias = Union[ExecutionPlan, ExecutionReport, Reading, InvalidWorkflowError, RefusedError]


def planned(shown: Shown) -> Thing | None:
    """What there is a picture of: for a reading the plan that it gives, if it gives one."""
    if isinstance(shown, (ExecutionPlan, ExecutionReport)):
        return shown
    return plan(shown) if isinstance(shown, Reading) and shown.ok else None


def headline(shown: Shown) -> str:
    """All of it in one line."""
    if isinstance(shown, (ExecutionPlan, ExecutionReport)):
        scene = scene_of(shown)
        return f"{scene.name}: {scene.title}" if scene.name else scene.title
    told = counted(len(shown.problems), "problem")
    if isinstance(shown, Reading):
        read = counted(len(shown.items), shown.wording.noun)
        return f"{read}, {told}" + ("" if shown.ok else ": this cannot be planned")
    return f"this cannot be planned: {told}" if isinstance(shown, InvalidWorkflowError) else f"refused: {told}"
