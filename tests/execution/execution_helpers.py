"""What the tests of the drivers share: plans in one line, both drivers behind one call, and a guard against hangs."""

from __future__ import annotations

import asyncio
import contextvars
import faulthandler
import sys
import threading
import time
from typing import Any, Callable, Collection, List, Optional, TypeVar

import wfplan
from wfplan import ExecutionPlan, ExecutionReport, ExecutionStrategy, Step, Workflow

T = TypeVar("T")

GUARD_SECONDS = 20.0
SHORT = 0.05
"""A timeout that is over soon."""


def plan_of(*steps: Step, **settings: Any) -> ExecutionPlan:
    """The plan of these steps under these settings."""
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


def one(name: str = "a", **fields: Any) -> ExecutionPlan:
    """A plan of one step."""
    return plan_of(Step(name=name, **fields))


def guarded(function: Callable[[], T], seconds: float = GUARD_SECONDS) -> T:
    """What a function gives or raises, in a thread that is given up if it hangs."""
    outcome: List[Any] = []
    errors: List[BaseException] = []

    def work() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the test
            errors.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(work,), name="guarded", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        faulthandler.dump_traceback(sys.__stderr__)
        raise AssertionError(f"it hangs: no end within {seconds} seconds")
    if errors:
        raise errors[0]
    return outcome[0]  # type: ignore[no-any-return]


class Driver:
    """`run` or `arun`, called the same way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_async = name == "arun"
        self.tasks_left = 0
        self.loop_thread: Optional[str] = None

    def __call__(
        self, plan: Any, executor: Any, *, guard: float = GUARD_SECONDS, leaves: Optional[Gate] = None, **keywords: Any
    ) -> ExecutionReport:
        """`leaves` is the gate that a task which outlives the run waits at."""
        if not self.is_async:
            return guarded(lambda: wfplan.run(plan, executor, **keywords), guard)

        async def main() -> ExecutionReport:
            self.loop_thread = threading.current_thread().name
            try:
                return await wfplan.arun(plan, executor, **keywords)
            finally:
                await asyncio.sleep(0)
                left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
                self.tasks_left = len(left)
                if leaves is not None:
                    leaves.opened.set()  # or `asyncio.run` waits for what does not want to be cancelled
                assert leaves is not None or not left, left

        return guarded(lambda: asyncio.run(main()), guard)

    def __repr__(self) -> str:
        return self.name


class Gate:
    """A function that does not return before the test is over, or the gate is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()

    def hang(self, **_parameters: Any) -> str:
        self.entered.set()
        assert self.opened.wait(60)
        return "late"

    async def swallow(self, **_parameters: Any) -> str:
        """Async, and deaf to being cancelled."""
        self.entered.set()
        while not self.opened.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue
        return "late"


class Recorder:
    """An executor whose calls and closings are noted; `act` is what it does."""

    def __init__(self, act: Optional[Callable[[wfplan.StepCall], Any]] = None) -> None:
        self.act = act or (lambda call: call.step.name)
        self.calls: List[wfplan.StepCall] = []
        self.closed = 0

    def execute(self, call: wfplan.StepCall) -> Any:
        self.calls.append(call)
        return self.act(call)

    def close(self) -> None:
        self.closed += 1


def wfplan_threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("wfplan")]


def no_threads_within(seconds: float, but: Collection[threading.Thread] = ()) -> List[threading.Thread]:
    """The threads of the library that are left after so long, at most."""
    until = time.monotonic() + seconds
    while True:
        left = [thread for thread in wfplan_threads() if thread not in but]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.005)


def fails() -> None:
    raise ValueError("broken")


async def fails_async() -> None:
    await asyncio.sleep(0)
    raise ValueError("broken")


def make_flaky(times: int, *, is_async: bool = False) -> Callable[[], Any]:
    """A function that fails so many times, then gives the number of its call."""
    calls: List[int] = []

    def act() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise ValueError(f"failure {len(calls)}")
        return len(calls)

    async def act_async() -> int:
        await asyncio.sleep(0)
        return act()

    return act_async if is_async else act


def coloured(function: Callable[[], Any], colour: str) -> Callable[[], Any]:
    """The same as a plain function, an async one, or a plain one that returns something to await."""
    if colour == "plain":
        return function

    async def act() -> Any:
        await asyncio.sleep(0)
        return function()

    if colour == "async":
        return act
    return lambda: act()  # noqa: PLW0108 - it must not look like an async function


COLOURS = ("plain", "async", "plain-to-async")
