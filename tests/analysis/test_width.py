"""How wide a plan can be: examples."""

from __future__ import annotations

from wfplan import ExecutionStrategy, Step, Workflow, plan
from wfplan.analysis import width_bounds


def test_more_may_run_together_than_a_batch_holds() -> None:
    """Of a -> b, a -> c, d, e the batches hold 3 and 2 steps, the width is 4."""
    made = plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []})
    assert [len(batch.steps) for batch in made.batches] == [3, 2]
    assert width_bounds(made) == (4, 4)


def test_an_empty_plan_is_no_step_wide() -> None:
    assert width_bounds(plan({})) == (0, 0)


def test_hints_locks_and_limits_do_not_make_a_plan_narrower() -> None:
    steps = [
        Step(name="a", metadata={"execution_mode": "sequential"}),
        Step(name="b", locks=["x"]),
        Step(name="c", locks=["x"]),
    ]
    settings = ExecutionStrategy(mode="sequential", max_parallel=1, max_batch_size=1)
    assert width_bounds(plan(Workflow(steps=steps, execution_strategy=settings))) == (3, 3)


def test_paths_through_a_crossing_are_not_counted_together() -> None:
    """Three before one, three after it: the width is 3, but only one path of the cover goes through the middle."""
    made = plan({"a": [], "b": [], "c": [], "x": ["a", "b", "c"], "d": ["x"], "e": ["x"], "f": ["x"]})
    assert width_bounds(made) == (3, 5)


def test_neither_bound_need_be_the_width() -> None:
    """Two layouts beside each other, wide at different heights, the second with a crossing: the width is 5."""
    left = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    right = {"e": [], "f": [], "g": ["e", "f"], "h": ["g"], "i": ["h"], "j": ["h"], "k": ["h"]}
    low, high = width_bounds(plan({**left, **right}))
    assert low < 5 < high
