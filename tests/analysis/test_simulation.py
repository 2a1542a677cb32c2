"""Runs in simulated time: examples."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, List

import pytest

import wfplan
from wfplan import (
    Compensation,
    ExecutionPlan,
    ExecutionStrategy,
    PermanentError,
    RefusedError,
    RetryPolicy,
    Step,
    StepCall,
    Workflow,
)
from wfplan.analysis import simulate
from wfplan.outcomes import cancelled, fails, hangs, in_turn, succeeds


def plan_of(*steps: Step, **settings: Any) -> ExecutionPlan:
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


def one(**fields: Any) -> ExecutionPlan:
    return plan_of(Step(name="a", **fields))


# Time


def test_every_step_takes_its_estimate_or_a_second() -> None:
    report = simulate(plan_of(Step(name="a", estimated_seconds=2.5), Step(name="b", dependencies=["a"])))
    assert report.ok
    assert [(step.started_at, step.ended_at) for step in report.steps.values()] == [(0, 2.5), (2.5, 3.5)]
    assert (report.makespan, report.run_id) == (3.5, "simulation")


def test_nothing_is_random() -> None:
    made = wfplan.plan({"a": [], "b": ["a"]})
    assert simulate(made) == simulate(made)
    assert simulate(made, run_id="other").run_id == "other"


def test_durations_may_be_told_by_name_or_by_a_function() -> None:
    made = one(retry=RetryPolicy(max_attempts=2))
    assert simulate(made, durations={"a": 7}).makespan == 7
    grows = simulate(made, durations=lambda call: 10.0 * call.attempt, outcomes={"a": in_turn(fails(), succeeds())})
    assert grows.makespan == 30
    with pytest.raises(ValueError, match="must take a finite number"):
        simulate(made, durations=lambda _call: -1)
    with pytest.raises(KeyError, match="b"):
        simulate(made, durations={"b": 1})


def test_batches_wait_and_the_eager_schedule_does_not() -> None:
    made = wfplan.plan({"a": [], "b": ["a"], "c": [], "d": ["c"]})
    slow = {"b": 3, "c": 3}
    assert simulate(made, durations=slow).makespan == 6
    assert simulate(made, durations=slow, schedule="eager").makespan == 4
    assert simulate(made, durations=slow, schedule="eager", max_parallel=1).makespan == 8


def test_what_ends_at_one_moment_is_known_before_anything_starts() -> None:
    """Both end at 1; the longer of the two that follow gets the only place that matters."""
    made = plan_of(
        Step(name="a"),
        Step(name="b"),
        Step(name="short", dependencies=["a"]),
        Step(name="long", dependencies=["b"], estimated_seconds=5),
        schedule="eager",
    )
    assert simulate(made, max_parallel=2).steps["long"].started_at == 1


def test_hints_and_locks_keep_steps_apart() -> None:
    hint = {"execution_mode": "sequential"}
    made = plan_of(Step(name="a", metadata=hint), Step(name="b"), Step(name="c"), isolate_sequential=True)
    assert simulate(made).makespan == 2
    assert simulate(plan_of(Step(name="a", locks=["x"]), Step(name="b", locks=["x"]))).makespan == 2


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(RefusedError, match="max_parallel"):
        simulate(one(), max_parallel=0)


def test_an_empty_plan_is_over_at_once() -> None:
    assert simulate(wfplan.plan({})).phase == "completed"


# Outcomes


def test_a_step_that_is_not_told_of_succeeds() -> None:
    report = simulate(wfplan.plan({"a": [], "b": []}), outcomes={"a": succeeds(42)})
    assert report.outputs == {"a": 42, "b": None}


@pytest.mark.parametrize(
    ("outcome", "kind", "message"),
    [
        (OSError("no route"), "OSError", "no route"),
        (OSError, "OSError", ""),
        (fails(OSError("no route")), "OSError", "no route"),
        (fails("no route"), "Exception", "no route"),
        (fails(), "Exception", "it failed"),
    ],
)
def test_a_failure_stops_what_needs_it(outcome: Any, kind: str, message: str) -> None:
    report = simulate(wfplan.plan({"a": [], "b": ["a"]}), outcomes={"a": outcome})
    assert report.statuses == {"a": "failed", "b": "skipped"}
    error = report.steps["a"].error
    assert error is not None
    assert (error.type, error.message) == (kind, message)
    assert (report.phase, report.steps["b"].root_cause) == ("failed", "a")


def test_a_list_is_by_attempt_and_its_last_entry_holds() -> None:
    made = one(retry=RetryPolicy(max_attempts=4, delay_seconds=1))
    report = simulate(made, outcomes={"a": in_turn(OSError("first"), fails("second", delay=3), succeeds("third"))})
    assert (report.outputs, report.steps["a"].attempts, report.makespan) == ({"a": "third"}, 3, 1 + 1 + 3 + 2 + 1)
    assert simulate(made, outcomes={"a": in_turn(OSError(), ValueError())}).steps["a"].attempts == 4
    assert simulate(made, outcomes={"a": PermanentError()}).steps["a"].attempts == 1


def test_an_attempt_may_take_a_time_of_its_own() -> None:
    assert simulate(one(), outcomes={"a": succeeds(delay=0.5)}).makespan == 0.5
    with pytest.raises(ValueError, match="delay must be a finite number"):
        simulate(one(), outcomes={"a": succeeds(delay=-1)})


def test_somebody_else_may_cancel_a_step() -> None:
    report = simulate(one(retry=RetryPolicy(max_attempts=3)), outcomes={"a": cancelled(delay=2)})
    assert (report.statuses, report.makespan, report.steps["a"].attempts) == ({"a": "cancelled"}, 2, 1)


def test_a_function_is_asked_about_every_call() -> None:
    asked: List[Any] = []

    def tell(call: StepCall) -> Any:
        asked.append((call.purpose, call.step.name, call.outputs.get("a")))
        return succeeds(f"{call.purpose} of {call.step.name}") if call.step.name == "a" else None

    simulate(plan_of(Step(name="a"), Step(name="b", dependencies=["a"]), dry_run_first=True), outcomes=tell)
    assert asked == [
        ("dry_run", "a", None),
        ("dry_run", "b", "dry_run of a"),
        ("execute", "a", None),
        ("execute", "b", "execute of a"),
    ]


# Timeouts, and what hangs


def test_what_takes_too_long_times_out() -> None:
    made = one(timeout_seconds=2, estimated_seconds=3)
    assert simulate(made).steps["a"].status == "timed_out"
    assert simulate(made).makespan == 2
    assert simulate(made, durations={"a": 2}).ok  # in time, just so


def test_what_hangs_is_tried_again_where_it_can_be_cancelled() -> None:
    made = one(timeout_seconds=2, retry=RetryPolicy(max_attempts=3))
    assert simulate(made, outcomes={"a": in_turn(hangs(), succeeds())}).makespan == 3
    report = simulate(made, outcomes={"a": hangs()})
    assert (report.statuses, report.steps["a"].attempts, report.makespan) == ({"a": "timed_out"}, 3, 6)


def test_what_cannot_be_cancelled_keeps_its_place() -> None:
    """A plain function: it comes back late, and only then is tried again."""
    made = one(timeout_seconds=2, retry=RetryPolicy(max_attempts=2))
    report = simulate(made, outcomes={"a": in_turn(succeeds(delay=3), succeeds())}, cancellable=False)
    assert (report.statuses, report.makespan) == ({"a": "succeeded"}, 4)
    report = simulate(made, outcomes={"a": hangs()}, cancellable=False)
    assert (report.statuses, report.steps["a"].reason) == ({"a": "timed_out"}, "blocked-by-abandoned-call")
    assert report.makespan == 4


def test_a_run_that_would_never_end_is_told_as_it_stands() -> None:
    report = simulate(wfplan.plan({"a": [], "b": ["a"], "c": []}), outcomes={"a": hangs()})
    assert (report.phase, report.ended) == ("executing", False)
    assert report.statuses == {"a": "running", "b": "pending", "c": "succeeded"}


def test_a_failure_cancels_what_runs_where_the_plan_says_so() -> None:
    made = plan_of(Step(name="a"), Step(name="b", estimated_seconds=5), on_failure="cancel")
    report = simulate(made, outcomes={"a": OSError()})
    assert (report.statuses, report.makespan) == ({"a": "failed", "b": "cancelled"}, 1)
    stubborn = simulate(made, outcomes={"a": OSError()}, cancellable=False)
    assert (stubborn.statuses, stubborn.makespan) == ({"a": "failed", "b": "succeeded"}, 5)
    going_on = simulate(made, outcomes={"a": OSError()}, on_failure="skip-dependents")
    assert going_on.statuses == {"a": "failed", "b": "succeeded"}


def test_what_was_given_up_does_not_come_back_in_a_later_attempt() -> None:
    """The first attempt would have ended at 5, while the third runs."""
    made = one(timeout_seconds=2, retry=RetryPolicy(max_attempts=3))
    report = simulate(made, outcomes={"a": in_turn(succeeds(delay=5), hangs())})
    assert (report.statuses, report.makespan) == ({"a": "timed_out"}, 6)


def test_what_was_cancelled_does_not_come_back() -> None:
    """It was to end at 5, in the middle of the compensation of a."""
    undo = Compensation(action="undo")
    made = plan_of(
        Step(name="a", rollback=undo, estimated_seconds=0.5),
        Step(name="b", estimated_seconds=5),
        Step(name="c"),
        on_failure="cancel",
        rollback_on_failure=True,
    )
    seconds = {"a": 0.5, "b": 5, "c": 1}
    report = simulate(
        made,
        outcomes=lambda call: OSError() if call.step.name == "c" else None,
        durations=lambda call: 9 if call.purpose == "compensate" else seconds[call.step.name],
    )
    assert (report.statuses["b"], report.steps["b"].ended_at) == ("cancelled", 1)
    assert report.rollback["a"].ended_at == 10


def test_retries_without_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["wfplan.analysis.simulation"], "_MOST_RETRIES", 100)
    made = one(retry=RetryPolicy(max_attempts=2**31 - 1))
    with pytest.raises(ValueError, match="tries again more than 100 times"):
        simulate(made, outcomes={"a": OSError()})


# Dry runs and rollbacks


def test_a_dry_run_comes_first() -> None:
    report = simulate(plan_of(Step(name="a"), dry_run_first=True))
    assert (report.dry_run["a"].ended_at, report.steps["a"].ended_at) == (1, 2)
    broken = simulate(plan_of(Step(name="a"), dry_run_first=True), outcomes={"a": OSError()})
    assert (broken.dry_run["a"].status, broken.steps["a"].status) == ("succeeded", "failed")
    only = simulate(one(), dry_run=True)
    assert (only.phase, only.statuses) == ("completed", {"a": "skipped"})


def test_compensations_take_time_too() -> None:
    undo = Compensation(action="undo")
    made = plan_of(
        Step(name="a", rollback=undo, estimated_seconds=4),
        Step(name="b", dependencies=["a"]),
        rollback_on_failure=True,
    )
    report = simulate(made, outcomes={"b": OSError()})
    assert (report.phase, report.undone) == ("rolled_back", ("a",))
    assert (report.rollback["a"].started_at, report.rollback["a"].ended_at) == (5, 9)
    broken = simulate(
        made, outcomes=lambda call: None if call.step.name == "a" and call.purpose == "execute" else OSError()
    )
    assert (broken.phase, broken.uncertain) == ("failed", ("a",))


# Beside what really happens

DIAMOND = wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []})


@pytest.mark.parametrize("schedule", ["batch", "eager"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_a_real_run_takes_about_as_long(schedule: Any, workers: int) -> None:
    """Sleeps of 20 to 60 ms; only that it takes no less, and no more than a slow machine may need."""
    naps = {"a": 0.04, "b": 0.06, "c": 0.02, "d": 0.02, "e": 0.06}

    class Sleeper:
        def execute(self, call: StepCall) -> None:
            time.sleep(naps[call.step.name])

    expected = simulate(DIAMOND, schedule=schedule, max_parallel=workers, durations=naps)
    real = wfplan.run(DIAMOND, Sleeper(), schedule=schedule, max_parallel=workers)
    assert real.statuses == expected.statuses
    assert expected.makespan - 0.01 <= real.makespan < expected.makespan + 5


def test_what_happened_happens_again() -> None:
    """The durations and outcomes of a real run, simulated, give its statuses, attempts, reasons and causes."""
    made = plan_of(
        Step(name="a"),
        Step(name="b", dependencies=["a"], retry=RetryPolicy(max_attempts=3)),
        Step(name="c", dependencies=["b"], timeout_seconds=0.05),
        Step(name="d", dependencies=["c"]),
        Step(name="e", dependencies=["b"]),
        on_failure="skip-dependents",
    )
    failures = iter([OSError("first"), OSError("second")])

    async def flaky() -> None:
        for error in failures:
            raise error

    async def quick() -> None:
        await asyncio.sleep(0)

    functions = dict.fromkeys("ade", quick)
    real = wfplan.run(made, {**functions, "b": flaky, "c": lambda: time.sleep(0.2)})
    durations = {name: step.seconds for name, step in real.steps.items() if step.seconds is not None}
    again = simulate(
        made,
        durations=durations,
        outcomes={"b": in_turn(OSError("first"), OSError("second"), succeeds()), "c": hangs()},
        cancellable=False,
    )
    told = [
        [(step.status, step.attempts, step.reason, step.root_cause) for step in report.steps.values()]
        for report in (real, again)
    ]
    assert told[0] == told[1]
    assert real.phase == again.phase == "failed"


def test_what_an_event_loop_cancels_is_simulated_so() -> None:
    """An async function that never returns times out at each attempt, and gives way to the next one."""
    made = plan_of(
        Step(name="a", timeout_seconds=0.05, retry=RetryPolicy(max_attempts=2)),
        Step(name="b", locks=["x"]),
        Step(name="c", dependencies=["a"]),
        on_failure="skip-dependents",
    )

    async def hang() -> None:
        await asyncio.sleep(60)

    async def quick() -> None:
        await asyncio.sleep(0)

    real = asyncio.run(wfplan.arun(made, {"a": hang, "b": quick, "c": quick}))
    again = simulate(made, outcomes={"a": hangs()}, durations={"b": 0.01, "c": 0.01})
    assert real.statuses == again.statuses == {"a": "timed_out", "b": "succeeded", "c": "skipped"}
    assert real.steps["a"].attempts == again.steps["a"].attempts == 2
    assert again.makespan == 0.1
