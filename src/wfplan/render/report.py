"""A report as plain text: what happened, step by step, as a table."""

from __future__ import annotations

from typing import Iterator, Sequence

from wfplan._internal.names import escape, list_names
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.render.table import table

__all__ = ["reasons", "report_to_text"]

_HEAD = ("step", "status", "attempts", "seconds", "why")


def report_to_text(report: ExecutionReport) -> str:
    """The phase and how many steps ended how, tables of the steps, and what is worth knowing about the run itself."""
    counts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in report.counts.items() if number)
    title = f"{report.phase.replace('_', ' ')}: {counts or 'no steps'}, {_seconds(report.makespan)} s"
    lines = [title]
    if report.steps:
        lines += ["", *table([_HEAD, *map(_row, report.steps.values())])]
    for title, reports in (("dry run", report.dry_run), ("rollback", report.rollback)):
        if reports:
            lines += ["", title, "", *table([_HEAD, *map(_row, reports.values())])]
    if report.uncertain:
        lines += ["", f"nobody knows what was done by {list_names(report.uncertain)}"]
    if report.problems:
        lines += ["", *map(str, report.problems)]
    return "\n".join(lines)


def _row(step: StepReport) -> Sequence[str]:
    took = "-" if step.seconds is None else _seconds(step.seconds)
    return step.name, step.status.replace("_", " "), str(step.attempts or "-"), took, "; ".join(reasons(step)) or "-"


def reasons(step: StepReport) -> Iterator[str]:
    """Why a step is in its state, and what else is unusual about it, in words that can be shown."""
    if step.error is not None:
        yield escape(step.error.first_line)
    if step.reason is not None:
        yield step.reason.replace("-", " ") + (f": {escape(step.root_cause)}" if step.root_cause else "")
    if step.run_id is not None:
        yield f"from run {escape(step.run_id)}"
    if step.leftover:
        yield "still running"
    if step.output_not_kept:
        yield f"its output, a {escape(step.output_not_kept)}, was not kept"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.3f}"
