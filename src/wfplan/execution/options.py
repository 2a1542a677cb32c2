"""RunOptions: the plan's settings and the caller's keywords, resolved and checked."""

from __future__ import annotations

from typing import Any, Iterable, Optional, cast

from typing_extensions import get_args

from wfplan._internal.messages import quote
from wfplan._internal.model import Model
from wfplan._internal.suggestions import Suggester
from wfplan.models import OnFailure, Schedule
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemCollector

__all__ = ["RunOptions", "check_held", "resolve_run_options"]

_MOST = 2**31 - 1


class RunOptions(Model):
    """How a plan is walked."""

    schedule: Schedule
    max_parallel: Optional[int] = None
    """Steps in flight at once, at most; None: as many as may."""
    on_failure: OnFailure
    dry_run: bool = False
    """Whether the plan is walked for the purpose `dry_run` only."""


def resolve_run_options(
    plan: ExecutionPlan,
    schedule: object,
    max_parallel: object,
    on_failure: object,
    dry_run: object,
    run_id: object,
    problems: ProblemCollector,
) -> RunOptions:
    """Return the options of a run; add an `invalid-setting` for every wrong one."""
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
        _refuse("run_id", "a string of 1 to 1,024 characters that UTF-8 can hold", run_id, problems)
    return RunOptions(
        schedule=schedule if schedule in get_args(Schedule) else known.schedule,  # type: ignore[arg-type]
        max_parallel=min(limits, default=None),
        on_failure=on_failure if on_failure in get_args(OnFailure) else known.on_failure,  # type: ignore[arg-type]
        dry_run=dry_run is True,
    )


def check_held(plan: ExecutionPlan, hold: Any, problems: ProblemCollector) -> tuple[str, ...]:
    """Return the names in `hold`, in declared order; add an `invalid-setting` for everything that is not one."""
    if isinstance(hold, str) or not isinstance(hold, Iterable):
        _refuse("hold", "the names of steps", hold, problems)
        return ()
    held: set[str] = set()
    suggester = Suggester(plan.steps)
    for name in cast("Any", hold):
        if isinstance(name, str) and name in plan.steps:
            held.add(name)
            continue
        message = (
            f"no step is named {quote(name)}" if isinstance(name, str) else f"a {type(name).__name__} names no step"
        )
        advice = suggester.suggest(name, "leave it out") if isinstance(name, str) else "leave it out"
        problems.add("invalid-setting", f"hold: {message}", suggestion=advice)
    return tuple(name for name in plan.steps if name in held)


def _is_run_id(value: object) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= 1024:
        return False
    return value.encode(errors="replace").decode() == value


def _refuse(name: str, wanted: str, value: object, problems: ProblemCollector) -> None:
    shown: object = type(value).__name__
    if isinstance(value, str):
        shown = quote(value)
    elif isinstance(value, (int, float)) and abs(value) <= _MOST:
        shown = value
    problems.add("invalid-setting", f"{name} must be {wanted}, not {shown}")
