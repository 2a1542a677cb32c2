"""One vocabulary of outcomes, for simulations and for fake executors."""

from __future__ import annotations

import math
from typing import Any, Callable, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfplan
from wfplan import ExecutionReport, RefusedError, RetryPolicy, Step
from wfplan.analysis import simulate
from wfplan.outcomes import InTurn, Outcome, Outcomes, cancelled, fails, hangs, in_turn, succeeds
from wfplan.testing import FakeExecutor

USERS: Dict[str, Callable[[wfplan.ExecutionPlan, Any], ExecutionReport]] = {
    "simulate": lambda plan, outcomes: simulate(plan, on_failure="skip-dependents", outcomes=outcomes),
    "FakeExecutor": lambda plan, outcomes: wfplan.run(plan, FakeExecutor(outcomes), on_failure="skip-dependents"),
}

ONE = st.sampled_from([succeeds(1), fails("no"), fails(OSError("no")), OSError("x"), ValueError, cancelled()])
ANY = ONE | st.lists(ONE, min_size=1, max_size=3).map(lambda outcomes: in_turn(*outcomes))


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "restart"]), ANY))
def test_a_simulation_and_a_run_mean_the_same_by_them(outcomes: Any) -> None:
    retry = RetryPolicy(max_attempts=2)
    plan = wfplan.plan(
        [
            Step(name="a", action="restart", retry=retry),
            Step(name="b", action="restart", dependencies=["a"]),
            Step(name="c", retry=retry),
        ]
    )
    simulated, ran = (use(plan, outcomes) for use in USERS.values())
    for name, step in ran.steps.items():
        other = simulated.steps[name]
        assert (step.status, step.attempts, step.error) == (other.status, other.attempts, other.error)
    assert ran.outputs == simulated.outputs


def test_outcomes_are_values() -> None:
    assert hangs() == Outcome("hangs")
    assert succeeds(1, delay=2) == Outcome("succeeds", output=1, delay=2)
    assert in_turn(succeeds(1), cancelled()) == InTurn((succeeds(1), cancelled()))


@pytest.mark.parametrize("use", USERS.values(), ids=USERS)
@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (42, "a number"),
        ("hang", "a string"),
        (None, "null"),
        ([OSError()], "a list"),
        ((OSError(),), "a list"),
        (int, "the class int"),
        (KeyboardInterrupt(), "a value of type KeyboardInterrupt"),
        (KeyboardInterrupt, "the class KeyboardInterrupt"),
    ],
)
def test_what_is_not_an_outcome_is_refused(use: Any, outcome: Any, kind: str) -> None:
    with pytest.raises(RefusedError, match=f'the outcome of "a" is {kind}: give an exception, '):
        use(wfplan.plan({"a": []}), {"a": outcome})


@pytest.mark.parametrize("outcomes", [42, [OSError()], "a"])
@pytest.mark.parametrize("use", USERS.values(), ids=USERS)
def test_what_are_not_outcomes_is_refused(use: Any, outcomes: Any) -> None:
    with pytest.raises(RefusedError, match="a mapping from steps or actions, or a function"):
        use(wfplan.plan({"a": []}), outcomes)


def test_a_list_is_told_to_be_in_turn() -> None:
    with pytest.raises(RefusedError, match=r"in_turn\(\.\.\.\) for one attempt after the other"):
        simulate(wfplan.plan({"a": []}), outcomes={"a": [fails(), succeeds()]})  # type: ignore[dict-item]


@pytest.mark.parametrize("outcome", [42, [OSError()], in_turn(OSError())])
def test_what_is_not_an_outcome_is_refused_in_turn(outcome: Any) -> None:
    with pytest.raises(RefusedError, match="the outcome of attempt 2 is a"):
        in_turn(OSError(), outcome)


def test_no_outcomes_in_turn_are_refused() -> None:
    with pytest.raises(RefusedError, match="at least one outcome"):
        in_turn()


@pytest.mark.parametrize("error", [None, 7, KeyboardInterrupt(), KeyboardInterrupt, int, b"no"])
def test_what_is_not_an_error_is_refused(error: Any) -> None:
    with pytest.raises(RefusedError, match="an exception or a message"):
        fails(error)


@pytest.mark.parametrize("delay", [-1, math.inf, math.nan, "1", True, [1]])
@pytest.mark.parametrize("make", [succeeds, fails, cancelled])
def test_what_is_not_a_delay_is_refused(make: Any, delay: Any) -> None:
    with pytest.raises(RefusedError, match="delay must be a finite number of seconds from 0 on"):
        make(delay=delay)


@pytest.mark.parametrize("use", USERS.values(), ids=USERS)
def test_a_name_that_is_neither_step_nor_action_is_refused_with_the_nearest(use: Any) -> None:
    plan = wfplan.plan([Step(name="verify"), Step(name="one", action="restart")])
    with pytest.raises(RefusedError) as caught:
        use(plan, {"verfy": OSError(), "restart": OSError(), "restrat": OSError()})
    assert [problem.code for problem in caught.value.problems] == ["invalid-setting"] * 2
    assert [problem.suggestion for problem in caught.value.problems] == [
        'did you mean "verify"?',
        'did you mean "restart"?',
    ]


def test_many_unknown_names_are_all_told() -> None:
    outcomes: Outcomes = {f"x{number}": OSError() for number in range(30)}
    with pytest.raises(RefusedError) as caught:
        simulate(wfplan.plan({"a": []}), outcomes=outcomes)
    assert len(caught.value.problems) == 30
