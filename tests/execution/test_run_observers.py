"""Observers are told everything, in order, one at a time, and can break nothing."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, List

import pytest
from execution_helpers import SHORT, Driver, fails, make_flaky, one, plan_of

import wfplan
from wfplan import Event, RetryPolicy, Step


def test_events_come_in_order(drive: Driver) -> None:
    plan = plan_of(
        Step(name="a", retry=RetryPolicy(max_attempts=2)),
        Step(name="bad", dependencies=["a"]),
        Step(name="c", dependencies=["bad"]),
    )
    events: List[Event] = []
    drive(plan, {"a": make_flaky(1), "bad": fails, "c": lambda: 1}, run_id="r", observers=[events.append])
    told = [(event.kind, event.step, event.attempt, event.status) for event in events]
    assert told == [
        ("run-started", None, None, None),
        ("attempt-started", "a", 1, None),
        ("attempt-ended", "a", 1, "failed"),
        ("attempt-started", "a", 2, None),
        ("attempt-ended", "a", 2, "succeeded"),
        ("step-ended", "a", 2, "succeeded"),
        ("attempt-started", "bad", 1, None),
        ("attempt-ended", "bad", 1, "failed"),
        ("step-ended", "bad", 1, "failed"),
        ("step-ended", "c", 0, "skipped"),
        ("run-ended", None, None, None),
    ]
    assert {event.run_id for event in events} == {"r"}
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert (events[0].steps, events[0].ended_steps, events[-1].phase) == (3, 0, "failed")
    assert events[2].retry_at is not None
    assert events[6].dependencies == ("a",)
    assert abs(events[0].at - time.time()) < 60


def test_they_are_told_one_at_a_time(drive: Driver) -> None:
    busy = threading.Lock()
    overlaps: List[Event] = []
    threads = set()

    def observe(event: Event) -> None:
        threads.add(threading.current_thread().name)
        if not busy.acquire(blocking=False):
            overlaps.append(event)
            return
        time.sleep(0.001)
        busy.release()

    names = [f"s{number}" for number in range(20)]
    assert drive(wfplan.plan({name: [] for name in names}), dict.fromkeys(names, int), observers=[observe] * 2).ok
    assert overlaps == []
    if drive.is_async:
        assert threads == {drive.loop_thread}
    else:  # whichever has the turn
        assert all(name == "wfplan-run" or name.startswith("wfplan-worker-") for name in threads)


@pytest.mark.parametrize("error", [ValueError("sour"), RecursionError(), StopIteration()])
def test_one_that_raises_is_logged_once_and_changes_nothing(
    drive: Driver, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    told: List[Event] = []

    def sour(event: Event) -> None:
        told.append(event)
        raise error

    fine: List[Event] = []
    report = drive(wfplan.plan({"a": [], "b": ["a"]}), {"a": int, "b": int}, observers=[sour, fine.append])
    assert report.ok
    assert len([record for record in caplog.records if record.name == "wfplan"]) == 1
    assert told == fine
    assert len(told) == 8


def test_the_log_tells_what_happens(drive: Driver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "wfplan")
    plan = plan_of(Step(name="a", retry=RetryPolicy(max_attempts=2)), Step(name="b"), Step(name="c", timeout_seconds=9))
    assert not drive(plan, {"a": make_flaky(1), "b": fails, "c": int}, run_id="r", max_parallel=1).ok
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0] == "run r started: 3 steps, 0 of them ended before"
    assert messages[-1] == "run r ended: failed"
    assert [record.levelname for record in caplog.records if "to be tried again" in record.getMessage()] == ["WARNING"]


def test_nothing_is_logged_unless_asked_for(drive: Driver, caplog: pytest.LogCaptureFixture) -> None:
    assert drive(one(), {"a": int}).ok
    assert caplog.records == []


def test_a_leftover_that_returns_is_told(drive: Driver) -> None:
    events: List[Event] = []
    plan = plan_of(Step(name="a", timeout_seconds=SHORT), Step(name="b"), on_failure="skip-dependents")
    drive(
        plan,
        {"a": lambda: time.sleep(2 * SHORT), "b": lambda: time.sleep(4 * SHORT)},
        max_parallel=2,
        observers=[events.append],
    )
    kinds: List[Any] = [(event.kind, event.step) for event in events]
    assert kinds.index(("abandoned-call-returned", "a")) > kinds.index(("step-ended", "a"))
    assert kinds[-1] == ("run-ended", None)
