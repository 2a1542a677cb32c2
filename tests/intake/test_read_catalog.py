"""Reading with a catalog: what does not fit comes out with all else, where it is in the document."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple

import pytest
from pydantic import BaseModel, Field

import wfplan
from wfplan import Action, Compensation
from wfplan.intake import repair
from wfplan.prompting import Feedback, feedback, plan_with_feedback, prompt_instructions


class Target(BaseModel):
    name: str
    namespace: str = "default"


class Scale(Target):
    replicas: int = Field(ge=0, le=50)


CATALOG: Dict[str, Action] = {
    "scale": Action(
        parameters=Scale,
        effect="write",
        locks=lambda scale: [f"{scale.namespace}/{scale.name}"],
        rollback=lambda scale: Compensation(action="scale", parameters={"name": scale.name, "replicas": 1}),
    ),
    "restart": Action(parameters=Target, effect="destructive"),
    "verify": Action(effect="read"),
}


def found(reading: wfplan.Reading) -> List[Tuple[str, str]]:
    return [(problem.code, problem.location) for problem in reading.problems if problem.severity == "error"]


def document(*items: Dict[str, Any]) -> Dict[str, Any]:
    return {"recommendations": list(items)}


def as_text(value: Any) -> str:
    return json.dumps(value)


def in_prose(value: Any) -> str:
    return f"Here is the plan:\n```json\n{json.dumps(value)}\n```"


WHOLE = document(
    {"id": "a", "action": "scale", "parameters": {"name": "web", "replicas": 3}},
    {"id": "b", "action": "verify", "dependencies": ["a"]},
)
FLAWED = document(
    {"id": "a", "action": "scal", "parameters": {"name": "web"}},
    {"id": "b", "action": "scale", "parameters": {"name": "web", "replicas": 99, "namespce": "x"}, "confidence": 95},
    {"id": "c", "action": "verify", "dependencies": ["d"]},
)


@pytest.mark.parametrize("written", [as_text, in_prose, dict])
def test_a_document_that_fits_is_read_as_without_a_catalog(written: Any) -> None:
    assert wfplan.read(written(WHOLE), catalog=CATALOG) == wfplan.read(written(WHOLE))


@pytest.mark.parametrize("written", [as_text, dict])
def test_everything_that_does_not_fit_comes_out_in_one_pass_with_its_place(written: Any) -> None:
    reading = wfplan.read(written(FLAWED), catalog=CATALOG)
    assert sorted(found(reading)) == [
        ("invalid-field", "/recommendations/1/confidence"),
        ("invalid-parameters", "/recommendations/1/parameters/namespce"),
        ("invalid-parameters", "/recommendations/1/parameters/replicas"),
        ("unknown-action", "/recommendations/0/action"),
        ("unknown-dependency", "/recommendations/2/dependencies/0"),
    ]
    by_code = {problem.code: problem for problem in reading.problems}
    assert by_code["unknown-action"].steps == ("a",)
    assert by_code["unknown-action"].suggestion == 'did you mean "scale"?'


def test_places_are_those_of_the_original_spelling() -> None:
    answer = document({"step": "a", "id": "a", "tool": "scal"}, {"id": "b", "tool": "restart", "args": {"nme": "x"}})
    assert found(wfplan.read(answer, catalog=CATALOG)) == [
        ("unknown-action", "/recommendations/0/tool"),
        ("invalid-parameters", "/recommendations/1/args/name"),
        ("invalid-parameters", "/recommendations/1/args/nme"),
    ]


def test_the_recommendations_stay_as_they_were_written() -> None:
    answer = document({"id": "a", "action": "scale", "parameters": {"name": "web", "replicas": "3"}})
    reading = wfplan.read(answer, catalog=CATALOG)
    assert reading.recommendations[0].parameters == {"name": "web", "replicas": "3"}
    plan = wfplan.plan(reading, catalog=CATALOG)
    assert plan.steps["scale"].parameters == {"name": "web", "namespace": "default", "replicas": 3}


def test_steps_are_looked_up_by_their_action_or_their_name() -> None:
    reading = wfplan.read(
        {"steps": [{"name": "verify"}, {"name": "x"}, {"name": "y", "timeout_seconds": -1}]}, catalog=CATALOG
    )
    assert sorted(found(reading)) == [
        ("invalid-field", "/steps/2/timeout_seconds"),
        ("unknown-action", "/steps/1/action"),
        ("unknown-action", "/steps/2/action"),
    ]


def test_what_a_step_claims_of_itself_is_told_with_its_place() -> None:
    step = {"name": "restart", "parameters": {"name": "web"}, "effect": "read", "idempotent": True}
    reading = wfplan.read({"steps": [{**step, "rollback": {"action": "verify"}}]}, catalog=CATALOG)
    assert reading.ok
    assert [(problem.code, problem.location) for problem in reading.problems] == [
        ("overruled-field", "/steps/0/effect"),
        ("overruled-field", "/steps/0/idempotent"),
        ("overruled-field", "/steps/0/rollback"),
    ]
    planned = wfplan.plan(reading, catalog=CATALOG)
    assert planned.steps["restart"].effect == "destructive"
    assert planned.steps["restart"].rollback is None
    assert planned.problems == reading.problems  # once, not twice


def test_an_effect_that_a_recommendation_claims_is_commentary() -> None:
    answer = document({"id": "a", "action": "restart", "parameters": {"name": "web"}, "effect": "read"})
    reading = wfplan.read(answer, catalog=CATALOG)
    assert [problem.code for problem in reading.problems] == ["unknown-field"]
    assert wfplan.plan(reading, catalog=CATALOG).steps["restart"].effect == "destructive"


def test_parameters_that_are_no_json_are_told_once() -> None:
    answer = document({"id": "a", "action": "verify", "parameters": {"x": float("nan")}})
    assert found(wfplan.read(answer, catalog=CATALOG)) == [("invalid-field", "/recommendations/0/parameters/x")]


@pytest.mark.parametrize(
    "item", [{"id": "a", "action": 5}, {"id": "a", "action": "verify", "parameters": 5}, {"action": "x"}]
)
def test_what_cannot_be_looked_up_has_other_problems(item: Dict[str, Any]) -> None:
    reading = wfplan.read(document(item, {"id": "b", "action": "verify", "dependencies": ["b"]}), catalog=CATALOG)
    assert {code for code, _ in found(reading)} == {"invalid-field", "self-dependency"}


@pytest.mark.parametrize("catalog", [[], {"*": Action()}, {"a": 1}, {1: Action()}, "scale"])
@pytest.mark.parametrize("written", [as_text, dict])
def test_what_is_no_catalog_is_a_problem_and_no_exception(catalog: Any, written: Any) -> None:
    reading = wfplan.read(written(WHOLE), catalog=catalog)
    assert not reading.ok
    assert {code for code, _ in found(reading)} == {"invalid-catalog"}
    assert len(reading.recommendations) == 2


@pytest.mark.parametrize("written", [as_text, in_prose, dict])
def test_planning_a_reading_tells_nothing_twice(written: Any) -> None:
    reading = wfplan.read(written(FLAWED), catalog=CATALOG)
    told = wfplan.check(reading, catalog=CATALOG)
    assert sorted(map(str, told)) == sorted(map(str, reading.problems))


def test_a_replaced_action_is_looked_at_again_when_it_is_planned() -> None:
    reading = wfplan.read(as_text(FLAWED["recommendations"][:1]), catalog=CATALOG)
    better = reading.replace("a", action="verify", parameters={})
    assert better.ok
    assert wfplan.plan(better, catalog=CATALOG).steps["verify"].effect == "read"
    worse = reading.replace("a", action="wipe")
    assert worse.ok
    with pytest.raises(wfplan.InvalidWorkflowError, match='the action "wipe"'):
        wfplan.plan(worse, catalog=CATALOG)


def test_another_change_leaves_what_the_catalog_said() -> None:
    reading = wfplan.read(as_text(FLAWED["recommendations"][:1]), catalog=CATALOG)
    assert found(reading.replace("a", confidence=0.5)) == found(reading)


def test_mending_leaves_what_the_catalog_said() -> None:
    answer = document({"id": "a", "action": "verify"}, {"id": "b", "action": "x", "dependencies": ["a", "a"]})
    mended = repair(wfplan.read(answer, catalog=CATALOG))
    assert [problem.code for problem in mended.problems] == ["unknown-action", "repaired"]


def test_a_model_is_told_what_does_not_fit_and_the_plan_knows_the_catalog() -> None:
    told: List[str] = []
    answers = iter([as_text(document({"id": "a", "action": "scal"})), as_text(WHOLE)])

    def ask(feedback: Feedback | None) -> str:
        told.append(str(feedback))
        return next(answers)

    conversation = plan_with_feedback(ask, catalog=CATALOG)
    assert conversation.ok
    assert 'has the action "scal", which is not in the catalog' in told[1]
    assert conversation.raise_for_plan().steps["scale"].locks == ("default/web",)


def test_feedback_lists_the_actions_of_the_catalog_and_shows_its_form() -> None:
    told = feedback((), catalog=CATALOG)
    assert str(told).endswith(prompt_instructions(CATALOG))
    assert told.data["instructions"] == prompt_instructions(CATALOG)
    assert set(told.data["example"]["recommendations"][0]["action"]) == {"pause_writes"}
    assert wfplan.read(told.data["example"], strict=True).ok
    assert str(feedback(())).endswith(prompt_instructions())


def test_feedback_never_raises_whatever_the_catalog() -> None:
    reading = wfplan.read(as_text(WHOLE), catalog={"*": Action()})
    told = feedback(reading.problems, reading.recommendations, catalog={"*": Action()})
    assert "patterns are not known" in str(told)
    assert told.instructions == prompt_instructions()


def test_a_catalog_that_changes_its_mind_ends_the_conversation_with_its_reason() -> None:
    answers = iter(range(100))
    fickle = {"verify": Action(locks=lambda _: [] if next(answers) < 1 else 1 / 0)}  # type: ignore[return-value]
    conversation = plan_with_feedback(lambda feedback: [{"id": "a", "action": "verify"}], catalog=fickle)
    assert not conversation.ok
    assert isinstance(conversation.error, wfplan.InvalidWorkflowError)
    with pytest.raises(wfplan.InvalidWorkflowError, match="ZeroDivisionError"):
        conversation.raise_for_plan()
