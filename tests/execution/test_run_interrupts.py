"""Interrupts, of a step and of the caller: the run is suspended, and they are raised again, with the report."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Type

import pytest
from execution_helpers import COLOURS, SHORT, Driver, Gate, Recorder, coloured, guarded, one, plan_of

import wfplan
from wfplan import RetryPolicy, Step


class OwnError(BaseException):
    """Neither an Exception nor an interrupt that anybody knows."""


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, OwnError, GeneratorExit])
def test_an_interrupt_in_a_step_is_raised_again_after_an_orderly_end(
    drive: Driver, colour: str, kind: Type[BaseException]
) -> None:
    def act() -> None:
        raise kind("enough")

    cancelled: List[str] = []

    async def runs() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("runs")
            raise

    recorder = Recorder()
    functions: Dict[str, Callable[[], Any]] = {"bad": coloured(_late(act), colour), "runs": runs, "after": lambda: 1}
    recorder.act = lambda call: functions[call.step.action]()
    plan = plan_of(
        Step(name="runs"),
        Step(name="bad", retry=RetryPolicy(max_attempts=3)),
        Step(name="after", dependencies=["runs"]),
    )
    with pytest.raises(kind) as caught:
        drive(plan, recorder, max_parallel=3)
    report = caught.value.report  # type: ignore[attr-defined]
    assert report.statuses == {"runs": "running", "bad": "failed", "after": "pending"}
    assert report.steps["bad"].attempts == 1
    assert report.steps["bad"].error.exception is caught.value
    assert (report.phase, report.suspended_in) == ("suspended", "execute")
    assert cancelled == ["runs"]
    assert recorder.closed == 1


def _late(act: Callable[[], Any]) -> Callable[[], Any]:
    def later() -> Any:
        time.sleep(SHORT)
        return act()

    return later


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_function_mapping(drive: Driver, kind: Type[BaseException]) -> None:
    async def act() -> None:
        raise kind

    events: List[wfplan.Event] = []
    with pytest.raises(kind) as caught:
        drive(wfplan.plan({"a": [], "b": ["a"]}), {"a": act, "b": lambda: 1}, observers=[events.append])
    assert caught.value.report.statuses == {"a": "failed", "b": "pending"}  # type: ignore[attr-defined]
    assert events[-1].kind == "run-suspended"


def test_the_first_of_two_interrupts_is_raised(drive: Driver) -> None:
    def exits() -> None:
        raise SystemExit(3)

    def interrupts() -> None:
        time.sleep(0.2)
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        drive(wfplan.plan({"a": [], "b": []}), {"a": exits, "b": interrupts}, max_parallel=2)
    assert caught.value.code == 3
    assert caught.value.report.statuses == {"a": "failed", "b": "failed"}  # type: ignore[attr-defined]


def test_after_an_interrupt_a_plain_step_is_waited_for_a_moment_only(drive: Driver, gate: Gate) -> None:
    def exits() -> None:
        raise SystemExit

    before = time.monotonic()
    with pytest.raises(SystemExit) as caught:
        drive(wfplan.plan({"a": [], "b": []}), {"a": gate.hang, "b": exits}, max_parallel=2)
    report = caught.value.report  # type: ignore[attr-defined]
    assert report.statuses == {"a": "running", "b": "failed"}
    assert [problem.code for problem in report.problems] == ["abandoned"]
    assert 0.9 < time.monotonic() - before < 5


class TestCancellingTheTask:
    @staticmethod
    def cancel_after(seconds: float, *more: float, plan: Any, executor: Any, gate: Any = None, **keywords: Any) -> Any:
        """The report on the error, and the seconds that the end took."""

        async def main() -> Any:
            async def direct() -> Any:
                try:
                    await wfplan.arun(plan, executor, **keywords)
                except asyncio.CancelledError as error:
                    return error.report  # type: ignore[attr-defined]
                raise AssertionError("it was not raised again")

            task = asyncio.ensure_future(direct())
            before = time.monotonic()
            for pause in (seconds, *more):
                await asyncio.sleep(pause)
                before = min(before, time.monotonic())
                task.cancel()
            try:
                report = await task
            finally:
                if gate is not None:
                    gate.opened.set()
            return report, time.monotonic() - before

        return guarded(lambda: asyncio.run(main()))

    def test_async_steps_are_cancelled(self) -> None:
        cleaned: List[str] = []

        async def act() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(SHORT)
                cleaned.append("a")

        recorder = Recorder(lambda _call: act())
        report, _ = self.cancel_after(SHORT, plan=wfplan.plan({"a": [], "b": ["a"]}), executor=recorder)
        assert report.statuses == {"a": "running", "b": "pending"}
        assert cleaned == ["a"]
        assert recorder.closed == 1

    def test_a_plain_step_that_ends_in_time_counts(self) -> None:
        plan = wfplan.plan({"a": [], "b": ["a"]})
        report, seconds = self.cancel_after(SHORT, plan=plan, executor={"a": lambda: time.sleep(0.3), "b": int})
        assert report.statuses == {"a": "succeeded", "b": "pending"}
        assert report.phase == "suspended"
        assert seconds < 1

    def test_a_plain_step_that_hangs_is_left_behind(self, gate: Gate) -> None:
        report, seconds = self.cancel_after(SHORT, plan=one(), executor={"a": gate.hang})
        assert report.statuses == {"a": "running"}
        assert seconds < 3

    def test_a_second_time_ends_it_at_once(self, gate: Gate) -> None:
        report, seconds = self.cancel_after(SHORT, SHORT, plan=one(), executor={"a": gate.hang})
        assert report.statuses == {"a": "running"}
        assert seconds < 0.6

    def test_what_is_deaf_to_it_is_left_behind(self, gate: Gate) -> None:
        report, _ = self.cancel_after(SHORT, plan=one(), executor={"a": gate.swallow}, gate=gate)
        assert report.statuses == {"a": "running"}
        assert [problem.code for problem in report.problems] == ["abandoned"]
        assert "event loop" in report.problems[0].message

    @pytest.mark.parametrize("times", [1, 2, 3])
    def test_the_executor_is_closed_however_often(self, gate: Gate, times: int) -> None:
        recorder = Recorder(lambda _call: gate.swallow())
        pauses = [SHORT] * times
        self.cancel_after(*pauses, plan=one(), executor=recorder, gate=gate)
        assert recorder.closed == 1

    def test_before_it_has_begun(self) -> None:
        recorder = Recorder()

        async def main() -> None:
            task = asyncio.ensure_future(wfplan.arun(one(), recorder))
            task.cancel()
            await task

        with pytest.raises(asyncio.CancelledError):
            guarded(lambda: asyncio.run(main()))
        assert recorder.calls == []

    def test_while_the_executor_is_asked(self) -> None:
        class Slow(Recorder):
            async def validate(self, _plan: wfplan.ExecutionPlan) -> List[wfplan.Problem]:
                await asyncio.sleep(60)
                return []

        recorder = Slow()

        async def main() -> None:
            task = asyncio.ensure_future(wfplan.arun(one(), recorder))
            await asyncio.sleep(SHORT)
            task.cancel()
            await task

        with pytest.raises(asyncio.CancelledError):
            guarded(lambda: asyncio.run(main()))
        assert recorder.calls == []
        assert recorder.closed == 1

    def test_a_time_limit_around_a_run(self) -> None:
        async def main() -> None:
            await asyncio.wait_for(wfplan.arun(one(), {"a": lambda: asyncio.sleep(60)}), SHORT)

        with pytest.raises(asyncio.TimeoutError):
            guarded(lambda: asyncio.run(main()))


PROGRAM = """
import asyncio, json, os, signal, sys, threading, time
import wfplan
from wfplan import Step

