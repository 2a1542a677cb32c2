"""Critical path, slack and lower bound: examples."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan import Step, plan
from wfplan.analysis import CriticalPath, StepTiming, critical_path, lower_bound, simulate, slack

CORPORA = Path(__file__).parents[1] / "corpora"


def records(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plan_of(record: Dict[str, Any]) -> wfplan.ExecutionPlan:
    return plan(wfplan.read(json.dumps({"recommendations": record["steps"]})))


DIAMOND = plan(
    [
        Step(name="build", estimated_seconds=2),
        Step(name="test", dependencies=["build"], estimated_seconds=5),
        Step(name="docs", dependencies=["build"], estimated_seconds=1),
        Step(name="ship", dependencies=["test", "docs"]),
    ]
)
"""build -> test, docs -> ship; only ship has no estimate."""


def test_the_longest_path_in_seconds_is_critical() -> None:
    assert critical_path(DIAMOND) == CriticalPath(steps=["build", "test", "ship"], seconds=8, assumed=1)


def test_what_a_caller_knows_counts_before_estimates() -> None:
    path = critical_path(DIAMOND, durations={"docs": 9, "ship": Fraction(1, 2)})  # type: ignore[dict-item]
    assert path == CriticalPath(steps=["build", "docs", "ship"], seconds=11.5, assumed=0)


def test_of_equal_paths_the_one_declared_first_counts() -> None:
    """a, b -> c -> d, e: all take one second."""
    tied = plan({"e": ["c"], "d": ["c"], "c": ["b", "a"], "a": [], "b": []})
    assert critical_path(tied).steps == ("b", "c", "e")


def test_a_path_ends_where_nothing_waits_for_it() -> None:
    """The last step takes no time, and is part of the path all the same."""
    ended = plan([Step(name="work"), Step(name="done", dependencies=["work"], estimated_seconds=0)])
    assert critical_path(ended).steps == ("work", "done")


def test_an_empty_plan_takes_no_time() -> None:
    empty = plan({})
    assert critical_path(empty) == CriticalPath(steps=[], seconds=0)
    assert slack(empty) == {}
    assert lower_bound(empty, 3) == 0
    assert str(critical_path(empty)) == "0.000 s: no steps"


def test_a_critical_path_tells_what_was_assumed() -> None:
    assert str(critical_path(DIAMOND)) == (
        '8.000 s: "build", "test", "ship" (1 step without an estimate, counted as 1 s)'
    )
    assert str(critical_path(DIAMOND, durations={"ship": 1})) == '8.000 s: "build", "test", "ship"'


def test_slack_tells_when_steps_can_and_have_to_start() -> None:
    timing = slack(DIAMOND)
    assert list(timing) == ["build", "test", "docs", "ship"]
    assert timing["docs"] == StepTiming(
        name="docs", seconds=1, earliest_start=2, earliest_end=3, latest_start=6, latest_end=7, slack=4
    )
    assert [name for name, step in timing.items() if step.is_critical] == ["build", "test", "ship"]


def test_rounding_is_no_slack() -> None:
    """0.1 + 0.2 is more than 0.3, by the little that comes from rounding."""
    steps = [
        Step(name="a", estimated_seconds=0.1),
        Step(name="b", estimated_seconds=0.2, dependencies=["a"]),
        Step(name="c", estimated_seconds=0.3),
    ]
    assert [timing.slack for timing in slack(plan(steps)).values()] == [0, 0, 0]


def test_the_bound_is_the_path_or_the_work() -> None:
    assert lower_bound(DIAMOND) == lower_bound(DIAMOND, 4) == 8
    assert lower_bound(DIAMOND, 1) == 9
    assert lower_bound(DIAMOND, 1, durations={"docs": 3}) == 11
    assert lower_bound(DIAMOND, 10**400) == 8


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2", [2]])
def test_workers_are_counted(workers: Any) -> None:
    with pytest.raises(ValueError, match="max_parallel must be a whole number from 1 on, not "):
        lower_bound(DIAMOND, workers)


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf, True, "3", None])
def test_seconds_are_finite_numbers(seconds: Any) -> None:
    with pytest.raises(ValueError, match='step "docs" must take a finite number of seconds from 0 on, not '):
        critical_path(DIAMOND, durations={"docs": seconds})


def test_a_name_that_no_step_has_is_refused() -> None:
    with pytest.raises(KeyError, match="doc"):
        slack(DIAMOND, durations={"doc": 3})


def test_sums_of_enormous_estimates_stay_numbers() -> None:
    steps = [Step(name="a", estimated_seconds=1e308), Step(name="b", estimated_seconds=1e308, dependencies=["a"])]
    huge = plan(steps)
    path = critical_path(huge, durations={"b": 10**4000})
    assert path.seconds == simulate(huge).makespan == 2e15
    assert CriticalPath.model_validate_json(path.model_dump_json()) == path


def test_hostile_names_are_quoted() -> None:
    odd = plan([Step(name='a"\\b')])
    assert str(critical_path(odd, durations={'a"\\b': 1})) == '1.000 s: "a\\"\\\\b"'


@pytest.mark.parametrize("record", records(CORPORA / "asynchow.jsonl"))
def test_everyday_plans_take_as_many_seconds_as_levels(record: Any) -> None:
    """Without durations, each step counts one second, and the longest path is one for each wave."""
    made = plan_of(record)
    assert critical_path(made).seconds == record["expect"]["waves"] == simulate(made, schedule="eager").makespan


@pytest.mark.parametrize("timed", records(Path(__file__).with_name("published_times.jsonl")))
def test_everyday_plans_take_the_published_time(timed: Any) -> None:
    """The shortest time that the authors of these plans give for them; the plans are those of the same name above."""
    made = plan_of(next(record for record in records(CORPORA / "asynchow.jsonl") if record["name"] == timed["name"]))
    durations = {name: timed["durations"][step.recommendation_id] for name, step in made.steps.items()}
    assert critical_path(made, durations=durations).seconds == timed["published_seconds"]
    assert simulate(made, schedule="eager", durations=durations).makespan == timed["published_seconds"]
