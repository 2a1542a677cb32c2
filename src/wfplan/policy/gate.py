"""review, and the gate that releases only what was reviewed."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple, Union, overload

from typing_extensions import Literal, TypeAlias

from wfplan._internal.by_name import StepsByName
from wfplan._internal.messages import describe_error, escape, pluralize, quote
from wfplan.diff import PlanDiff, diff
from wfplan.plans import ExecutionPlan
from wfplan.policy.approval import Approval, ApprovalRequest, StepToApprove, Wanted, check_key, flaws_of
from wfplan.policy.judging import Judgment, StepReview, Verdict, judge
from wfplan.policy.rules import Policy
from wfplan.problems import LENIENT_READING_CODES, Problem, ProblemCollector, RefusedError, require_type

__all__ = ["Approver", "Review", "review"]

Approver: TypeAlias = Callable[[ApprovalRequest], Optional[Approval]]
"""Asks a person; None: nobody answered."""


def review(plan: ExecutionPlan, policy: Policy, *, approved: ExecutionPlan | None = None) -> Review:
    """Return what `policy` says about `plan`.

    Args:
        plan: The plan.
        policy: The rules.
        approved: A plan that was approved before; the review then shows what has changed since. None: there is none.

    Raises:
        RefusedError: An argument is of another type, or the plan was changed since it was planned and is no longer
            valid.

    >>> import wfplan
    >>> from wfplan import Step
    >>> plan = wfplan.plan([Step(name="look", effect="read"), Step(name="wipe", effect="destructive")])
    >>> reviewed = review(plan, Policy())
    >>> reviewed.verdict, reviewed.steps["look"].verdict, reviewed.steps["wipe"].reasons[0].code
    ('needs-approval', 'allow', 'effect-needs-approval')
    """
    require_type(plan, ExecutionPlan)
    require_type(approved, ExecutionPlan, type(None))
    require_type(policy, Policy)
    return Review(plan, policy, approved)


class Review:
    """What a policy says about a plan; made by `review`. `str()` is for people, `data` for JSON.

    `release` is the gate: what it returns may run. It is a copy made when the plan was reviewed, so later changes of
    the plan through Python's back doors are not released.

    Args:
        plan: The plan.
        policy: The policy.
        approved: A plan that was approved before, or None.
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
        self._judgment = judge(copy, self._policy)
        self._released = _lowered(copy, self._policy)
        self.verdict, self.reasons, steps = self._judgment
        self.steps = StepsByName(steps)
        self.fingerprint = self._released.fingerprint

    def request(self) -> ApprovalRequest:
        """Return what a person has to see. Raises RefusedError if the plan is denied."""
        self._refuse_denied()
        return self._request()

    @overload
    def release(
        self,
        approval: Union[Approval, Approver, None] = None,
        *,
        now: float | None = None,
        key: bytes | None = None,
        hold: Literal[False] = False,
    ) -> ExecutionPlan: ...
    @overload
    def release(
        self,
        approval: Union[Approval, Approver, None] = None,
        *,
        now: float | None = None,
        key: bytes | None = None,
        hold: Literal[True],
    ) -> Tuple[ExecutionPlan, Tuple[str, ...]]: ...
    def release(
        self,
        approval: Union[Approval, Approver, None] = None,
        *,
        now: float | None = None,
        key: bytes | None = None,
        hold: bool = False,
    ) -> Union[ExecutionPlan, Tuple[ExecutionPlan, Tuple[str, ...]]]:
        """Return a copy of the plan as it was reviewed, with a lower `max_parallel` where the policy wants that.

        Args:
            approval: The answer to `request()`, or a function that is called with the request, where approval is
                needed, and returns the answer (None: nobody answered).
            now: The time at which the approval has to hold, in seconds since 1970; default: that of the clock.
            key: The key that the approval has to be signed with (`Approval.sign`); default: signatures are not looked
                at, and nothing proves who gave the approval.
            hold: Release the plan without an approval, too, with the names of the steps that must not start before
                there is one: `plan, held = review.release(approval, hold=True)`. These are the steps that need it, or
                all if the plan as a whole does; none once it is approved. The plan, and so its fingerprint, is the
                same with and without the approval. What depends on a held step waits with it.

        Raises:
            RefusedError: With every reason. Something is denied; the approval is missing, says no, was altered, has
                expired, is from the future, is for something else, or is not signed with the key; nobody answered.
                With `hold`, a missing answer is not a reason.
        """
        if key is not None:
            check_key(key)
        self._refuse_denied()
        held: Tuple[str, ...] = ()
        if self._judgment.verdict == "needs-approval" or not (approval is None or callable(approval)):
            problems = ProblemCollector(self._judgment.problems)
            request = self._request()
            wanted = Wanted(request.fingerprint, request.digest, time.time() if now is None else now, key)
            answer = _ask(approval, request, problems) if callable(approval) else approval
            if answer is None and hold and not problems.has_errors:
                held = _names_to_hold(self._judgment)
            else:
                _check(answer, wanted, problems, was_asked=callable(approval))
            if problems.has_errors:
                raise RefusedError(problems.as_tuple())
        return (self._released, held) if hold else self._released

    @property
    def problems(self) -> Tuple[Problem, ...]:
        """All reasons, of the whole and of the steps, errors first."""
        return Judgment(self.verdict, self.reasons, dict(self.steps)).problems

    @property
    def data(self) -> Dict[str, Any]:
        """What JSON can hold: verdicts, reasons, and the request with its digest where approval is needed."""
        data: Dict[str, Any] = {
            "verdict": self.verdict,
            "fingerprint": self.fingerprint,
            "reasons": [reason.model_dump(mode="json") for reason in self.reasons],
            "steps": [step.model_dump(mode="json") for step in self.steps.values()],
        }
        if self.verdict == "needs-approval":
            request = self.request()
            data["request"], data["digest"] = request.model_dump(mode="json"), request.digest
        return data

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        concerned = [step for step in self.steps.values() if step.reasons]
        yield f"{self.verdict}: {pluralize(len(self.steps), 'step')}, {len(concerned):,} flagged"
        yield from (f"  {reason.code}: {reason.message}" for reason in self.reasons)
        for step in concerned:
            yield f"{step.verdict} {quote(step.name)}"
            yield from (f"  {reason.code}: {reason.message}" for reason in step.reasons)

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(str(self))

    def __repr__(self) -> str:
        return f"<Review {self.verdict}: {pluralize(len(self.steps), 'step')}>"

    def _refuse_denied(self) -> None:
        if self._judgment.verdict == "deny":
            raise RefusedError(self._judgment.problems)

    def _request(self) -> ApprovalRequest:
        plan, judgment = self._released, self._judgment
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
                reasons=judgment.steps[step.name].reasons,
            )
            for step in sorted(plan.workflow.steps, key=lambda step: not step.is_irreversible)
        ]
        return ApprovalRequest(
            fingerprint=plan.fingerprint,
            reasons=judgment.reasons,
            steps=steps,
            execution_strategy=plan.workflow.execution_strategy,
            warnings=[problem for problem in plan.problems if problem.code not in LENIENT_READING_CODES],
            changes=None if self._approved is None else _without_words(diff(self._approved, plan)),
        )


