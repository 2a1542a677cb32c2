"""What is worth a look in a sound plan: examples."""

from __future__ import annotations

from typing import Any

import pytest

import wfplan
from wfplan import ExecutionPlan, ExecutionStrategy, Step, Workflow
from wfplan.analysis import lint
from wfplan.problems import CODES

HINT = {"execution_mode": "sequential"}


def plan_of(*steps: Step, **settings: Any) -> ExecutionPlan:
    return wfplan.plan(Workflow(steps=list(steps), execution_strategy=ExecutionStrategy(**settings)))


def codes(plan: ExecutionPlan) -> list[str]:
    found = lint(plan)
    assert all(problem.severity == CODES[problem.code] for problem in found)
    return [problem.code for problem in found]


@pytest.mark.parametrize(
    "needs", [{}, {"a": []}, {"a": [], "b": ["a"]}, {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}]
)
def test_there_is_nothing_to_say_of_a_plan_as_it_should_be(needs: Any) -> None:
    assert lint(wfplan.plan(needs)) == ()


def test_steps_without_any_dependency_are_worth_a_look() -> None:
    assert codes(wfplan.plan({"a": [], "b": []})) == ["no-dependencies"]
    assert str(lint(wfplan.plan({"a": [], "b": []}))[0]) == (
        "info no-dependencies: none of 2 steps depends on another (if this is not meant, state what each one needs)"
    )


# Redundant dependencies


def test_what_is_needed_by_way_of_another_too_is_redundant() -> None:
    """Of a -> b -> c -> d, and a -> c, a -> d, b -> d, the last three."""
    made = wfplan.plan({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["a", "b", "c"]})
    found = lint(made)
    assert [problem.steps for problem in found] == [("c", "a", "b"), ("d", "a", "b"), ("d", "b", "c")]
    assert found[0].code == "redundant-dependency"
    assert found[0].message == '"c" needs "a" also by way of "b"'


def test_a_dependency_listed_twice_is_no_redundant_one() -> None:
    assert lint(plan_of(Step(name="a"), Step(name="b", dependencies=["a", "a"]))) == ()


def test_without_redundant_dependencies_the_levels_are_the_same() -> None:
    made = wfplan.plan({"a": [], "b": ["a"], "x": [], "c": ["x", "a", "b"]})
    (problem,) = lint(made)
    less = wfplan.plan(made.workflow.replace("c", dependencies=["x", "b"]))
    assert problem.steps == ("c", "a", "b")
    assert less.batches == made.batches
    assert lint(less) == ()


def test_many_redundant_dependencies_are_counted() -> None:
    """Each of 60 steps needs all before it: all but the last of those are redundant."""
    count = 60
    made = wfplan.plan({f"s{n}": [f"s{m}" for m in range(n)] for n in range(count)})
    found = lint(made)
    total = (count - 1) * (count - 2) // 2 + 1  # and one row
    assert len(found) == 1000
    assert found[-1].message == f"{total - 999:,} more problems are not listed"


def test_redundant_dependencies_are_found_behind_the_first_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfplan.analysis.redundancy._BLOCK", 2)
    needs = {f"s{n}": [f"s{m}" for m in range(max(n - 3, 0), n)] for n in range(20)}
    found = [problem for problem in lint(wfplan.plan(needs)) if problem.code == "redundant-dependency"]
    assert {problem.steps[:2] for problem in found} == {
        (f"s{n}", f"s{m}") for n in range(20) for m in range(max(n - 3, 0), n - 1)
    }


# One row


def test_nearly_all_steps_in_one_row_are_worth_a_look() -> None:
    row = {f"s{n}": [f"s{n - 1}"] if n else [] for n in range(5)}
    (problem,) = lint(wfplan.plan(row))
    assert (problem.code, problem.steps) == ("over-serialised", tuple(row))
    assert problem.message == ('5 of 5 steps wait in one row, each for the one before: "s0", "s1", "s2", "s3", "s4"')
    assert codes(wfplan.plan({**row, "x": ["s0"]})) == ["over-serialised"]
    assert codes(wfplan.plan({**row, "x": ["s0"], "y": ["s0"]})) == []
    assert codes(wfplan.plan(dict(list(row.items())[:4]))) == []


def test_a_lock_that_neighbours_share_is_a_reason() -> None:
    row = [Step(name=f"s{n}", dependencies=[f"s{n - 1}"] if n else [], locks=["node"]) for n in range(5)]
    assert lint(plan_of(*row)) == ()
    row[2] = Step(name="s2", dependencies=["s1"])
    assert lint(plan_of(*row)) == ()


# Hints


def test_a_hint_that_makes_others_wait_for_each_other_is_worth_a_look() -> None:
    steps = [Step(name="h", metadata=HINT), Step(name="a"), Step(name="b"), Step(name="c", dependencies=["a"])]
    (problem,) = lint(plan_of(*steps))
    assert (problem.code, problem.steps) == ("blocking-hint", ("h", "a", "b"))
    assert problem.message == (
        'the sequential hint of "h" makes batch 1 run one step at a time, so that "a", "b" wait for each other too'
    )
    assert lint(plan_of(*steps, isolate_sequential=True)) == ()
    assert lint(plan_of(*steps, mode="sequential")) == ()


def test_a_hint_that_only_keeps_its_own_step_apart_is_told_so() -> None:
    locked = [Step(name=name, locks=["x"]) for name in "ab"]
    last = Step(name="c", dependencies=["a"])
    for others in (locked, [Step(name="a")]):
        (problem,) = lint(plan_of(Step(name="h", metadata=HINT), *others, last))
        assert problem.code == "blocking-hint"
        assert "run at another time" in problem.message
        assert "isolate_sequential" not in problem.suggestion


def test_a_hint_where_no_two_steps_may_overlap_is_no_matter() -> None:
    steps = [Step(name="h", metadata=HINT), Step(name="a"), Step(name="b", dependencies=["a"])]
    assert lint(plan_of(*steps, max_parallel=1)) == ()


# Timeouts


@pytest.mark.parametrize(("estimate", "timeout"), [(None, 1), (1, None), (1, 1), (1, 2)])
def test_a_timeout_that_is_long_enough_is_no_problem(estimate: Any, timeout: Any) -> None:
    assert lint(plan_of(Step(name="a", estimated_seconds=estimate, timeout_seconds=timeout))) == ()


def test_a_timeout_before_the_expected_end_is_a_warning() -> None:
    (problem,) = lint(plan_of(Step(name='a"', estimated_seconds=60, timeout_seconds=0.5)))
    assert (problem.code, problem.severity, problem.steps) == ("estimate-over-timeout", "warning", ('a"',))
    assert problem.message == '"a\\"" is expected to take 60 s and is given up after 0.5 s'
