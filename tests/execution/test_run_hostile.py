"""The worst that steps, executors and observers can do, each in a program of its own: it has to end, and in order."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAD = """
import asyncio, faulthandler, signal, sys, threading, time, warnings
from typing import Any, Optional
import wfplan
from wfplan import ExecutionStrategy, FunctionExecutor, RefusedError, Step, StepCall, Workflow
faulthandler.dump_traceback_later(3, exit=True)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have left it ignored

def plan_of(*steps, **settings):
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))

def one(**fields):
    return plan_of(Step(name="a", **fields))

def threads():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("wfplan")]

def drive(*arguments, **keywords):
    if sys.argv[1] == "run":
        return wfplan.run(*arguments, **keywords)
    return asyncio.run(wfplan.arun(*arguments, **keywords))

class Closing:
    closed = 0
    def execute(self, call):
        return 1
    def close(self):
        Closing.closed += 1
"""

both = pytest.mark.parametrize("driver", ["run", "arun"])


def check(driver: str, program: str) -> None:
    """Run a program; it has to end by itself, in time, without a word on stderr."""
    command = [sys.executable, "-W", "always", "-c", HEAD + program, driver]
    done = subprocess.run(command, capture_output=True, text=True, timeout=15, check=False)
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stderr == ""


@pytest.mark.parametrize("member", ["validate", "close"])
def test_stop_iteration_of_a_method_of_the_executor(member: str) -> None:
    check(
        "arun",
        f"""
class Broken(Closing):
    def {member}(self, *_arguments):
        return next(iter(()))
try:
    drive(one(), Broken())
except RefusedError:
    pass
""",
    )


def test_an_async_close_behind_a_step_that_blocks_the_loop() -> None:
    check(
        "run",
        """
class Blocking:
    async def execute(self, call):
        time.sleep(60)
    async def close(self):
        pass
report = drive(one(timeout_seconds=0.1), Blocking())
assert report.statuses == {"a": "timed_out"}
""",
    )


def test_a_step_that_stops_the_loop() -> None:
    check(
        "run",
        """
async def stops():
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.1)
async def fine():
    return 1
report = drive(wfplan.plan({"a": [], "b": []}), {"a": stops, "b": fine})
assert "running" not in report.statuses.values()
""",
    )


@both
@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "SystemExit"])
def test_an_interrupt_of_an_observer(driver: str, kind: str) -> None:
    check(
        driver,
        f"""
def observe(event):
    if event.kind == "attempt-started":
        raise {kind}
try:
    drive(one(), Closing(), observers=[observe])
except {kind} as error:
    assert error.report.statuses == {{"a": "succeeded"}}  # a real result that still arrived
    assert Closing.closed == 1
else:
    raise AssertionError
""",
    )


@both
def test_an_interrupt_of_close(driver: str) -> None:
    check(
        driver,
        """
class Exits(Closing):
    def close(self):
        raise SystemExit(3)
try:
    drive(one(), Exits())
except SystemExit as error:
    time.sleep(0.3)
    assert threads() == []
    assert error.report.ok
""",
    )


@pytest.mark.parametrize("kind", ["KeyboardInterrupt", "SystemExit"])
def test_an_interrupt_in_a_task_of_a_step(kind: str) -> None:
    check(
        "run",
        f"""
threading.excepthook = lambda _told: None
async def inner():
    raise {kind}
async def act():
    await asyncio.ensure_future(inner())
try:
    drive(wfplan.plan({{"a": [], "b": []}}), {{"a": act, "b": lambda: asyncio.sleep(1)}})
except {kind} as error:
    assert error.report.statuses["a"] == "failed"
else:
    raise AssertionError
""",
    )


@both
def test_a_thread_that_cannot_be_started(driver: str) -> None:
    check(
        driver,
        """
start = threading.Thread.start
def refuse(self):
    if self.name.startswith("wfplan-worker") and int(self.name.rsplit("-", 1)[1]) > 2:
        raise RuntimeError("can't start new thread")
    start(self)
threading.Thread.start = refuse
class Slow(Closing):
    def execute(self, call):
        time.sleep(0.1)
report = drive(wfplan.plan({"a": [], "b": [], "c": []}), Slow(), max_parallel=3)
assert set(report.statuses.values()) <= {"succeeded", "failed", "skipped"}
assert Closing.closed == 1
time.sleep(0.3)
assert threads() == []
""",
    )


def test_a_coroutine_that_comes_after_the_end() -> None:
    check(
        "run",
        """
gate = threading.Event()
async def late():
    pass
def act():
    gate.wait()
    return late()
drive(one(timeout_seconds=0.05), {"a": act})
gate.set()
time.sleep(0.3)
assert threads() == []
""",
    )


def test_a_task_that_a_step_leaves_behind() -> None:
    check(
        "run",
        """
