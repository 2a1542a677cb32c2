"""The whole plan for the purpose `dry_run`: before the execution, or instead of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest
from execution_helpers import SHORT, Driver, Gate, fails, plan_of

import wfplan
from wfplan import ExecutionReport, FunctionExecutor, Progress, RefusedError, Step, StepCall, StepReport, StopSignal

STEPS = (Step(name="a"), Step(name="b", dependencies=["a"]), Step(name="c"), Step(name="d", dependencies=["b"]))


class Trying:
    """An executor whose dry runs do what `act` says."""

    supports_dry_run = True

    def __init__(self, act: Optional[Callable[[StepCall], Any]] = None) -> None:
        self.act = act or (lambda call: f"would {call.step.name}")
        self.calls: List[StepCall] = []

    def execute(self, call: StepCall) -> Any:
        self.calls.append(call)
        return self.act(call) if call.purpose == "dry_run" else call.step.name

    def purposes(self) -> List[str]:
        return [call.purpose for call in self.calls]


def test_if_all_goes_well_everything_is_executed(drive: Driver) -> None:
    executor = Trying()
    report = drive(plan_of(*STEPS, dry_run_first=True), executor)
    assert report.ok
    assert executor.purposes() == ["dry_run"] * 4 + ["execute"] * 4
    assert report.outputs == {name: name for name in "abcd"}
    assert {name: step.output for name, step in report.dry_run.items()} == {name: f"would {name}" for name in "abcd"}
    tried = next(call for call in executor.calls if call.step.name == "b")
    assert dict(tried.outputs) == {"a": "would a"}
    assert "dry run" in str(report)


def test_one_failure_and_nothing_is_executed_but_all_that_can_be_tried_is(drive: Driver) -> None:
    executor = Trying(lambda call: fails() if call.step.name == "a" else None)
    report = drive(plan_of(*STEPS, dry_run_first=True), executor)
    assert report.phase == "failed"
    assert executor.purposes() == ["dry_run"] * 2
    assert {name: step.status for name, step in report.dry_run.items()} == {
        "a": "failed",
        "b": "skipped",
        "c": "succeeded",
        "d": "skipped",
    }
    assert {(step.status, step.reason, step.root_cause) for step in report.steps.values()} == {
        ("skipped", "dry-run-failed", "a")
    }


def test_a_failure_that_would_be_tolerated_is_one_too(drive: Driver) -> None:
    executor = Trying(lambda call: fails() if call.step.name == "a" else None)
    steps = (Step(name="a", continue_on_failure=True), Step(name="b", dependencies=["a"]))
    report = drive(plan_of(*steps, dry_run_first=True), executor)
    assert report.phase == "failed"
    assert executor.purposes() == ["dry_run"] * 2
    assert set(report.statuses.values()) == {"skipped"}


def test_a_dry_run_and_nothing_else(drive: Driver) -> None:
    executor = Trying()
    report = drive(plan_of(*STEPS), executor, dry_run=True)
    assert (report.ok, report.phase) == (True, "completed")
    assert executor.purposes() == ["dry_run"] * 4
    assert {(step.status, step.reason) for step in report.steps.values()} == {("skipped", "dry-run")}
    assert [step.status for step in report.dry_run.values()] == ["succeeded"] * 4
    report = drive(plan_of(*STEPS), Trying(lambda _call: fails()), dry_run=True)
    assert (report.ok, report.phase) == (False, "failed")


def test_of_a_dry_run_nothing_is_kept(drive: Driver) -> None:
    executor = Trying()
    report = drive(plan_of(*STEPS), executor, dry_run=True)
    again = drive(plan_of(*STEPS), executor, resume=report)
    assert again.ok
    assert executor.purposes() == ["dry_run"] * 4 + ["execute"] * 4


def test_a_plan_that_asks_for_one_may_be_dry_run_only(drive: Driver) -> None:
    executor = Trying()
    assert drive(plan_of(*STEPS, dry_run_first=True), executor, dry_run=True).ok
    assert executor.purposes() == ["dry_run"] * 4


def test_functions_for_dry_runs_are_looked_at_first(drive: Driver) -> None:
    done: List[str] = []
    real: Dict[str, Any] = {"a": lambda x: done.append("real")}
    plan = plan_of(Step(name="a", parameters={"x": 1}))
    tried = FunctionExecutor(real, dry_run={"a": lambda x: done.append("dry")})
    assert drive(plan, tried, dry_run=True).ok
    assert done == ["dry"]

    def refused(executor: Any) -> List[str]:
        with pytest.raises(RefusedError) as caught:
            drive(plan, executor, dry_run=True)
        return [problem.code for problem in caught.value.problems]

    assert refused(FunctionExecutor(real)) == ["unsupported"]
    assert refused(FunctionExecutor(real, dry_run={})) == ["unknown-action"]
    assert refused(FunctionExecutor(real, dry_run={"a": lambda y: y})) == ["invalid-parameters"] * 2
    assert refused(FunctionExecutor({}, dry_run={"a": lambda x: x})) == ["unknown-action"]
    assert done == ["dry"]


def test_a_signal_during_the_dry_run_is_the_end(drive: Driver) -> None:
    stop = StopSignal()
    executor = Trying(lambda call: stop.set())
    report = drive(plan_of(*STEPS, dry_run_first=True), executor, stop=stop, max_parallel=1)
    assert report.phase == "failed"
    assert executor.purposes() == ["dry_run"]
    assert {(step.status, step.reason) for step in report.steps.values()} == {("skipped", "run-stopped")}


def test_what_hangs_times_out_in_a_dry_run_too(drive: Driver, gate: Gate) -> None:
    steps = (Step(name="a", timeout_seconds=SHORT), Step(name="b"))
    executor = Trying(lambda call: gate.hang() if call.step.name == "a" else None)
    report = drive(plan_of(*steps, dry_run_first=True), executor)
    assert report.dry_run["a"].status == "timed_out"
    assert report.phase == "failed"
    assert report.uncertain == ()


def test_it_is_written_down(drive: Driver, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    plan = plan_of(*STEPS, dry_run_first=True)
    report = drive(plan, Trying(), journal=path)
    assert ExecutionReport.from_journal(path) == report
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for kept in range(1, len(text)):
        path.write_text("".join(text[:kept]), encoding="utf-8")
        executor = Trying()
        again = drive(plan, executor, journal=path)
        assert again.ok
        assert [step.status for step in again.dry_run.values()] == ["succeeded"] * 4
        assert again.outputs == report.outputs


def test_only_a_dry_run_is_written_down(drive: Driver, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    plan = plan_of(*STEPS)
    report = drive(plan, Trying(), journal=path, dry_run=True)
    assert ExecutionReport.from_journal(path) == report
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(text[:4]), encoding="utf-8")
    with pytest.raises(RefusedError) as caught:
        drive(plan, Trying(), journal=path)
    assert [problem.code for problem in caught.value.problems] == ["journal-mismatch"]
    executor = Trying()
    again = drive(plan, executor, journal=path, dry_run=True)
    assert again.ok
    assert set(executor.purposes()) == {"dry_run"}


@pytest.mark.parametrize("wrong", [1, "yes", []])
def test_what_is_neither_true_nor_false_is_refused(drive: Driver, wrong: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        drive(plan_of(*STEPS), Trying(), dry_run=wrong)
    assert "invalid-setting" in [problem.code for problem in caught.value.problems]


def test_what_has_begun_cannot_be_made_a_dry_run() -> None:
    plan = plan_of(*STEPS)
    running = StepReport(name="a", status="running", attempts=1, attempt_started_at=0)
    for report in (running, StepReport(name="a", status="failed", attempts=1)):
        with pytest.raises(RefusedError, match="has begun"):
            Progress(plan, [report], dry_run=True)


def test_what_has_succeeded_counts_as_tried() -> None:
    plan = plan_of(*STEPS)
    progress = Progress(plan, [StepReport(name="a", status="succeeded", attempts=1, output=1)], dry_run=True)
    calls = progress.get_ready(0)
    assert [(call.purpose, call.step.name) for call in calls] == [("dry_run", "c")]
    progress.done("c", now=0)
    (call,) = progress.get_ready(0)
    assert (call.step.name, dict(call.outputs)) == ("b", {"a": 1})
    assert progress.has_dry_run
    assert not progress.has_rollback


def test_a_dry_run_by_default_needs_no_support(drive: Driver) -> None:
    assert drive(plan_of(Step(name="a")), {"a": int}, dry_run=False).ok
    assert wfplan.run(plan_of(Step(name="a")), {"a": int}, dry_run=None).ok
