"""Spans of a run and its attempts, by OpenTelemetry (extra `otel`)."""

from __future__ import annotations

from typing import Any

from wfplan._internal.extras import how_to_install
from wfplan.errors import BackendNotAvailableError
from wfplan.execution.events import Event, Observer

__all__ = ["opentelemetry_spans"]


def opentelemetry_spans(tracer: Any = None) -> Observer:
    """Return an observer that makes a span for the run and, below it, one for each attempt at a step.

    An attempt is linked to the last attempts at its dependencies. Names, numbers and statuses are attributes;
    parameters, outputs and error messages, which may hold anything, are not. The span that is current when the run
    starts is the parent.

    Args:
        tracer: An OpenTelemetry tracer. None: the global one named `wfplan`.

    Raises:
        BackendNotAvailableError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import trace
    except ImportError as error:
        raise BackendNotAvailableError(f"spans need OpenTelemetry: {how_to_install('otel')}") from error

    tracer = tracer or trace.get_tracer("wfplan")
    runs: dict[str, Any] = {}
    attempts: dict[tuple[str, str, str], Any] = {}  # the last one at each step of each run, for each purpose
    failed = ("failed", "timed_out", "cancelled")

    def end(span: Any, event: Event, status: str | None) -> None:
        span.set_attribute("wfplan.status", status or "")
        if status in failed:
            span.set_status(trace.Status(trace.StatusCode.ERROR, event.error.type if event.error else status))
        span.end(end_time=_nanoseconds(event.at))

    def observe(event: Event) -> None:
        start = _nanoseconds(event.at)
        key = (event.run_id, event.purpose, str(event.step))
        if event.kind == "run-started":
            attributes = {"wfplan.run_id": event.run_id, "wfplan.steps": event.steps or 0}
            runs[event.run_id] = tracer.start_span("wfplan.run", start_time=start, attributes=attributes)
        elif event.kind == "attempt-started" and event.run_id in runs:
            known = [attempts.get((event.run_id, event.purpose, name)) for name in event.dependencies]
            attempts[key] = tracer.start_span(
                "wfplan.step",
                context=trace.set_span_in_context(runs[event.run_id]),
                start_time=start,
                links=[trace.Link(span.get_span_context()) for span in known if span is not None],
                attributes={
                    "wfplan.step": str(event.step),
                    "wfplan.purpose": event.purpose,
                    "wfplan.attempt": event.attempt or 0,
                },
            )
        elif event.kind == "attempt-ended" and key in attempts:
            end(attempts[key], event, event.status)
        elif event.kind in ("run-ended", "run-suspended") and event.run_id in runs:
            end(runs.pop(event.run_id), event, event.phase)
            for known_key in [known_key for known_key in attempts if known_key[0] == event.run_id]:
                del attempts[known_key]

    return observe


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
