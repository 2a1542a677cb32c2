"""A report as a Mermaid gantt chart: when each step ran."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Optional

from wfplan.execution.report import StepReport
from wfplan.render.escaping import mermaid_text
from wfplan.render.scene import Node, Scene
from wfplan.render.states import STATES

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
    yield "  dateFormat x"
    yield f"  axisFormat {'%S.%L s' if run.end - run.start < _SHORT_RUN else '%H:%M:%S'}"
    for band in scene.bands:
        yield f"  section batch {band.number}"
        for name in band.steps:
            yield f"    {_task(scene.nodes[name], run)}"


def _task(node: Node, run: _Span) -> str:
    """A task of Mermaid: label, tags, id, start and end in milliseconds since the run began.

    They count from the start of the run: the clock of a run need not be that of the world.
    """
    span = _span_of(node)
    words = f"{STATES[node.state].sign} {node.name} ({node.subtitle})"
    told = mermaid_text(words, _LONGEST)
    if span is None:
        at = _milliseconds(run.end - run.start)
        return f"{told} :milestone, {at}, {at}"
    start = _milliseconds(span.start - run.start)
    end = max(_milliseconds(span.end - run.start), start + 1)
    return f"{told} :{_TAGS.get(node.state, '')}{start}, {end}"


def _span_of(node: Node) -> Optional[_Span]:
    """When a step ran in this run; while it runs, it has lasted no time that the report knows of."""
    report = node.report
    if report is None or report.started_at is None or report.run_id is not None:
        return None
    return _Span(report.started_at, _end_of(report, report.started_at))


def _end_of(report: StepReport, start: float) -> float:
    return start if report.ended_at is None else max(report.ended_at, start)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
