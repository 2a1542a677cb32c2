"""policy.allowed(catalog): a model is offered only what the policy allows."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfplan
from wfplan import Action, RefusedError
from wfplan.policy import Policy, review
from wfplan.prompting import Feedback, feedback, plan_with_feedback, prompt_instructions, recommendation_schema

CATALOG = {
    "scale_deployment": Action(effect="write"),
    "scale_deployments": Action(effect="destructive"),
    "verify": Action(effect="read"),
}
NAMES = sorted(CATALOG)
POLICIES = st.builds(
    lambda deny, allow: Policy(deny_actions=deny, allow_actions=allow and [it for it in allow if it not in deny]),
    st.lists(st.sampled_from(NAMES), unique=True),
    st.none() | st.lists(st.sampled_from([*NAMES, "elsewhere"]), unique=True, min_size=1),
)


@given(POLICIES)
def test_it_is_what_the_review_does_not_deny_in_the_order_of_the_catalog(policy: Policy) -> None:
    offered = policy.allowed(CATALOG)
    for name in CATALOG:
        denied = review(wfplan.plan([wfplan.Step(name=name)]), policy).verdict == "deny"
        assert (name in offered) is not denied
    assert list(offered.items()) == [(name, action) for name, action in CATALOG.items() if name in offered]


@given(POLICIES)
def test_prompt_schema_and_feedback_offer_nothing_else(policy: Policy) -> None:
    offered = policy.allowed(CATALOG)
    told = str(feedback((), catalog=offered))
    if not offered:
        with pytest.raises(ValueError, match="empty"):
            prompt_instructions(offered)
        return
    texts = prompt_instructions(offered), json.dumps(recommendation_schema(offered)), told
    for name in CATALOG:
        assert [f'"{name}"' in text for text in texts] == [name in offered] * 3


def test_a_conversation_refuses_what_is_denied_and_suggests_only_what_is_allowed() -> None:
    policy = Policy(deny_actions=["scale_deployments"])
    asked: List[Optional[Feedback]] = []

    def ask(told: Optional[Feedback]) -> List[Dict[str, Any]]:
        asked.append(told)
        action = "scale_deployments" if told is None else "scale_deployment"
        return [{"id": "1", "action": action, "dependencies": []}]

    conversation = plan_with_feedback(ask, catalog=policy.allowed(CATALOG))
    assert review(conversation.raise_for_plan(), policy).verdict == "allow"
    problem, *_ = asked[1].problems if asked[1] else ()
    assert (problem.code, problem.suggestion) == ("unknown-action", 'did you mean "scale_deployment"?')


def test_the_catalog_is_left_as_it_was_and_what_is_none_is_refused() -> None:
    given_ = dict(CATALOG)
    Policy(deny_actions=["verify"]).allowed(given_)
    assert given_ == CATALOG
    with pytest.raises(RefusedError) as caught:
        Policy().allowed({"verify": "read"})  # type: ignore[dict-item]
    assert [problem.code for problem in caught.value.problems] == ["invalid-catalog"]
