"""Plans and reports as Mermaid diagrams: a flowchart or, of a report, a gantt chart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Iterator, NamedTuple, Optional

from typing_extensions import Literal, TypeAlias

from wfplan.execution.report import ExecutionReport, StepReport
from wfplan.problems import refusal
from wfplan.render.escaping import mermaid_text
from wfplan.render.view import STATES, Band, Drawable, Node, Scene, marks_of, scene_of

__all__ = ["MAX_CHARACTERS", "MAX_EDGES", "DiagramKind", "flowchart", "gantt", "mermaid_of"]

_WORDS = {"alone": "alone", "locked": "locks", "destructive": "destructive"}
_LONGEST = 200
_NO_BREAK = "#160;"


def flowchart(scene: Scene) -> str:
    """Return the flowchart, whole, however large it is."""
    return "\n".join(_lines(scene)) + "\n"


def _lines(scene: Scene) -> Iterator[str]:
    yield "flowchart TD"
    ids = {name: f"s{number}" for number, name in enumerate(scene.nodes, 1)}
    for place, band in enumerate(scene.bands, 1):
        yield f'  subgraph b{place}["{mermaid_text(_title(band))}"]'
        for name in band.steps:
            yield f'    {ids[name]}["{_label(scene.nodes[name])}"]{_css_class(scene.nodes[name])}'
        yield "  end"
    for name, node in scene.nodes.items():
        for needed in node.needs:
            yield f"  {ids[needed]} --> {ids[name]}"
    yield from _styles(scene)


def _title(band: Band) -> str:
    return band.label + (f", {band.mode}" if band.mode else "")


def _label(node: Node) -> str:
    """Return the name, below it what else there is to say. `<br/>` is the one tag, and it is ours."""
    name = mermaid_text(node.name, _LONGEST)
    if node.state:
        name = f"{mermaid_text(STATES[node.state].sign)}{_NO_BREAK}{name}"
    below = ", ".join(text for text in (node.subtitle, *(_WORDS[mark] for mark in marks_of(node))) if text)
    return f"{name}<br/>{mermaid_text(below, _LONGEST)}" if below else name


def _css_class(node: Node) -> str:
    return f":::{node.state}" if node.state else ""


def _styles(scene: Scene) -> Iterator[str]:
    """Return the styles: every color comes with that of its text, so that light and dark backgrounds work."""
    found = {node.state for node in scene.nodes.values()}
    for name, state in STATES.items():
        if name in found:
            yield f"  classDef {name} fill:{state.fill},stroke:{state.line},color:#1b222c"
    for place, band in enumerate(scene.bands, 1):
        if band.mode == "one by one":
            yield f"  style b{place} stroke-dasharray:5 4"


_TAGS = {
    "succeeded": "done, ",
    "running": "active, ",
    "failed": "crit, ",
    "timed_out": "crit, ",
    "undo_failed": "crit, ",
}
_GANTT_LONGEST = 200
_SHORT_RUN = 60.0
_DAY = 86_400.0
_LONGEST_RUN = 365 * _DAY  # what lasts longer ends there
_BEGIN = datetime(2001, 1, 1)  # noqa: DTZ001 - whatever the time zone


class _Span(NamedTuple):
    """Seconds by the clock of the run."""

    start: float
    end: float


def gantt(scene: Scene) -> str:
    """Return the chart; a step that did not run in this run is a milestone where the run ended."""
    spans = [span for span in map(_span_of, scene.nodes.values()) if span]
    run = _Span(min((span.start for span in spans), default=0.0), max((span.end for span in spans), default=0.0))
    return "\n".join(_gantt_lines(scene, run)) + "\n"


def _gantt_lines(scene: Scene, run: _Span) -> Iterator[str]:
    yield "gantt"
    yield f"  title {mermaid_text(scene.title)}"
    yield "  dateFormat YYYY-MM-DD HH:mm:ss.SSS"
    yield f"  axisFormat {_axis(run.end - run.start)}"
    for band in scene.bands:
        yield f"  section {band.label}"
        for name in band.steps:
            yield f"    {_task(scene.nodes[name], run)}"


def _task(node: Node, run: _Span) -> str:
    """Return a task of Mermaid: label, tags, start and end."""
    span = _span_of(node)
    words = f"{STATES[node.state].sign} {node.name} ({node.subtitle})"
    label = mermaid_text(words, _GANTT_LONGEST)
    if span is None:
        at = _moment(_milliseconds(run.end - run.start))
        return f"{label} :milestone, {at}, {at}"
    start = _milliseconds(span.start - run.start)
    end = max(_milliseconds(span.end - run.start), start + 1)
    return f"{label} :{_TAGS.get(node.state, '')}{_moment(start)}, {_moment(end)}"


def _span_of(node: Node) -> Optional[_Span]:
    """Return when a step ran in this run; while it runs, it has lasted no time that the report knows of."""
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


DiagramKind: TypeAlias = Literal["flowchart", "gantt"]

MAX_EDGES = 500
"""`maxEdges` of Mermaid's own configuration; beyond it, an error is drawn."""
MAX_CHARACTERS = 50_000
"""`maxTextSize` of the same."""


def mermaid_of(thing: Drawable, kind: DiagramKind, max_edges: int, max_characters: int) -> str:
    """Return the text of the diagram; RefusedError if Mermaid would not draw it."""
    scene = scene_of(thing)
    if kind == "gantt":
        if not isinstance(thing, ExecutionReport):
            raise refusal("a gantt chart shows when steps ran, so it takes a report", "a plan is a flowchart")
        return _bounded(gantt(scene), max_characters)
    if kind != "flowchart":
        raise refusal(f"the kind is {kind!r}, but can be flowchart or gantt only")
    if scene.edges > max_edges:
        raise refusal(
            f"{scene.edges:,} dependencies, and Mermaid draws {max_edges:,} at most",
            "use svg or dot, or raise `max_edges` here and `maxEdges` in the configuration of Mermaid",
            code="limit-exceeded",
        )
    return _bounded(flowchart(scene), max_characters)


def _bounded(text: str, max_characters: int) -> str:
    if len(text) > max_characters:
        raise refusal(
            f"{len(text):,} characters, and Mermaid reads {max_characters:,} at most",
            "use svg or dot, or raise `max_characters` here and `maxTextSize` in the configuration of Mermaid",
            code="limit-exceeded",
        )
    return text
