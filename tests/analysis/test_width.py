"""How wide a plan is: examples."""

from __future__ import annotations

import sys

import pytest

from wfplan import ExecutionStrategy, Step, Workflow, plan
from wfplan.analysis import largest_antichain, width, width_bounds


def test_more_may_run_together_than_a_batch_holds() -> None:
    """Of a -> b, a -> c, d, e the batches hold 3 and 2 steps, the width is 4."""
    made = plan({"a": [], "b": ["a"], "c": ["a"], "d": [], "e": []})
    assert [len(batch.steps) for batch in made.batches] == [3, 2]
    assert width(made) == 4
    assert width_bounds(made) == (4, 4)
    assert largest_antichain(made) == ("b", "c", "d", "e")


def test_an_empty_plan_is_no_step_wide() -> None:
    assert (width(plan({})), largest_antichain(plan({})), width_bounds(plan({}))) == (0, (), (0, 0))


def test_hints_locks_and_limits_do_not_make_a_plan_narrower() -> None:
    steps = [
        Step(name="a", metadata={"execution_mode": "sequential"}),
        Step(name="b", locks=["x"]),
        Step(name="c", locks=["x"]),
    ]
    settings = ExecutionStrategy(mode="sequential", max_parallel=1, max_batch_size=1)
    assert width(plan(Workflow(steps=steps, execution_strategy=settings))) == 3


def test_a_path_through_a_crossing_is_found() -> None:
    """Three before one, three after it: all pairs of paths go through the one in the middle."""
    made = plan({"a": [], "b": [], "c": [], "x": ["a", "b", "c"], "d": ["x"], "e": ["x"], "f": ["x"]})
    assert width_bounds(made) == (3, 5)
    assert width(made) == 3


def test_what_was_joined_is_taken_apart_where_that_helps() -> None:
    """The first choice of partners has to be taken back: a goes to b2, so that x can have b1."""
    made = plan({"a": [], "x": [], "b1": ["a", "x"], "b2": ["a"]})
    assert width(made) == 2
    crossing = {"c": [], "d": [], "m": ["c"], "n": ["m", "d"], "o": ["m"], "p": ["o", "d"], "q": ["n"], "r": ["p", "q"]}
    assert width(plan(crossing)) == 2


def test_a_way_that_another_has_taken_is_given_up() -> None:
    """Four paths that could all be joined by way of a, which only one of them can."""
    made = plan({"a": [], "b": [], "c": [], "d": ["a", "b", "c"], "e": ["a"]})
    assert width_bounds(made) == (3, 4)
    assert width(made) == 3


def test_what_was_taken_back_is_gone() -> None:
    """A joint that was taken apart cannot be taken apart once more."""
    made = plan({"a": [], "b": [], "c": [], "d": [], "e": [], "f": ["a", "d", "e"], "g": ["a"], "h": ["a"]})
    assert width(made) == 6


def test_what_passed_through_and_was_taken_back_is_gone() -> None:
    """The smallest of many graphs by chance in which this made a difference."""
    needs = [
        (), (0,), (0,), (0, 1, 2), (1, 2), (1, 2), (3, 4), (0, 3), (1, 6), (1, 5, 6, 7, 3, 4), (2, 3), (6, 10, 5),
        (5, 8, 11), (7, 12, 5), (7, 11, 12, 13), (7, 10, 11, 12, 13, 14, 6), (9, 15, 5), (11, 14, 6),
        (11, 14, 6, 7, 8), (11, 6), (12, 19), (15, 16, 18, 19, 9), (14, 16, 17, 18, 8), (15, 16, 8, 9),
    ]  # fmt: skip
    made = plan({f"s{number}": [f"s{needed}" for needed in own] for number, own in enumerate(needs)})
    assert width_bounds(made)[0] < width(made) == len(largest_antichain(made)) == 5


def test_neither_bound_need_be_the_width() -> None:
    """Two layouts beside each other, wide at different heights, the second with a crossing."""
    left = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    right = {"e": [], "f": [], "g": ["e", "f"], "h": ["g"], "i": ["h"], "j": ["h"], "k": ["h"]}
    made = plan({**left, **right})
    low, high = width_bounds(made)
    assert low < width(made) == len(largest_antichain(made)) == 5 < high


def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan({"a": [], "b": [], "c": [], "x": ["a", "b", "c"], "d": ["x"], "e": ["x"], "f": ["x"]})
    monkeypatch.setattr(sys.modules["wfplan.analysis.width"], "_MOST_LOOKS", -1)
    with pytest.raises(ValueError, match="it is from 3 to 5"):
        width(made)


def test_a_wide_crossing_is_measured() -> None:
    before = {f"b{n}": [] for n in range(10_000)}  # type: ignore[var-annotated]
    after = {f"a{n}": ["x"] for n in range(10_000)}
    assert width(plan({**before, "x": list(before), **after})) == 10_000
