"""release(hold=True): the plan, and what must not start before somebody has approved it."""

from __future__ import annotations

from typing import Any, Callable, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfplan
from wfplan import ExecutionPlan, RefusedError, Step
from wfplan.policy import ApprovalRequest, Policy, Review, review

AT, NOW, UNTIL = 1_000.0, 2_000.0, 3_000.0


def outage() -> ExecutionPlan:
    """Four in a row, of which one destroys something: look -> snapshot -> drop -> verify."""
    return wfplan.plan(
        [
            Step(name="look", effect="read"),
            Step(name="snapshot", effect="write", dependencies=["look"]),
            Step(name="drop", effect="destructive", dependencies=["snapshot"]),
            Step(name="verify", effect="read", dependencies=["drop"]),
        ]
    )


def approve(request: ApprovalRequest, **fields: Any) -> Any:
    return request.approve("jo", **{"at": AT, "until": UNTIL, **fields})


def refusals(release: Callable[[], object]) -> List[str]:
    with pytest.raises(RefusedError) as caught:
        release()
    return [problem.code for problem in caught.value.problems if problem.severity == "error"]


def test_without_an_approval_the_steps_that_need_one_are_held() -> None:
    reviewed = review(outage(), Policy(max_parallel=2))
    plan, held = reviewed.release(hold=True)
    assert held == ("drop",)
    assert plan.workflow.execution_strategy.max_parallel == 2
    assert plan.fingerprint == reviewed.fingerprint


def test_with_the_approval_nothing_is_held_and_the_plan_is_the_same() -> None:
    reviewed = review(outage(), Policy())
    before, _ = reviewed.release(hold=True)
    answer = approve(reviewed.request())
    plan, held = reviewed.release(answer, now=NOW, hold=True)
    assert held == ()
    assert plan == before == reviewed.release(answer, now=NOW)
    assert plan.fingerprint == before.fingerprint
    assert reviewed.release(approve, now=NOW, hold=True) == (plan, ())


@pytest.mark.parametrize("policy", [Policy(approval_above_steps=3), Policy(approval_above_steps=0)])
def test_everything_is_held_if_the_plan_as_a_whole_needs_approval(policy: Policy) -> None:
    assert review(outage(), policy).release(hold=True)[1] == ("look", "snapshot", "drop", "verify")


def test_nothing_is_held_where_nothing_needs_approval() -> None:
    reviewed = review(outage(), Policy(approval_for_effects=()))
    assert reviewed.release(hold=True) == (reviewed.release(), ())


def test_nobody_who_was_asked_has_answered() -> None:
    assert review(outage(), Policy()).release(lambda request: None, hold=True)[1] == ("drop",)


def test_what_is_denied_is_refused_all_the_same() -> None:
    reviewed = review(outage(), Policy(deny_actions=["drop"]))
    assert set(refusals(lambda: reviewed.release(hold=True))) == {"denied-action", "denied-dependency"}


def fail(_: ApprovalRequest) -> None:
    raise OSError("the pager is down")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda request: request.deny("jo", at=AT), "approval-refused"),
        (lambda request: approve(request, until=NOW), "approval-expired"),
        (lambda request: approve(request).model_copy(update={"by": "al"}), "approval-altered"),
        (lambda request: approve(review(outage(), Policy(approval_above_steps=3)).request()), "approval-mismatch"),
        (lambda request: True, "approval-missing"),
        (approve, "approval-unsigned"),
        (fail, "approval-unanswered"),
    ],
)
def test_an_answer_that_does_not_hold_is_refused_and_not_held(answer: Any, code: str) -> None:
    key = b"secret" if code == "approval-unsigned" else None
    reviewed = review(outage(), Policy())
    assert refusals(lambda: reviewed.release(answer, now=NOW, key=key, hold=True)) == [code]
    if answer is not fail:
        given_ = answer(reviewed.request())
        assert refusals(lambda: reviewed.release(given_, now=NOW, key=key, hold=True)) == [code]


@given(st.lists(st.sampled_from(["read", "write", "destructive", None]), min_size=1, max_size=6), st.integers(0, 6))
def test_what_is_held_is_what_the_review_says_needs_approval(effects: List[Any], above: int) -> None:
    """And the plan is the one that an approval releases."""
    steps = [Step(name=f"s{number}", effect=effect) for number, effect in enumerate(effects)]
    reviewed: Review = review(wfplan.plan(steps), Policy(approval_above_steps=above))
    plan, held = reviewed.release(hold=True)
    needing = {name for name, step in reviewed.steps.items() if step.verdict == "needs-approval"}
    assert set(held) == (set(reviewed.steps) if len(effects) > above else needing)
    assert plan == reviewed.release(approve, now=NOW)
