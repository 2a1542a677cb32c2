"""Values: frozen, strict, and changed by making new ones."""

from __future__ import annotations

from typing import Any, Dict

import pytest
from pydantic import ValidationError

from wfplan import Compensation, ExecutionPlan, ExecutionStrategy, Recommendation, RetryPolicy, Step, Workflow, plan
from wfplan._internal.json import NotJsonError, copy_json_object, freeze_parsed_object

STEPS = [Step(name="a"), Step(name="b", dependencies=["a"]), Step(name="c", dependencies=["b"]), Step(name="d")]
WORKFLOW = Workflow(steps=STEPS, name="four", execution_strategy=ExecutionStrategy(max_parallel=2))


def names(workflow: Workflow) -> list[str]:
    return [step.name for step in workflow.steps]


def test_replace_changes_one_step_and_nothing_else() -> None:
    changed = WORKFLOW.replace("b", timeout_seconds=3, dependencies=[])
    assert changed.steps[1] == Step(name="b", timeout_seconds=3)
    assert changed.steps[0] is WORKFLOW.steps[0]
    assert (changed.name, changed.execution_strategy) == ("four", WORKFLOW.execution_strategy)
    assert WORKFLOW.steps[1].dependencies == ("a",)


def test_replace_can_rename_and_keeps_the_action() -> None:
    assert WORKFLOW.replace("d", name="e").steps[3] == Step(name="e", action="d")


def test_replace_changes_the_first_of_a_name() -> None:
    twice = Workflow(steps=[Step(name="a"), Step(name="a")])
    assert names(twice.replace("a", name="b")) == ["b", "a"]


def test_replace_validates() -> None:
    with pytest.raises(ValidationError):
        WORKFLOW.replace("b", timeout_seconds=-1)


def test_add_and_without() -> None:
    assert names(WORKFLOW.add(Step(name="e"), Step(name="f"))) == ["a", "b", "c", "d", "e", "f"]
    assert names(WORKFLOW.without("b", "d")) == ["a", "c"]


def test_select_takes_along_what_is_needed() -> None:
    assert names(WORKFLOW.select("c")) == ["a", "b", "c"]
    assert names(WORKFLOW.select("d", "b")) == ["a", "b", "d"]
    assert names(WORKFLOW.select("c", "b", "c")) == ["a", "b", "c"]
    assert names(Workflow(steps=[Step(name="x", dependencies=["gone"])]).select("x")) == ["x"]


@pytest.mark.parametrize("method", ["replace", "without", "select"])
def test_an_unknown_name_is_a_key_error(method: str) -> None:
    with pytest.raises(KeyError, match='no step is named "z"'):
        getattr(WORKFLOW, method)("z")


def test_a_workflow_shows_itself_in_short() -> None:
    assert repr(WORKFLOW) == "<Workflow 'four': 4 steps>"


