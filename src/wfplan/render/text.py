"""A plan as plain text: its batches as a table."""

from __future__ import annotations

from typing import Iterator, Sequence

from wfplan._internal.names import counted, escape
from wfplan.plans import ExecutionPlan
from wfplan.render.table import table

__all__ = ["plan_to_text"]

_WIDEST = 80
_HEAD = ("batch", "parallel", "step", "action", "waits for")


def plan_to_text(plan: ExecutionPlan) -> str:
    """The strategy, then the batches as a table: for each step its action and what it waits for."""
    steps, batches = len(plan.workflow.steps), len(plan.batches)
    title = f"{plan.strategy}: {counted(steps, 'step')} in {counted(batches, 'batch', 'es')}"
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
    """One long action must not make a hundred thousand rows long."""
    return text if len(text) <= _WIDEST else text[: _WIDEST - 3] + "..."
