"""StopSignal: from any thread, from within a step, from an observer, from a signal handler; before and during a run."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from typing import Any, List

import pytest
from execution_helpers import SHORT, Driver, Recorder, guarded, plan_of

import wfplan
from wfplan import Event, RetryPolicy, Step, StopSignal

CHAIN = wfplan.plan({"a": [], "b": ["a"]})


@pytest.mark.parametrize("cancel", [False, True])
def test_before_a_run(drive: Driver, cancel: bool) -> None:
    stop = StopSignal()
    stop.set(cancel=cancel)
    recorder = Recorder()
    report = drive(CHAIN, recorder, stop=stop)
    assert report.statuses == {"a": "skipped", "b": "skipped"}
    assert {step.reason for step in report.steps.values()} == {"run-stopped"}
    assert {step.root_cause for step in report.steps.values()} == {None}
    assert report.stopped
    assert recorder.calls == []
    assert recorder.closed == 1
    assert report.makespan == 0


@pytest.mark.parametrize(("cancel", "status"), [(False, "succeeded"), (True, "cancelled")])
@pytest.mark.parametrize("origin", ["thread", "step", "observer"])
def test_during_a_run(drive: Driver, cancel: bool, status: str, origin: str) -> None:
    stop = StopSignal()
    timers: List[threading.Timer] = []

    async def act() -> str:
        if origin == "step":
            stop.set(cancel=cancel)
        if origin == "thread":
            timers.append(threading.Timer(SHORT, stop.set, kwargs={"cancel": cancel}))
            timers[-1].start()
        await asyncio.sleep(3 * SHORT)
        return "done"

    def observe(event: Event) -> None:
        if origin == "observer" and event.kind == "attempt-started":
            stop.set(cancel=cancel)

    report = drive(CHAIN, {"a": act, "b": lambda: 1}, stop=stop, observers=[observe])
    for timer in timers:
        timer.join()
    assert report.statuses == {"a": status, "b": "skipped"}
    assert report.steps["b"].reason == ("dependency-failed" if cancel else "run-stopped")
    assert report.phase == "failed"


def test_first_gently_then_for_good(drive: Driver) -> None:
    stop = StopSignal()

    async def act() -> None:
        stop.set()
        await asyncio.sleep(SHORT)
        stop.set(cancel=True)
        stop.set()
        await asyncio.sleep(60)

    assert drive(CHAIN, {"a": act, "b": lambda: 1}, stop=stop).statuses == {"a": "cancelled", "b": "skipped"}
    assert stop.cancels


def test_nothing_is_tried_again(drive: Driver) -> None:
    stop = StopSignal()

    def act() -> None:
        threading.Timer(SHORT, stop.set).start()
        raise ValueError

    plan = plan_of(Step(name="a", retry=RetryPolicy(max_attempts=9, delay_seconds=60)), on_failure="skip-dependents")
    before = time.monotonic()
    report = drive(plan, {"a": act}, stop=stop)
    assert report.statuses == {"a": "failed"}
    assert report.steps["a"].reason == "run-stopped"
    assert report.steps["a"].attempts == 1
    assert time.monotonic() - before < 5


def test_after_a_run(drive: Driver) -> None:
    stop = StopSignal()
    assert drive(CHAIN, {"a": int, "b": int}, stop=stop).ok
    assert stop._listeners == []
    stop.set()


def test_one_for_two_runs_at_once(drive: Driver) -> None:
    stop = StopSignal()
    started = threading.Semaphore(0)
    reports: List[Any] = []

    async def act() -> None:
        started.release()
        await asyncio.sleep(60)

    def work() -> None:
        reports.append(Driver(drive.name)(CHAIN, {"a": act, "b": int}, stop=stop))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert started.acquire(timeout=10)
    stop.set(cancel=True)
    for thread in threads:
        thread.join(10)
    assert [report.statuses for report in reports] == [{"a": "cancelled", "b": "skipped"}] * 2
    assert stop._listeners == []


def test_one_for_two_runs_on_one_loop() -> None:
    stop = StopSignal()

    async def act() -> None:
        await asyncio.sleep(60)

    async def main() -> List[Any]:
        runs = [wfplan.arun(CHAIN, {"a": act, "b": int}, stop=stop) for _ in range(2)]
        asyncio.get_running_loop().call_later(SHORT, lambda: stop.set(cancel=True))
        return list(await asyncio.gather(*runs))

    reports = guarded(lambda: asyncio.run(main()))
    assert [report.statuses for report in reports] == [{"a": "cancelled", "b": "skipped"}] * 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("driver", ["run", "arun"])
def test_from_a_signal_handler(driver: str) -> None:
    """In the main thread, where handlers run; the timer of the guard is the alarm itself."""
    stop = StopSignal()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.set(cancel=True))

    async def act() -> None:
        await asyncio.sleep(20)

    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.5)
        if driver == "run":
            report = wfplan.run(CHAIN, {"a": act, "b": int}, stop=stop)
        else:
            report = asyncio.run(wfplan.arun(CHAIN, {"a": act, "b": int}, stop=stop))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert report.statuses == {"a": "cancelled", "b": "skipped"}
