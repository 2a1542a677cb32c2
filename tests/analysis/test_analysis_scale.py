"""100,000 steps, in a row and side by side: linear work takes a second or so, what recurses would fail."""

from __future__ import annotations

import pytest

import wfplan
from wfplan import ExecutionPlan
from wfplan.analysis import critical_path, explain, lint, lower_bound, simulate, slack, why_not_parallel, width_bounds

pytestmark = pytest.mark.scale

MANY = 100_000


@pytest.fixture(scope="module")
def chain() -> ExecutionPlan:
    return wfplan.plan({f"s{n}": [f"s{n - 1}"] if n else [] for n in range(MANY)})


@pytest.fixture(scope="module")
def fan() -> ExecutionPlan:
    """One step, all others, and one that needs them all, and the first too."""
    middle = {f"s{n}": ["first"] for n in range(MANY)}
    return wfplan.plan({"first": [], **middle, "last": [*middle, "first"]})


def test_a_long_chain_is_timed(chain: ExecutionPlan) -> None:
    assert critical_path(chain).seconds == lower_bound(chain, 8) == MANY
    assert all(timing.is_critical for timing in slack(chain).values())


def test_a_long_chain_is_one_step_wide_and_over_serialised(chain: ExecutionPlan) -> None:
    assert width_bounds(chain) == (1, 1)
    assert [problem.code for problem in lint(chain)] == ["over-serialised"]


def test_a_long_chain_is_simulated(chain: ExecutionPlan) -> None:
    assert simulate(chain, schedule="eager").makespan == MANY


def test_a_long_path_is_shown_in_part(chain: ExecutionPlan) -> None:
    told = why_not_parallel(chain, "s0", f"s{MANY - 1}")
    assert len(told.reasons[0].path) == MANY
    assert str(told).endswith('"s9" and 99,990 more')


def test_a_wide_fan_is_timed(fan: ExecutionPlan) -> None:
    assert critical_path(fan).steps == ("first", "s0", "last")
    assert lower_bound(fan, 10) == (MANY + 2) / 10
    assert slack(fan)["s7"].is_critical


def test_a_wide_fan_is_as_wide_as_it_is(fan: ExecutionPlan) -> None:
    assert width_bounds(fan) == (MANY, MANY)
    assert [problem.steps[:2] for problem in lint(fan)] == [("last", "first")]


def test_a_wide_fan_is_simulated(fan: ExecutionPlan) -> None:
    assert simulate(fan, max_parallel=1000).makespan == MANY / 1000 + 2
    assert simulate(fan, outcomes={"first": OSError()}).counts["skipped"] == MANY + 1


def test_a_step_that_holds_all_others_up_is_explained(fan: ExecutionPlan) -> None:
    told = explain(fan, "first")
    assert len(told.holds_up) == MANY + 1
    assert len(str(told)) < 500
