"""Asking until an answer can be planned."""

from __future__ import annotations

import asyncio
from typing import Any, List

import pytest
from pydantic import BaseModel

import wfplan
from wfplan import Action, Step
from wfplan.diff import diff_steps
from wfplan.prompting import Feedback, aplan_with_feedback, plan_with_feedback


class Scale(BaseModel):
    name: str


A, B = {"id": "a", "action": "x"}, {"id": "b", "action": "y", "dependencies": ["a"]}


def test_a_conversation_ends_with_a_plan_an_exception_or_its_last_attempt() -> None:
    """Each attempt tells what changed, of what nobody had asked for too."""
    bad, good = [{**A, "dependencies": ["b"]}, B], [{**A, "action": "z"}, {**B, "action": "w"}]
    answers = iter([bad, good])
    done = plan_with_feedback(lambda told: next(answers))
    assert done.ok
    assert done.raise_for_plan() is done.plan
    assert not done.attempts[0].changes
    assert done.attempts[1].changes
    assert repr(done) == "<Conversation ok: [<Exchange 1: refused>, <Exchange 2: ok>]>"
    given_up = plan_with_feedback(lambda told: bad, max_attempts=2)
    assert (given_up.ok, len(given_up.attempts), given_up.plan) == (False, 2, None)
    with pytest.raises(wfplan.InvalidWorkflowError):
        given_up.raise_for_plan()
    broken = plan_with_feedback(lambda told: next(iter([])))
    assert isinstance(broken.error, StopIteration)
    with pytest.raises(StopIteration):
        broken.raise_for_plan()
    with pytest.raises(ValueError, match="at least 1"):
        plan_with_feedback(lambda told: bad, max_attempts=0)


def test_a_conversation_may_be_about_steps_and_may_be_awaited() -> None:
    answers = iter([{"steps": [{"name": "a", "dependencies": ["z"]}]}, {"steps": [{"name": "a"}, {"name": "b"}]}])

    async def ask(told: Any) -> Any:
        return next(answers, None) if told is None or "unknown-dependency" in str(told) else 1

    done = asyncio.run(aplan_with_feedback(ask))
    assert done.ok
    assert [step.name for step in done.attempts[1].unasked.added] == ["b"]

    async def fail(told: Any) -> Any:
        raise OSError("no model today")

    failed = asyncio.run(aplan_with_feedback(fail))
    assert isinstance(failed.error, OSError)
    assert failed.attempts == ()


def test_steps_that_cannot_be_planned_are_compared_all_the_same() -> None:
    before = [Step(name="a", dependencies=["gone"]), Step(name="b")]
    after = [Step(name="a"), Step(name="c", dependencies=["a"])]
    told = diff_steps(before, after)
    assert [step.name for step in told.added] == ["c"]
    assert [step.name for step in told.removed] == ["b"]
    assert [(edge.dependency, edge.dependent) for edge in told.added_edges] == [("a", "c")]
    assert [(edge.dependency, edge.dependent) for edge in told.removed_edges] == [("gone", "a")]


def test_steps_that_cannot_be_planned_are_no_change_of_themselves() -> None:
    """A dependency that does not exist is one like any other."""
    steps = [Step(name="a", dependencies=["gone", "b"]), Step(name="b", dependencies=["a"])]
    assert diff_steps(steps, steps).is_empty
    bad = [{**A, "dependencies": ["gone"]}]
    again = plan_with_feedback(lambda told: bad, max_attempts=2)
    assert again.attempts[1].changes.is_empty


def test_feedback_about_steps_tells_what_they_need() -> None:
    steps = {"steps": [{"name": "rec-001"}, {"name": "b", "dependencies": ["rec-01"]}]}
    conversation = plan_with_feedback(lambda told: steps, max_attempts=1)
    told = conversation.attempts[0].feedback
    assert told is not None
    assert told.data["dependencies"] == {"rec-001": [], "b": ["rec-01"]}
    assert told.data["nearest"] == {"rec-01": ["rec-001"]}


def test_a_model_is_told_what_does_not_fit_and_the_plan_knows_the_catalog() -> None:
    told: List[str] = []
    scale = {"id": "a", "action": "scale", "parameters": {"name": "web"}}
    answers = iter([[{"id": "a", "action": "scal"}], [scale]])
    catalog = {"scale": Action(parameters=Scale, locks=lambda scale: [scale.name])}

    def ask(feedback: Feedback | None) -> List[Any]:
        told.append(str(feedback))
        return next(answers)

    conversation = plan_with_feedback(ask, catalog=catalog)
    assert conversation.ok
    assert 'has the action "scal", which is not in the catalog' in told[1]
    assert conversation.raise_for_plan().steps["scale"].locks == ("web",)


def test_a_catalog_that_changes_its_mind_ends_the_conversation_with_its_reason() -> None:
    answers = iter(range(100))
    fickle = {"verify": Action(locks=lambda _: [] if next(answers) < 1 else 1 / 0)}  # type: ignore[return-value]
    conversation = plan_with_feedback(lambda feedback: [{"id": "a", "action": "verify"}], catalog=fickle)
    assert not conversation.ok
    assert isinstance(conversation.error, wfplan.InvalidWorkflowError)
    with pytest.raises(wfplan.InvalidWorkflowError, match="ZeroDivisionError"):
        conversation.raise_for_plan()
