"""Functions that never return: a run ends all the same, and tells what is left."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, Dict, List

import pytest
from execution_helpers import (
    SHORT,
    Driver,
    Gate,
    Recorder,
    guarded,
    no_threads_within,
    one,
    plan_of,
    wfplan_threads,
)

import wfplan
from wfplan import Event, Progress, RetryPolicy, Step, StopSignal
from wfplan.execution import phase_run, session


def test_its_thread_is_a_daemon_and_named_in_the_report(drive: Driver, gate: Gate) -> None:
    report = drive(one(timeout_seconds=SHORT), {"a": gate.hang})
    assert report.statuses == {"a": "timed_out"}
    assert report.steps["a"].abandoned
    assert [(problem.code, problem.severity, problem.steps) for problem in report.problems] == [
        ("abandoned", "warning", ("a",))
    ]
    (thread,) = wfplan_threads()
    assert thread.daemon
    assert thread.name in report.problems[0].message
    gate.opened.set()
    assert no_threads_within(2) == []
    assert report.steps["a"].abandoned


def test_it_is_not_tried_again_before_it_has_returned(drive: Driver, gate: Gate) -> None:
    calls: List[int] = []

    def act() -> None:
        calls.append(1)
        gate.hang()

    report = drive(one(timeout_seconds=SHORT, retry=RetryPolicy(max_attempts=3)), {"a": act})
    assert calls == [1]
    assert report.statuses == {"a": "timed_out"}
    assert report.steps["a"].reason == "blocked-by-abandoned-call"
    assert report.makespan >= 2 * SHORT - 0.001


def test_it_is_tried_again_when_it_has_returned(drive: Driver) -> None:
    calls: List[int] = []

    def act() -> int:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(9 * SHORT)
        return len(calls)

    report = drive(one(timeout_seconds=6 * SHORT, retry=RetryPolicy(max_attempts=2)), {"a": act})
    assert report.outputs == {"a": 2}
    assert report.problems == ()


@pytest.mark.parametrize(
    ("steps", "limit"),
    [
        ([Step(name="a", estimated_seconds=9, timeout_seconds=SHORT, locks=["x"]), Step(name="b", locks=["x"])], 5),
        ([Step(name="a", estimated_seconds=9, timeout_seconds=SHORT), Step(name="b")], 1),
        (
            [
                Step(name="a", estimated_seconds=9, timeout_seconds=SHORT),
                Step(name="b", metadata={"execution_mode": "sequential"}),
            ],
            5,
        ),
    ],
)
def test_what_waits_for_nothing_else_ends_skipped(drive: Driver, gate: Gate, steps: Any, limit: int) -> None:
    plan = plan_of(*steps, Step(name="c", dependencies=["b"]), on_failure="skip-dependents", schedule="eager")
    report = drive(plan, {"a": gate.hang, "b": lambda: 1, "c": lambda: 1}, max_parallel=limit)
    assert report.statuses == {"a": "timed_out", "b": "skipped", "c": "skipped"}
    assert report.steps["b"].reason == "blocked-by-abandoned-call"
    assert report.steps["b"].root_cause == "a"


def test_it_holds_nothing_that_others_do_not_need(drive: Driver, gate: Gate) -> None:
    plan = plan_of(
        Step(name="a", timeout_seconds=SHORT), Step(name="b"), Step(name="c", dependencies=["b"]),
        on_failure="skip-dependents",
    )  # fmt: skip
    report = drive(plan, {"a": gate.hang, "b": lambda: 1, "c": lambda: time.sleep(0.2)}, max_parallel=2)
    assert report.statuses == {"a": "timed_out", "b": "succeeded", "c": "succeeded"}


def test_an_async_function_that_is_deaf(drive: Driver, gate: Gate) -> None:
    before = time.monotonic()
    report = drive(one(timeout_seconds=SHORT), {"a": gate.swallow}, leaves=gate)
    assert report.statuses == {"a": "timed_out"}
    assert report.steps["a"].abandoned
    assert [problem.code for problem in report.problems] == ["abandoned"]
    assert "event loop" in report.problems[0].message
    assert time.monotonic() - before < 5


def test_an_async_function_that_blocks_the_loop_of_run(gate: Gate) -> None:
    async def blocks() -> None:
        gate.hang()

    report = Driver("run")(one(timeout_seconds=SHORT), {"a": blocks})
    assert report.statuses == {"a": "timed_out"}
    assert [problem.code for problem in report.problems] == ["abandoned"]
    (thread,) = wfplan_threads()
    assert thread.daemon
    assert thread.name == "wfplan-loop"


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    """What is asked to end is waited for 0.2 s instead of 10 s, in both places that know the number."""
    for module in (phase_run, session):
        monkeypatch.setattr(module, "CANCEL_GRACE_SECONDS", 0.2)
    return 0.2


@pytest.mark.parametrize("where", ["thread", "loop"])
def test_without_a_timeout_under_cancel(drive: Driver, gate: Gate, short_grace: float, where: str) -> None:
    def bad() -> None:
        gate.entered.wait(5)
        raise ValueError

    hang = gate.hang if where == "thread" else gate.swallow
    plan = plan_of(Step(name="a"), Step(name="bad"), Step(name="c", dependencies=["a"]), on_failure="cancel")
    before = time.monotonic()
    report = drive(plan, {"a": hang, "bad": bad, "c": lambda: 1}, max_parallel=2, leaves=gate)
    assert report.statuses == {"a": "cancelled", "bad": "failed", "c": "skipped"}
    assert report.steps["a"].abandoned
    assert short_grace <= time.monotonic() - before < 4


@pytest.mark.parametrize("where", ["thread", "loop"])
def test_without_a_timeout_after_a_signal(drive: Driver, gate: Gate, short_grace: float, where: str) -> None:
    stop = StopSignal()

    def wait_and_stop() -> None:
        gate.entered.wait(5)
        stop.set(cancel=True)

    stopper = threading.Thread(target=wait_and_stop)
    stopper.start()
    hang = gate.hang if where == "thread" else gate.swallow
    before = time.monotonic()
    report = drive(plan_of(Step(name="a"), Step(name="b", dependencies=["a"])), {"a": hang, "b": int}, stop=stop,
                   leaves=gate)  # fmt: skip
    stopper.join()
    assert report.statuses == {"a": "cancelled", "b": "skipped"}
    assert short_grace <= time.monotonic() - before < 4


def test_many_of_them(drive: Driver, gate: Gate) -> None:
    names = [f"s{number}" for number in range(8)]
    plan = plan_of(*(Step(name=name, timeout_seconds=SHORT) for name in names), on_failure="skip-dependents")
    report = drive(plan, dict.fromkeys(names, gate.hang), max_parallel=8)
    assert set(report.statuses.values()) == {"timed_out"}
    assert len({problem.message for problem in report.problems}) == 8


def test_what_returns_while_others_run_leaves_nothing(drive: Driver) -> None:
    events: List[Event] = []
    plan = plan_of(Step(name="a", timeout_seconds=SHORT), Step(name="b"), on_failure="skip-dependents")
    functions = {"a": lambda: time.sleep(2 * SHORT), "b": lambda: asyncio.sleep(4 * SHORT)}
    report = drive(plan, functions, max_parallel=2, observers=[events.append])
    assert report.statuses == {"a": "timed_out", "b": "succeeded"}
    assert not report.steps["a"].abandoned
    assert report.problems == ()


class TestADriverThatSlept:
    """A machine that was stopped, or a loop that was blocked, for longer than twice the timeout."""

    def test_what_was_never_asked_to_end_is_waited_for(self) -> None:
        retry = wfplan.RetryPolicy(max_attempts=2)
        plan = plan_of(Step(name="a", timeout_seconds=1, retry=retry), Step(name="b", locks=["x"]), max_parallel=1)
        progress = wfplan.Progress(plan)
        progress.get_ready(0)
        assert progress.get_ready(60) == ()
        assert progress.get_cancellations() == ("a",)
        assert progress.next_deadline == 61
        progress.cancelled("a", now=60.5)
        assert [call.step.name for call in progress.get_ready(60.5)] == ["a"]
        assert progress.report().statuses == {"a": "running", "b": "pending"}

    def test_what_needs_longer_than_its_timeout_to_come_back_keeps_its_retries(self, drive: Driver) -> None:
        attempts: List[int] = []

        async def act(call: wfplan.StepCall) -> str:
            attempts.append(call.attempt)
            if call.attempt == 1:
                try:
                    await asyncio.sleep(60)
                finally:
                    await asyncio.sleep(6 * SHORT)
            return "done"

        plan = one(timeout_seconds=SHORT, retry=wfplan.RetryPolicy(max_attempts=2))
        report = drive(plan, Recorder(act))
        assert (report.ok, attempts) == (True, [1, 2])

    def test_the_grace_is_an_argument(self) -> None:
        progress = wfplan.Progress(one(timeout_seconds=2), grace_seconds=30)
        progress.get_ready(0)
        progress.get_ready(2)
        assert progress.next_deadline == 32
        assert wfplan.Progress(progress.plan, progress.report()).next_deadline == 32

    def test_a_loop_that_is_blocked_costs_no_attempt(self) -> None:
        async def act(call: wfplan.StepCall) -> str:
            if call.attempt == 1:
                await asyncio.sleep(60)
            return "done"

        async def main() -> wfplan.ExecutionReport:
            plan = one(timeout_seconds=SHORT, retry=wfplan.RetryPolicy(max_attempts=2))
            running = asyncio.ensure_future(wfplan.arun(plan, Recorder(act)))
            await asyncio.sleep(0.01)
            time.sleep(4 * SHORT)  # noqa: ASYNC251 - that is the point
            return await running

        assert guarded(lambda: asyncio.run(main())).ok


@pytest.mark.parametrize(("hint", "undone"), [({}, "running"), ({"execution_mode": "sequential"}, "skipped")])
def test_what_must_overlap_with_nothing_keeps_a_rollback_from_starting(hint: Dict[str, str], undone: str) -> None:
    """A hinted step that was left behind may still run: nothing is undone beside it."""
    steps = [
        Step(name="x", rollback=wfplan.Compensation(action="undo")),
        Step(name="a", dependencies=["x"], timeout_seconds=1, metadata=hint),
    ]
    strategy = wfplan.ExecutionStrategy(rollback_on_failure=True)
    progress = Progress(wfplan.plan(steps, execution_strategy=strategy))
    progress.get_ready(0)
    progress.done("x", now=0)
    progress.get_ready(0)
    for _ in range(2):  # it is asked to end, and given up
        assert progress.next_deadline is not None
        progress.get_ready(progress.next_deadline)
    report = progress.report()
    assert (report.steps["a"].abandoned, report.rollback["x"].status) == (True, undone)
