"""Can this be the state of a run of this plan?"""

from __future__ import annotations

from typing import Iterable, Mapping

from wfplan.execution.report import StepReport
from wfplan.models import Step
from wfplan.names import nearest, quote
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemList

__all__ = ["BAD", "check_state", "counts_as_done"]

BAD = frozenset(("failed", "timed_out", "cancelled"))
"""How a step ends that ran and did not succeed."""


def counts_as_done(step: Step, status: str) -> bool:
    """Whether a step with this status holds up none of those that depend on it, nor the phase `completed`."""
    return status == "succeeded" or (step.continue_on_failure and status in ("failed", "timed_out"))


def check_state(plan: ExecutionPlan, state: Iterable[StepReport], problems: ProblemList) -> dict[str, StepReport]:
    """The reports of `state` by name; adds an `impossible-state` for everything in it that cannot be."""
    steps = plan.steps
    reports: dict[str, StepReport] = {}
    for report in state:
        name = report.name
        if name not in steps:
            near = " or ".join(map(quote, nearest(name, list(steps)[:2000])))
            hint = f"did you mean {near}?" if near else "leave it out"
            problems.add("impossible-state", f"no step is named {quote(name)}", steps=(name,), suggestion=hint)
        elif name in reports:
            problems.add("impossible-state", f"step {quote(name)} is reported twice", steps=(name,))
        else:
            reports[name] = report
    holders: dict[str, str] = {}
    for name, report in reports.items():
        reason = _why_impossible(steps[name], report, reports, steps) or _shared_lock(steps[name], report, holders)
        if reason:
            told = f"step {quote(name)} cannot be {report.status}: {reason}"
            problems.add("impossible-state", told, steps=(name,))
    for name, step in steps.items():
        if name not in reports or reports[name].status in ("pending", "running"):
            for needed in step.dependencies:
                if needed in reports and reports[needed].output_not_kept:
                    _refuse_lost_output(name, reports[needed], problems)
    return reports


def _refuse_lost_output(name: str, needed: StepReport, problems: ProblemList) -> None:
    problems.add(
        "output-not-kept",
        f"step {quote(name)} needs the output of {quote(needed.name)}, a {needed.output_not_kept}, which was not kept",
        steps=(name, needed.name),
        suggestion=f"have {quote(needed.name)} return what JSON can hold, or run it again",
    )


def _why_impossible(
    step: Step, report: StepReport, reports: Mapping[str, StepReport], steps: Mapping[str, Step]
) -> str | None:
    open_needs = [
        name
        for name in step.dependencies
        if not counts_as_done(steps[name], reports[name].status if name in reports else "pending")
    ]
    if report.root_cause is not None and report.root_cause not in steps:
        return f"no step is named {quote(report.root_cause)}, which it gives as the cause"
    if report.status == "skipped":
        if report.reason == "blocked-by-leftover" and report.root_cause is None:
            return "it is not told which step has left something behind"
        held_up = any(name in reports and reports[name].status in {*BAD, "skipped"} for name in open_needs)
        if held_up or report.reason in ("run-stopped", "blocked-by-leftover"):
            return None
        return "nothing that it needs failed, and no other reason is given"
    if open_needs and (report.status != "pending" or report.attempts):
        return f"it needs {quote(open_needs[0])}, which is not done"
    if report.status == "running":
        if not report.attempts:
            return "none of its attempts has started"
        if report.attempt_started_at is None:
            return "it is not told when its attempt started"
    if report.leftover and report.status not in ("running", "timed_out", "cancelled"):
        return "only a step that timed out or was cancelled leaves something behind"
    return None


def _shared_lock(step: Step, report: StepReport, holders: dict[str, str]) -> str | None:
    if report.status == "running" or report.leftover:
        for lock in step.locks:
            holder = holders.setdefault(lock, step.name)
            if holder != step.name:
                return f"step {quote(holder)} holds the lock {quote(lock)}"
    return None
