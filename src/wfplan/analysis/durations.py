"""The duration of each step: the caller's, else its estimate, else one second."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Iterable, Mapping

from wfplan._internal.messages import quote
from wfplan.errors import require_names
from wfplan.plans import ExecutionPlan
from wfplan.problems import refusal

__all__ = ["check_names", "check_seconds", "count_assumed", "show_seconds", "step_seconds"]

_ASSUMED = 1.0
_LONGEST = 1e15  # thirty million years: sums of what is beyond would be no number any more


def step_seconds(plan: ExecutionPlan, durations: Mapping[str, float] | None = None) -> list[float]:
    """Return the seconds that each step takes, in declared order.

    Raises UnknownNameError for a name that no step has, RefusedError for a duration that is not a number of seconds.
    """
    given: Mapping[str, float] = {} if durations is None else durations
    check_names(plan, given)
    seconds = [_ASSUMED if step.estimated_seconds is None else step.estimated_seconds for step in plan.workflow.steps]
    for number, name in enumerate(plan.steps) if given else ():
        if name in given:
            seconds[number] = check_seconds(name, given[name])
    return [min(own, _LONGEST) for own in seconds]


def count_assumed(plan: ExecutionPlan, durations: Mapping[str, float] | None = None) -> int:
    """Return how many steps count one second, since nobody says how long they take."""
    given = durations or {}
    return sum(step.estimated_seconds is None and step.name not in given for step in plan.workflow.steps)


def check_seconds(name: str, value: Any) -> float:
    """Return `value` as the seconds that a step takes; raise RefusedError unless it is a finite number from 0 on."""
    if not isinstance(value, bool) and _is_real(value) and 0 <= value < math.inf:
        return float(min(value, _LONGEST))
    shown = f"{value}"[:40] if isinstance(value, (int, float)) else f"a {type(value).__name__}"
    raise refusal(f"step {quote(name)} must take a finite number of seconds from 0 on, not {shown}")


def _is_real(value: object) -> bool:
    return isinstance(value, Real)  # numpy's numbers too


def show_seconds(seconds: float) -> str:
    """Return seconds as they are shown."""
    return f"{seconds:.2g} s" if 0 < seconds < 0.001 else f"{seconds:,.3f} s"


def check_names(plan: ExecutionPlan, names: Iterable[str]) -> None:
    """Raise UnknownNameError if a name is that of no step."""
    require_names("step", names, plan.steps)
