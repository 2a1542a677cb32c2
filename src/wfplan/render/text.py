"""Plans, reports, readings and errors as plain text."""

from __future__ import annotations

from typing import Iterator, Sequence

from wfplan._internal.messages import escape, join_names, pluralize
from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.plans import ExecutionPlan
from wfplan.reading import Reading
from wfplan.render.view import Displayable, Scene, headline, scene_of

__all__ = ["MOST_ROWS", "brief", "plain", "plan_to_text", "reasons", "report_to_text", "table"]

MOST_ROWS = 1000
"""Rows beyond these are only counted."""


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row; all columns but the last are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in list(zip(*rows))[:-1]]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths)]
    return "  ".join((*cells, row[-1]))


_WIDEST = 80
_HEAD = ("batch", "parallel", "step", "action", "waits for")


def plan_to_text(plan: ExecutionPlan) -> str:
    """Return the strategy, then the batches as a table: for each step its action and what it waits for.

    Args:
        plan: The plan.
    """
    steps, batches = len(plan.workflow.steps), len(plan.batches)
    title = f"{plan.strategy}: {pluralize(steps, 'step')} in {pluralize(batches, 'batch', 'es')}"
    if not plan.batches:
        return title
    return "\n".join((title, "", *table([_HEAD, *_rows(plan)])))


def _rows(plan: ExecutionPlan) -> Iterator[Sequence[str]]:
    for batch in plan.batches:
        number, mark = str(batch.number), "yes" if batch.parallel else "no"
        for name in batch.steps:
            step = plan.steps[name]
            yield number, mark, name, _cut(escape(step.action)), ", ".join(step.dependencies) or "-"
            number = mark = ""


def _cut(text: str) -> str:
    """Cut a long cell: one long action must not widen a hundred thousand rows."""
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."


_READING_HEAD = ("level", "step", "action", "waits for")
_REPORT_HEAD = ("step", "status", "attempts", "seconds", "why")


def report_to_text(report: ExecutionReport) -> str:
    """Return the phase, how many steps ended in which status, tables of the steps, and findings about the run itself.

    Args:
        report: The report.
    """
    counts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in report.counts.items() if number)
    title = f"{report.phase.replace('_', ' ')}: {counts or 'no steps'}, {_seconds(report.makespan)} s"
    lines = [title]
    if report.steps:
        lines += ["", *table([_REPORT_HEAD, *map(_row, report.steps.values())])]
    for title, reports in (("dry run", report.dry_run), ("rollback", report.rollback)):
        if reports:
            lines += ["", title, "", *table([_REPORT_HEAD, *map(_row, reports.values())])]
    if report.uncertain:
        lines += ["", f"outcome unknown: {join_names(report.uncertain)}"]
    if report.problems:
        lines += ["", *map(str, report.problems)]
    return "\n".join(lines)


def _row(step: StepReport) -> Sequence[str]:
    took = "-" if step.seconds is None else _seconds(step.seconds)
    return step.name, step.status.replace("_", " "), str(step.attempts or "-"), took, "; ".join(reasons(step)) or "-"


def reasons(step: StepReport) -> Iterator[str]:
    """Yield why a step is in its state, and what else is unusual about it, in words that can be shown."""
    if step.error is not None:
        yield escape(step.error.first_line)
    if step.reason is not None:
        yield step.reason.replace("-", " ") + (f": {escape(step.root_cause)}" if step.root_cause else "")
    if step.run_id is not None:
        yield f"from run {escape(step.run_id)}"
    if step.abandoned:
        yield "still running"
    if step.output_not_kept:
        yield f"its output, a {escape(step.output_not_kept)}, was not kept"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.3f}"


def plain(shown: Displayable) -> str:
    """Return all of it, in words."""
    if isinstance(shown, ExecutionPlan):
        return plan_to_text(shown)
    if isinstance(shown, ExecutionReport):
        return report_to_text(shown)
    return "\n".join(_of_reading(shown)) if isinstance(shown, Reading) else str(shown)


def brief(shown: Displayable) -> str:
    """Return the same; of very many steps only how many there are, since a notebook keeps what it has shown."""
    steps = shown.steps if isinstance(shown, (ExecutionPlan, ExecutionReport)) else ()
    items = shown.items if isinstance(shown, Reading) else steps
    return plain(shown) if len(items) <= MOST_ROWS else headline(shown)


def _of_reading(reading: Reading) -> Iterator[str]:
    yield headline(reading)
    yield from map(str, reading.problems)
    if reading.ok:
        scene = scene_of(reading)
        yield from ("", scene.title)
        yield from ("", *table([_READING_HEAD, *_level_rows(scene)])) if scene.nodes else ()


def _level_rows(scene: Scene) -> Iterator[Sequence[str]]:
    for level in scene.bands:
        number = str(level.number)
        for name in level.steps:
            node = scene.nodes[name]
            yield number, name, _cut(escape(node.action)), ", ".join(node.needs) or "-"
            number = ""
