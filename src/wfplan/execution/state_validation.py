"""Check that step reports are a possible state of a run of this plan."""

from __future__ import annotations

from typing import Container, Iterable, Mapping

from wfplan._internal.messages import quote
from wfplan._internal.suggestions import Suggester
from wfplan.execution.report import Reason, StepReport
from wfplan.models import Step
from wfplan.plans import ExecutionPlan
from wfplan.problems import ProblemCollector

__all__ = ["STOP_REASONS", "UNSUCCESSFUL", "check_state", "counts_as_done"]

UNSUCCESSFUL = frozenset(("failed", "timed_out", "cancelled"))
"""How a step ends that ran and did not succeed."""

STOP_REASONS: frozenset[Reason] = frozenset(("run-stopped", "dry-run", "dry-run-failed"))
"""Why steps are skipped that nothing which they need holds up."""


def counts_as_done(step: Step, status: str) -> bool:
    """Return whether a step with this status holds up none of those that depend on it, nor the phase `completed`."""
    return status == "succeeded" or (step.continue_on_failure and status in ("failed", "timed_out"))


def check_state(
    plan: ExecutionPlan,
    state: Iterable[StepReport],
    problems: ProblemCollector,
    *,
    what: str = "step",
    causes: Container[str] = (),
) -> dict[str, StepReport]:
    """Return the reports of `state` by name; adds an `impossible-state` for everything in it that cannot be.

    `what` is what a problem calls a step; `causes` are names that may be a root cause beside those of the plan.
    """
    steps = plan.steps
    reports = _by_name(steps, state, problems)
    holders: dict[object, str] = {}
    one_by_one = {name: batch.number for batch in plan.batches if not batch.parallel for name in batch.steps}
    for name, report in reports.items():
        step = steps[name]
        made_again = what != "step" and report.status != "skipped"  # of what it waits for, some may be done once more
        reason = None if made_again else _why_not_so_far(step, report, reports, steps)
        reason = reason or _why_not_by_itself(report, steps, causes)
        if reason is None and (report.status == "running" or report.abandoned):
            reason = _why_not_together(step, one_by_one.get(name), holders)
        if reason is not None:
            message = f"{what} {quote(name)} cannot be {report.status}: {reason}"
            problems.add("impossible-state", message, steps=(name,))
    if what == "step":
        _check_outputs(steps, reports, problems)
    return reports


def _by_name(
    steps: Mapping[str, Step], state: Iterable[StepReport], problems: ProblemCollector
) -> dict[str, StepReport]:
    reports: dict[str, StepReport] = {}
    suggester = Suggester(steps)
    for report in state:
        if not isinstance(report, StepReport):  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add("impossible-state", f"a {type(report).__name__} is not a report of a step")
        elif report.name not in steps:
            message = f"no step is named {quote(report.name)}"
            advice = suggester.suggest(report.name, "leave it out")
            problems.add("impossible-state", message, steps=(report.name,), suggestion=advice)
        elif report.name in reports:
            message = f"step {quote(report.name)} is reported twice"
            problems.add("impossible-state", message, steps=(report.name,))
        else:
            reports[report.name] = report
    return reports


def _check_outputs(steps: Mapping[str, Step], reports: Mapping[str, StepReport], problems: ProblemCollector) -> None:
    """Refuse a state in which a step that has not ended needs an output that was not kept."""
    lost = {name: report.output_not_kept for name, report in reports.items() if report.output_not_kept}
    for name, step in steps.items() if lost else ():
        if name not in reports or reports[name].status in ("pending", "running"):
            for needed in step.dependencies:
                if needed in lost:
                    message = (
                        f"step {quote(name)} needs the output of {quote(needed)}, a {lost[needed]}, which was not kept"
                    )
                    hint = f"have {quote(needed)} return what JSON can hold, or run it again"
                    problems.add("output-not-kept", message, steps=(name, needed), suggestion=hint)


def _why_not_so_far(
    step: Step, report: StepReport, reports: Mapping[str, StepReport], steps: Mapping[str, Step]
) -> str | None:
    """Return why a step cannot have got so far while what it needs has not."""
    open_needs = [
        name
        for name in step.dependencies
        if not counts_as_done(steps[name], reports[name].status if name in reports else "pending")
    ]
    if report.status == "skipped":
        held_up = any(name in reports and reports[name].status in {*UNSUCCESSFUL, "skipped"} for name in open_needs)
        if held_up or report.reason == "blocked-by-abandoned-call" or report.reason in STOP_REASONS:
            return None
        return "nothing that it needs failed, and no other reason is given"
    if open_needs and (report.status != "pending" or report.attempts):
        return f"it needs {quote(open_needs[0])}, which is not done"
    return None


def _why_not_by_itself(report: StepReport, steps: Mapping[str, Step], causes: Container[str]) -> str | None:
    """Return why the parts of a report do not go together."""
    if report.root_cause is not None and report.root_cause not in steps and report.root_cause not in causes:
        return f"no step is named {quote(report.root_cause)}, which it gives as the cause"
    if report.status == "skipped" and report.reason == "blocked-by-abandoned-call" and report.root_cause is None:
        return "the report does not name the step whose call was abandoned"
    if report.status == "running" and not report.attempts:
        return "none of its attempts has started"
    if report.status == "running" and report.attempt_started_at is None:
        return "the report does not say when its attempt started"
    if report.status == "pending" and report.retry_at is not None and not report.attempts:
        return "it is to be tried again, and was never tried"
    if report.abandoned and report.status not in ("running", "timed_out", "cancelled"):
        return "only a step that timed out or was cancelled leaves something behind"
    return None


def _why_not_together(step: Step, batch: int | None, holders: dict[object, str]) -> str | None:
    """Return why this step cannot be in flight together with those that were looked at before."""
    for lock in step.locks:
        holder = holders.setdefault(lock, step.name)
        if holder != step.name:
            return f"step {quote(holder)} holds the lock {quote(lock)}"
    holder = step.name if batch is None else holders.setdefault(batch, step.name)
    if holder != step.name:
        return f"step {quote(holder)} is in flight, and their batch is not parallel"
    return None
