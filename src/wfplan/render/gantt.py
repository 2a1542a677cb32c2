"""A report as a Mermaid gantt chart: when each step ran."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Iterator, NamedTuple, Optional

from wfplan.execution.report import StepReport
from wfplan.render.escaping import mermaid_text
from wfplan.render.states import STATES
from wfplan.render.view import Node, Scene

__all__ = ["gantt"]

_TAGS = {
    "succeeded": "done, ",
    "running": "active, ",
    "failed": "crit, ",
    "timed_out": "crit, ",
    "undo_failed": "crit, ",
}
_LONGEST = 200
_SHORT_RUN = 60.0
_DAY = 86_400.0
_LONGEST_RUN = 365 * _DAY  # what lasts longer ends there
_BEGIN = datetime(2001, 1, 1)  # noqa: DTZ001 - whatever the time zone


class _Span(NamedTuple):
    """Seconds by the clock of the run."""

    start: float
    end: float


def gantt(scene: Scene) -> str:
    """The chart; a step that did not run in this run is a milestone where the run ended."""
    spans = [span for span in map(_span_of, scene.nodes.values()) if span]
    run = _Span(min((span.start for span in spans), default=0.0), max((span.end for span in spans), default=0.0))
    return "\n".join(_lines(scene, run)) + "\n"


def _lines(scene: Scene, run: _Span) -> Iterator[str]:
    yield "gantt"
    yield f"  title {mermaid_text(scene.title)}"
    yield "  dateFormat YYYY-MM-DD HH:mm:ss.SSS"
    yield f"  axisFormat {_axis(run.end - run.start)}"
    for band in scene.bands:
        yield f"  section batch {band.number}"
        for name in band.steps:
            yield f"    {_task(scene.nodes[name], run)}"


def _task(node: Node, run: _Span) -> str:
    """A task of Mermaid: label, tags, start and end."""
    span = _span_of(node)
    words = f"{STATES[node.state].sign} {node.name} ({node.subtitle})"
    told = mermaid_text(words, _LONGEST)
    if span is None:
        at = _moment(_milliseconds(run.end - run.start))
        return f"{told} :milestone, {at}, {at}"
    start = _milliseconds(span.start - run.start)
    end = max(_milliseconds(span.end - run.start), start + 1)
    return f"{told} :{_TAGS.get(node.state, '')}{_moment(start)}, {_moment(end)}"


def _span_of(node: Node) -> Optional[_Span]:
    """When a step ran in this run; while it runs, it has lasted no time that the report knows of."""
    report = node.report
    if report is None or report.started_at is None or report.run_id is not None:
        return None
    return _Span(report.started_at, _end_of(report, report.started_at))


def _end_of(report: StepReport, start: float) -> float:
    return start if report.ended_at is None else max(report.ended_at, start)


def _milliseconds(seconds: float) -> int:
    return round(min(seconds, _LONGEST_RUN) * 1000)


def _moment(milliseconds: int) -> str:
    """Counted from the start of the run, as a date without a time zone: Mermaid reads and shows it in the same one."""
    moment = _BEGIN + timedelta(milliseconds=milliseconds)
    return moment.isoformat(" ", "milliseconds")


def _axis(seconds: float) -> str:
    if seconds < _SHORT_RUN:
        return "%S.%L s"
    return "%H:%M:%S" if seconds < _DAY else "day %j %H:%M:%S"
