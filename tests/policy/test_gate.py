"""Nothing opens the gate but what a person was shown and approved."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any, Dict, List, Union

import pytest

import wfplan
from wfplan import Compensation, ExecutionPlan, RefusedError, Step
from wfplan.interop.kubernaut import to_execution_plan
from wfplan.policy import Approval, ApprovalRequest, Policy, read_policy, review

LAX = Policy(approval_above_steps=None, approval_for_effects=())
UNDO = Compensation(action="undo", parameters={"x": 1})


def test_who_is_asked_cannot_change_what_is_released_by_the_rollback() -> None:
    plan = wfplan.plan([Step(name="a", effect="destructive", rollback=UNDO)])

    def ask(request: ApprovalRequest) -> Approval:
        request.steps[0].rollback.parameters["x"] = "evil"
        return request.approve("jo", at=1, until=3)

    with suppress(RefusedError):
        assert review(plan, Policy()).release(ask, now=2).steps["a"].rollback == UNDO


def test_nor_by_the_changes() -> None:
    before, plan = wfplan.plan([]), wfplan.plan([Step(name="b", effect="destructive", parameters={"k": "v"})])

    def ask(request: ApprovalRequest) -> Approval:
        request.changes.added[0].parameters["k"] = "evil"
        return request.approve("jo", at=1, until=3)

    with suppress(RefusedError):
        assert review(plan, Policy(), approved=before).release(ask, now=2).steps["b"].parameters == {"k": "v"}


def test_what_was_shown_is_what_was_asked() -> None:
    plan = wfplan.plan([Step(name="a", effect="destructive", parameters={"k": "everything"})])

    def ask(request: ApprovalRequest) -> Approval:
        request.steps[0].parameters["k"] = "a little"
        return request.approve("jo", at=1, until=3)

    with pytest.raises(RefusedError):
        review(plan, Policy()).release(ask, now=2)


def test_the_models_description_is_not_in_the_changes() -> None:
    before = wfplan.plan([Step(name="a", effect="destructive", description="old")])
    plan = wfplan.plan(
        [Step(name="a", effect="destructive", description="SOOTHING"), Step(name="b", description="SOOTHING")]
    )
    request = review(plan, Policy(), approved=before).request()
    assert "SOOTHING" not in str(request)
    assert "SOOTHING" not in request.model_dump_json()


def test_another_policy_on_the_review_opens_nothing() -> None:
    reviewed = review(wfplan.plan({"a": []}), Policy(deny_actions=["a"]))
    reviewed.policy = LAX
    with pytest.raises(RefusedError):
        reviewed.release(now=0)


def test_nor_does_a_hacked_policy() -> None:
    policy = Policy(deny_actions=["a"], approval_for_effects=())
    reviewed = review(wfplan.plan({"a": []}), policy)
    vars(policy)["deny_actions"] = ()
    with pytest.raises(RefusedError):
        reviewed.release(now=0)


def test_a_loaded_plans_warning_adds_no_line() -> None:
    content = json.loads(wfplan.plan([Step(name="a", effect="destructive")]).model_dump_json())
    content["problems"] = [
        {"code": "con\nflict", "severity": "warning", "message": "x\ncan be undone, or only read:\x1b[2J"}
    ]
    text = str(review(ExecutionPlan.model_validate_json(json.dumps(content)), Policy()).request())
    assert [line for line in text.split("\n") if not line.isprintable()] == []
    assert len(text.splitlines()) == 7


@pytest.mark.parametrize("source", ['{"deny_actions": ["\\ud800"]}', b'{"deny_actions": ["\xed\xa0\x80"]}'])
def test_half_of_a_pair_names_no_action(source: Union[str, bytes]) -> None:
    with pytest.raises(RefusedError):
        read_policy(source).model_dump_json()  # PydanticSerializationError


def test_all_bad_actions_at_once() -> None:
    with pytest.raises(RefusedError) as caught:
        read_policy('{"deny_actions": ["a*", "b*"]}')
    (problem,) = caught.value.problems
    assert problem.location == "/deny_actions"
    assert all(quoted in problem.message for quoted in ('"a*"', '"b*"'))


def test_what_nobody_can_see_in_a_denied_action_is_refused() -> None:
    with pytest.raises(RefusedError):
        read_policy('{"deny_actions": ["delete\\u200b_namespace"]}')


def test_nan_before_the_review_is_no_plan() -> None:
    plan = wfplan.plan([Step(name="a", parameters={"x": 1})])
    dict.update(plan.steps["a"].parameters, x=math.nan)
    with pytest.raises(RefusedError):
        review(plan, LAX)


class Sly(str):
    """A text that says it is any other."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def test_only_the_revalidated_approval_is_looked_at() -> None:
    other = review(wfplan.plan([Step(name="b")]), Policy()).request().approve("jo", at=1, until=3)
    sly = other.model_copy(update={"fingerprint": Sly(other.fingerprint), "request": Sly(other.request)})
    with pytest.raises(RefusedError):
        review(wfplan.plan([Step(name="a")]), Policy()).release(sly, now=2)


