"""check_executor finds what is wrong with an executor: each of these breaks the contract in one way."""

from __future__ import annotations

import asyncio
import re
import time
from concurrent.futures import Future
from typing import Any, Callable, Iterable

import pytest

from wfplan import ExecutionPlan, Executor, FunctionExecutor, Problem, Step, StepCall
from wfplan.execution.interface import PendingOutput
from wfplan.testing import check_executor

SUCCEEDS, FAILS, HANGS = Step(name="succeed"), Step(name="fail"), Step(name="hang")


def fail() -> None:
    raise ValueError("on purpose")


async def hang() -> None:
    await asyncio.sleep(60)


def kept(**others: Callable[..., Any]) -> FunctionExecutor:
    return FunctionExecutor({"succeed": lambda: 1, "fail": fail, "hang": hang, **others})


class Wrapped:
    """An executor that does everything right, for others to do one thing wrong."""

    def __init__(self) -> None:
        self.inner = kept()

    def execute(self, call: StepCall) -> Any:
        return self.inner.execute(call)


class Swallows(Wrapped):
    def execute(self, call: StepCall) -> Any:
        try:
            return self.inner.execute(call)
        except ValueError as error:
            return error


class Loses(Wrapped):
    """The outcome of one step never comes."""

    def execute(self, call: StepCall) -> Any:
        return PendingOutput(Future()) if call.step.name == "step-7" else self.inner.execute(call)


class FailsSometimes(Wrapped):
    def execute(self, call: StepCall) -> Any:
        if call.step.name == "middle-2":
            raise OSError("too many at once")
        return self.inner.execute(call)


class IgnoresTheEnd(Wrapped):
    """What hangs gives a result all the same."""

    def execute(self, call: StepCall) -> Any:
        return 1 if call.step.action == "hang" else self.inner.execute(call)


class ClosesOnce(Wrapped):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class FailsToClose(Wrapped):
    def close(self) -> None:
        raise OSError("the connection is gone")


class Refuses(Wrapped):
    def validate(self, plan: ExecutionPlan) -> Iterable[Problem]:
        yield Problem(code="unsupported", severity="error", message=f"not {plan.strategy}")


@pytest.mark.parametrize(
    ("broken", "finding"),
    [
        (Swallows, r'failure, under run: "bad" should have failed, and is succeeded'),
        (Swallows, r"retry, under arun: three attempts were due, made were \[1\]"),
        (Loses, r'each once, under run: "step-7" should have succeeded, and is timed_out'),
        (FailsSometimes, r'order, under run: "middle-2" should have succeeded, and is failed: OSError'),
        (IgnoresTheEnd, r'timeout, under run: "stuck" should have timed_out, and is succeeded'),
        (ClosesOnce, r"validate and close, under arun: RuntimeError: closed already"),
        (FailsToClose, r"validate and close, under run: warning close-failed: .*the connection is gone"),
        (Refuses, r"order, under run: RefusedError"),
    ],
)
def test_what_is_wrong_is_found(broken: Callable[[], Executor], finding: str) -> None:
    with pytest.raises(AssertionError) as raised:
        check_executor(broken, succeeds=SUCCEEDS, fails=FAILS, hangs=HANGS, patience=1.0)
    assert re.search(finding, str(raised.value)), str(raised.value)


def test_an_executor_that_keeps_it_passes_with_and_without_what_hangs() -> None:
    check_executor(Wrapped, succeeds=SUCCEEDS, fails=FAILS, hangs=HANGS)
    check_executor(kept, succeeds=SUCCEEDS, fails=FAILS)


def test_an_executor_that_is_async_throughout_passes() -> None:
    class Async:
        async def validate(self, plan: ExecutionPlan) -> Iterable[Problem]:
            await asyncio.sleep(0)
            return [] if plan.batches else [Problem(code="unsupported", severity="error", message="nothing to do")]

        async def execute(self, call: StepCall) -> Any:
            await asyncio.sleep(60 if call.step.action == "hang" else 0)
            if call.step.action == "fail":
                raise ValueError("on purpose")
            return 1

        async def close(self) -> None:
            await asyncio.sleep(0)

    check_executor(Async, succeeds=SUCCEEDS, fails=FAILS, hangs=HANGS)


def test_the_time_it_takes_is_bounded_by_its_patience() -> None:
    class Never:
        def execute(self, call: StepCall) -> Any:
            return PendingOutput(Future())

    start = time.monotonic()
    with pytest.raises(AssertionError, match="timed_out"):
        check_executor(Never, succeeds=SUCCEEDS, fails=FAILS, patience=0.05)
    assert time.monotonic() - start < 30
