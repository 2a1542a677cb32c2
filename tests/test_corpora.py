"""Real dependency graphs are planned as an independent program expects, and refused for just what is wrong with them.

The records are in tests/corpora; its README tells where each comes from and under which licence.
"""

from __future__ import annotations

import json
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


RECORDS = [
    pytest.param(record, id=f"{path.stem}:{record['name']}")
    for path in sorted(CORPORA.glob("*.jsonl"))
    for record in records_of(path)
]
VALID = [row for row in RECORDS if row.values[0]["expect"]["valid"]]  # type: ignore[index]
DEFECTIVE = [row for row in RECORDS if not row.values[0]["expect"]["valid"]]  # type: ignore[index]


def read_record(record: Dict[str, Any]) -> wfplan.Reading:
    return wfplan.read(json.dumps({"recommendations": record["steps"]}))


def test_the_sample_is_there() -> None:
    """A few hundred graphs, among them one of 10,429 steps and some with defects: an empty folder must not pass."""
    sizes = [len(row.values[0]["steps"]) for row in RECORDS]  # type: ignore[index]
    assert len(VALID) > 300
    assert len(DEFECTIVE) == 5
    assert max(sizes) == 10_429


@pytest.mark.parametrize("record", VALID)
def test_batches_are_the_waves(record: Dict[str, Any]) -> None:
    """A sound graph has as many batches as waves, and its widest batch is as wide as the widest wave."""
    reading = read_record(record)
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    plan = wfplan.plan(reading)
    expected = record["expect"]
    assert len(plan.batches) == expected["waves"]
    assert max(len(batch.steps) for batch in plan.batches) == expected["width"]


@pytest.mark.parametrize("record", VALID)
def test_every_recommendation_is_one_step_after_what_it_needs(record: Dict[str, Any]) -> None:
    """Each recommendation becomes one step, with all of its edges, in a later batch than every step it needs."""
    plan = wfplan.plan(read_record(record))
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


@pytest.mark.parametrize("record", VALID)
def test_a_sound_graph_has_no_warnings_but_those_it_deserves(record: Dict[str, Any]) -> None:
    """Nothing is found in a sound graph but a dependency listed twice, and no edge at all."""
    listed_twice = any(len(set(step["dependencies"])) < len(step["dependencies"]) for step in record["steps"])
    no_edges = len(record["steps"]) > 1 and not any(step["dependencies"] for step in record["steps"])
    expected = {"duplicate-dependency"} if listed_twice else {"no-dependencies"} if no_edges else set()
    assert {problem.code for problem in read_record(record).problems} == expected


@pytest.mark.parametrize("record", DEFECTIVE)
def test_defects_are_found_and_nothing_else(record: Dict[str, Any]) -> None:
    """A graph with defects is refused, for exactly the kinds of defect that it has."""
    reading = read_record(record)
    expected = {CODE_OF_DEFECT[defect] for defect in record["expect"]["defects"]}
    assert {problem.code for problem in reading.problems if problem.severity == "error"} == expected
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        wfplan.plan(reading)
    assert {problem.code for problem in caught.value.problems if problem.severity == "error"} == expected
