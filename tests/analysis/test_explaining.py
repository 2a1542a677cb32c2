"""Why a step is where it is, and why two are not together: examples."""

from __future__ import annotations

from typing import Any

import pytest

import wfplan
from wfplan import ExecutionPlan, ExecutionStrategy, RefusedError, Step, Workflow
from wfplan.analysis import Explanation, Improvement, Separation, explain, why_not_parallel

HINT = {"execution_mode": "sequential"}


def plan_of(*steps: Step, **settings: Any) -> ExecutionPlan:
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


SHIP = plan_of(
    Step(name="fetch", estimated_seconds=9),
    Step(name="build"),
    Step(name="test", dependencies=["build"]),
    Step(name="ship", dependencies=["fetch", "test"]),
    Step(name="tell", dependencies=["ship"]),
)
"""fetch (9 s), build -> test -> ship -> tell; fetch -> ship."""


def test_what_ends_last_decides_the_time_and_what_is_deepest_the_batch() -> None:
    told = explain(SHIP, "ship")
    assert (told.step, told.batch, told.batch_steps, told.parallel) == ("ship", 3, ("ship",), False)
    assert (told.latest, told.deepest, told.path) == (("fetch",), ("test",), ("fetch", "ship"))
    assert (told.starts_at, told.timing.earliest_start, told.timing.is_critical) == (10, 9, True)
    assert (told.dependents, told.holds_up) == (("tell",), ("tell",))


def test_what_would_move_it_earlier_is_tried_out() -> None:
    """Without the wait for test it is in a batch after fetch, all the same; eager starts it when fetch has ended."""
    told = explain(SHIP, "ship")
    assert [(change.kind, change.dependencies, change.starts_at) for change in told.earlier] == [
        ("dependencies", ("test",), 9),
        ("schedule", (), 9),
    ]


def test_an_explanation_reads_line_by_line() -> None:
    assert str(explain(SHIP, "ship")).splitlines() == [
        '"ship" is in batch 3, alone',
        "it starts at 10.000 s; its dependencies alone allow 9.000 s",
        "  4 steps of the plan without an estimate, counted as 1 s",
        '  what it needs and ends last: "fetch"',
        '  what it needs and decides its batch: "test"',
        '  the longest path to it: "fetch", "ship"',
        "considering dependencies only, any delay of it delays the whole",
        'steps that wait for it (1): "tell"',
        'it would start earlier without the dependency on "test" at 9.000 s',
        'it would start earlier without the schedule "batch" at 9.000 s',
    ]


def test_nothing_is_assumed_where_every_step_has_its_time() -> None:
    told = explain(wfplan.plan({"a": []}), "a", durations={"a": 2})
    assert told.assumed == 0
    assert "without an estimate" not in str(told)


def test_what_holds_it_up_only_together_is_told_together() -> None:
    made = plan_of(Step(name="a", locks=["x"]), Step(name="b", locks=["x"]), max_parallel=1, schedule="eager")
    told = explain(made, "b")
    assert [(change.kind, change.starts_at) for change in told.earlier] == [("together", 0)]
    assert "it would start earlier without hints, locks, limits and batches, all of them, at 0.000 s" in str(told)


def test_what_waits_by_two_ways_is_told_once() -> None:
    made = wfplan.plan({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []})
    assert explain(made, "a").holds_up == ("b", "c", "d")


def test_a_first_step_cannot_start_earlier() -> None:
    told = explain(SHIP, "build")
    assert (told.latest, told.deepest, told.path, told.earlier) == ((), (), ("build",), ())
    assert told.holds_up == ("test", "ship", "tell")
    assert str(told).splitlines() == [
        '"build" is in batch 1, beside "fetch"',
        "it starts at 0.000 s; its dependencies alone allow 0.000 s",
        "  4 steps of the plan without an estimate, counted as 1 s",
        "considering dependencies only, it can start 7.000 s later without delaying the whole",
        'steps that wait for it (3): "test", "ship", "tell"',
    ]


def test_constraints_are_tried_out_too() -> None:
    made = plan_of(
        Step(name="h", metadata=HINT),
        Step(name="a", locks=["x"], estimated_seconds=2),
        Step(name="b", locks=["x"]),
        schedule="eager",
    )
    told = explain(made, "b")
    assert [(change.kind, change.subject, change.starts_at) for change in told.earlier] == [("hint", "h", 2)]
    assert str(told).splitlines() == [
        '"b" is in batch 1, one at a time with "h", "a"',
        "it starts at 3.000 s; its dependencies alone allow 0.000 s",
        "  2 steps of the plan without an estimate, counted as 1 s",
        "considering dependencies only, it can start 1.000 s later without delaying the whole",
        "nothing waits for it",
        'it would start earlier without the hint of "h" at 2.000 s',
    ]


def test_many_hints_and_locks_are_taken_together() -> None:
    made = plan_of(
        *(Step(name=f"h{n}", metadata=HINT) for n in range(3)),
        *(Step(name=f"l{n}", locks=["x", "y"]) for n in range(3)),
        isolate_sequential=True,
        schedule="eager",
    )
    assert [(change.kind, change.subject, change.starts_at) for change in explain(made, "l2").earlier] == [
        ("hints", "3", 2),
        ("locks", "2", 3),
    ]


