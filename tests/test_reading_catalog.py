"""What a catalog said is part of a reading: `plan(reading)` is what `plan` with the catalog would be."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

import pytest
from pydantic import BaseModel, ValidationError, field_validator

import wfplan
from wfplan import Action, Compensation, InvalidWorkflowError, Problem, Reading, Recommendation
from wfplan.intake import repair

CALLS: List[str] = []


class Scale(BaseModel, extra="forbid"):
    name: str
    replicas: int = 1
    force: Any = None

    @field_validator("name")
    @classmethod
    def note(cls, name: str) -> str:
        CALLS.append("model")
        return name


def locks(parameters: Scale) -> List[str]:
    CALLS.append("locks")
    return [f"deployment/{parameters.name}"]


def rollback(parameters: Scale) -> Optional[Compensation]:
    CALLS.append("rollback")
    return Compensation(action="unscale", parameters={"name": parameters.name})


CATALOG = {
    "scale": Action(
        parameters=Scale,
        effect="write",
        locks=locks,
        rollback=rollback,
        idempotent=True,
        timeout_seconds=60,
        estimated_seconds=5,
    ),
    "verify": Action(effect="read"),
}
ANSWER: List[Dict[str, Any]] = [
    {"id": "1", "action": "scale", "parameters": {"name": "web", "replicas": "3"}, "dependencies": []},
    {"id": "2", "action": "scale", "parameters": {"name": "db"}, "dependencies": []},
    {"id": "3", "action": "verify", "dependencies": ["1", "2"]},
]


def reading_of(answer: Any = ANSWER) -> Reading:
    return wfplan.read(answer, catalog=CATALOG)


def errors(problems: Any) -> List[str]:
    return [problem.code for problem in problems if problem.severity == "error"]


@pytest.mark.parametrize("source", [ANSWER, json.dumps(ANSWER), f"Here you are:\n{json.dumps(ANSWER)}"])
def test_a_reading_is_planned_with_its_catalog(source: Any) -> None:
    """Locks, effects, compensations and times are on the steps."""
    planned = wfplan.plan(reading_of(source))
    step = planned.steps["scale-1"]
    assert step.locks == ("deployment/web",)
    assert (step.effect, step.idempotent, step.timeout_seconds, step.estimated_seconds) == ("write", True, 60, 5)
    assert step.parameters == {"name": "web", "replicas": 3, "force": None}
    assert step.rollback == Compensation(action="unscale", parameters={"name": "web"})
    assert planned.steps["verify"].effect == "read"
    assert planned.fingerprint == wfplan.plan(wfplan.read(ANSWER), catalog=CATALOG).fingerprint


def test_the_catalog_is_asked_once() -> None:
    """When the document is read, and never again, however often it is planned."""
    CALLS.clear()
    reading = reading_of([{"id": "1", "action": "scale", "parameters": {"name": "web", "replicas": 3, "force": None}}])
    for _ in range(3):
        wfplan.plan(reading)
        wfplan.plan(Reading.model_validate_json(reading.model_dump_json()))
        assert reading.ok
        wfplan.check(reading)
    assert CALLS == ["model", "locks", "rollback"]


def test_the_same_action_with_the_same_parameters_is_asked_about_once() -> None:
    CALLS.clear()
    parameters = {"name": "web", "replicas": 3, "force": None}
    items = [{"id": f"r{number}", "action": "scale", "parameters": parameters} for number in range(5)]
    reading = reading_of(items)
    assert CALLS == ["model", "locks", "rollback"]
    assert {step.locks for step in wfplan.plan(reading).steps.values()} == {("deployment/web",)}


def test_steps_have_what_they_say_more_strictly_of_themselves() -> None:
    step = {"name": "a", "action": "scale", "parameters": {"name": "web"}, "locks": ["mine"], "effect": "destructive"}
    planned = wfplan.plan(reading_of({"steps": [step]})).steps["a"]
    assert (planned.locks, planned.effect) == (("deployment/web", "mine"), "destructive")


def test_conflicts_are_looked_for_as_with_the_catalog() -> None:
    reading = reading_of([{**item, "parameters": {"name": "web"}} for item in ANSWER[:2]])
    assert "conflict" in [problem.code for problem in wfplan.plan(reading).problems]


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "verify"},
        {"parameters": {"name": "web"}},
        {"parameters": {"name": "web", "replicas": 3}},
        {"parameters": {"name": "web", "replicas": "3", "force": False}},
        {"action": "wipe"},
    ],
)
def test_an_item_that_was_changed_needs_the_catalog(changes: Dict[str, Any]) -> None:
    """What the catalog said was about something else."""
    changed = reading_of().replace("1", **changes)
    assert not changed.ok
    assert [(problem.code, problem.steps) for problem in changed.problems if problem.severity == "error"] == [
        ("catalog-needed", ("1",))
    ]
    with pytest.raises(InvalidWorkflowError) as caught:
        wfplan.plan(changed)
    assert errors(caught.value.problems) == errors(wfplan.check(changed)) == ["catalog-needed"]
    loaded = Reading.model_validate_json(changed.model_dump_json())
    assert not loaded.ok
    assert errors(wfplan.check(loaded)) == ["catalog-needed"]


def test_what_the_catalog_said_holds_for_every_item_that_asks_the_same() -> None:
    changed = reading_of().replace("1", action="verify", parameters={}).replace("3", dependencies=["2"])
    assert wfplan.plan(changed).steps["verify-1"].effect == "read"


def test_a_number_and_a_truth_value_are_not_the_same() -> None:
    """1 == True in Python, but not in JSON."""
    item = {"id": "1", "action": "scale", "parameters": {"name": "web", "force": 1}}
    for value in (True, 1.0):
        changed = reading_of([item]).replace("1", parameters={"name": "web", "force": value})
        assert errors(changed.problems) == ["catalog-needed"]


def test_with_the_catalog_a_changed_item_is_planned_or_refused() -> None:
    changed = reading_of().replace("1", parameters={"name": "api"})
    assert wfplan.plan(changed, catalog=CATALOG).steps["scale-1"].locks == ("deployment/api",)
    wrong = reading_of().replace("1", action="wipe")
    with pytest.raises(InvalidWorkflowError) as caught:
        wfplan.plan(wrong, catalog=CATALOG)
    assert errors(caught.value.problems) == ["unknown-action"]


def test_an_item_that_is_changed_back_needs_no_catalog() -> None:
    changed = reading_of().replace("1", parameters={"name": "api"}).replace("2", confidence=0.5)
    assert errors(changed.problems) == ["catalog-needed"]
    back = changed.replace("1", parameters=ANSWER[0]["parameters"])
    assert back.ok
    assert wfplan.plan(back).steps == wfplan.plan(reading_of().replace("2", confidence=0.5)).steps


def test_other_changes_keep_what_the_catalog_said() -> None:
    changed = reading_of().replace("3", dependencies=["1"]).replace("1", description="more")
    assert changed.ok
    assert wfplan.plan(changed).steps["scale-1"].locks == ("deployment/web",)


def test_a_changed_reading_keeps_the_settings_of_its_document_too() -> None:
    reading = reading_of({"execution_strategy": {"max_parallel": 2}, "recommendations": ANSWER})
    for changed in (reading, reading.replace("3", confidence=0.5)):
        planned = wfplan.plan(Reading.model_validate_json(changed.model_dump_json()))
        assert planned.workflow.execution_strategy.max_parallel == 2
        assert planned.steps["scale-1"].locks == ("deployment/web",)


def test_strictly_read_it_is_planned_with_its_catalog_as_well() -> None:
    strict = wfplan.read(ANSWER, catalog=CATALOG, strict=True)
    assert wfplan.plan(strict) == wfplan.plan(reading_of())
    refused = wfplan.read("Sure:\n" + json.dumps(ANSWER), catalog=CATALOG, strict=True)
    assert refused.resolved_actions == strict.resolved_actions
    assert not refused.ok


def test_of_many_unknown_keys_it_is_told_where_all_of_them_are() -> None:
    parameters = {f"key {number}": number for number in range(50)}
    reading = reading_of({"plan": [{"id": "1", "tool": "verify", "args": parameters}]})
    assert [problem.location for problem in reading.problems if problem.code == "invalid-parameters"][
        -1
    ] == "/plan/0/args"


def test_a_step_that_is_renamed_keeps_what_the_catalog_said() -> None:
    """The catalog knows actions, not names."""
    reading = reading_of({"steps": [{"name": "a", "action": "scale", "parameters": {"name": "web"}}]})
    assert wfplan.plan(reading.replace("a", name="b")).steps["b"].locks == ("deployment/web",)


def test_mending_keeps_what_the_catalog_said() -> None:
    mended = repair(reading_of([*ANSWER[:2], {**ANSWER[2], "dependencies": ["1", "2", "2"]}]))
    assert [problem.code for problem in mended.problems] == ["repaired"]
    assert wfplan.plan(mended).steps["scale-1"].locks == ("deployment/web",)


def test_a_replaced_item_has_the_problems_of_what_it_is_now() -> None:
    reading = reading_of([{"id": "1", "action": "scal", "parameters": {"name": "web"}}])
    assert errors(reading.problems) == ["unknown-action"]
    assert errors(reading.replace("1", confidence=0.5).problems) == ["unknown-action"]
    assert errors(reading.replace("1", action="scale").problems) == ["catalog-needed"]


def test_another_catalog_is_asked_alone() -> None:
    """What the first one said is forgotten: its refusals, its warnings, its locks."""
    other = {"scal": Action(effect="read"), "verify": Action(effect="write", idempotent=True)}
    step = {"name": "a", "action": "scal"}
    reading = reading_of(
        {"steps": [step, {"name": "b", "action": "verify", "dependencies": ["a"], "idempotent": True}]}
    )
    assert [problem.code for problem in reading.problems] == ["unknown-action", "overruled-field"]
    assert wfplan.check(reading, catalog=other) == ()
    assert wfplan.plan(reading, catalog=other).steps["b"].effect == "write"
    assert errors(wfplan.check(reading_of(), catalog={"verify": Action()})) == ["unknown-action"] * 2
    broken = wfplan.read(ANSWER, catalog={"*": Action()})
    assert errors(broken.problems) == ["invalid-catalog"]
    assert wfplan.plan(broken, catalog=CATALOG) == wfplan.plan(reading_of())


def test_other_errors_stay_with_another_catalog() -> None:
    reading = reading_of([{"id": "1", "action": "verify", "dependencies": ["2"]}])
    assert errors(wfplan.check(reading, catalog=CATALOG)) == ["unknown-dependency"]
    many = wfplan.read([{"id": f"r{number}", "action": "no"} for number in range(2000)], catalog=CATALOG)
    assert errors(many.problems)[-1] == "limit-exceeded"
    assert errors(wfplan.check(many, catalog={"no": Action()})) == []


def test_a_reading_without_a_catalog_needs_none() -> None:
    reading = wfplan.read(ANSWER)
    assert reading.resolved_actions is None
    assert reading.replace("1", action="wipe").ok


def test_edited_json_does_not_run_under_the_old_words() -> None:
    """Who changes an item in the JSON of a reading gets an error, not the parameters that were looked up before."""
    document = json.loads(reading_of().model_dump_json())
    document["recommendations"][0]["parameters"]["replicas"] = 9
    loaded = Reading.model_validate_json(json.dumps(document))
    assert not loaded.ok
    assert errors(wfplan.check(loaded)) == ["catalog-needed"]
    assert wfplan.plan(loaded, catalog=CATALOG).steps["scale-1"].parameters["replicas"] == 9


def test_a_copy_with_other_items_is_looked_at() -> None:
    """Also by Python's back doors."""
    added = (*reading_of().recommendations, Recommendation(id="4", action="wipe"))
    for update in ({"recommendations": added}, {"resolved_actions": ()}):
        copied = reading_of().model_copy(update=update)
        assert not copied.ok
        assert set(errors(wfplan.check(copied))) == {"catalog-needed"}


