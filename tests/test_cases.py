"""Whole plans, as the documents say they must be: each file in tests/cases holds an input and its expected plan.

`input` is a document, `options` the keywords for `plan`. In `plan`, `execution_strategy` lists the settings that are
not the default, and a step the fields that are looked at; `problems` are those of the reading, of which a plan keeps
the warnings. The expected values were written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import pytest

import wfplan
from wfplan import ExecutionBatch
from wfplan.interop.kubernaut import to_execution_plan
from wfplan.planner import can_execute_in_parallel, determine_execution_strategy

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*.json"))
FROM_THE_SEED = {
    "seed-scenario-1-linear-chain",
    "seed-scenario-2-independent",
    "seed-scenario-3-diamond",
    "seed-pattern-chain",
    "seed-pattern-independent",
    "seed-pattern-diamond",
    "seed-pattern-fork-join",
    "seed-execution-order",
    "seed-four-step-diamond",
    "seed-two-recommendations",
    "seed-workflow-execution-resource",
    "seed-same-dependency",
}

Case = Dict[str, Any]


def load(path: Path) -> Case:
    case: Case = json.loads(path.read_text(encoding="utf-8"))
    return case


each_case = pytest.mark.parametrize("case", [pytest.param(load(path), id=path.stem) for path in FILES])


def plan_of(case: Case) -> wfplan.ExecutionPlan:
    return wfplan.plan(wfplan.read(case["input"]), **case["options"])


def batches_of(plan: wfplan.ExecutionPlan) -> List[Dict[str, Any]]:
    return [{"number": batch.number, "steps": list(batch.steps), "parallel": batch.parallel} for batch in plan.batches]


def items_of(document: Any) -> List[Dict[str, Any]]:
    """The steps or recommendations of a document in one of the canonical shapes."""
    if "spec" in document:
        document = document["spec"]["workflowDefinition"]
    items: Optional[List[Dict[str, Any]]] = document.get("recommendations")
    return document["steps"] if items is None else items


def kinds_of(problems: Tuple[wfplan.Problem, ...]) -> List[Dict[str, str]]:
    return [{"code": problem.code, "severity": problem.severity} for problem in problems]


def test_all_cases_are_there() -> None:
    """Every scenario, pattern and example of the document on execution modes has its case, and so have the rules."""
    found = {path.stem for path in FILES}
    assert found >= FROM_THE_SEED
    assert len(found - FROM_THE_SEED) >= 30


@each_case
def test_batches_and_strategy(case: Case) -> None:
    """The plan has exactly the expected batches, in number, order, members and parallel mark, and the strategy."""
    plan = plan_of(case)
    assert batches_of(plan) == case["plan"]["batches"]
    assert plan.strategy == case["plan"]["strategy"]


@each_case
def test_steps(case: Case) -> None:
    """The plan has exactly the expected steps, in declared order."""
    plan = plan_of(case)
    expected = case["plan"]["steps"]
    found = [step.model_dump(mode="json") for step in plan.workflow.steps]
    assert len(found) == len(expected)
    assert [{key: step[key] for key in wanted} for step, wanted in zip(found, expected)] == expected
    assert list(plan.steps) == [step["name"] for step in expected]


@each_case
def test_nothing_that_an_item_says_is_lost(case: Case) -> None:
    """What else a step or recommendation says, its parameters, metadata and locks among it, is in the plan's step."""
    found = [step.model_dump(mode="json") for step in plan_of(case).workflow.steps]
    for step, item in zip(found, items_of(case["input"])):
        said = {key: value for key, value in item.items() if key not in ("id", "name", "dependencies")}
        assert {key: step[key] for key in said} == said


@each_case
def test_settings(case: Case) -> None:
    """The workflow of the plan has the name of the document and exactly the expected settings."""
    workflow = plan_of(case).workflow
    assert workflow.name == case["plan"]["name"]
    assert workflow.execution_strategy.model_dump(exclude_defaults=True) == case["plan"]["execution_strategy"]


