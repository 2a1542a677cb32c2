"""review: a plan under a policy; and the gate that only lets through what was reviewed."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple, Union

from typing_extensions import TypeAlias

from wfplan.by_name import StepsByName
from wfplan.diff import PlanDiff, diff
from wfplan.names import counted, escape, quote, tell_error
from wfplan.plans import ExecutionPlan
from wfplan.policy.approval import Approval, ApprovalRequest, StepToApprove
from wfplan.policy.judging import Judgement, StepReview, Verdict, judge
from wfplan.policy.rules import Policy
from wfplan.problems import LENIENT, Problem, ProblemList, RefusedError

__all__ = ["Approver", "Review", "review"]

Approver: TypeAlias = Callable[[ApprovalRequest], Optional[Approval]]
"""Asks a person; None: nobody answered."""


def review(plan: ExecutionPlan, policy: Policy, *, approved: ExecutionPlan | None = None) -> Review:
    """What `policy` says of `plan`; with what changed since `approved`, a plan that was approved before.

    Raises RefusedError where one of them is something else, and where the plan was changed since it was planned,
    so that it is none any more.

    >>> import wfplan
    >>> from wfplan import Step
    >>> plan = wfplan.plan([Step(name="look", effect="read"), Step(name="wipe", effect="destructive")])
    >>> reviewed = review(plan, Policy())
    >>> reviewed.verdict, reviewed.steps["look"].verdict, reviewed.steps["wipe"].reasons[0].code
    ('approve', 'allow', 'effect-needs-approval')
    """
    _require(ExecutionPlan, plan, *([] if approved is None else [approved]))
    _require(Policy, policy)
    return Review(plan, policy, approved)


class Review:
    """What a policy says of a plan, made by `review`; `str()` is a text, `data` the same for JSON.

    `release` is the gate: what it gives back may run. It is a copy, made when the plan was reviewed: whatever becomes
    of the plan itself by Python's back doors after that is not released.
    """

    plan: ExecutionPlan
    policy: Policy
    verdict: Verdict
    """The worst of all."""
    reasons: Tuple[Problem, ...]
    """Those that lie in the plan as a whole; errors are why it is denied, warnings why it needs approval."""
    steps: Mapping[str, StepReview]
    """By name, in declared order."""
    fingerprint: str
    """Of the plan, as it would be released."""

    def __init__(self, plan: ExecutionPlan, policy: Policy, approved: ExecutionPlan | None) -> None:
        self.plan = plan
        self.policy = policy
        self._policy = _checked(policy)
        copy = _validated_copy(plan)
        self._approved = None if approved is None else _validated_copy(approved)
        self._judgement = judge(copy, self._policy)
        self._released = _lowered(copy, self._policy)
        self.verdict, self.reasons, steps = self._judgement
        self.steps = StepsByName(steps)
        self.fingerprint = self._released.fingerprint

    def request(self) -> ApprovalRequest:
        """What a person has to see. Raises RefusedError if the plan is denied."""
        self._refuse_denied()
        return self._request()

    def release(self, approval: Union[Approval, Approver, None] = None, *, now: float | None = None) -> ExecutionPlan:
        """A copy of the plan, exactly as it was reviewed, with a lower `max_parallel` where the policy wants that.

        Where approval is needed, this has to be `approval`, or what that gives when it is called with the request. It
        has to hold at the time `now`, in seconds since 1970; that of the clock, if not given.

        Raises RefusedError with every reason: something is denied; the approval is missing, says no, was altered, has
        expired, is from the future, or is for something else; nobody answered.
        """
        self._refuse_denied()
        if self._judgement.verdict == "approve" or not (approval is None or callable(approval)):
            problems = ProblemList(self._judgement.problems)
            _check(approval, self._request(), now, problems)
            if problems.has_errors:
                raise RefusedError(problems.listed())
        return self._released

    @property
    def problems(self) -> Tuple[Problem, ...]:
        """All reasons, of the whole and of the steps, errors first."""
        return Judgement(self.verdict, self.reasons, dict(self.steps)).problems

    @property
    def data(self) -> Dict[str, Any]:
        """What JSON can hold: verdicts, reasons, and the request with its digest where approval is needed."""
        told: Dict[str, Any] = {
            "verdict": self.verdict,
            "fingerprint": self.fingerprint,
            "reasons": [reason.model_dump(mode="json") for reason in self.reasons],
            "steps": [step.model_dump(mode="json") for step in self.steps.values()],
        }
        if self.verdict == "approve":
            request = self.request()
            told["request"], told["digest"] = request.model_dump(mode="json"), request.digest
        return told

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        concerned = [step for step in self.steps.values() if step.reasons]
        yield f"{self.verdict}: {counted(len(self.steps), 'step')}, {len(concerned):,} with something to say"
        yield from (f"  {reason.code}: {reason.message}" for reason in self.reasons)
        for step in concerned:
            yield f"{step.verdict} {quote(step.name)}"
            yield from (f"  {reason.code}: {reason.message}" for reason in step.reasons)

    def __repr__(self) -> str:
        return f"<Review {self.verdict}: {counted(len(self.steps), 'step')}>"

    def _refuse_denied(self) -> None:
        if self._judgement.verdict == "deny":
            raise RefusedError(self._judgement.problems)

    def _request(self) -> ApprovalRequest:
        plan, judgement = self._released, self._judgement
        batch_of = {name: batch.number for batch in plan.batches for name in batch.steps}
        steps = [
            StepToApprove(
                name=step.name,
                action=step.action,
                parameters=step.parameters,
                effect=step.effect,
                irreversible=step.is_irreversible,
                rollback=step.rollback,
                dependencies=step.dependencies,
                batch=batch_of[step.name],
                locks=step.locks,
                timeout_seconds=step.timeout_seconds,
                retry=step.retry,
                continue_on_failure=step.continue_on_failure,
                metadata=step.metadata,
                reasons=judgement.steps[step.name].reasons,
            )
            for step in sorted(plan.workflow.steps, key=lambda step: not step.is_irreversible)
        ]
        return ApprovalRequest(
            fingerprint=plan.fingerprint,
            reasons=judgement.reasons,
            steps=steps,
            execution_strategy=plan.workflow.execution_strategy,
            warnings=[problem for problem in plan.problems if problem.code not in LENIENT],
            changes=None if self._approved is None else _without_words(diff(self._approved, plan)),
        )


def _require(kind: type, *values: object) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise refusal(f"a {kind.__name__} is wanted, not a {type(value).__name__}")


def _validated_copy(plan: ExecutionPlan) -> ExecutionPlan:
    """Return a plan made from all that `plan` holds, which shares nothing with it.

    Python's back doors change what is frozen, so it has to be a plan once more.
    """
    try:
        return ExecutionPlan.model_validate(plan.model_dump(warnings=False))
    except Exception as error:  # noqa: BLE001 - whatever was put into it
        problems = ProblemList()
        message = f"the plan was changed into what is none: {tell_error(error)}"
        problems.add("plan-changed", message, suggestion="plan again, and review that")
        raise RefusedError(problems.listed()) from None


def _lowered(plan: ExecutionPlan, policy: Policy) -> ExecutionPlan:
    """The plan with the limit of the policy, where that is lower: batches do not depend on it."""
    settings, limit = plan.workflow.execution_strategy, policy.max_parallel
    if limit is None or (settings.max_parallel is not None and settings.max_parallel <= limit):
        return plan
    strategy = settings.model_copy(update={"max_parallel": limit})
    return plan.model_copy(update={"workflow": plan.workflow.model_copy(update={"execution_strategy": strategy})})


def _checked(policy: Policy) -> Policy:
    """A copy of a policy that was not made without checks: a typo would switch a rule off."""
    try:
        return Policy.model_validate(vars(policy))
    except ValueError as error:
        problems = ProblemList()
        problems.add("invalid-policy", f"the policy was made without checks, and is none: {escape(str(error))}")
        raise RefusedError(problems.listed()) from None


def _without_words(changes: PlanDiff) -> PlanDiff:
    """Changes without what the model says of steps and of the whole."""
    steps = (
        change.model_copy(update={"fields": tuple(field for field in change.fields if field.field != "description")})
        for change in changes.changed
    )
    silent: Dict[str, Any] = {
        "name": None,
        "changed": tuple(change for change in steps if change.fields or change.is_renamed),
        "added": tuple(step.model_copy(update={"description": ""}) for step in changes.added),
        "removed": tuple(step.model_copy(update={"description": ""}) for step in changes.removed),
    }
    return changes.model_copy(update=silent)


def _check(given: object, request: ApprovalRequest, now: float | None, problems: ProblemList) -> None:
    """Add an error for everything that keeps an answer from being an approval of this request that holds now."""
    wanted = request.fingerprint, request.digest  # before anybody has it in hands
    approval = _ask(given, request, problems) if callable(given) else given
    if isinstance(approval, Approval):
        for code, told, suggestion in _flaws(approval, wanted, time.time() if now is None else now):
            problems.add(code, told, suggestion=suggestion)
    elif approval is not None:
        told = f"an Approval is wanted, not a {type(approval).__name__}"
        problems.add("approval-missing", told, suggestion="load it by Approval.model_validate_json")
    elif not callable(given):
        told = "the plan needs approval, and there is none"
        problems.add("approval-missing", told, suggestion="show review.request() to somebody who may approve it")


def _ask(ask: Callable[[ApprovalRequest], object], request: ApprovalRequest, problems: ProblemList) -> object:
    try:
        answer = ask(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody has approved
        problems.add("approval-unanswered", f"asking for approval raised {tell_error(error)}")
        return None
    if answer is None:
        problems.add("approval-unanswered", "the plan needs approval, and nobody answered", suggestion="ask again")
    return answer


def _flaws(given: Approval, wanted: Tuple[str, str], now: float) -> Iterator[Tuple[str, str, str]]:
    """What is wrong with an approval: code, sentence, and what to do.

    `wanted` are the fingerprint of the plan, and the digest of the request.
    """
    approval = _if_sealed(given)
    if approval is None:
        yield "approval-altered", "the approval was changed after it was given", "ask again"
        return
    by = quote(approval.by)
    if approval.decision == "denied":
        comment = f": {quote(approval.comment)}" if approval.comment else ""
        yield "approval-refused", f"{by} says no{comment}", ""
    if approval.fingerprint != wanted[0]:
        yield "approval-mismatch", f"the approval of {by} is for another plan", "ask again, for this one"
    elif approval.request != wanted[1]:
        told = f"what {by} was shown is not what there is to approve now: reasons or changes differ"
        yield "approval-mismatch", told, "ask again"
    if not approval.at <= now:
        told = f"the approval of {by} is from the future: it begins {_in_words(approval.at)}"
        yield "approval-from-future", told, "set the clocks right, and ask again"
    if approval.until is not None and not now < approval.until:
        yield "approval-expired", f"the approval of {by} has expired {_in_words(approval.until)}", "ask again"


def _if_sealed(given: Approval) -> Approval | None:
    """An approval as it is in JSON, where nothing but its fields counts; None if its seal does not fit."""
    try:
        approval = Approval.model_validate_json(Approval.model_dump_json(given))
    except Exception:  # noqa: BLE001 - values that were made without checks
        return None
    return approval if approval.seal == approval.expected_seal else None


def _in_words(moment: float) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
    except (OverflowError, OSError, ValueError):
        return f"at {moment:g} seconds after 1970"