def test_a_reading_made_by_hand_is_ok_if_it_can_be_planned() -> None:
    made = reading_of()
    for resolved in (None, made.resolved_actions, (), made.resolved_actions and made.resolved_actions[:1]):
        by_hand = Reading(recommendations=made.recommendations, resolved_actions=resolved)
        assert by_hand.ok == (not errors(wfplan.check(by_hand)))
        assert by_hand.ok == (resolved is None or resolved == made.resolved_actions)


def test_what_is_not_what_a_catalog_says_is_refused() -> None:
    document = json.loads(reading_of().model_dump_json())
    document["resolved_actions"][0]["effect"] = "harmless"
    with pytest.raises(ValidationError):
        Reading.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("as_text", [json.dumps, dict])
@pytest.mark.parametrize("catalog", [None, CATALOG])
def test_a_document_says_nothing_for_the_catalog(as_text: Any, catalog: Any) -> None:
    """It may come from anywhere; and what a dump holds is not passed over, either."""
    dump = json.loads(reading_of().model_dump_json())
    document = {key: dump[key] for key in ("recommendations", "resolved_actions")}
    (problem,) = wfplan.read(as_text(document), catalog=catalog).problems
    assert (problem.code, problem.location, problem.severity) == ("order-not-read", "/resolved_actions", "error")


def test_a_problem_of_the_first_reading_is_not_lost() -> None:
    lenient = reading_of("Sure:\n" + json.dumps(ANSWER))
    kept: Problem = lenient.problems[0]
    assert kept in wfplan.plan(lenient, catalog=CATALOG).problems