def test_a_timeout_that_is_too_short_changes_nothing() -> None:
    made = plan_of(Step(name="a", estimated_seconds=9, timeout_seconds=1), Step(name="b", dependencies=["a"]))
    assert explain(made, "b").starts_at == 9
    assert explain(made, "b", durations={"a": 2}).starts_at == 2


def test_steps_that_do_not_exist_are_refused() -> None:
    with pytest.raises(KeyError, match="shop"):
        explain(SHIP, "shop")
    with pytest.raises(KeyError, match="shop"):
        why_not_parallel(SHIP, "ship", "shop")


def test_explanations_go_through_json() -> None:
    for name in SHIP.steps:
        told = explain(SHIP, name)
        assert Explanation.model_validate_json(told.model_dump_json()) == told


def test_a_change_reads_as_a_part_of_a_sentence() -> None:
    assert (
        str(Improvement(kind="mode", subject="sequential", starts_at=1)) == 'without the mode "sequential" at 1.000 s'
    )


# Why not parallel


def kinds(told: Separation) -> list[str]:
    return [reason.kind for reason in told.reasons]


def test_nothing_keeps_them_apart() -> None:
    told = why_not_parallel(SHIP, "fetch", "build")
    assert told.parallel
    assert not told
    assert str(told) == '"fetch" and "build" may run at the same time: nothing in the plan keeps them apart for sure'


@pytest.mark.parametrize("pair", [("tell", "build"), ("build", "tell")])
def test_a_path_is_shown(pair: Any) -> None:
    told = why_not_parallel(SHIP, *pair)
    assert kinds(told) == ["path"]
    assert told
    assert told.reasons[0].path == ("build", "test", "ship", "tell")
    assert str(told.reasons[0]) == '"tell" waits for "build": "build", "test", "ship", "tell"'


def test_a_shortest_path_is_shown() -> None:
    made = wfplan.plan({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})
    assert why_not_parallel(made, "a", "d").reasons[0].path == ("a", "d")


def test_ways_that_lead_elsewhere_are_not_followed() -> None:
    """From e up: both ways lead to a, and one past it; b and c are no part of the other."""
    made = wfplan.plan({"a": [], "x": ["a"], "b": ["x"], "c": ["x"], "d": ["b", "c"], "e": ["d"], "f": ["x"]})
    assert why_not_parallel(made, "e", "x").reasons[0].path in (("x", "b", "d", "e"), ("x", "c", "d", "e"))
    assert kinds(why_not_parallel(made, "f", "e")) == ["batch"]


def test_batches_keep_steps_apart_in_one_schedule() -> None:
    assert kinds(why_not_parallel(SHIP, "fetch", "test")) == ["batch"]
    assert why_not_parallel(SHIP, "fetch", "test", schedule="eager").parallel


def test_hints_locks_and_limits_keep_steps_apart() -> None:
    made = plan_of(
        Step(name="a", metadata=HINT, locks=["x", "y", "x"]),
        Step(name="b", locks=["z", "x"]),
        Step(name="c"),
        max_parallel=1,
    )
    told = why_not_parallel(made, "a", "b")
    assert kinds(told) == ["max-parallel", "hint", "lock", "batch-not-parallel"]
    assert [reason.subject for reason in told.reasons] == ["", "a", "x", ""]
    assert kinds(why_not_parallel(made, "b", "c")) == ["max-parallel", "batch-not-parallel"]
    assert str(why_not_parallel(made, "c", "b").reasons[-1]) == (
        'both are in batch 1, which is done one step at a time: "a" has a sequential hint'
    )


def test_the_mode_keeps_all_steps_apart() -> None:
    made = plan_of(Step(name="a"), Step(name="b"), mode="sequential")
    assert kinds(why_not_parallel(made, "a", "b")) == ["mode", "batch-not-parallel"]
    assert str(why_not_parallel(made, "a", "b")).splitlines() == [
        '"a" and "b" never run at the same time',
        '  in the mode "sequential" no two steps run at the same time',
        "  both are in batch 1, which is done one step at a time",
    ]


def test_keywords_stand_in_place_of_what_the_plan_says() -> None:
    assert kinds(why_not_parallel(SHIP, "fetch", "build", max_parallel=1)) == ["max-parallel"]
    with pytest.raises(RefusedError, match="max_parallel"):
        why_not_parallel(SHIP, "fetch", "build", max_parallel=0)


def test_one_step_is_no_pair() -> None:
    with pytest.raises(ValueError, match='"ship" is one step'):
        why_not_parallel(SHIP, "ship", "ship")


def test_hostile_names_are_quoted() -> None:
    made = plan_of(Step(name='a"', locks=['x"']), Step(name="b", locks=['x"']))
    assert str(why_not_parallel(made, 'a"', "b").reasons[0]) == 'both hold the lock "x\\""'
