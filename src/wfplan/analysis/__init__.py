"""Analysis of a plan before it runs: how long it takes, why, and what would change that."""

from __future__ import annotations

from wfplan.analysis.explain import Explanation, Improvement, explain
from wfplan.analysis.lint import lint
from wfplan.analysis.parallel_conflicts import Separation, SeparationReason, why_not_parallel
from wfplan.analysis.simulation import Durations, simulate
from wfplan.analysis.timing import CriticalPath, StepTiming, critical_path, lower_bound, slack
from wfplan.analysis.what_if import Comparison, ConstraintCost, ScheduleResult, compare
from wfplan.analysis.width import width_bounds

__all__ = [
    "Comparison",
    "ConstraintCost",
    "CriticalPath",
    "Durations",
    "Explanation",
    "Improvement",
    "ScheduleResult",
    "Separation",
    "SeparationReason",
    "StepTiming",
    "compare",
    "critical_path",
    "explain",
    "lint",
    "lower_bound",
    "simulate",
    "slack",
    "why_not_parallel",
    "width_bounds",
]