def hang():
    say("running")
    time.sleep(600)

def plain():
    say("running")
    time.sleep(0.4)
    return "done"

async def patient():
    say("running")
    await asyncio.sleep(600)

def say(word):
    print(word, flush=True)

def tell(error):
    report = wfplan.ExecutionReport.of(error)
    state = None if report is None else report.statuses
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("wfplan")]
    say(json.dumps({"raised": type(error).__name__, "statuses": state, "threads": threads}))

async def direct(plan, functions):
    try:
        await wfplan.arun(plan, functions)
    except BaseException as error:
        tell(error)
        raise

step, driver, terminate = sys.argv[1], sys.argv[2], len(sys.argv) > 3
signal.signal(signal.SIGINT, signal.default_int_handler)
if terminate:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
plan = wfplan.plan({"a": [], "b": ["a"]})
functions = {"a": globals()[step], "b": hang}
try:
    if driver == "run":
        wfplan.run(plan, functions)
    else:
        asyncio.run(direct(plan, functions))
except BaseException as error:
    tell(error)
    raise
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
class TestSignals:
    @pytest.fixture
    def send(self, tmp_path: Path) -> Callable[..., Any]:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(PROGRAM))

        def send(step: str, driver: str, *numbers: int) -> Any:
            """What the program told, how it ended, and how many seconds after the first signal."""
            more = ["terminate"] if signal.SIGTERM in numbers else []
            command = [sys.executable, str(script), step, driver, *more]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                killer = threading.Timer(15, process.kill)
                killer.start()
                try:
                    assert process.stdout is not None
                    assert process.stdout.readline() == "running\n"
                    time.sleep(0.1)
                    before = time.monotonic()
                    for number in numbers:
                        process.send_signal(number)
                        time.sleep(0.2)
                    out, errors = process.communicate()
                finally:
                    killer.cancel()
                took = time.monotonic() - before
            return [json.loads(line) for line in out.splitlines()], process.returncode, took, errors

        return send

    @pytest.mark.parametrize(
        ("step", "statuses"),
        [
            ("plain", {"a": "succeeded", "b": "pending"}),
            ("patient", {"a": "running", "b": "pending"}),
            ("hang", {"a": "running", "b": "pending"}),
        ],
    )
    @pytest.mark.parametrize("driver", ["run", "arun"])
    def test_an_interrupt_from_the_keyboard(
        self, send: Callable[..., Any], step: str, driver: str, statuses: Dict[str, str]
    ) -> None:
        told, code, took, errors = send(step, driver, signal.SIGINT)
        assert [each["statuses"] for each in told] == [statuses] * len(told), errors
        assert told[-1]["raised"] == "KeyboardInterrupt"
        assert code in (-signal.SIGINT, 1, 130)
        assert took < 5
        assert told[-1]["threads"] == (["wfplan-worker-1"] if step == "hang" else [])
        assert "Exception in thread" not in errors
        assert "never retrieved" not in errors

    @pytest.mark.parametrize("driver", ["run", "arun"])
    def test_a_second_one_ends_it_at_once(self, send: Callable[..., Any], driver: str) -> None:
        told, _, took, errors = send("hang", driver, signal.SIGINT, signal.SIGINT)
        if driver == "run" or sys.version_info >= (3, 11):  # before, the second one tears down the loop at once
            assert told[0]["statuses"] == {"a": "running", "b": "pending"}, errors
        assert told[-1]["raised"] == "KeyboardInterrupt"
        assert took < 0.9

    @pytest.mark.parametrize("driver", ["run", "arun"])
    def test_an_exit_in_a_signal_handler(self, send: Callable[..., Any], driver: str) -> None:
        told, code, _, errors = send("patient", driver, signal.SIGTERM)
        assert told[0]["statuses"] == {"a": "running", "b": "pending"}, errors
        assert told[-1]["raised"] == "SystemExit"
        assert code == 7
