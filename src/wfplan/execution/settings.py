"""How a plan is walked: what the plan says, and what a caller says in its place."""

from __future__ import annotations

from typing import NamedTuple

from typing_extensions import get_args

from wfplan.models import OnFailure, Schedule
from wfplan.names import quote
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemList

__all__ = ["RunSettings", "settle"]

_MOST = 2**31 - 1


class RunSettings(NamedTuple):
    """How a plan is walked."""

    schedule: Schedule
    max_parallel: int | None
    """Steps in flight at once, at most; None: as many as may."""
    on_failure: OnFailure
    dry_run: bool = False
    """Whether the plan is walked for the purpose `dry_run` only."""


def settle(
    plan: ExecutionPlan,
    schedule: object,
    max_parallel: object,
    on_failure: object,
    dry_run: object,
    run_id: object,
    problems: ProblemList,
) -> RunSettings:
    """The settings of a run; adds an `invalid-setting` for everything that cannot be one."""
    known = plan.workflow.execution_strategy
    limits = [1] if known.mode == "sequential" else []
    if known.max_parallel is not None:
        limits.append(known.max_parallel)
    if isinstance(max_parallel, int) and not isinstance(max_parallel, bool) and 1 <= max_parallel <= _MOST:
        limits.append(max_parallel)
    elif max_parallel is not None:
        _refuse("max_parallel", "a whole number from 1 on", max_parallel, problems)
    for name, value, allowed in (
        ("schedule", schedule, get_args(Schedule)),
        ("on_failure", on_failure, get_args(OnFailure)),
    ):
        if value is not None and not (isinstance(value, str) and value in allowed):
            _refuse(name, " or ".join(map(quote, allowed)), value, problems)
    if not isinstance(dry_run, (bool, type(None))):
        _refuse("dry_run", "true or false", dry_run, problems)
    if run_id is not None and not _is_run_id(run_id):
        _refuse("run_id", "a text of 1 to 1,024 characters that UTF-8 can hold", run_id, problems)
    return RunSettings(
        schedule or known.schedule,  # type: ignore[arg-type]
        min(limits, default=None),
        on_failure or known.on_failure,  # type: ignore[arg-type]
        bool(dry_run),
    )


def _is_run_id(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= 1024:
        return False
    return value.encode(errors="replace").decode() == value


def _refuse(name: str, wanted: str, value: object, problems: ProblemList) -> None:
    shown: object = type(value).__name__
    if isinstance(value, str):
        shown = quote(value)
    elif isinstance(value, (int, float)) and abs(value) <= _MOST:
        shown = value
    problems.add("invalid-setting", f"{name} must be {wanted}, not {shown}")