tasks = []
async def background():
    await asyncio.sleep(3600)
async def act():
    tasks.append(asyncio.ensure_future(background()))
report = drive(one(), {"a": act})
time.sleep(0.2)
assert threads() == [] or report.problems
""",
    )


def test_a_validate_that_outlives_the_loop() -> None:
    check(
        "arun",
        """
class Slow(Closing):
    def validate(self, plan):
        time.sleep(0.4)
        return []
async def main():
    task = asyncio.ensure_future(wfplan.arun(one(), Slow()))
    await asyncio.sleep(0.1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
asyncio.run(main())
time.sleep(0.6)
""",
    )


def test_an_interrupt_before_a_refusal() -> None:
    check(
        "run",
        """
import _thread
class Refusing(Closing):
    def validate(self, plan):
        time.sleep(0.2)
        _thread.interrupt_main()
        time.sleep(0.2)
        raise ValueError
try:
    drive(one(), Refusing())
except KeyboardInterrupt:
    pass
""",
    )


@both
def test_a_coroutine_out_of_a_pool(driver: str) -> None:
    check(
        driver,
        """
from concurrent.futures import ThreadPoolExecutor
async def later():
    return 1
with ThreadPoolExecutor(1) as pool:
    report = drive(one(), FunctionExecutor({"a": lambda: later()}, pool=pool))
assert not asyncio.iscoroutine(report.steps["a"].output)
""",
    )


@both
@pytest.mark.parametrize("kind", ["Act()", "Make"])
def test_self_as_a_parameter(driver: str, kind: str) -> None:
    check(
        driver,
        f"""
class Act:
    def __call__(self, **parameters):
        return parameters
class Make:
    def __init__(self, **parameters):
        pass
try:
    drive(one(parameters={{"self": 1}}), {{"a": {kind}}})
except RefusedError:
    pass
else:
    raise AssertionError
""",
    )


@both
@pytest.mark.parametrize("default", ["", " = None"])
def test_an_optional_call(driver: str, default: str) -> None:
    check(
        driver,
        f"""
def act(call: Optional[StepCall]{default}):
    return call.step.name
assert drive(one(), {{"a": act}}).outputs == {{"a": "a"}}
""",
    )


@both
@pytest.mark.parametrize("text", [r"\ud800", "5"])
def test_an_external_id_that_is_no_text(driver: str, text: str) -> None:
    value = f'"{text}"' if "u" in text else text
    check(
        driver,
        f"""
def act(call: StepCall):
    call.set_external_id({value})
report = drive(one(), {{"a": act}})
wfplan.ExecutionReport.model_validate_json(report.model_dump_json())
""",
    )


@both
def test_a_run_id_that_utf_8_cannot_hold(driver: str) -> None:
    check(
        driver,
        r"""
try:
    drive(one(), Closing(), run_id="\ud800").model_dump_json()
except RefusedError:
    pass
""",
    )


@both
def test_a_limit_that_cannot_be_shown(driver: str) -> None:
    check(
        driver,
        """
try:
    drive(one(), Closing(), max_parallel=10**5000)
except RefusedError:
    pass
""",
    )


@both
def test_an_exception_whose_text_interrupts(driver: str) -> None:
    check(
        driver,
        """
class Nasty(Exception):
    def __str__(self):
        raise KeyboardInterrupt
class Raising(Closing):
    def execute(self, call):
        raise Nasty
try:
    drive(one(), Raising())
except KeyboardInterrupt:
    pass
assert Closing.closed == 1
""",
    )


def test_a_future_whose_cancel_hangs() -> None:
    check(
        "arun",
        """
class Stuck:
    def add_done_callback(self, callback):
        pass
    def cancel(self):
        time.sleep(3)
class Pool:
    def submit(self, *_arguments):
        return Stuck()
before = time.monotonic()
drive(one(timeout_seconds=0.1), FunctionExecutor({"a": int}, pool=Pool()))
assert time.monotonic() - before < 2
""",
    )


def test_a_call_made_by_hand_is_pickled() -> None:
    check("run", 'import pickle\npickle.loads(pickle.dumps(StepCall(Step(name="a"))))\n')


@pytest.mark.skipif(sys.platform == "win32", reason="there, a process cannot be sent this signal")
def test_the_third_interrupt_waits_for_nothing() -> None:
    check(
        "run",
        """
import os, signal
def stuck(event):
    time.sleep(60)
def interrupt():
    for _ in range(3):
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    drive(one(), Closing(), observers=[stuck])
except KeyboardInterrupt as error:
    assert not hasattr(error, "report")
else:
    raise AssertionError
""",
    )
