"""Anything that can be shown as plain text."""

from __future__ import annotations

from typing import Iterator

from wfplan.execution.report import ExecutionReport
from wfplan.plans import ExecutionPlan
from wfplan.reading import Reading
from wfplan.render.report import report_to_text
from wfplan.render.shown import Shown, headline, planned
from wfplan.render.tables import MOST_ROWS
from wfplan.render.text import plan_to_text

__all__ = ["brief", "plain"]


def plain(shown: Shown) -> str:
    """All of it, in words."""
    if isinstance(shown, ExecutionPlan):
        return plan_to_text(shown)
    if isinstance(shown, ExecutionReport):
        return report_to_text(shown)
    return "\n".join(_of_reading(shown)) if isinstance(shown, Reading) else str(shown)


def brief(shown: Shown) -> str:
    """The same; of very many steps only how many there are, since a notebook keeps what it has shown."""
    steps = shown.steps if isinstance(shown, (ExecutionPlan, ExecutionReport)) else ()
    items = shown.items if isinstance(shown, Reading) else steps
    return plain(shown) if len(items) <= MOST_ROWS else headline(shown)


def _of_reading(reading: Reading) -> Iterator[str]:
    yield headline(reading)
    yield from map(str, reading.problems)
    thing = planned(reading)
    if thing is not None:
        yield ""
        yield plain(thing)
