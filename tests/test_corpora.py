"""Real dependency graphs are planned as an independent program expects, and refused for just what is wrong with them.

The records are in tests/corpora; its README tells where each comes from and under which licence.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan

CORPORA = Path(__file__).parent / "corpora"

CODE_OF_DEFECT = {
    "duplicate_id": "duplicate-step",
    "unknown_dependency": "unknown-dependency",
    "self_dependency": "self-dependency",
    "cycle": "dependency-cycle",
}


def records_of(path: Path) -> List[Dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


RECORDS = {
    f"{path.stem}:{record['name']}": record for path in sorted(CORPORA.glob("*.jsonl")) for record in records_of(path)
}
VALID = [name for name, record in RECORDS.items() if record["expect"]["valid"]]
DEFECTIVE = [name for name, record in RECORDS.items() if not record["expect"]["valid"]]


@lru_cache(maxsize=None)
def reading_of(name: str) -> wfplan.Reading:
    return wfplan.read(json.dumps({"recommendations": RECORDS[name]["steps"]}))


@lru_cache(maxsize=None)
def plan_of(name: str) -> wfplan.ExecutionPlan:
    """The plan of a record, made once for all tests of it."""
    return wfplan.plan(reading_of(name))


def test_the_sample_is_there() -> None:
    """A few hundred graphs, among them one of 10,429 steps and some with defects: an empty folder must not pass."""
    assert len(VALID) > 300
    assert len(DEFECTIVE) == 5
    assert max(len(record["steps"]) for record in RECORDS.values()) == 10_429


@pytest.mark.parametrize("name", VALID)
def test_batches_are_the_waves(name: str) -> None:
    """A sound graph has as many batches as waves, and its widest batch is as wide as the widest wave."""
    assert [problem for problem in reading_of(name).problems if problem.severity == "error"] == []
    expected = RECORDS[name]["expect"]
    assert len(plan_of(name).batches) == expected["waves"]
    assert max(len(batch.steps) for batch in plan_of(name).batches) == expected["width"]


@pytest.mark.parametrize("name", VALID)
def test_every_recommendation_is_one_step_after_what_it_needs(name: str) -> None:
    """Each recommendation becomes one step, with all of its edges, in a later batch than every step it needs."""
    plan, record = plan_of(name), RECORDS[name]
    assert [step.recommendation_id for step in plan.workflow.steps] == [step["id"] for step in record["steps"]]
    batch_of = {name: batch.number for batch in plan.batches for name in batch.steps}
    assert sorted(batch_of) == sorted(plan.steps)
    id_of = {name: step.recommendation_id for name, step in plan.steps.items()}
    edges = {(needed, name) for name, step in plan.steps.items() for needed in step.dependencies}
    assert {(id_of[needed], id_of[name]) for needed, name in edges} == {
        (needed, step["id"]) for step in record["steps"] for needed in step["dependencies"]
    }
    assert len(edges) == record["expect"]["edges"]
    assert all(batch_of[needed] < batch_of[name] for needed, name in edges)


@pytest.mark.parametrize("name", VALID)
def test_a_sound_graph_has_no_warnings_but_those_it_deserves(name: str) -> None:
    """Nothing is found in a sound graph but a dependency listed twice, and no edge at all."""
    steps = RECORDS[name]["steps"]
    listed_twice = any(len(set(step["dependencies"])) < len(step["dependencies"]) for step in steps)
    no_edges = len(steps) > 1 and not any(step["dependencies"] for step in steps)
    expected = {"duplicate-dependency"} if listed_twice else {"no-dependencies"} if no_edges else set()
    assert {problem.code for problem in reading_of(name).problems} == expected


@pytest.mark.parametrize("name", DEFECTIVE)
def test_defects_are_found_and_nothing_else(name: str) -> None:
    """A graph with defects is refused, for exactly the kinds of defect that it has."""
    reading = reading_of(name)
    expected = {CODE_OF_DEFECT[defect] for defect in RECORDS[name]["expect"]["defects"]}
    assert {problem.code for problem in reading.problems if problem.severity == "error"} == expected
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        wfplan.plan(reading)
    assert {problem.code for problem in caught.value.problems if problem.severity == "error"} == expected
