"""What a user may write without an error from a type checker; checked, never run."""

from __future__ import annotations

from typing import Dict, List, Mapping, Tuple

from typing_extensions import assert_type

import wfplan
from wfplan import (
    Compensation,
    ExecutionBatch,
    ExecutionPlan,
    ExecutionStrategy,
    InvalidWorkflowError,
    Problem,
    Reading,
    Recommendation,
    RetryPolicy,
    Step,
    Workflow,
)
from wfplan.graph import DependencyGraph
from wfplan.planner import build_dependency_graph, calculate_execution_order, determine_execution_strategy

names: List[str] = ["a"]
counts: Dict[str, int] = {"replicas": 5}

step = Step(name="b", dependencies=names, parameters=counts, locks=("x",), retry=RetryPolicy(max_attempts=3))
Step(name="c", dependencies=["a", "b"], rollback=Compensation(action="undo"), effect="write", idempotent=True)
assert_type(step.dependencies, Tuple[str, ...])
assert_type(step.action, str)

recommendation = Recommendation(id="rec-001", action="scale", confidence=0.9, dependencies=[])
workflow = Workflow(steps=[step], execution_strategy=ExecutionStrategy(mode="sequential", max_parallel=2))
assert_type(workflow.steps, Tuple[Step, ...])
assert_type(workflow.replace("b", timeout_seconds=3).without("b").add(step).select("b"), Workflow)

assert_type(wfplan.plan({"shirt": [], "tie": ["shirt"]}), ExecutionPlan)
wfplan.plan({"shirt": (), "tie": ("shirt",)})
wfplan.plan([step], max_batch_size=3, isolate_sequential=True)
wfplan.plan(iter([recommendation]), naming="id")
wfplan.plan(workflow, execution_strategy=ExecutionStrategy(schedule="eager"))
assert_type(wfplan.check(workflow), Tuple[Problem, ...])

reading = wfplan.read('{"recommendations": []}', max_steps=10)
assert_type(reading, Reading)
assert_type(reading.ok, bool)
assert_type(reading.replace("rec-001", dependencies=[]), Reading)
plan = wfplan.plan(reading)
assert_type(plan.steps, Mapping[str, Step])
assert_type(plan.batches, Tuple[ExecutionBatch, ...])
assert_type(plan.batches[0].steps, Tuple[str, ...])
assert_type(plan.fingerprint, str)

graph = build_dependency_graph([step])
assert_type(graph, DependencyGraph)
strategy = determine_execution_strategy(calculate_execution_order(graph, max_batch_size=2))
assert_type(DependencyGraph.from_mapping({"a": ["b"]}).levels(), Tuple[Tuple[str, ...], ...])

try:
    wfplan.plan({"a": ["b"]})
except InvalidWorkflowError as error:
    assert_type(error.problems, Tuple[Problem, ...])
    assert_type(error.reason, str)
