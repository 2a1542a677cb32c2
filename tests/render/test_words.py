"""Plans and reports as plain text."""

from __future__ import annotations

import wfplan
from wfplan import ExecutionReport, Problem, StepReport, render


def test_a_plan_without_steps_is_one_line() -> None:
    assert render.text(wfplan.plan({})) == "sequential: 0 steps in 0 batches"


def test_a_report_tells_what_is_unusual() -> None:
    report = ExecutionReport(
        run_id="r",
        phase="failed",
        steps={
            "a": StepReport(name="a", status="timed_out", attempts=1, abandoned=True),
            "b": StepReport(name="b", status="succeeded", run_id="before", output_not_kept="module.Kind"),
        },
        problems=[Problem(code="abandoned", severity="warning", message="one is left")],
    )
    text = render.text(report)
    assert "a     timed out  1         -        still running\n" in text
    assert "from run before; its output, a module.Kind, was not kept" in text
    assert 'outcome unknown: "a"' in text
    assert text.endswith("warning abandoned: one is left")


def test_a_report_without_steps_is_one_line() -> None:
    assert render.text(ExecutionReport(run_id="r", phase="completed", steps={})) == "completed: no steps, 0.000 s"


def test_what_is_to_blame_cannot_break_a_line() -> None:
    step = StepReport(name="a", status="skipped", reason="dependency-failed", root_cause="b\nc")
    assert "dependency failed: b\\nc" in render.text(ExecutionReport(run_id="r", phase="failed", steps={"a": step}))