def test_the_action_of_a_step_is_its_name_unless_given() -> None:
    assert Step(name="restart").action == "restart"
    assert Step.model_validate_json('{"name": "restart", "action": "restart_pods"}').action == "restart_pods"
    assert "default" not in Step.model_json_schema()["properties"]["action"]


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Step, {"name": "a", "action": ""}),
        (Step, {"name": "a", "action": None}),
        (Step, {"name": "a", "dependencies": "b"}),
        (Step, {"name": "a", "dependencies": {"b"}}),
        (Step, {"name": "a", "dependencies": None}),
        (Step, {"name": "a", "locks": [""]}),
        (Step, {"name": "a", "effect": "none"}),
        (Step, {"name": "a", "timeout_seconds": 0}),
        (Step, {"name": "a", "estimated_seconds": float("inf")}),
        (Step, {"name": "a", "continue_on_failure": 1}),
        (Step, {"name": "a", "unknown": 1}),
        (Recommendation, {"id": "a"}),
        (Recommendation, {"id": "a", "action": "x" * 1025}),
        (Recommendation, {"id": "a", "action": "x", "confidence": True}),
        (Recommendation, {"id": "a", "action": "x", "confidence": "0.9"}),
        (RetryPolicy, {"max_attempts": 0}),
        (RetryPolicy, {"max_attempts": 1.0}),
        (RetryPolicy, {"factor": 0.5}),
        (Compensation, {"action": ""}),
        (ExecutionStrategy, {"mode": "parallel"}),
        (ExecutionStrategy, {"max_parallel": 0}),
        (ExecutionStrategy, {"max_batch_size": True}),
        (Workflow, {"steps": [], "schema_version": 2}),
        (Workflow, {"steps": {Step(name="a").name}}),
    ],
)
def test_what_does_not_fit_is_refused(model: Any, fields: Dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model(**fields)


def test_values_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        STEPS[0].name = "z"  # type: ignore[misc]


def test_parameters_are_copied_in() -> None:
    inner = {"list": [1, (2, 3)]}
    step = Step(name="a", parameters=inner)
    inner["list"].append(4)
    assert step.parameters == {"list": [1, [2, 3]]}


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"bytes",
        object(),
        float("nan"),
        float("-inf"),
        "\ud800",
        10**4300,
        {"\udfff": 1},
        {1: 2},
        [[{"x": {1}}]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_parameters_hold_json_only(value: Any) -> None:
    with pytest.raises(ValidationError, match="parameters"):
        Step(name="a", parameters={"key": value})


def test_subclasses_of_json_types_become_the_plain_types() -> None:
    class Number(float):
        pass

    class Word(str):
        __slots__ = ()

    copied = copy_json_object({"n": Number(1.5), "w": Word("w"), "t": True, "i": 3})
    assert [type(value) for value in copied.values()] == [float, str, bool, int]


def test_parameters_may_have_64_levels_and_no_more() -> None:
    def nested(levels: int) -> Dict[str, Any]:
        value: Dict[str, Any] = {}
        for _ in range(levels - 1):
            value = {"in": value}
        return value

    assert Step(name="a", parameters=nested(64)).parameters == nested(64)
    with pytest.raises(ValidationError, match="64 levels"):
        Step(name="a", parameters=nested(65))


def test_an_object_that_multiplies_itself_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfplan._internal.json.MAX_VALUES", 20_000)  # a million takes the same way, and seconds
    value: Any = ["x"] * 10
    for _ in range(20):
        value = [value, value]
    with pytest.raises(NotJsonError, match="20,000 values"):
        copy_json_object({"bomb": value})
    with pytest.raises(NotJsonError, match="20,000 values"):
        freeze_parsed_object(dict.fromkeys(map(str, range(20_001))))


def test_a_value_that_is_no_json_tells_where_it_is() -> None:
    with pytest.raises(NotJsonError) as caught:
        copy_json_object({"a": [0, {"b": float("nan")}]})
    assert caught.value.path == ("a", 1, "b")
    assert str(caught.value) == 'at "a"/1/"b" is nan, which JSON cannot hold'


def test_steps_by_name_is_a_read_only_mapping_in_declared_order() -> None:
    planned = plan(WORKFLOW)
    assert list(planned.steps) == ["a", "b", "c", "d"]
    assert len(planned.steps) == 4
    assert planned.steps["b"] is WORKFLOW.steps[1]
    assert repr(planned.steps) == "<StepsByName: a, b, c, d>"
    assert "z" not in planned.steps
    with pytest.raises(TypeError):
        planned.steps["z"] = STEPS[0]  # type: ignore[index]


def test_steps_by_name_follows_a_copy_with_another_workflow() -> None:
    planned = plan(WORKFLOW)
    assert "d" in planned.steps
    assert "d" not in planned.model_copy(update={"workflow": WORKFLOW.without("d")}).steps


def test_the_problems_of_a_plan_are_warnings() -> None:
    planned = plan([])
    assert ExecutionPlan.model_validate(planned.model_dump()) == planned
    error = planned.problems[0].model_copy(update={"severity": "error"})
    with pytest.raises(ValidationError, match="warnings only"):
        ExecutionPlan(workflow=planned.workflow, batches=[], strategy="sequential", problems=[error])


def test_plans_show_themselves() -> None:
    planned = plan(WORKFLOW)
    assert repr(planned) == f"<ExecutionPlan sequential-with-parallel: 4 steps in 3 batches, {planned.fingerprint[:8]}>"
    assert str(planned).startswith("sequential-with-parallel: 4 steps in 3 batches\n\nbatch  parallel")
    assert str(plan([])) == "sequential: 0 steps in 0 batches"
    assert str(plan({"a": []})).startswith("sequential: 1 step in 1 batch\n")
    assert planned != WORKFLOW


def test_what_cannot_be_printed_is_escaped_in_a_table() -> None:
    assert "\\x1b[2Jboom\\n" in str(plan([Step(name="a", action="\x1b[2Jboom\n")]))
