"""What a user may write without an error from a type checker; checked, never run."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from pydantic import BaseModel
from typing_extensions import assert_type

import wfplan
from wfplan import (
    Action,
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
from wfplan.analysis import (
    Comparison,
    CriticalPath,
    Explanation,
    StepTiming,
    compare,
    critical_path,
    explain,
    lint,
    simulate,
    slack,
    width_bounds,
)
from wfplan.catalog import ResolvedAction
from wfplan.conflicts import Conflict, find_conflicts
from wfplan.diff import PlanDiff, diff
from wfplan.execution.resume import resume_preview
from wfplan.execution.rollback import rollback_plan, rollback_preview
from wfplan.graph import DependencyGraph
from wfplan.intake import repair
from wfplan.interop.graphlib import from_graphlib, to_graphlib
from wfplan.outcomes import fails, in_turn
from wfplan.planner import build_dependency_graph, calculate_execution_order, determine_execution_strategy
from wfplan.policy import Approval, ApprovalRequest, Policy, Review, StepReview, policies, read_policy, review
from wfplan.prompting import Feedback, feedback, plan_with_feedback
from wfplan.render import html, mermaid, mimebundle, svg

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
assert_type(progress.next_deadline, Optional[float])

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


class Scale(BaseModel, extra="forbid"):
    name: str
    replicas: int = 1


def lock(scale: Scale) -> List[str]:
    return [scale.name]


catalog = {
    "scale": Action(
        parameters=Scale,
        effect="write",
        locks=lock,
        rollback=lambda scale: Compensation(action="scale", parameters={"name": scale.name}),
    ),
    "verify": Action(effect="read", idempotent=True, timeout_seconds=30),
}
assert_type(wfplan.plan(reading, catalog=catalog, on_conflict="error"), ExecutionPlan)
assert_type(wfplan.check([step], catalog=catalog), Tuple[Problem, ...])
assert_type(wfplan.read("[]", catalog=catalog), Reading)
assert_type(wfplan.read("[]", catalog=catalog).resolved_actions, Optional[Tuple[ResolvedAction, ...]])
assert_type(find_conflicts([step]).listed, Tuple[Conflict, ...])
assert_type(step.is_irreversible, bool)

policy = Policy(
    max_steps=20, deny_actions=["wipe"], approval_for_effects=["write", "destructive"], allow_actions=["scale"]
)
assert_type(policies.kubernaut, Policy)
assert_type(read_policy("{}"), Policy)
reviewed = review(plan, policy, approved=plan)
assert_type(reviewed, Review)
assert_type(reviewed.steps, Mapping[str, StepReview])
request = reviewed.request()
assert_type(request, ApprovalRequest)
approval = request.approve("jo", until=2.0, at=1.0, comment="fine")
assert_type(approval, Approval)
assert_type(reviewed.release(approval, now=1.5), ExecutionPlan)
assert_type(reviewed.release(approval.sign(b"secret"), key=b"secret", hold=False), ExecutionPlan)
assert_type(reviewed.release(hold=True), Tuple[ExecutionPlan, Tuple[str, ...]])
assert_type(policy.allowed(catalog), Dict[str, Action])
wfplan.run(reviewed.release(lambda asked: asked.deny("jo")), {"restart": restart})

assert_type(critical_path(plan), CriticalPath)
assert_type(slack(plan), Dict[str, StepTiming])
assert_type(width_bounds(plan), Tuple[int, int])
assert_type(simulate(plan, durations={"b": 3}, outcomes={"b": in_turn(fails("no"), OSError)}), wfplan.ExecutionReport)
assert_type(compare(plan, max_parallel=[1, 2]), Comparison)
assert_type(explain(plan, "b"), Explanation)
assert_type(lint(plan), Tuple[Problem, ...])
assert_type(svg(plan), str)
assert_type(html(reading), str)
assert_type(mermaid(report, kind="gantt", max_edges=100), str)
assert_type(mimebundle(report), Dict[str, str])
assert_type(plan.records(), List[Dict[str, Any]])
assert_type(to_graphlib(plan), Dict[str, Tuple[str, ...]])
assert_type(from_graphlib({"tie": ["shirt"]}), Workflow)