def _validated_copy(plan: ExecutionPlan) -> ExecutionPlan:
    """Return a plan made from all that `plan` holds, which shares nothing with it.

    Python's back doors change what is frozen, so it has to be a plan once more.
    """
    try:
        return ExecutionPlan.model_validate(plan.model_dump(warnings=False))
    except Exception as error:  # noqa: BLE001 - whatever was put into it
        problems = ProblemCollector()
        message = f"the plan was changed and is no longer valid: {describe_error(error)}"
        problems.add("plan-changed", message, suggestion="plan again, and review that")
        raise RefusedError(problems.as_tuple()) from None


def _lowered(plan: ExecutionPlan, policy: Policy) -> ExecutionPlan:
    """Return the plan with the limit of the policy, where that is lower: batches do not depend on it."""
    settings, limit = plan.workflow.execution_strategy, policy.max_parallel
    if limit is None or (settings.max_parallel is not None and settings.max_parallel <= limit):
        return plan
    strategy = settings.model_copy(update={"max_parallel": limit})
    return plan.model_copy(update={"workflow": plan.workflow.model_copy(update={"execution_strategy": strategy})})


def _checked(policy: Policy) -> Policy:
    """Return a copy of a policy that was not made without checks: a typo would switch a rule off."""
    try:
        return Policy.model_validate(vars(policy))
    except ValueError as error:
        problems = ProblemCollector()
        problems.add("invalid-policy", f"the policy was made without checks and is not valid: {escape(str(error))}")
        raise RefusedError(problems.as_tuple()) from None


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


def _names_to_hold(judgment: Judgment) -> Tuple[str, ...]:
    """Return the steps that need approval; all of them if the plan as a whole does."""
    steps = judgment.steps.values()
    return tuple(step.name for step in steps if judgment.reasons or step.verdict == "needs-approval")


def _ask(ask: Callable[[ApprovalRequest], object], request: ApprovalRequest, problems: ProblemCollector) -> object:
    """Return the answer to `request`; None if there is none, with an error if asking failed."""
    try:
        return ask(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody has approved
        problems.add("approval-unanswered", f"asking for approval raised {describe_error(error)}")
        return None


def _check(answer: object, wanted: Wanted, problems: ProblemCollector, *, was_asked: bool) -> None:
    """Add an error for everything that keeps an answer from being an approval of what is wanted."""
    if isinstance(answer, Approval):
        for code, message, suggestion in flaws_of(answer, wanted):
            problems.add(code, message, suggestion=suggestion)
    elif answer is not None:
        message = f"an Approval is wanted, not a {type(answer).__name__}"
        problems.add("approval-missing", message, suggestion="load it by Approval.model_validate_json")
    elif not was_asked:
        message = "the plan needs approval and has none"
        problems.add("approval-missing", message, suggestion="show review.request() to somebody who may approve it")
    elif not problems.has_errors:
        message = "the plan needs approval, and nobody answered"
        problems.add("approval-unanswered", message, suggestion="ask again")
