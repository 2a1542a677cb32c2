"""What a user may write without an error from a type checker; checked, never run."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

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
from wfplan.diff import PlanDiff, diff
from wfplan.execution.resume import resume_preview
from wfplan.execution.rollback import rollback_plan, rollback_preview
from wfplan.graph import DependencyGraph
from wfplan.intake import Feedback, feedback, plan_with_feedback, repair
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


def restart(namespace: str, call: wfplan.StepCall) -> str:
    assert_type(call.outputs, Mapping[str, Any])
    return f"{namespace} {call.idempotency_key} {call.attempt}"


class Recorder:
    supports_dry_run = False

    async def execute(self, call: wfplan.StepCall, /) -> int:
        return call.attempt


async def drive() -> None:
    executor: wfplan.Executor = Recorder()
    assert_type(await wfplan.arun(plan, executor, schedule="eager", stop=wfplan.StopSignal()), wfplan.ExecutionReport)


events: List[wfplan.Event] = []
report = wfplan.run(plan, {"restart": restart, "b": lambda: None}, on_failure="cancel", observers=[events.append])
assert_type(report, wfplan.ExecutionReport)
assert_type(report.steps["b"], wfplan.StepReport)
assert_type(report.steps["b"].started_at, Optional[float])
wfplan.run(wfplan.Progress(plan, state=report), wfplan.FunctionExecutor({"restart": restart}))
progress = wfplan.Progress(plan, state=[report.steps["b"]], max_parallel=2, run_id="r")
assert_type(progress.get_ready(now=0.0), Tuple[wfplan.StepCall, ...])
assert_type(progress.wake_at, Optional[float])

report = wfplan.run(plan, Recorder(), journal="run.jsonl", resume=report, dry_run=False)
assert_type(wfplan.ExecutionReport.from_journal("run.jsonl", plan), wfplan.ExecutionReport)
assert_type(report.plan, Optional[ExecutionPlan])
assert_type(report.rollback, Dict[str, wfplan.StepReport])
assert_type(report.uncertain, Tuple[str, ...])
assert_type(rollback_plan(plan, ["a"]), ExecutionPlan)
assert_type(rollback_preview(plan).point_of_no_return, Optional[int])
assert_type(resume_preview(plan, report).keeps, Tuple[str, ...])

assert_type(repair(reading), Reading)
told = feedback(reading.problems, reading.recommendations)
assert_type(told, Feedback)
assert_type(told.data, Dict[str, Any])


def ask(told: Optional[Feedback]) -> str:
    return str(told)


conversation = plan_with_feedback(ask, max_attempts=2)
assert_type(conversation.plan, Optional[ExecutionPlan])
assert_type(conversation.attempts[0].changes, PlanDiff)
assert_type(diff(plan, plan).added, Tuple[Step, ...])