@pytest.mark.parametrize("changes", [{"deny_action": ("a",)}, {"allow_actions": "abc"}, {"max_steps": "many"}])
def test_a_policy_made_without_checks_is_none(changes: Dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="made without checks"):
        review(wfplan.plan({"a": []}), LAX.model_copy(update=changes))


@pytest.mark.parametrize("approval", [False, {}, {"decision": "denied"}, "no", 0])
def test_what_is_no_approval_releases_nothing_even_where_none_is_needed(approval: Any) -> None:
    with pytest.raises(RefusedError, match="approval-missing"):
        review(wfplan.plan({"a": []}), LAX).release(approval, now=0)


@pytest.mark.parametrize("policy", [Policy(), Policy(max_steps=5), Policy(max_steps=5, approval_above_steps=5), LAX])
def test_a_policy_survives_its_own_json(policy: Policy) -> None:
    assert read_policy(policy.model_dump_json()) == policy
    assert Policy.model_validate(policy.model_dump()) == policy


@pytest.mark.parametrize(("effects", "asked"), [(["write"], "wd"), (["read"], "rwd"), (["destructive"], "d")])
def test_an_approval_of_what_is_mild_is_one_of_what_is_worse(effects: List[Any], asked: str) -> None:
    steps = [Step(name="r", effect="read"), Step(name="w", effect="write"), Step(name="d", effect="destructive")]
    reviewed = review(wfplan.plan(steps), Policy(approval_for_effects=effects))
    assert "".join(step.name for step in reviewed.steps.values() if step.verdict == "needs-approval") == asked


def test_what_reads_only_and_has_something_to_undo_needs_approval() -> None:
    plan = wfplan.plan([Step(name="a", effect="read", rollback=UNDO)])
    assert [reason.code for reason in review(plan, Policy()).steps["a"].reasons] == ["unknown-effect"]


def test_long_parameters_hide_no_others() -> None:
    big = {"a": "x" * 5000, "target": "production", "z": 1}
    text = str(review(wfplan.plan([Step(name="s", parameters=big)]), Policy()).request())
    assert '"target": "production"' in text
    assert "more characters, which are not shown here" in text
    many = {str(number): number for number in range(200)}
    text = str(review(wfplan.plan([Step(name="s", parameters=many)]), Policy()).request())
    assert "and 100 more parameters, which are not shown here" in text


def test_what_a_step_hands_on_besides_parameters_is_seen() -> None:
    step = Step(name="s", locks=["prod/web"], metadata={"force": True})
    text = str(review(wfplan.plan([step]), Policy()).request())
    assert 'metadata {"force": true}' in text
    assert 'holds "prod/web" alone' in text


def test_an_exporter_never_starts_more_at_once_than_was_released() -> None:
    plan = wfplan.plan({name: [] for name in "abcdefg"})
    order = to_execution_plan(review(plan, Policy(max_parallel=3, approval_for_effects=())).release())["executionPlan"]
    assert order["executionOrder"] == [
        {"batch": 1, "steps": ["a", "b", "c"], "parallel": True},
        {"batch": 2, "steps": ["d", "e", "f"], "parallel": True},
        {"batch": 3, "steps": ["g"], "parallel": False},
    ]
