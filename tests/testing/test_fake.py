"""FakeExecutor does what it is told, and remembers."""

from __future__ import annotations

import time
from typing import Any

import pytest

import wfplan
from wfplan import RetryPolicy, Step
from wfplan.testing import FakeExecutor, after, attempts, hangs


def plan_of(*names: str, **fields: Any) -> wfplan.ExecutionPlan:
    return wfplan.plan([Step(name=name, **fields) for name in names])


def test_an_output_is_given_and_what_is_not_told_gives_none() -> None:
    assert wfplan.run(plan_of("a", "b"), FakeExecutor({"a": [1, 2]})).outputs == {"a": [1, 2], "b": None}


@pytest.mark.parametrize("error", [ValueError("no"), ValueError])
def test_an_exception_is_raised_be_it_an_instance_or_a_class(error: Any) -> None:
    report = wfplan.run(plan_of("a"), FakeExecutor({"a": error}))
    assert report.steps["a"].error is not None
    assert report.steps["a"].error.type == "ValueError"


def test_attempts_have_outcomes_of_their_own_and_the_last_one_holds() -> None:
    fake = FakeExecutor({"a": attempts(OSError("1"), OSError("2"))})
    report = wfplan.run(plan_of("a", retry=RetryPolicy(max_attempts=4)), fake)
    assert str(report.steps["a"].error) == "OSError: 2"
    assert [call.attempt for call in fake.calls] == [1, 2, 3, 4]


def test_attempts_without_an_outcome_are_refused() -> None:
    with pytest.raises(ValueError, match="some outcome"):
        attempts()


def test_a_delay_can_end_in_anything() -> None:
    fake = FakeExecutor({"a": after(0.05, after(0.05, ValueError("late")))})
    start = time.monotonic()
    report = wfplan.run(plan_of("a"), fake)
    assert time.monotonic() - start >= 0.1
    assert report.statuses == {"a": "failed"}


def test_what_hangs_comes_back_when_it_is_released() -> None:
    fake = FakeExecutor({"a": hangs(), "b": hangs()})
    report = wfplan.run(plan_of("a", "b", timeout_seconds=0.05), fake, on_failure="skip-dependents")
    assert set(report.statuses.values()) == {"timed_out"}
    fake.release()


def test_it_counts_how_many_calls_there_were_at_once() -> None:
    names = [f"step-{n}" for n in range(6)]
    fake = FakeExecutor({name: after(0.05) for name in names})
    wfplan.run(plan_of(*names), fake, max_parallel=3)
    assert 1 <= fake.most_at_once <= 3
    assert FakeExecutor().most_at_once == 0
    alone = FakeExecutor({name: after(0.001) for name in names})
    wfplan.run(plan_of(*names), alone, max_parallel=1)
    assert alone.most_at_once == 1


def test_it_is_closed_once_a_run() -> None:
    fake = FakeExecutor()
    wfplan.run(plan_of("a"), fake)
    wfplan.run(plan_of("a"), fake)
    assert fake.closed == 2
