"""What a failed run undoes, in which order, and what happens when that goes wrong, too."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest
from execution_helpers import SHORT, Driver, Gate, Recorder, fails, plan_of

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionReport,
    FunctionExecutor,
    Progress,
    RefusedError,
    RetryPolicy,
    Step,
    StepCall,
    StepReport,
    StopSignal,
)
from wfplan.execution.interface import PendingOutput
from wfplan.execution.rollback import rollback_plan, rollback_preview
from wfplan.planner import plan as make_plan


def undoable(name: str, *needs: str, **fields: Any) -> Step:
    return Step(
        name=name, dependencies=needs, rollback=Compensation(action="undo", parameters={"what": name}), **fields
    )


def diamond(**fields: Any) -> ExecutionPlan:
    """top, two middles, bottom, and `last`, which fails."""
    return plan_of(
        undoable("top"),
        undoable("left", "top", **fields),
        undoable("right", "top"),
        undoable("bottom", "left", "right"),
        Step(name="last", dependencies=["bottom"]),
        rollback_on_failure=True,
    )


def noting(names: List[str]) -> Callable[[str], None]:
    def undo(what: str) -> None:
        names.append(what)

    return undo


class Undoing:
    """An executor that does everything but `last`, and what `act` says when it is to undo."""

    def __init__(self, act: Optional[Callable[[StepCall], Any]] = None) -> None:
        self.act = act or (lambda call: None)
        self.calls: List[StepCall] = []
        self.undone: List[str] = []

    def execute(self, call: StepCall) -> Any:
        self.calls.append(call)
        if call.purpose == "compensate":
            self.undone.append(call.step.name)
            return self.act(call)
        if call.step.name == "last":
            raise ValueError("broken")
        return f"{call.step.name}!"


def test_what_succeeded_is_undone_dependents_first(drive: Driver) -> None:
    executor = Undoing()
    events: List[Any] = []
    report = drive(diamond(), executor, observers=[events.append])
    assert (report.phase, report.ok, report.ended) == ("rolled_back", False, True)
    assert executor.undone[0] == "bottom"
    assert sorted(executor.undone[1:3]) == ["left", "right"]
    assert executor.undone[3:] == ["top"]
    assert set(report.undone) == {"top", "left", "right", "bottom"}
    assert report.statuses["last"] == "failed"
    call = next(call for call in executor.calls if call.purpose == "compensate" and call.step.name == "bottom")
    assert (call.step.action, call.step.parameters) == ("undo", {"what": "bottom"})
    assert dict(call.outputs) == {"left": "left!", "right": "right!", "bottom": "bottom!"}
    assert len({call.idempotency_key for call in executor.calls}) == len(executor.calls)
    assert "rollback" in str(report)
    ended = [(event.purpose, event.step) for event in events if event.kind == "step-ended"]
    assert ended[-4] == ("compensate", "bottom")
    assert events[-1].phase == "rolled_back"


def test_independent_ones_are_undone_in_parallel(drive: Driver) -> None:
    both = threading.Barrier(2, timeout=5)

    def act(call: StepCall) -> None:
        if call.step.name in ("left", "right"):
            both.wait()

    assert drive(diamond(), Undoing(act)).phase == "rolled_back"


def test_one_that_fails_stops_no_other(drive: Driver) -> None:
    def act(call: StepCall) -> None:
        if call.step.name == "left":
            raise OSError("cannot")

    executor = Undoing(act)
    report = drive(diamond(), executor)
    assert report.phase == "failed"
    assert sorted(executor.undone) == ["bottom", "left", "right", "top"]
    assert report.rollback["left"].status == "failed"
    assert report.uncertain == ("left",)
    with pytest.raises(wfplan.ExecutionError):
        report.raise_for_status()


def test_one_that_is_cancelled_by_somebody_else_stops_no_other(drive: Driver) -> None:
    def act(call: StepCall) -> Any:
        future: Future[Any] = Future()
        future.cancel()
        return PendingOutput(future) if call.step.name == "bottom" else None

    executor = Undoing(act)
    report = drive(diamond(), executor)
    assert report.rollback["bottom"].status == "failed"
    assert sorted(executor.undone) == ["bottom", "left", "right", "top"]


def test_one_that_hangs_times_out_and_stops_no_other(drive: Driver, gate: Gate) -> None:
    executor = Undoing(lambda call: gate.hang() if call.step.name == "left" else None)
    report = drive(diamond(timeout_seconds=SHORT), executor)
    assert report.phase == "failed"
    assert {name: step.status for name, step in report.rollback.items()} == {
        "bottom": "succeeded",
        "left": "timed_out",
        "right": "succeeded",
        "top": "succeeded",
    }
    assert report.uncertain == ("left",)
    assert [problem.code for problem in report.problems] == ["abandoned"]


def test_one_is_tried_again_as_its_step_would_be(drive: Driver) -> None:
    def act(call: StepCall) -> None:
        if call.step.name == "left" and call.attempt < 3:
            raise OSError("busy")

    executor = Undoing(act)
    report = drive(diamond(retry=RetryPolicy(max_attempts=3)), executor)
    assert report.phase == "rolled_back"
    assert report.rollback["left"].attempts == 3
    keys = {c.idempotency_key for c in executor.calls if c.purpose == "compensate" and c.step.name == "left"}
    assert len(keys) == 1


def test_locks_and_hints_hold_for_compensations_too(drive: Driver) -> None:
    inside: List[str] = []
    overlaps: List[Any] = []

    def act(call: StepCall) -> None:
        inside.append(call.step.name)
        threading.Event().wait(0.01)
        overlaps.append(tuple(inside))
        inside.remove(call.step.name)

    steps = [
        undoable("a", locks=["x"]),
        undoable("b", locks=["x"]),
        undoable("c", metadata={"execution_mode": "sequential"}),
    ]
    plan = plan_of(*steps, Step(name="last", dependencies=["a", "b", "c"]), rollback_on_failure=True)
    report = drive(plan, Undoing(act), max_parallel=3)
    assert report.phase == "rolled_back"
    assert all(len(names) == 1 for names in overlaps)


def test_an_unknown_compensation_is_refused_before_anything_runs(drive: Driver) -> None:
    ran: List[int] = []
    functions = {"top": lambda: ran.append(1), "undo": lambda: 1}
    plan = plan_of(
        Step(name="top", rollback=Compensation(action="undue")),
        Step(name="b", action="top", rollback=Compensation(action="undo", parameters={"x": 1})),
        rollback_on_failure=True,
    )
    with pytest.raises(RefusedError) as caught:
        drive(plan, functions)
    assert sorted(problem.code for problem in caught.value.problems) == ["invalid-parameters", "unknown-action"]
    assert all("rollback of step" in problem.message for problem in caught.value.problems)
    assert ran == []
    without = make_plan(plan.workflow, execution_strategy=wfplan.ExecutionStrategy())
    assert drive(without, functions).ok


def test_nothing_is_undone_where_nothing_is_to_be(drive: Driver) -> None:
    executor = Undoing()
    fine = plan_of(undoable("a"), undoable("b", "a"), rollback_on_failure=True)
    assert drive(fine, executor).phase == "completed"
    unwanted = make_plan(diamond().workflow, execution_strategy=wfplan.ExecutionStrategy())
    assert drive(unwanted, executor).phase == "failed"
    tolerated = plan_of(undoable("a"), Step(name="last", continue_on_failure=True), rollback_on_failure=True)
    assert drive(tolerated, executor).phase == "completed"
    nothing = plan_of(Step(name="a"), Step(name="last", dependencies=["a"]), rollback_on_failure=True)
    report = drive(nothing, executor)
    assert (report.phase, report.rollback) == ("failed", {})
    assert executor.undone == []


def test_a_signal_before_the_failure_means_no_rollback(drive: Driver) -> None:
    stop = StopSignal()
    executor = Undoing()
    plan = diamond()

    def stop_at_last(event: wfplan.Event) -> None:
        if event.kind == "attempt-started" and event.step == "last":
            stop.set()

    report = drive(plan, executor, stop=stop, observers=[stop_at_last])
    assert (report.phase, report.stop_requested, report.rollback) == ("failed", True, {})


def test_a_signal_during_the_rollback_stops_it(drive: Driver) -> None:
    stop = StopSignal()
    executor = Undoing(lambda call: stop.set() if call.step.name == "bottom" else None)
    report = drive(diamond(), executor, stop=stop)
    assert report.phase == "failed"
    assert executor.undone == ["bottom"]
    assert {name: (step.status, step.reason) for name, step in report.rollback.items()} == {
        "bottom": ("succeeded", None),
        "left": ("skipped", "run-stopped"),
        "right": ("skipped", "run-stopped"),
        "top": ("skipped", "run-stopped"),
    }


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_rolls_nothing_back(drive: Driver, kind: Any) -> None:
    undone: List[int] = []

    def interrupt() -> None:
        raise kind

    plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"]), rollback_on_failure=True)
    with pytest.raises(kind):
        drive(plan, {"a": int, "b": interrupt, "undo": lambda what: undone.append(1)})
    assert undone == []


def test_an_interrupt_during_a_rollback_suspends_it_and_the_run_goes_on_there(drive: Driver, tmp_path: Path) -> None:
    def act(call: StepCall) -> None:
        if call.step.name == "left":
            raise KeyboardInterrupt

    path = tmp_path / "run.jsonl"
    with pytest.raises(KeyboardInterrupt):
        drive(diamond(), Undoing(act), journal=path, max_parallel=1)
    report = ExecutionReport.from_journal(path)
    assert (report.phase, report.suspended_in) == ("suspended", "compensate")
    assert report.rollback["left"].status == "failed"
    assert "top" not in report.undone
    executor = Undoing()
    again = drive(diamond(), executor, resume=report, max_parallel=1)
    assert (again.phase, again.run_id) == ("failed", report.run_id)
    assert set(executor.undone) == {"top", "right", "bottom"} - set(report.undone)
    assert {call.purpose for call in executor.calls} == {"compensate"}


def test_cancelling_the_task_during_a_rollback() -> None:
    async def main() -> Any:
        entered = asyncio.Event()

        async def hang(what: str) -> None:
            entered.set()
            await asyncio.sleep(60)

        async def fail() -> None:
            raise ValueError

        plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"]), rollback_on_failure=True)
        task = asyncio.ensure_future(wfplan.arun(plan, {"a": int, "b": fail, "undo": hang}))
        await entered.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return getattr(error, "report", None)

    report = asyncio.run(main())
    if report is not None:  # Python 3.11 on keeps the exception itself
        assert report.rollback["a"].status == "running"
        assert (report.phase, report.suspended_in) == ("suspended", "compensate")


def test_it_waits_for_what_a_timeout_has_left_behind(drive: Driver) -> None:
    """`slow` times out, and returns soon after; only then what it shares a lock with is undone."""
    returned: List[str] = []

    def slow() -> None:
        threading.Event().wait(4 * SHORT)
        returned.append("slow")

    plan = plan_of(
        undoable("a", locks=["x"]),
        Step(name="slow", dependencies=["a"], timeout_seconds=3 * SHORT, locks=["x"]),
        rollback_on_failure=True,
    )
    report = drive(plan, {"a": int, "slow": slow, "undo": noting(returned)})
    assert returned == ["slow", "a"]
    assert report.phase == "rolled_back"
    assert report.uncertain == ("slow",)


def test_what_never_returns_keeps_its_locks_from_compensations_and_nothing_else(drive: Driver, gate: Gate) -> None:
    undone: List[str] = []
    plan = plan_of(
        undoable("a", locks=["x"]),
        undoable("b"),
        Step(name="hangs", dependencies=["a", "b"], timeout_seconds=SHORT, locks=["x"]),
        rollback_on_failure=True,
    )
    report = drive(plan, {"a": int, "b": int, "hangs": gate.hang, "undo": noting(undone)})
    assert undone == ["b"]
    assert report.phase == "failed"
    skipped = report.rollback["a"]
    assert (skipped.status, skipped.reason, skipped.root_cause) == ("skipped", "blocked-by-abandoned-call", "hangs")
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    assert loaded == report
    assert Progress(plan, loaded).report().rollback == report.rollback
    executor = Undoing()
    again = drive(plan, executor, resume=report)
    assert again.phase == "rolled_back"
    assert executor.undone == ["a"]


def test_what_returns_during_the_rollback_lets_go() -> None:
    plan = plan_of(
        undoable("a"),
        undoable("b", "a"),
        Step(name="hangs", dependencies=["b"], timeout_seconds=1),
        rollback_on_failure=True,
        max_parallel=2,
    )
    progress = Progress(plan)
    for name in ("a", "b"):
        progress.get_ready(0)
        progress.done(name, now=0)
    progress.get_ready(0)
    progress.get_ready(1)
    assert progress.phase == "executing"
    assert progress.next_deadline == 2
    (call,) = progress.get_ready(2)
    assert (call.purpose, call.step.name) == ("compensate", "b")
    assert progress.phase == "rolling_back"
    assert progress.abandoned == ("hangs",)
    assert {known.purpose for known in progress.in_flight} == {"execute", "compensate"}
    progress.done("hangs", now=3)
    with pytest.raises(ValueError, match="not in flight"):
        progress.done("hangs", now=3)
    with pytest.raises(KeyError):
        progress.done("nobody", now=3)
    progress.done("b", now=3)
    (call,) = progress.get_ready(3)
    progress.done(call.step.name, now=3)
    assert progress.phase == "rolled_back"


def test_a_stop_while_a_rollback_is_waited_for_means_none() -> None:
    plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"], timeout_seconds=1), rollback_on_failure=True)
    progress = Progress(plan)
    progress.get_ready(0)
    progress.done("a", now=0)
    progress.get_ready(0)
    assert progress.get_ready(1) == ()
    assert progress.is_active()
    progress.stop(now=1)
    assert not progress.is_active()
    assert progress.report().phase == "failed"


def test_made_up_states_of_a_rollback_are_refused() -> None:
    plan = diamond()
    done = {name: StepReport(name=name, status="succeeded", attempts=1) for name in ("top", "left", "right", "bottom")}
    last = StepReport(name="last", status="failed", attempts=1)

    def codes(rollback: Dict[str, StepReport], **steps: StepReport) -> List[str]:
        known = {**done, "last": last, **steps}
        report = ExecutionReport(plan=plan, run_id="r", phase="rolling_back", steps=known, rollback=rollback)
        with pytest.raises(RefusedError) as caught:
            Progress(plan, report)
        return [problem.code for problem in caught.value.problems]

    assert codes({"top": StepReport(name="top", status="running")}) == ["impossible-state"]
    assert codes({"last": StepReport(name="last")}) == ["impossible-state"]
    bottom = {"bottom": StepReport(name="bottom")}
    assert codes(bottom, last=StepReport(name="last")) == ["impossible-state"]


def test_compensations_run_in_a_pool_and_as_coroutines(drive: Driver) -> None:
    async def undo(what: str, call: StepCall) -> str:
        await asyncio.sleep(0)
        return f"{what} after {call.outputs[what]}"

    plan = plan_of(undoable("a"), Step(name="b", dependencies=["a"]), rollback_on_failure=True)
    report = drive(plan, FunctionExecutor({"a": lambda: 7, "b": fails, "undo": undo}))
    assert report.rollback["a"].output == "a after 7"


# Before anything runs.


def test_a_preview_shows_what_could_not_be_undone() -> None:
    plan = plan_of(
        Step(name="look", effect="read"),
        undoable("scale", "look"),
        Step(name="page", dependencies=["scale"]),
        undoable("route", "page"),
        Step(name="mail", dependencies=["route"]),
    )
    preview = rollback_preview(plan)
    assert preview.irreversible == ("page", "mail")
    assert preview.point_of_no_return == 3
    assert [batch.steps for batch in preview.plan.batches] == [("route",), ("scale",)]
    early = rollback_preview(plan, ["look", "scale"])
    assert (early.irreversible, early.point_of_no_return) == ((), None)
    with pytest.raises(KeyError, match="nobody"):
        rollback_plan(plan, ["nobody"])
    assert rollback_plan(plan, []).batches == ()


def test_the_run_does_what_the_plan_of_the_rollback_says(drive: Driver) -> None:
    plan = diamond()
    executor = Undoing()
    report = drive(plan, executor)
    shown = rollback_plan(plan, [name for name, status in report.statuses.items() if status == "succeeded"])
    assert {step.name: step for step in shown.workflow.steps} == {
        call.step.name: call.step for call in executor.calls if call.purpose == "compensate"
    }
    assert {name: step.batch for name, step in report.rollback.items()} == {
        name: batch.number for batch in shown.batches for name in batch.steps
    }


def test_wide_graphs_are_undone_by_small_plans() -> None:
    width = 2000
    steps = [
        *(undoable(f"a{number}") for number in range(width)),
        Step(name="hub", dependencies=[f"a{number}" for number in range(width)]),
        *(undoable(f"b{number}", "hub") for number in range(width)),
    ]
    plan = plan_of(*steps)
    undoing = rollback_plan(plan, plan.steps)
    assert sum(len(step.dependencies) for step in undoing.workflow.steps) < 3 * width
    numbers = {name: batch.number for batch in undoing.batches for name in batch.steps}
    assert max(numbers[f"b{n}"] for n in range(width)) < min(numbers[f"a{n}"] for n in range(width))


def test_a_recorder_of_everything_sees_the_purposes_in_order(drive: Driver) -> None:
    class Both(Recorder):
        supports_dry_run = True

    recorder = Both(lambda call: fails() if call.purpose == "execute" and call.step.name == "last" else None)
    plan = make_plan(
        diamond().workflow,
        execution_strategy=wfplan.ExecutionStrategy(dry_run_first=True, rollback_on_failure=True),
    )
    report = drive(plan, recorder)
    assert report.phase == "rolled_back"
    assert [call.purpose for call in recorder.calls] == ["dry_run"] * 5 + ["execute"] * 5 + ["compensate"] * 4