@each_case
def test_problems(case: Case) -> None:
    """The reading has exactly the expected problems; the plan carries the warnings."""
    reading = wfplan.read(case["input"])
    assert kinds_of(reading.problems) == case["problems"]
    warnings = [problem for problem in case["problems"] if problem["severity"] == "warning"]
    assert kinds_of(plan_of(case).problems) == warnings


@each_case
def test_text_gives_the_same_plan(case: Case) -> None:
    """A document gives the same plan as text and as objects, with the same warnings."""
    from_text = wfplan.plan(wfplan.read(json.dumps(case["input"])), **case["options"])
    from_objects = plan_of(case)
    assert from_text == from_objects
    assert from_text.problems == from_objects.problems
    assert from_text.model_dump_json() == from_objects.model_dump_json()


@each_case
def test_planning_its_workflow_gives_the_plan_again(case: Case) -> None:
    """For any plan p, plan(p.workflow) == p: everything that decided it is recorded in its workflow."""
    plan = plan_of(case)
    again = wfplan.plan(plan.workflow)
    assert again == plan
    assert again.fingerprint == plan.fingerprint


@each_case
def test_the_dump_loads_and_reads(case: Case) -> None:
    """A plan's dump loads as the same plan, and is a document that reads and plans to the same plan."""
    plan = plan_of(case)
    text = plan.model_dump_json()
    assert wfplan.ExecutionPlan.model_validate_json(text) == plan
    assert wfplan.plan(wfplan.read(text)) == plan


@each_case
def test_execution_plan_form(case: Case) -> None:
    """The form of the WorkflowExecution resource: batches that are not parallel are written step by step."""
    limit = plan_of(case).workflow.execution_strategy.max_parallel or 10**9
    written = to_execution_plan(plan_of(case))["executionPlan"]
    expected = []
    for batch in case["plan"]["batches"]:
        size = limit if batch["parallel"] else 1
        expected += [batch["steps"][start : start + size] for start in range(0, len(batch["steps"]), size)]
    order = written["executionOrder"]
    assert [batch["steps"] for batch in order] == expected
    assert [batch["batch"] for batch in order] == list(range(1, len(order) + 1))
    assert [batch["parallel"] for batch in order] == [len(batch["steps"]) > 1 for batch in order]
    assert written["strategy"] == determine_execution_strategy(
        [ExecutionBatch(number=batch["batch"], steps=batch["steps"], parallel=batch["parallel"]) for batch in order]
    )


def test_what_an_execution_plan_cannot_say_is_refused() -> None:
    plan = wfplan.plan([wfplan.Step(name="a")], execution_strategy=wfplan.ExecutionStrategy(schedule="eager"))
    with pytest.raises(wfplan.RefusedError, match="eager") as caught:
        to_execution_plan(plan)
    assert [problem.code for problem in caught.value.problems] == ["unsupported"]


@each_case
def test_stages_agree_with_the_whole(case: Case) -> None:
    """The parallel check and the classification, used alone, give what the plan says."""
    plan = plan_of(case)
    assert determine_execution_strategy(plan.batches) == case["plan"]["strategy"]
    if plan.workflow.execution_strategy.mode == "auto":
        for batch in case["plan"]["batches"]:
            assert can_execute_in_parallel([plan.steps[name] for name in batch["steps"]]) is batch["parallel"]


def test_a_mapping_is_planned_by_name() -> None:
    """The shortest input, a mapping in the form of graphlib, gives the plan of the same steps."""
    plan = wfplan.plan({"shirt": [], "tie": ["shirt"], "shoes": []})
    assert batches_of(plan) == [
        {"number": 1, "steps": ["shirt", "shoes"], "parallel": True},
        {"number": 2, "steps": ["tie"], "parallel": False},
    ]
    assert plan.strategy == "sequential-with-parallel"
    assert plan.steps["tie"].dependencies == ("shirt",)
    assert plan.problems == ()
