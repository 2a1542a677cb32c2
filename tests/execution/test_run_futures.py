"""Work that is with a pool: futures cancelled, told twice, late or lost; pools that are shut down or broken."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, Callable, Iterator, List

import pool_functions
import pytest
from execution_helpers import SHORT, Driver, one, plan_of

import wfplan
from wfplan import FunctionExecutor, RetryPolicy, Step, StepCall


class FakePool:
    """Hands out futures, and has something done to each in another thread."""

    def __init__(self, treat: Callable[[Any], object], make: Callable[[], Any] = Future) -> None:
        self.treat = treat
        self.make = make
        self.futures: List[Any] = []
        self.threads: List[threading.Thread] = []

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        future = self.make()
        self.futures.append(future)
        self.threads.append(threading.Thread(target=self.treat, args=(future,)))
        self.threads[-1].start()
        return future

    def join(self) -> None:
        for thread in self.threads:
            thread.join(5)


class TwiceFuture:
    """Fires its callback twice, the second time with another result."""

    def __init__(self) -> None:
        self.callbacks: List[Callable[[Any], object]] = []
        self.value: Any = "first"

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        self.callbacks.append(callback)

    def result(self) -> Any:
        return self.value

    def cancel(self) -> bool:
        return False

    def fire(self) -> None:
        for callback in self.callbacks:
            callback(self)


def fire_twice(future: TwiceFuture) -> None:
    time.sleep(SHORT)
    future.fire()
    future.value = "second"
    future.fire()
    time.sleep(SHORT)
    future.fire()


def run_with(drive: Driver, pool: Any, plan: wfplan.ExecutionPlan, **keywords: Any) -> wfplan.ExecutionReport:
    actions = {step.action for step in plan.workflow.steps}
    return drive(plan, FunctionExecutor({action: (lambda: None) for action in actions}, pool=pool), **keywords)


def test_a_future_that_somebody_else_cancels(drive: Driver) -> None:
    def cancel(future: Any) -> None:
        time.sleep(SHORT)
        future.cancel()

    pool = FakePool(cancel)
    plan = plan_of(Step(name="a", retry=RetryPolicy(max_attempts=3)), Step(name="b", dependencies=["a"]))
    report = run_with(drive, pool, plan)
    pool.join()
    assert report.statuses == {"a": "cancelled", "b": "skipped"}
    assert report.steps["a"].attempts == 1
    assert report.steps["b"].root_cause == "a"
    assert len(pool.futures) == 1


def test_a_future_that_was_cancelled_before_it_was_handed_out(drive: Driver) -> None:
    def make() -> Any:
        future: Any = Future()
        future.cancel()
        return future

    assert run_with(drive, FakePool(lambda _future: None, make), one()).statuses == {"a": "cancelled"}


def test_a_future_that_is_done_already(drive: Driver) -> None:
    def make() -> Any:
        future: Any = Future()
        future.set_result(5)
        return future

    assert run_with(drive, FakePool(lambda _future: None, make), one()).outputs == {"a": 5}


def test_a_future_that_is_told_twice(drive: Driver) -> None:
    pool = FakePool(fire_twice, TwiceFuture)
    events: List[wfplan.Event] = []
    plan = wfplan.plan({"a": [], "b": ["a"], "c": ["b"]})
    report = run_with(drive, pool, plan, observers=[events.append])
    pool.join()
    assert report.ok
    assert [event.step for event in events if event.kind == "step-ended"] == ["a", "b", "c"]


def test_a_future_that_comes_after_its_time(drive: Driver) -> None:
    class Deaf(Future):  # type: ignore[type-arg]
        def cancel(self) -> bool:
            return False

    def late(future: Any) -> None:
        time.sleep(3 * SHORT)
        future.set_result("late")

    pool = FakePool(late, Deaf)
    plan = plan_of(Step(name="a", timeout_seconds=2 * SHORT), Step(name="b"), max_parallel=1)
    report = run_with(drive, pool, plan)
    pool.join()
    assert report.steps["a"].status == "timed_out"
    assert report.steps["a"].output is None
    assert report.steps["b"].status == "skipped"


def test_a_late_future_is_tried_again_when_it_has_come_back(drive: Driver) -> None:
    seen: List[float] = []

    class Deaf(Future):  # type: ignore[type-arg]
        def cancel(self) -> bool:
            return False

    def treat(future: Any) -> None:
        seen.append(time.monotonic())
        time.sleep(9 * SHORT if len(seen) == 1 else 0)
        future.set_result(len(seen))

    pool = FakePool(treat, Deaf)
    report = run_with(drive, pool, one(timeout_seconds=6 * SHORT, retry=RetryPolicy(max_attempts=2)))
    pool.join()
    assert report.outputs == {"a": 2}
    assert seen[1] - seen[0] >= 9 * SHORT - 0.01


def test_a_future_that_can_be_cancelled_is_cancelled_at_its_time(drive: Driver) -> None:
    pool = FakePool(lambda _future: None)
    report = run_with(drive, pool, one(timeout_seconds=SHORT, retry=RetryPolicy(max_attempts=3)))
    assert report.statuses == {"a": "timed_out"}
    assert report.steps["a"].attempts == 3
    assert all(future.cancelled() for future in pool.futures)


def test_a_future_that_is_lost(drive: Driver) -> None:
    pool = FakePool(lambda _future: None, TwiceFuture)
    plan = plan_of(
        Step(name="a", timeout_seconds=SHORT, locks=["disk"]),
        Step(name="b", locks=["disk"]),
        on_failure="skip-dependents",
    )
    report = run_with(drive, pool, plan)
    assert report.statuses == {"a": "timed_out", "b": "skipped"}
    assert report.steps["b"].reason == "blocked-by-abandoned-call"
    assert report.steps["b"].root_cause == "a"
    assert [problem.code for problem in report.problems] == ["abandoned"]
    assert "the pool" in report.problems[0].message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("x"), "failed"),
        (CancelledError(), "cancelled"),
    ],
)
def test_a_pool_whose_submit_raises(drive: Driver, error: Exception, status: str) -> None:
    class Broken:
        def submit(self, *_arguments: Any) -> Any:
            raise error

    report = run_with(drive, Broken(), wfplan.plan({"a": [], "b": ["a"]}))
    assert report.statuses == {"a": status, "b": "skipped"}


@pytest.mark.parametrize("future", [None, 5, object()])
def test_what_is_no_future_is_a_failure(drive: Driver, future: Any) -> None:
    class Strange:
        def submit(self, *_arguments: Any) -> Any:
            return future

    report = run_with(drive, Strange(), one())
    assert report.statuses == {"a": "failed"}
    assert report.steps["a"].error is not None
    assert report.steps["a"].error.type == "AttributeError"


def test_a_future_whose_cancel_raises(drive: Driver) -> None:
    class Sour(TwiceFuture):
        def cancel(self) -> bool:
            raise RuntimeError("no")

    report = run_with(drive, FakePool(lambda _future: None, Sour), one(timeout_seconds=SHORT))
    assert report.statuses == {"a": "timed_out"}
    assert report.steps["a"].abandoned


class TestThreadPool:
    def test_functions_run_there(self, drive: Driver) -> None:
        async def act(a: str) -> str:
            return f"async {a}"

        with ThreadPoolExecutor(2, thread_name_prefix="pool") as pool:
            plan = plan_of(
                Step(name="a"), Step(name="b", parameters={"a": "x"}), Step(name="c", dependencies=["a"], action="call")
            )
            functions = {
                "a": lambda: threading.current_thread().name[:4],
                "b": act,
                "call": pool_functions.outputs_of,
            }
            report = drive(plan, FunctionExecutor(functions, pool=pool))
        assert report.outputs == {"a": "pool", "b": "async x", "c": {"a": "pool"}}

    def test_one_that_was_shut_down(self, drive: Driver) -> None:
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        report = run_with(drive, pool, wfplan.plan({"a": [], "b": ["a"]}))
        assert report.statuses == {"a": "failed", "b": "skipped"}
        assert report.steps["a"].error is not None
        assert report.steps["a"].error.type == "RuntimeError"

    def test_one_that_is_too_small_takes_its_time(self, drive: Driver) -> None:
        names = [f"s{number}" for number in range(30)]
        with ThreadPoolExecutor(1) as pool:
            assert run_with(drive, pool, wfplan.plan({name: [] for name in names})).ok

    def test_the_pool_is_not_shut_down(self, drive: Driver) -> None:
        with ThreadPoolExecutor(1) as pool:
            assert run_with(drive, pool, one()).ok
            assert pool.submit(int).result() == 0

    def test_a_call_as_positional_argument(self, drive: Driver) -> None:
        namespace: Any = {"StepCall": StepCall}
        exec("def act(call: StepCall, /, x): return (call.step.name, x)", namespace)
        with ThreadPoolExecutor(1) as pool:
            report = drive(one(parameters={"x": 1}), FunctionExecutor({"a": namespace["act"]}, pool=pool))
        assert report.outputs == {"a": ("a", 1)}


def process_pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with process_pool() as made:
        yield made


class TestProcessPool:
    def test_steps_there(self, drive: Driver, pool: ProcessPoolExecutor) -> None:
        functions = {
            "pid": os.getpid,
            "call": pool_functions.outputs_of,
            "lost": pool_functions.cannot_be_pickled,
            "lambda": lambda: 1,
            "raise": pool_functions.raise_value_error,
            "note": pool_functions.note_external_id,
        }
        plan = plan_of(
            Step(name="pid"),
            Step(name="call", dependencies=["pid"]),
            Step(name="lost"),
            Step(name="lambda"),
            Step(name="raise"),
            Step(name="note", dependencies=["pid"]),
            on_failure="skip-dependents",
        )
        report = drive(plan, FunctionExecutor(functions, pool=pool), run_id="r")
        assert report.statuses == {
            "pid": "succeeded",
            "call": "succeeded",
            "lost": "failed",
            "lambda": "failed",
            "raise": "failed",
            "note": "succeeded",
        }
        assert report.outputs["pid"] != os.getpid()
        assert report.outputs["call"] == {"pid": report.outputs["pid"]}
        assert report.steps["raise"].error is not None
        assert report.steps["raise"].error.message == "in another process"
        assert report.steps["note"].external_id is None
        assert report.outputs["note"] == ["r", "note", 1, report.plan.steps["note"].name]

    @pytest.mark.parametrize("kind", ["KeyboardInterrupt", "SystemExit"])
    def test_an_interrupt_there(self, drive: Driver, pool: ProcessPoolExecutor, kind: str) -> None:
        plan = one(parameters={"kind": kind})
        with pytest.raises(BaseException, match="there") as caught:
            drive(plan, FunctionExecutor({"a": pool_functions.interrupt}, pool=pool))
        assert type(caught.value).__name__ == kind
        assert caught.value.report.statuses == {"a": "failed"}  # type: ignore[attr-defined]

    def test_a_process_that_dies(self, drive: Driver) -> None:
        with process_pool() as pool:
            plan = plan_of(
                Step(name="ok", action="pid"),
                Step(name="a", action="die", dependencies=["ok"], retry=RetryPolicy(max_attempts=2)),
                Step(name="b", action="pid", dependencies=["a"]),
            )
            functions = {"die": pool_functions.die, "pid": os.getpid}
            report = drive(plan, FunctionExecutor(functions, pool=pool))
        assert report.statuses == {"ok": "succeeded", "a": "failed", "b": "skipped"}
        assert report.steps["a"].attempts == 2
        assert report.steps["a"].error is not None
        assert isinstance(report.steps["a"].error.exception, BrokenExecutor)
