"""Batch against eager, and what constraints cost: examples."""

from __future__ import annotations

from typing import Any

import pytest

import wfplan
from wfplan import Compensation, ExecutionPlan, ExecutionStrategy, Step, Workflow
from wfplan.analysis import Comparison, ConstraintCost, compare

HINT = {"execution_mode": "sequential"}


def plan_of(*steps: Step, **settings: Any) -> ExecutionPlan:
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


UNEVEN = plan_of(
    Step(name="a", estimated_seconds=1),
    Step(name="b", dependencies=["a"], estimated_seconds=3),
    Step(name="c"),
    Step(name="d", dependencies=["c"], estimated_seconds=3),
    Step(name="e", dependencies=["d"], estimated_seconds=0),
)
"""a -> b; c -> d -> e: batch waits, eager does not where a takes longer than c."""


def cost_of(comparison: Comparison, kind: str, subject: str = "") -> ConstraintCost:
    return next(cost for cost in comparison.costs if (cost.kind, cost.subject) == (kind, subject or cost.subject))


def test_both_schedules_are_compared_for_each_number_of_workers() -> None:
    told = compare(UNEVEN, durations={"a": 4})
    assert [(one.max_parallel, one.schedule, one.makespan) for one in told.results] == [
        (1, "batch", 11),
        (1, "eager", 11),
        (2, "batch", 7),
        (2, "eager", 7),
        (4, "batch", 7),
        (4, "eager", 7),
        (8, "batch", 7),
        (8, "eager", 7),
    ]
    assert (told.steps, told.assumed, told.work, told.critical_path, told.makespan) == (5, 1, 11, 7, 7)


def test_a_result_tells_how_near_the_bound_it_is() -> None:
    swapped = compare(UNEVEN, [2], durations={"b": 1, "c": 4, "a": 4})
    assert swapped.result("batch", 2).makespan == swapped.result("eager", 2).makespan == 7
    slow = compare(UNEVEN, [2], durations={"a": 1, "b": 6, "c": 4, "d": 3})
    batch, eager = slow.results
    assert (batch.makespan, batch.lower_bound, batch.over_bound) == (10, 7, 10 / 7)
    assert (eager.makespan, eager.over_bound, eager.efficiency) == (7, 1, 1)
    assert batch.efficiency == 14 / 20
    with pytest.raises(KeyError, match="batch with 3 at once was not compared"):
        slow.result("batch", 3)


def test_no_time_at_all_is_as_good_as_can_be() -> None:
    told = compare(plan_of(Step(name="a", estimated_seconds=0)), [1])
    assert (told.results[0].over_bound, told.results[0].efficiency) == (1, 1)
    assert compare(wfplan.plan({}), [1]).steps == 0


def test_the_numbers_stand_in_place_of_the_limit_of_the_plan() -> None:
    limited = plan_of(Step(name="a"), Step(name="b"), max_parallel=1)
    told = compare(limited, [2])
    assert (told.result("batch", 2).makespan, told.makespan) == (1, 2)
    assert told.costs == (ConstraintCost(kind="max-parallel", subject="1", makespan=1, seconds=1),)


def test_what_each_constraint_costs() -> None:
    told = compare(
        plan_of(
            Step(name="h", metadata={**HINT, "ticket": 7}),
            Step(name="i", metadata=HINT),
            Step(name="a", locks=["x", "alone"]),
            Step(name="b", locks=["x", "y"]),
            Step(name="c", locks=["y"]),
            isolate_sequential=True,
            max_batch_size=2,
        ),
        [],
    )
    assert told.makespan == 5
    assert [(cost.kind, cost.subject, cost.makespan, cost.seconds) for cost in told.costs] == [
        ("max-batch-size", "2", 5, 0),
        ("hints", "2", 4, 1),
        ("hint", "h", 4, 1),
        ("hint", "i", 4, 1),
        ("locks", "2", 4, 1),
        ("lock", "x", 4, 1),
        ("lock", "y", 4, 1),
    ]
    assert list(map(str, told.costs)) == [
        "max_batch_size 2",
        "all 2 hints",
        'the hint of "h"',
        'the hint of "i"',
        "all 2 locks",
        'the lock "x"',
        'the lock "y"',
    ]


def test_the_mode_is_a_constraint_too() -> None:
    told = compare(plan_of(Step(name="a"), Step(name="b"), mode="sequential"), [2])
    assert told.result("eager", 2).makespan == 2
    assert (str(told.costs[0]), told.costs[0].makespan) == ('the mode "sequential"', 1)


def test_of_many_hints_and_locks_those_with_the_most_work_are_looked_at() -> None:
    hinted = [Step(name=f"h{n}", metadata=HINT, estimated_seconds=n) for n in range(22)]
    locked = [Step(name=f"{side}{n}", locks=[f"x{n}"], estimated_seconds=n) for n in range(21) for side in "ab"]
    told = compare(plan_of(*hinted, *locked), [])
    assert [cost.subject for cost in told.costs if cost.kind == "hint"] == [f"h{n}" for n in range(21, 1, -1)]
    assert [cost.subject for cost in told.costs if cost.kind == "lock"] == [f"x{n}" for n in range(20, 0, -1)]
    assert told.costs_left_out == 3
    assert str(told).endswith("\n3 more hints and locks were not looked at one by one")


def test_everything_is_taken_to_succeed_at_once() -> None:
    """Neither a timeout that is too short, nor a dry run, nor what is noted for failures changes anything."""
    made = plan_of(
        Step(name="a", timeout_seconds=1, estimated_seconds=5, rollback=Compensation(action="undo")),
        Step(name="b", dependencies=["a"]),
        dry_run_first=True,
        rollback_on_failure=True,
    )
    assert compare(made, [1]).results[0].makespan == 6


@pytest.mark.parametrize("workers", [[0], ["2"], [True]])
def test_workers_are_whole_numbers(workers: Any) -> None:
    with pytest.raises(ValueError, match="max_parallel must be a whole number"):
        compare(UNEVEN, workers)


def test_it_reads_as_a_table() -> None:
    made = plan_of(Step(name='a"', estimated_seconds=1500, metadata=HINT), Step(name="b"))
    assert str(compare(made, [2])).splitlines() == [
        "2 steps (1 without an estimate, counted as 1 s): 1,501.000 s of work, 1,500.000 s at least",
        "",
        "at once  schedule  makespan     lower bound  ratio  efficiency",
        "2        batch     1,501.000 s  1,500.000 s  1.001  50%",
        "2        eager     1,501.000 s  1,500.000 s  1.001  50%",
        "",
        "as it is, the plan takes 1,501.000 s",
        "",
        "without            it takes     less",
        'the hint of "a\\""  1,500.000 s  1.000 s',
    ]
    assert str(compare(UNEVEN, [], durations={"c": 1})) == "5 steps: 8.000 s of work, 4.000 s at least"


def test_it_goes_through_json_and_into_a_data_frame() -> None:
    told = compare(plan_of(Step(name="a"), Step(name="b"), max_parallel=1), [2])
    assert Comparison.model_validate_json(told.model_dump_json()) == told
    assert told.records()[0] == {
        "schedule": "batch",
        "max_parallel": 2,
        "makespan": 1.0,
        "lower_bound": 1.0,
        "efficiency": 1.0,
        "over_bound": 1.0,
    }
    assert told.cost_records() == [{"kind": "max-parallel", "subject": "1", "makespan": 1.0, "seconds": 1.0}]
