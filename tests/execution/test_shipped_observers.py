"""The observers that come with the library: the logger, the progress bar, spans."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from typing import Any, Dict, List

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rich.console import Console

import wfplan
from wfplan import BackendNotAvailableError, Event, RetryPolicy, Step
from wfplan.execution.observers.logging import log_event
from wfplan.execution.observers.opentelemetry import opentelemetry_spans
from wfplan.execution.observers.progress_bar import progress_bar

STEPS = [
    Step(name="a", parameters={"secret": "s3cret"}),
    Step(name="b", dependencies=["a"], retry=RetryPolicy(max_attempts=2)),
    Step(name="c[red]", action="c", dependencies=["b"]),
    Step(name="d", dependencies=["a"]),
]
PLAN = wfplan.plan(STEPS)


def divide() -> float:
    return 1 / 0


FUNCTIONS = {"a": lambda secret: secret, "b": divide, "c": int, "d": int}


def run(**keywords: Any) -> wfplan.ExecutionReport:
    return wfplan.run(PLAN, FUNCTIONS, on_failure="skip-dependents", max_parallel=1, run_id="r", **keywords)


def test_the_logger_is_told_of_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="wfplan")
    run()
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("INFO", "run r started: 4 steps, 0 of them ended before"),
        ("DEBUG", 'run r: step "a" starts, attempt 1'),
        ("DEBUG", 'run r: step "a" attempt 1 succeeded'),
        ("INFO", 'run r: step "a" succeeded'),
        ("DEBUG", 'run r: step "b" starts, attempt 1'),
        ("WARNING", 'run r: step "b" attempt 1 failed, to be tried again: ZeroDivisionError: division by zero'),
        ("DEBUG", 'run r: step "b" starts, attempt 2'),
        ("DEBUG", 'run r: step "b" attempt 2 failed: ZeroDivisionError: division by zero'),
        ("WARNING", 'run r: step "b" failed: ZeroDivisionError: division by zero'),
        ("INFO", 'run r: step "c[red]" skipped because of "b"'),
        ("DEBUG", 'run r: step "d" starts, attempt 1'),
        ("DEBUG", 'run r: step "d" attempt 1 succeeded'),
        ("INFO", 'run r: step "d" succeeded'),
        ("INFO", "run r ended: failed"),
    ]


def test_a_leftover_that_comes_back_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="wfplan")
    log_event(Event(kind="abandoned-call-returned", at=1.0, run_id="r", step="a"))
    assert caplog.messages == ['run r: step "a" came back after its time was up']


def test_the_logger_is_silent_above_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="wfplan")
    run()
    assert not caplog.records


def test_nothing_is_configured_and_nothing_is_printed() -> None:
    code = (
        "import wfplan, logging\n"
        "wfplan.run(wfplan.plan({'a': []}), {'a': lambda: 1 / 0})\n"
        "logger = logging.getLogger('wfplan')\n"
        "assert [type(handler).__name__ for handler in logger.handlers] == ['NullHandler'], logger.handlers\n"
        "assert not logging.getLogger().handlers and not logger.level\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout + shown.stderr == ""


def test_the_bar_shows_how_far_the_run_is_and_how_it_ended() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    observer = progress_bar(console)
    run(observers=[observer])
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "4/4" in shown
    assert "failed, 1 failed" in shown
    wfplan.run(wfplan.plan({"x[red]": []}), {"x[red]": int}, observers=[observer])
    assert "1/1" in console.file.getvalue()  # type: ignore[attr-defined]
    assert console.file.getvalue().count("completed") == 1  # type: ignore[attr-defined]


def spans_of(**keywords: Any) -> List[ReadableSpan]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("outside"):
        run(observers=[opentelemetry_spans(provider.get_tracer("wfplan"))], **keywords)
    return list(exporter.get_finished_spans())


def test_there_is_a_span_for_the_run_and_one_for_each_attempt() -> None:
    spans = spans_of()
    attributes: Dict[str, Any] = {}
    names = [span.name for span in spans]
    assert names == ["wfplan.step"] * 4 + ["wfplan.run", "outside"]
    whole, outside = spans[4], spans[5]
    assert whole.parent is not None
    assert whole.parent.span_id == outside.context.span_id
    assert dict(whole.attributes or {}) == {"wfplan.run_id": "r", "wfplan.steps": 4, "wfplan.status": "failed"}
    for span in spans[:4]:
        attributes = dict(span.attributes or {})
        assert span.parent is not None
        assert span.parent.span_id == whole.context.span_id
        assert set(attributes) == {"wfplan.step", "wfplan.purpose", "wfplan.attempt", "wfplan.status"}
        assert whole.start_time <= span.start_time <= span.end_time <= whole.end_time  # type: ignore[operator]
    a, first, second, d = spans[:4]
    for dependent in (first, second, d):
        assert [link.context.span_id for link in dependent.links] == [a.context.span_id]
    assert second.status.status_code is trace.StatusCode.ERROR
    assert second.status.description == "ZeroDivisionError"
    assert "s3cret" not in "".join(span.to_json() for span in spans)


def test_without_a_provider_spans_cost_nothing_and_change_nothing() -> None:
    assert run(observers=[opentelemetry_spans()]).statuses == run().statuses


@pytest.mark.parametrize(
    ("module", "make", "package"),
    [("rich.markup", progress_bar, "rich"), ("opentelemetry", opentelemetry_spans, "opentelemetry-api")],
)
def test_a_package_that_is_missing_is_named(
    module: str, make: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendNotAvailableError, match=rf": pip install {package}$"):
        make()
