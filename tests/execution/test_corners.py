"""What is rare, one by one."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import Future
from typing import Any, Iterator, List

import pytest
from pydantic import ValidationError

import wfplan
from wfplan import (
    ExecutionReport,
    ExecutionStrategy,
    FunctionExecutor,
    PermanentError,
    Progress,
    RefusedError,
    RetryPolicy,
    Step,
    StepCall,
    StepReport,
    Workflow,
)
from wfplan.execution.deadlines import delay_before
from wfplan.execution.interface import PendingOutput
from wfplan.execution.step_errors import StepError
from wfplan.testing import check_executor


def plan_of(*steps: Step, **settings: Any) -> wfplan.ExecutionPlan:
    return wfplan.plan(Workflow(steps=steps, execution_strategy=ExecutionStrategy(**settings)))


def names(calls: Any) -> List[str]:
    return [call.step.name for call in calls]


def test_a_delay_that_no_number_can_hold_is_the_longest_one() -> None:
    policy = RetryPolicy(max_attempts=5000, delay_seconds=1, factor=10)
    assert delay_before(policy, 4000, str) == 1e9
    limited = RetryPolicy(max_attempts=5000, delay_seconds=1, factor=10, max_delay_seconds=7)
    assert delay_before(limited, 4000, str) == 7


def test_jitter_spreads_delays_evenly_over_its_part_and_follows_from_key_and_attempt() -> None:
    policy = RetryPolicy(max_attempts=9, delay_seconds=8, factor=1, jitter=0.5)
    delays = [delay_before(policy, attempt, lambda key=key: str(key)) for key in range(500) for attempt in (1, 2)]
    assert delays == [
        delay_before(policy, attempt, lambda key=key: str(key)) for key in range(500) for attempt in (1, 2)
    ]
    assert all(4 <= delay <= 8 for delay in delays)
    assert {int(delay * 2) for delay in delays} == set(range(8, 16)), "each of eight parts is hit"
    assert len(set(delays)) == 1000


def test_steps_that_failed_together_are_not_tried_again_together() -> None:
    retry = RetryPolicy(max_attempts=2, delay_seconds=10, jitter=1)
    progress = Progress(plan_of(*(Step(name=name, retry=retry) for name in "abcd")), run_id="r")
    for call in progress.get_ready(0):
        progress.failed(call.step.name, "no", now=0)
    again = {}
    for _ in "abcd":
        due = progress.next_deadline
        assert due is not None
        (call,) = progress.get_ready(due)
        again[call.step.name] = due
    assert sorted(again) == list("abcd")
    assert len(set(again.values())) == 4
    assert all(0 <= due <= 10 for due in again.values())


def test_a_timeout_is_not_tried_again_where_the_policy_says_so_but_a_failure_is() -> None:
    retry = RetryPolicy(max_attempts=3, retry_timeouts=False)
    progress = Progress(plan_of(Step(name="a", timeout_seconds=1, retry=retry)))
    assert names(progress.get_ready(0)) == ["a"]
    progress.failed("a", "no", now=0)
    assert names(progress.get_ready(0)) == ["a"]
    assert progress.get_ready(1) == ()
    progress.cancelled("a", now=1)
    report = progress.report()
    assert (report.steps["a"].status, report.steps["a"].attempts) == ("timed_out", 2)
    assert report.phase == "failed"


@pytest.mark.parametrize("wrong", [{"jitter": 2}, {"jitter": -0.1}, {"jitter": float("nan")}, {"retry_timeouts": "no"}])
def test_what_no_retry_policy_can_be_is_refused(wrong: Any) -> None:
    reading = wfplan.read({"steps": [{"name": "a", "retry": wrong}]})
    errors = [problem.location for problem in reading.problems if problem.severity == "error"]
    assert errors == [f"/steps/0/retry/{next(iter(wrong))}"]


def test_of_two_retries_that_wait_in_vain_the_first_stops_the_run_and_the_second_ends_with_it() -> None:
    retry = RetryPolicy(max_attempts=2, delay_seconds=1)
    steps = [
        Step(name="a", locks=["x"], retry=retry),
        Step(name="b", locks=["x"], retry=retry),
        Step(name="z", locks=["x"], timeout_seconds=5, continue_on_failure=True),
    ]
    progress = Progress(plan_of(*steps), schedule="eager")
    assert names(progress.get_ready(0)) == ["a"]
    progress.failed("a", "no", now=0)
    assert names(progress.get_ready(0)) == ["b"]
    progress.failed("b", "no", now=0)
    assert names(progress.get_ready(0)) == ["z"]
    assert progress.get_ready(5) == ()
    assert progress.get_ready(10) == ()
    assert progress.report().statuses == {"a": "timed_out", "b": "failed", "z": "timed_out"}
    assert progress.report().steps["a"].reason == "blocked-by-abandoned-call"
    assert progress.report().steps["b"].reason == "run-stopped"


def test_what_was_in_flight_is_started_again_failed_or_let_go() -> None:
    steps = [
        Step(name="again", timeout_seconds=5),
        Step(name="plain"),
        Step(name="once", idempotent=False, continue_on_failure=True),
        Step(name="late", timeout_seconds=1, retry=RetryPolicy(max_attempts=2)),
    ]
    progress = Progress(plan_of(*steps), on_failure="skip-dependents")
    first = progress.get_ready(0)
    progress.get_ready(1)
    restored = Progress(progress.plan, progress.report(), on_failure="skip-dependents")
    assert set(names(restored.in_flight)) == {"again", "plain", "once", "late"}
    calls = restored.restart_in_flight(10)
    assert names(calls) == ["again", "plain"]
    assert [call.idempotency_key for call in calls] == [call.idempotency_key for call in first[:2]]
    assert restored.report().steps["once"].reason == "outcome-unknown"
    assert restored.next_deadline == 15
    assert names(restored.get_ready(10)) == ["late"]


def test_what_was_asked_to_end_is_not_started_again() -> None:
    progress = Progress(plan_of(Step(name="a"), Step(name="b", dependencies=["a"])))
    progress.get_ready(0)
    progress.stop(cancel=True, now=0)
    restored = Progress(progress.plan, progress.report())
    assert restored.restart_in_flight(1) == ()
    assert restored.report().statuses == {"a": "cancelled", "b": "skipped"}


def test_a_cancelled_step_that_left_something_behind_does_not_block_for_ever() -> None:
    state = [StepReport(name="a", status="cancelled", attempts=1, attempt_started_at=0, abandoned=True)]
    plan = plan_of(Step(name="a", metadata={"execution_mode": "sequential"}), Step(name="b"))
    progress = Progress(plan, state, on_failure="skip-dependents")
    assert progress.get_ready(1) == ()
    assert progress.report().statuses == {"a": "cancelled", "b": "skipped"}
    assert progress.report().steps["b"].root_cause == "a"


def test_two_steps_of_a_batch_that_is_not_parallel_cannot_both_be_in_flight() -> None:
    running = {"status": "running", "attempts": 1, "attempt_started_at": 0.0}
    state = [StepReport.model_validate({"name": name, **running}) for name in "ab"]
    with pytest.raises(RefusedError, match='step "a" is in flight, and their batch is not parallel'):
        Progress(plan_of(Step(name="a", metadata={"execution_mode": "sequential"}), Step(name="b")), state)


def test_a_state_of_something_else_is_refused() -> None:
    with pytest.raises(RefusedError, match="a int is not a report of a step"):
        Progress(plan_of(Step(name="a")), [1])  # type: ignore[list-item]


def test_an_output_that_was_lost_and_is_needed_is_refused_by_name() -> None:
    plan = plan_of(Step(name="a"), Step(name="c"), Step(name="b", dependencies=["c", "a"]))
    report = wfplan.run(plan, {"a": lambda: {1}, "b": lambda: 1 / 0, "c": int})
    loaded = ExecutionReport.model_validate_json(report.model_dump_json())
    Progress(plan, loaded)
    with pytest.raises(RefusedError, match=r'output-not-kept: step "b" needs the output of "a", a builtins\.set'):
        Progress(plan, [loaded.steps["a"]])


def test_an_external_id_of_an_earlier_attempt_is_not_that_of_the_next() -> None:
    progress = Progress(plan_of(Step(name="a", retry=RetryPolicy(max_attempts=2))))
    (first,) = progress.get_ready(0)
    progress.failed("a", "no", now=0)
    (second,) = progress.get_ready(0)
    second.set_external_id("job-2")
    first.set_external_id("job-1")
    assert progress.report().steps["a"].external_id == "job-2"


def test_an_external_id_is_a_text() -> None:
    StepCall(Step(name="a")).set_external_id("nobody to tell")
    with pytest.raises(RefusedError, match="not a int"):
        StepCall(Step(name="a")).set_external_id(5)  # type: ignore[arg-type]


def test_errors_are_equal_by_what_they_tell() -> None:
    one, other = StepError.of(ValueError("x")), StepError(type="ValueError", message="x")
    assert one == other
    assert hash(one) == hash(other)
    assert one != "ValueError: x"


def test_a_report_of_other_steps_than_the_plans_is_refused() -> None:
    report = wfplan.run(plan_of(Step(name="a"), Step(name="b")), {"a": int, "b": int})
    dumped = report.model_dump(mode="json")
    with pytest.raises(ValidationError, match="not those of the plan"):
        ExecutionReport.model_validate({**dumped, "steps": {"a": dumped["steps"]["a"]}}, strict=False)
    with pytest.raises(ValidationError, match='report of step "a" is one of step "b"'):
        ExecutionReport.model_validate(
            {**dumped, "steps": {"a": dumped["steps"]["b"], "b": dumped["steps"]["b"]}}, strict=False
        )


def test_an_error_names_ten_steps_and_counts_the_rest() -> None:
    steps = [Step(name=f"s{n}", action="fail") for n in range(12)]
    report = wfplan.run(plan_of(*steps), {"fail": lambda: 1 / 0}, on_failure="skip-dependents")
    with pytest.raises(wfplan.ExecutionError, match=r"12 of 12 steps failed(.|\n)*and 2 more, in \.report"):
        report.raise_for_status()


def test_a_report_of_nothing_is_readable() -> None:
    assert str(wfplan.run(wfplan.plan([]), {})) == "completed: no steps, 0.000 s"


def test_a_pool_without_submit_is_refused() -> None:
    with pytest.raises(RefusedError, match="a int cannot be a pool"):
        FunctionExecutor({}, pool=5)


def test_functions_for_dry_runs_and_compensations_are_checked_where_the_plan_wants_them() -> None:
    undo = wfplan.Compensation(action="undo", parameters={"x": 1})
    steps = [Step(name="a", rollback=undo), Step(name="b")]
    executor = FunctionExecutor({"a": int, "b": int, "undo": lambda: 0}, dry_run={"a": int})
    told = executor.validate(plan_of(*steps, dry_run_first=True, rollback_on_failure=True))
    assert [str(problem).partition(":")[2].partition(": ")[0].strip() for problem in told] == [
        'the rollback of step "a"',
        'the dry run of step "b"',
    ]
    assert executor.execute(StepCall(steps[0], purpose="dry_run")) == 0
    with pytest.raises(PermanentError, match='no function for the action "b"'):
        executor.execute(StepCall(steps[1], purpose="dry_run"))


def test_a_class_is_a_function_too() -> None:
    class Made:
        def __init__(self, size: int) -> None:
            self.size = size

    plan = plan_of(Step(name="a", parameters={"size": 3}))
    assert wfplan.run(plan, {"a": Made}).outputs["a"].size == 3


def test_an_async_executor_may_give_a_future() -> None:
    class Service:
        async def execute(self, call: StepCall) -> PendingOutput:
            future: Future[str] = Future()
            threading.Timer(0.02, future.set_result, [call.step.name]).start()
            return PendingOutput(future)

    plan = plan_of(Step(name="a"))
    assert wfplan.run(plan, Service()).outputs == {"a": "a"}
    assert asyncio.run(wfplan.arun(plan, Service())).outputs == {"a": "a"}


def test_a_step_for_which_there_is_no_thread_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("wfplan-worker"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    report = wfplan.run(plan_of(Step(name="a"), Step(name="b", dependencies=["a"])), {"a": int, "b": int})
    assert report.statuses == {"a": "failed", "b": "skipped"}
    assert str(report.steps["a"].error) == "RuntimeError: can't start new thread"


def test_a_validate_that_answers_after_the_task_was_cancelled() -> None:
    class Slow:
        def validate(self, _plan: wfplan.ExecutionPlan) -> Iterator[wfplan.Problem]:
            time.sleep(0.1)
            return iter(())

        def execute(self, call: StepCall) -> None:
            raise AssertionError(call)

    async def main() -> None:
        task = asyncio.ensure_future(wfplan.arun(plan_of(Step(name="a")), Slow()))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.2)

    asyncio.run(main())


def test_an_executor_that_can_be_closed_twice_keeps_the_contract() -> None:
    class Service(FunctionExecutor):
        def close(self) -> None:
            self.closed = True

    def fail() -> None:
        raise OSError

    check_executor(lambda: Service({"ok": int, "fail": fail}), succeeds=Step(name="ok"), fails=Step(name="fail"))


def test_a_signal_handler_wakes_a_loop_that_sleeps() -> None:
    stop = wfplan.StopSignal()
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set(cancel=True))
    try:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGTERM]).start()
        start = time.monotonic()
        steps = plan_of(Step(name="a"))
        report = asyncio.run(wfplan.arun(steps, {"a": lambda: asyncio.sleep(5)}, stop=stop))
        assert report.statuses == {"a": "cancelled"}
        assert time.monotonic() - start < 3
    finally:
        signal.signal(signal.SIGTERM, before)


class Liar:
    """What says of its class what raises, as an unbound proxy does."""

    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("unbound")


@pytest.mark.parametrize("driver", ["run", "arun"])
def test_an_output_that_raises_when_it_is_looked_at(driver: str) -> None:
    async def give() -> Any:
        return Liar()

    plan = plan_of(Step(name="a"))
    report = wfplan.run(plan, {"a": give}) if driver == "run" else asyncio.run(wfplan.arun(plan, {"a": give}))
    assert report.statuses == {"a": "succeeded"}


@pytest.mark.parametrize("driver", ["run", "arun"])
def test_an_observer_that_interrupts_at_every_event(driver: str) -> None:
    def observe(_event: wfplan.Event) -> None:
        raise KeyboardInterrupt

    plan = plan_of(*(Step(name=f"s{n}", action="s") for n in range(2000)))

    def drive() -> None:
        if driver == "run":
            wfplan.run(plan, {"s": int}, observers=[observe])
        else:
            asyncio.run(wfplan.arun(plan, {"s": int}, observers=[observe]))

    with pytest.raises(KeyboardInterrupt) as raised:
        drive()
    assert driver == "arun" or raised.value.report.phase == "suspended"  # type: ignore[attr-defined]


def test_a_loop_that_cannot_be_made_fails_the_steps_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("too many open files")

    async def act() -> None:
        raise AssertionError

    monkeypatch.setattr(asyncio, "new_event_loop", refuse)
    report = wfplan.run(plan_of(Step(name="a")), {"a": act})
    assert str(report.steps["a"].error) == "OSError: too many open files"


def test_what_is_no_stop_signal_and_no_observer_is_refused() -> None:
    with pytest.raises(RefusedError) as raised:
        wfplan.run(plan_of(Step(name="a")), {"a": int}, stop=5, observers=5)  # type: ignore[arg-type]
    assert [problem.code for problem in raised.value.problems] == ["invalid-setting"] * 2


def test_a_task_that_a_step_left_on_the_loop_and_that_does_not_end_is_named() -> None:
    tasks: List[Any] = []

    async def deaf() -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue

    async def act() -> None:
        tasks.append(asyncio.ensure_future(deaf()))
        await asyncio.sleep(0)

    report = wfplan.run(plan_of(Step(name="a")), {"a": act})
    assert report.ok
    assert [problem.code for problem in report.problems] == ["abandoned"]
    assert '"wfplan-loop" still runs something' in report.problems[0].message


def test_a_retry_of_what_was_never_tried_is_refused() -> None:
    with pytest.raises(RefusedError, match="never tried"):
        Progress(plan_of(Step(name="a")), [StepReport(name="a", retry_at=5.0)])


def test_a_loop_for_which_there_is_no_thread_fails_the_steps_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "wfplan-loop":
            raise RuntimeError("can't start new thread")
        start(thread)

    async def act() -> None:
        raise AssertionError

    monkeypatch.setattr(threading.Thread, "start", refuse)
    report = wfplan.run(plan_of(Step(name="a")), {"a": act})
    assert str(report.steps["a"].error) == "RuntimeError: can't start new thread"


def test_a_retry_that_is_due_before_its_batch_waits_for_it_and_is_made_once() -> None:
    """No run gets into this state, but it can be made up."""
    made = plan_of(Step(name="a"), Step(name="b"), mode="sequential", max_batch_size=1)
    progress = Progress(made, [StepReport(name="a"), StepReport(name="b", attempts=1, retry_at=0.0)])
    started = []
    while progress.is_active():
        for call in progress.get_ready(0.0):
            started.append(call.step.name)
            progress.done(call.step.name, now=0.0)
    assert started == ["a", "b"]
    assert progress.get_ready(0.0) == ()
    assert progress.report().phase == "completed"


def test_a_limit_is_only_ever_lowered() -> None:
    progress = Progress(plan_of(*(Step(name=name) for name in "abcd")), max_parallel=2)
    progress.lower_max_parallel(3)
    assert names(progress.get_ready(0)) == ["a", "b"]
    progress.lower_max_parallel(1)
    progress.done("a", now=1)
    assert names(progress.get_ready(1)) == []
    progress.done("b", now=2)
    assert names(progress.get_ready(2)) == ["c"]
