"""The verdict of a policy on each step and on the plan, with reasons."""

from __future__ import annotations

import json
from typing import Dict, Iterator, NamedTuple, Optional, Tuple

from typing_extensions import Literal, TypeAlias

from wfplan._internal.messages import pluralize, quote
from wfplan._internal.model import EMPTY, Model, TupleOf
from wfplan.catalog.actions import worse_effect
from wfplan.graph import DependencyGraph
from wfplan.models import Step
from wfplan.plans import ExecutionPlan
from wfplan.policy.rules import Policy
from wfplan.problems import Problem, ProblemCollector

__all__ = ["Judgment", "StepReview", "Verdict", "judge"]

Verdict: TypeAlias = Literal["allow", "needs-approval", "deny"]
"""`allow`: it may run; `needs-approval`: a person has to say so first; `deny`: it may not run."""


class StepReview(Model):
    """What a policy says of one step."""

    name: str
    verdict: Verdict
    reasons: TupleOf[Problem] = EMPTY
    """Errors are why it is denied, warnings why it needs approval."""


class Judgment(NamedTuple):
    """What a policy says of a plan."""

    verdict: Verdict
    reasons: Tuple[Problem, ...]
    """Those that lie in the plan as a whole."""
    steps: Dict[str, StepReview]
    """By name, in declared order."""

    @property
    def problems(self) -> Tuple[Problem, ...]:
        """All reasons, errors first."""
        of_steps = (reason for step in self.steps.values() for reason in step.reasons)
        return ProblemCollector((*self.reasons, *of_steps)).as_tuple()


def judge(plan: ExecutionPlan, policy: Policy) -> Judgment:
    """Return the verdicts; that on the whole is the worst of all. A step is denied if anything that it needs is."""
    whole = ProblemCollector()
    _judge_whole(plan, policy, whole)
    found = {step.name: _judge_step(step, policy) for step in plan.workflow.steps}
    denied_by: Dict[str, str] = {}
    for name in (name for batch in plan.batches for name in batch.steps):
        if found[name].has_errors:
            denied_by[name] = name
        else:
            _deny_dependent(plan.steps[name], denied_by, found[name])
    steps = {name: StepReview(name=name, verdict=_verdict(own), reasons=own.as_tuple()) for name, own in found.items()}
    verdicts = {_verdict(whole), *(step.verdict for step in steps.values())}
    verdict: Verdict = "deny" if "deny" in verdicts else "needs-approval" if "needs-approval" in verdicts else "allow"
    return Judgment(verdict, whole.as_tuple(), steps)


def _verdict(reasons: ProblemCollector) -> Verdict:
    if reasons.has_errors:
        return "deny"
    return "needs-approval" if reasons.as_tuple() else "allow"


def _judge_whole(plan: ExecutionPlan, policy: Policy, reasons: ProblemCollector) -> None:
    count = len(plan.workflow.steps)
    if policy.max_steps is not None and count > policy.max_steps:
        message = f"the plan has {pluralize(count, 'step')}, at most {policy.max_steps:,} are allowed"
        reasons.add("too-many-steps", message, suggestion="plan less at a time")
    if policy.approval_above_steps is not None and count > policy.approval_above_steps:
        message = f"the plan has {pluralize(count, 'step')}, more than {policy.approval_above_steps:,} need approval"
        reasons.add("many-steps", message)
    if policy.max_levels is not None:
        levels = _count_levels(plan)
        if levels > policy.max_levels:
            message = f"the plan has {levels:,} levels, at most {policy.max_levels:,} are allowed"
            reasons.add("too-many-levels", message, suggestion="plan less at a time")


def _count_levels(plan: ExecutionPlan) -> int:
    steps = plan.workflow.steps
    graph = DependencyGraph([step.name for step in steps], [step.dependencies for step in steps])
    return max(graph.level_numbers() or (), default=-1) + 1


def _judge_step(step: Step, policy: Policy) -> ProblemCollector:
    reasons = ProblemCollector()
    for code, complaint, suggestion in _complaints(step, policy):
        reasons.add(code, f"{quote(step.name)} {complaint}", steps=(step.name,), suggestion=suggestion)
    return reasons


_Complaint = Tuple[str, str, str]
"""Code, the end of a sentence about the step, and what to do."""


def _complaints(step: Step, policy: Policy) -> Iterator[_Complaint]:
    undo = step.rollback
    yield from _of_action(step.action, "", policy)
    yield from _of_size(step.parameters, "parameters", policy)
    if undo is not None:
        yield from _of_action(undo.action, "is undone by", policy)
        yield from _of_size(undo.parameters, "parameters for its compensation", policy)
    yield from _of_effect(step, policy)
    if policy.approval_for_irreversible and step.is_irreversible:
        yield "irreversible-step", "cannot be undone", "give its action a rollback in the catalog"
    yield from _of_confidence(step.confidence, policy)


def _of_action(action: str, how: str, policy: Policy) -> Iterator[_Complaint]:
    does = f"{how or 'has'} the action {quote(action)}, which"
    if action in policy.deny_actions:
        yield "denied-action", f"{does} is denied", "plan without it"
    if policy.allow_actions is not None and action not in policy.allow_actions:
        yield "unlisted-action", f"{does} is not among the allowed ones", "plan without it, or have it allowed"


def _of_size(parameters: Dict[str, object], what: str, policy: Policy) -> Iterator[_Complaint]:
    if policy.max_parameter_bytes is not None:
        size = len(_encode(parameters).encode())
        if size > policy.max_parameter_bytes:
            message = f"has {size:,} bytes of {what}, at most {policy.max_parameter_bytes:,} are allowed"
            yield "parameters-too-large", message, "hand over a reference to what is so large"


_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _of_effect(step: Step, policy: Policy) -> Iterator[_Complaint]:
    effects = policy.approval_for_effects
    if step.effect == "read" and step.rollback is not None and effects:
        yield "unknown-effect", "is said to read only, and has something to undo", "say its effect in the catalog"
    elif step.effect is not None and any(worse_effect(step.effect, mild) == step.effect for mild in effects):
        yield "effect-needs-approval", f"is {step.effect}, which needs approval", ""
    elif step.effect is None and effects:
        message = "may do anything, since its effect is not known"
        yield "unknown-effect", message, "say it in the catalog, and plan with that"


def _of_confidence(confidence: Optional[float], policy: Policy) -> Iterator[_Complaint]:
    least = policy.approval_below_confidence
    if least is not None and confidence is None:
        yield "unknown-confidence", f"has no confidence, and less than {least} needs approval", ""
    elif least is not None and confidence is not None and confidence < least:
        yield "low-confidence", f"has a confidence of {confidence}, and less than {least} needs approval", ""


def _deny_dependent(step: Step, denied_by: Dict[str, str], reasons: ProblemCollector) -> None:
    """Deny a step that needs a denied one; the reason names the first of these, and why it was denied."""
    needed = next((name for name in step.dependencies if name in denied_by), None)
    if needed is None:
        return
    root = denied_by[step.name] = denied_by[needed]
    message = f"{quote(step.name)} needs {quote(needed)}, which is denied"
    by_way = "" if root == needed else f", since {quote(root)} is"
    reasons.add("denied-dependency", message + by_way, steps=(step.name, root), suggestion="plan without it")
