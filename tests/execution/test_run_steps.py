"""What a step can do to a run, and what the run makes of it: one outcome for each step, whatever happens."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import Any, Callable, Dict, List

import pytest
from execution_helpers import COLOURS, SHORT, Driver, Gate, Recorder, coloured, fails, make_flaky, one, plan_of

import wfplan
from wfplan import ExecutionError, PermanentError, RetryPolicy, Step, StepCall


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def recurse() -> None:
    recurse()


def raises(error: BaseException) -> Callable[[], Any]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (fails, "ValueError", "broken"),
        (raises(PermanentError("never")), "wfplan.errors.PermanentError", "never"),
        (raises(MemoryError()), "MemoryError", ""),
        (recurse, "RecursionError", None),
        (raises(UnspeakableError()), f"{__name__}.UnspeakableError", "(its text cannot be made)"),
        (raises(OSError("x" * 20_000)), "OSError", "x" * 10_000),
        (raises(ValueError("\ud800")), "ValueError", "\\ud800"),
        (raises(TimeoutError("of its own")), "TimeoutError", "of its own"),
    ],
)
def test_an_exception_is_an_outcome(
    drive: Driver, colour: str, act: Callable[[], Any], kind: str, message: str
) -> None:
    plan = plan_of(Step(name="bad", action="bad"), Step(name="other"), Step(name="after", dependencies=["bad"]))
    report = drive(plan, {"bad": coloured(act, colour), "other": lambda: 1, "after": lambda: 2}, max_parallel=4)
    assert report.phase == "failed"
    assert report.statuses == {"bad": "failed", "other": "succeeded", "after": "skipped"}
    error = report.steps["bad"].error
    assert error is not None
    assert error.type == kind
    assert error.exception is not None
    assert message is None or error.message == message
    assert report.steps["after"].root_cause == "bad"
    assert report.steps["after"].reason == "dependency-failed"
    with pytest.raises(ExecutionError) as caught:
        report.raise_for_status()
    assert caught.value.__cause__ is error.exception
    assert str(caught.value)
    assert str(report)


def test_stop_iteration_of_a_plain_step_is_an_outcome(drive: Driver) -> None:
    report = drive(one(), {"a": lambda: next(iter(()))})
    assert report.statuses == {"a": "failed"}
    assert report.steps["a"].error is not None
    assert report.steps["a"].error.type == "StopIteration"


@pytest.mark.parametrize("colour", COLOURS)
def test_a_step_that_says_it_was_cancelled_is_not_tried_again(drive: Driver, colour: str) -> None:
    calls: List[int] = []

    def act() -> None:
        calls.append(1)
        raise asyncio.CancelledError

    report = drive(one(retry=RetryPolicy(max_attempts=3)), {"a": coloured(act, colour)})
    assert report.statuses == {"a": "cancelled"}
    assert report.phase == "failed"
    assert len(calls) == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_failure_is_tried_again_after_its_delay(drive: Driver, is_async: bool) -> None:
    retry = RetryPolicy(max_attempts=3, delay_seconds=0.03, factor=2)
    events: List[wfplan.Event] = []
    report = drive(one(retry=retry), {"a": make_flaky(2, is_async=is_async)}, observers=[events.append])
    assert report.ok
    assert report.steps["a"].attempts == 3
    assert report.steps["a"].output == 3
    assert report.steps["a"].error is None
    starts = [event.at for event in events if event.kind == "attempt-started"]
    ends = [event for event in events if event.kind == "attempt-ended"]
    assert [event.status for event in ends] == ["failed", "failed", "succeeded"]
    for start, end, delay in zip(starts[1:], ends, (0.03, 0.06)):
        assert start - end.at >= delay - 1e-6
        assert end.retry_at == pytest.approx(end.at + delay)


def test_the_last_failure_is_the_one_that_is_told(drive: Driver) -> None:
    report = drive(one(retry=RetryPolicy(max_attempts=2)), {"a": make_flaky(9)})
    assert report.statuses == {"a": "failed"}
    assert report.steps["a"].attempts == 2
    assert report.steps["a"].error is not None
    assert report.steps["a"].error.message == "failure 2"


def test_a_permanent_error_is_never_tried_again(drive: Driver) -> None:
    report = drive(one(retry=RetryPolicy(max_attempts=5)), {"a": raises(PermanentError("no"))})
    assert report.steps["a"].attempts == 1
    assert report.statuses == {"a": "failed"}


def test_an_async_attempt_is_cancelled_at_its_timeout_and_then_tried_again(drive: Driver) -> None:
    seen: List[Any] = []

    async def act(call: StepCall) -> str:
        if call.attempt == 1:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                seen.append((call.attempt, threading.get_ident()))
                raise
        seen.append((call.attempt, threading.get_ident()))
        return "done"

    report = drive(one(timeout_seconds=SHORT, retry=RetryPolicy(max_attempts=2)), {"a": act})
    assert report.ok
    assert [attempt for attempt, _ in seen] == [1, 2]
    assert report.steps["a"].attempts == 2


def test_an_async_attempt_without_retry_ends_timed_out(drive: Driver) -> None:
    report = drive(one(timeout_seconds=SHORT), {"a": lambda: asyncio.sleep(60)})
    assert report.statuses == {"a": "timed_out"}
    assert not report.steps["a"].abandoned
    assert report.problems == ()
    assert report.steps["a"].error is not None
    assert report.steps["a"].error.message == f"no result within {SHORT} seconds"


def test_async_functions_share_one_loop_thread(drive: Driver) -> None:
    threads: List[str] = []

    async def act() -> None:
        threads.append(threading.current_thread().name)
        await asyncio.sleep(0.01)

    assert drive(wfplan.plan({"a": [], "b": [], "c": ["a"]}), dict.fromkeys("abc", act)).ok
    assert set(threads) == {drive.loop_thread if drive.is_async else "wfplan-loop"}
    assert len(threads) == 3


def test_async_steps_overlap(drive: Driver) -> None:
    running, most = [0], [0]

    async def act() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await asyncio.sleep(0.05)
        running[0] -= 1

    names = [f"s{number}" for number in range(20)]
    assert drive(wfplan.plan({name: [] for name in names}), dict.fromkeys(names, act), max_parallel=7).ok
    assert most == [7]


def test_plain_steps_overlap_up_to_the_limit(drive: Driver) -> None:
    lock, running, most = threading.Lock(), [0], [0]

    def act() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.05)
        with lock:
            running[0] -= 1

    names = [f"s{number}" for number in range(12)]
    assert drive(wfplan.plan({name: [] for name in names}), dict.fromkeys(names, act), max_parallel=4).ok
    assert most == [4]


def test_no_two_steps_in_flight_in_mode_sequential(drive: Driver) -> None:
    order: List[str] = []

    async def act(call: StepCall) -> None:
        order.append(f"+{call.step.name}")
        await asyncio.sleep(0.01)
        order.append(f"-{call.step.name}")

    plan = plan_of(*(Step(name=name) for name in "abc"), mode="sequential")
    assert drive(plan, dict.fromkeys("abc", act), max_parallel=9).ok
    assert order == ["+a", "-a", "+b", "-b", "+c", "-c"]


@pytest.mark.parametrize("colour", COLOURS)
def test_the_context_of_the_caller_is_seen_by_steps_and_not_changed_by_them(drive: Driver, colour: str) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")

    def act() -> str:
        seen = variable.get()
        variable.set("changed by a step")
        return seen

    variable.set("of the caller")
    report = drive(wfplan.plan({"a": [], "b": ["a"]}), dict.fromkeys("ab", coloured(act, colour)))
    assert report.outputs == {"a": "of the caller", "b": "of the caller"}
    assert variable.get() == "of the caller"


def test_plain_functions_never_block_the_loop_of_arun() -> None:
    ticks: List[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.005)

    async def main() -> wfplan.ExecutionReport:
        ticking = asyncio.ensure_future(tick())
        try:
            return await wfplan.arun(wfplan.plan({"a": [], "b": ["a"]}), dict.fromkeys("ab", lambda: time.sleep(0.3)))
        finally:
            ticking.cancel()

    assert asyncio.run(main()).ok
    assert max(after - before for before, after in zip(ticks, ticks[1:])) < 0.25


def test_executor_methods_that_are_plain_never_block_the_loop_of_arun() -> None:
    ticks: List[float] = []

    class Slow(Recorder):
        def validate(self, _plan: wfplan.ExecutionPlan) -> List[wfplan.Problem]:
            time.sleep(0.3)
            return []

        def close(self) -> None:
            time.sleep(0.3)

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.005)

    async def main() -> wfplan.ExecutionReport:
        ticking = asyncio.ensure_future(tick())
        try:
            return await wfplan.arun(one(), Slow(lambda _call: time.sleep(0.3)))
        finally:
            ticking.cancel()

    assert asyncio.run(main()).ok
    assert max(after - before for before, after in zip(ticks, ticks[1:])) < 0.25


def test_run_works_where_a_loop_runs_already() -> None:
    async def act() -> str:
        await asyncio.sleep(0)
        return "on a loop of its own"

    async def cell() -> wfplan.ExecutionReport:
        return wfplan.run(wfplan.plan({"a": [], "b": ["a"]}), {"a": act, "b": lambda: 1})

    assert asyncio.run(cell()).outputs == {"a": "on a loop of its own", "b": 1}


def test_a_run_in_a_step_of_a_run(drive: Driver) -> None:
    def inner() -> Dict[str, Any]:
        return wfplan.run(one("x"), {"x": lambda: 1}).outputs

    async def inner_async() -> Dict[str, Any]:
        return (await wfplan.arun(one("x"), {"x": lambda: 1})).outputs

    report = drive(wfplan.plan({"a": [], "b": []}), {"a": inner, "b": inner_async})
    assert report.outputs == {"a": {"x": 1}, "b": {"x": 1}}


def test_two_runs_share_one_loop() -> None:
    async def act() -> None:
        await asyncio.sleep(0.02)

    async def main() -> List[Any]:
        plan = wfplan.plan({"a": [], "b": ["a"]})
        runs = [wfplan.arun(plan, {"a": act, "b": lambda: 1}) for _ in range(5)]
        return [report.ok for report in await asyncio.gather(*runs)]

    assert asyncio.run(main()) == [True] * 5


def test_an_awaitable_that_is_no_coroutine(drive: Driver) -> None:
    class Later:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return "later"

    assert drive(one(), {"a": Later}).outputs == {"a": "later"}


def test_a_late_coroutine_of_a_plain_function_is_never_run(drive: Driver, gate: Gate) -> None:
    ran: List[int] = []

    async def late() -> None:
        ran.append(1)

    def act() -> Any:
        gate.hang()
        return late()

    async def keep_a_loop() -> None:
        await asyncio.sleep(0)
        gate.opened.set()
        await asyncio.sleep(0.2)

    plan = plan_of(
        Step(name="a", timeout_seconds=SHORT),
        Step(name="b", dependencies=["a"], action="b"),
        Step(name="c", estimated_seconds=9),
        on_failure="skip-dependents",
    )

    async def opens_later() -> None:
        await asyncio.sleep(3 * SHORT)
        await keep_a_loop()

    report = drive(plan, {"a": act, "b": lambda: 1, "c": opens_later}, max_parallel=3)
    assert report.statuses == {"a": "timed_out", "b": "skipped", "c": "succeeded"}
    assert not report.steps["a"].abandoned
    assert ran == []


def test_outputs_of_the_direct_dependencies_reach_the_call(drive: Driver) -> None:
    def gather(call: StepCall) -> Dict[str, Any]:
        return dict(call.outputs)

    plan = plan_of(
        Step(name="a"),
        Step(name="b", dependencies=["a"]),
        Step(name="bad", continue_on_failure=True),
        Step(name="c", dependencies=["b", "bad"]),
    )
    report = drive(plan, {"a": lambda: {1, 2}, "b": gather, "bad": fails, "c": gather})
    assert report.ok
    assert report.outputs == {"a": {1, 2}, "b": {"a": {1, 2}}, "c": {"b": {"a": {1, 2}}}}


def test_the_idempotency_key_is_that_of_the_step_in_this_run(drive: Driver) -> None:
    def keys(plan: wfplan.ExecutionPlan, run_id: str) -> List[str]:
        found: List[str] = []

        def act(call: StepCall, **_parameters: Any) -> None:
            found.append(call.idempotency_key)
            if call.attempt == 1:
                raise ValueError

        assert drive(plan, {"a": act}, run_id=run_id).ok
        assert len(found) == 2
        return found

    retry = RetryPolicy(max_attempts=2)
    first, second = keys(one(retry=retry, parameters={"x": 1, "y": 2}), "r1")
    assert first == second
    assert len(first) == 64
    assert keys(one(retry=retry, parameters={"y": 2, "x": 1}), "r1") == [first, first]
    assert keys(one(retry=retry, parameters={"x": 1, "y": 2}), "r2")[0] != first
    assert keys(one(retry=retry, parameters={"x": 1, "y": 3}), "r1")[0] != first


def test_a_call_tells_all_it_knows(drive: Driver) -> None:
    recorder = Recorder()
    plan = plan_of(Step(name="a"), Step(name="b", dependencies=["a"], timeout_seconds=60, parameters={"x": [1]}))
    assert drive(plan, recorder, run_id="r").ok
    call = recorder.calls[1]
    assert (call.purpose, call.attempt, call.run_id, call.timeout_seconds) == ("execute", 1, "r", 60)
    told = call.to_dict()
    assert told["step"]["name"] == "b"
    assert told["outputs"] == {"a": "a"}
    assert told["idempotency_key"] == call.idempotency_key


@pytest.mark.parametrize("end", ["returns", "raises", "hangs"])
def test_the_external_id_is_in_the_report_however_the_step_ends(drive: Driver, gate: Gate, end: str) -> None:
    def act(call: StepCall) -> None:
        call.set_external_id(f"job-{call.attempt}")
        if end == "raises":
            raise ValueError
        if end == "hangs":
            gate.hang()

    events: List[wfplan.Event] = []
    report = drive(one(timeout_seconds=SHORT), {"a": act}, observers=[events.append])
    assert report.steps["a"].external_id == "job-1"
    assert [event.external_id for event in events if event.kind == "step-ended"] == ["job-1"]


def test_a_function_cannot_change_the_plan(drive: Driver) -> None:
    def act(items: List[int], inner: Dict[str, Any]) -> None:
        items.append(9)
        inner["deep"].clear()

    parameters = {"items": [1], "inner": {"deep": [2]}}
    plan = one(parameters=parameters, retry=RetryPolicy(max_attempts=2))
    fingerprint = plan.fingerprint
    assert drive(plan, {"a": act}).ok
    assert plan.fingerprint == fingerprint
    assert plan.steps["a"].parameters == {"items": [1], "inner": {"deep": [2]}}


def test_an_empty_plan_is_done(drive: Driver) -> None:
    recorder = Recorder()
    report = drive(wfplan.plan({}), recorder)
    assert report.ok
    assert report.steps == {}
    assert recorder.closed == 1
    assert report.makespan == 0


def test_a_long_chain_and_a_wide_fan(drive: Driver) -> None:
    names = [f"s{number}" for number in range(500)]
    chain = {name: names[max(number - 1, 0) : number] for number, name in enumerate(names)}
    assert drive(wfplan.plan(chain), dict.fromkeys(names, lambda: None)).ok
    assert drive(wfplan.plan({name: [] for name in names}), dict.fromkeys(names, lambda: None)).ok


def test_a_failure_that_may_be_is_done_for_all_that_follows(drive: Driver) -> None:
    plan = plan_of(
        Step(name="a", continue_on_failure=True),
        Step(name="slow", continue_on_failure=True, timeout_seconds=SHORT),
        Step(name="b", dependencies=["a", "slow"]),
    )
    report = drive(plan, {"a": fails, "slow": lambda: asyncio.sleep(60), "b": lambda: 1})
    assert report.ok
    assert report.statuses == {"a": "failed", "slow": "timed_out", "b": "succeeded"}
    report.raise_for_status()


def test_steps_that_share_a_lock_never_overlap(drive: Driver) -> None:
    running: List[str] = []
    clashes: List[str] = []

    async def act(call: StepCall) -> None:
        clashes.extend(running)
        running.append(call.step.name)
        await asyncio.sleep(0.01)
        running.remove(call.step.name)

    plan = plan_of(*(Step(name=name, locks=["disk"]) for name in "abcd"), schedule="eager")
    assert drive(plan, dict.fromkeys("abcd", act)).ok
    assert clashes == []


def test_under_cancel_what_runs_is_cancelled_and_real_results_are_kept(drive: Driver) -> None:
    async def bad() -> None:
        await asyncio.sleep(SHORT)
        raise ValueError

    async def stubborn() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "a result all the same"
        return ""

    plan = plan_of(*(Step(name=name) for name in ("bad", "gentle", "stubborn", "plain")), on_failure="cancel")
    functions = {
        "bad": bad,
        "gentle": lambda: asyncio.sleep(60),
        "stubborn": stubborn,
        "plain": lambda: time.sleep(0.2),
    }
    report = drive(plan, functions, max_parallel=4)
    assert report.statuses == {"bad": "failed", "gentle": "cancelled", "stubborn": "succeeded", "plain": "succeeded"}
    assert report.outputs["stubborn"] == "a result all the same"


def test_a_cancelled_step_is_cancelled_once_so_that_it_can_clean_up(drive: Driver) -> None:
    cleaned: List[str] = []

    async def bad() -> None:
        await asyncio.sleep(SHORT)
        raise ValueError

    async def careful() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            cleaned.append("careful")

    plan = plan_of(*(Step(name=name) for name in ("bad", "quick", "careful")), on_failure="cancel")
    report = drive(plan, {"bad": bad, "quick": lambda: asyncio.sleep(60), "careful": careful}, max_parallel=3)
    assert report.statuses == {"bad": "failed", "quick": "cancelled", "careful": "cancelled"}
    assert cleaned == ["careful"]


def test_under_skip_dependents_all_else_goes_on(drive: Driver) -> None:
    plan = plan_of(
        Step(name="bad"),
        Step(name="x", dependencies=["bad"]),
        Step(name="y", dependencies=["x"]),
        Step(name="other"),
        Step(name="z", dependencies=["other"]),
        on_failure="skip-dependents",
    )
    report = drive(plan, {**dict.fromkeys(("x", "y", "z", "other"), lambda: 1), "bad": fails})
    assert report.statuses == {"bad": "failed", "x": "skipped", "y": "skipped", "other": "succeeded", "z": "succeeded"}
    assert report.steps["y"].root_cause == "bad"


def test_under_stop_what_runs_may_finish_and_nothing_is_tried_again(drive: Driver) -> None:
    attempts: List[int] = []

    async def later_fails() -> None:
        attempts.append(1)
        await asyncio.sleep(0.1)
        raise ValueError

    async def finishes() -> str:
        await asyncio.sleep(0.1)
        return "finished"

    plan = plan_of(
        Step(name="bad"),
        Step(name="again", retry=RetryPolicy(max_attempts=5)),
        Step(name="finishes"),
        Step(name="waits", dependencies=["finishes"]),
    )
    functions = {"bad": fails, "again": later_fails, "finishes": finishes, "waits": lambda: 1}
    report = drive(plan, functions, max_parallel=4)
    assert report.statuses == {"bad": "failed", "again": "failed", "finishes": "succeeded", "waits": "skipped"}
    assert attempts == [1]
    assert report.steps["waits"].reason == "run-stopped"
    assert report.steps["waits"].root_cause == "bad"
    assert report.stopped
