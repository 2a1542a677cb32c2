"""What is handed out cannot change a plan, and two plans are equal if and only if they are the same to run."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfplan import (
    Compensation,
    ExecutionBatch,
    ExecutionPlan,
    ExecutionReport,
    ExecutionStrategy,
    Recommendation,
    RetryPolicy,
    Step,
    Workflow,
    plan,
    run,
)
from wfplan._internal.json import FrozenDict, FrozenList
from wfplan._internal.model import construct_unchecked
from wfplan.models import to_plain

COPIES: List[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)),
]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab\u00e9")
)
ZEROS_AND_ONES = st.sampled_from([0, 1, 0.0, -0.0, 1.0, True, False, None, "", "1"])


def objects(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Dict[str, Any]]:
    keys = st.sampled_from(["a", "b", "execution_mode"])
    inner = st.recursive(
        scalars, lambda inside: st.lists(inside, max_size=2) | st.dictionaries(keys, inside, max_size=2)
    )
    return st.dictionaries(keys, inner, max_size=3)


def mutators(mutable: type, immutable: type, *more: str) -> List[str]:
    """The methods that change an instance: what the abstract class has and its read-only one has not, and `more`."""
    return sorted(name for name in {*dir(mutable), *more}.difference(dir(immutable)) if "marker" not in name)


DICT_ARGUMENTS: Dict[str, Any] = {
    "__setitem__": ("a", 2),
    "__delitem__": ("a",),
    "__ior__": ({"b": 1},),
    "pop": ("a",),
    "setdefault": ("b", 1),
    "update": ({"b": 1},),
}
LIST_ARGUMENTS: Dict[str, Any] = {
    "__setitem__": (0, 3),
    "__delitem__": (0,),
    "__iadd__": ([1],),
    "__imul__": (2,),
    "append": (1,),
    "extend": ([1],),
    "insert": (0, 1),
    "remove": (2,),
}
SET_UPDATES = ("difference_update", "intersection_update", "symmetric_difference_update", "update")


@pytest.mark.parametrize("method", mutators(MutableMapping, Mapping, "__ior__"))
def test_a_frozen_object_refuses_to_be_changed(method: str) -> None:
    frozen = Step(name="a", parameters={"a": 1}).parameters
    with pytest.raises(TypeError, match="to_plain"):
        getattr(frozen, method)(*DICT_ARGUMENTS.get(method, ()))
    assert frozen == {"a": 1}


@pytest.mark.parametrize("method", mutators(MutableSequence, Sequence, "__imul__", "sort"))
def test_a_frozen_list_refuses_to_be_changed(method: str) -> None:
    frozen = Step(name="a", parameters={"a": [2, 1]}).parameters["a"]
    with pytest.raises(TypeError, match="to_plain"):
        getattr(frozen, method)(*LIST_ARGUMENTS.get(method, ()))
    assert frozen == [2, 1]


@pytest.mark.parametrize("method", mutators(MutableSet, AbstractSet, *SET_UPDATES))
def test_the_shared_set_of_fields_refuses_to_be_changed(method: str) -> None:
    fields = plan({"a": []}).model_fields_set
    before = set(fields)
    with pytest.raises(TypeError, match="change a copy"):
        getattr(fields, method)(*(() if method in ("pop", "clear") else ({"x"},)))
    assert fields == before


def test_calling_the_constructor_again_changes_nothing() -> None:
    step = Step(name="a", parameters={"a": [1]})
    step.parameters.__init__(b=1)  # type: ignore[misc]
    step.parameters["a"].__init__([2])
    assert step.parameters == {"a": [1]}


@pytest.mark.parametrize("duplicate", COPIES)
def test_copies_of_the_shared_set_are_plain(duplicate: Callable[[Any], Any]) -> None:
    fields = plan({"a": []}).model_fields_set
    assert type(duplicate(fields)) is set
    assert duplicate(fields) == fields
    assert type(fields.copy()) is set
    assert type(duplicate(plan({"a": []})).model_fields_set) is set


def places(value: Any) -> List[Any]:
    """The value and all that is in it."""
    found = [value]
    for part in found:
        found += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return found


def holders(value: Any) -> List[Any]:
    """All JSON objects of a step or a recommendation."""
    found = [value.parameters, value.metadata]
    return found + ([value.rollback.parameters] if getattr(value, "rollback", None) else [])


@given(objects(SCALARS))
def test_objects_are_frozen_all_the_way_down_however_they_came_in(content: Dict[str, Any]) -> None:
    fields = {"parameters": content, "metadata": content, "rollback": {"action": "undo", "parameters": content}}
    made = Step.model_validate({"name": "a", **fields})
    read = Step.model_validate_json(made.model_dump_json())
    proposed = Recommendation(id="a", action="a", parameters=content, metadata=content)
    planned = plan([proposed]).workflow.steps[0]
    for step in (made, read, proposed, planned, made.model_copy(), *(duplicate(made) for duplicate in COPIES)):
        for holder in holders(step):
            assert holder == content
            assert {type(part) for part in places(holder) if isinstance(part, dict)} == {FrozenDict}
            assert {type(part) for part in places(holder) if isinstance(part, list)} <= {FrozenList}
            assert json.loads(json.dumps(holder)) == content
            assert dict(**holder) == content
            plain = to_plain(holder)
            assert plain == content
            assert {type(part) for part in places(plain) if isinstance(part, (dict, list))} <= {dict, list}
        dumped = step.model_dump()["parameters"]
        assert dumped == content
        assert {type(part) for part in places(dumped) if isinstance(part, (dict, list))} <= {dict, list}


def test_empty_ones_are_one_object() -> None:
    empty = Step(name="a").parameters
    step = Step(name="a", parameters={"o": {}, "p": {}, "l": [], "m": ()}, metadata={})
    read = Step.model_validate_json('{"name": "a", "parameters": {}, "metadata": {"o": {}}}')
    others = [
        step.parameters["o"],
        step.metadata,
        read.parameters,
        read.metadata["o"],
        *holders(plan({"a": []}).steps["a"]),
    ]
    assert all(other is empty for other in [*others, Compensation(action="x").parameters])
    assert step.parameters["l"] is step.parameters["m"]
    assert isinstance(empty, FrozenDict)


def test_values_can_be_members_of_sets() -> None:
    one, other = (Step(name="a", parameters={"a": [1, {"b": ()}]}) for _ in range(2))
    assert {one, other} == {one}
    assert {plan([one]), plan([other])} == {plan([one])}


def test_an_executor_cannot_change_the_plan() -> None:
    seen: List[Any] = []

    class Popping:
        def execute(self, call: Any) -> None:
            seen.append((call.step.parameters.pop("replicas"), call.idempotency_key))
            raise ValueError

    planned = plan([Step(name="a", parameters={"replicas": 3}, retry=RetryPolicy(max_attempts=2))])
    before = planned.fingerprint
    report = run(planned, Popping())
    assert report.steps["a"].attempts == 2
    assert seen == [(3, seen[0][1])] * 2
    assert planned.steps["a"].parameters == {"replicas": 3}
    assert planned.model_copy().fingerprint == before


def test_a_function_gets_a_plain_copy_for_each_attempt() -> None:
    seen: List[Any] = []

    def scale(labels: Dict[str, Any], ports: List[int]) -> None:
        seen.append((type(labels), type(ports), copy.deepcopy(labels), list(ports)))
        labels["changed"] = True
        ports.clear()
        raise ValueError

    step = Step(name="scale", parameters={"labels": {"a": 1}, "ports": [80]}, retry=RetryPolicy(max_attempts=2))
    run(plan([step]), {"scale": scale})
    assert seen == [(dict, list, {"a": 1}, [80])] * 2


@given(objects(ZEROS_AND_ONES), objects(ZEROS_AND_ONES), st.sampled_from(["parameters", "metadata"]))
def test_plans_are_equal_if_and_only_if_their_fingerprints_are(
    one: Dict[str, Any], other: Dict[str, Any], field: str
) -> None:
    first, second = (plan([Step.model_validate({"name": "a", field: content})]) for content in (one, other))
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (first == second) is same
    assert (first.workflow == second.workflow) is same
    assert (first.steps["a"] == second.steps["a"]) is same
    assert (first.fingerprint == second.fingerprint) is same
    assert not same or hash(first) == hash(second)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Recommendation, {"id": "a", "action": "a", "confidence": -0.0}),
        (Step, {"name": "a", "confidence": -0.0, "estimated_seconds": -0.0}),
        (RetryPolicy, {"delay_seconds": -0.0, "max_delay_seconds": -0.0}),
    ],
)
def test_a_number_field_has_no_negative_zero(model: Any, fields: Dict[str, Any]) -> None:
    for value in (model(**fields), model.model_validate_json(json.dumps(fields))):
        assert "-0.0" not in value.model_dump_json()


def test_commentary_is_compared_and_not_fingerprinted() -> None:
    one, other = plan([Step(name="a")]), plan([Step(name="a", description="why", confidence=0.5)])
    assert one != other
    assert one.fingerprint == other.fingerprint


CHANGES: Dict[str, Any] = {
    "workflow": plan({"b": []}).workflow,
    "batches": (ExecutionBatch(number=2, steps=["a"]),),
    "strategy": "parallel",
}


@pytest.mark.parametrize("field", ["workflow", "batches", "strategy"])
def test_a_copy_with_another_field_has_another_fingerprint(field: str) -> None:
    planned = plan({"a": []})
    before = planned.fingerprint
    changed = planned.model_copy(update={field: CHANGES[field]})
    assert changed.fingerprint != before
    fields = {**vars(planned), field: CHANGES[field]}
    assert changed.fingerprint == construct_unchecked(ExecutionPlan, fields).fingerprint
    vars(planned)[field] = CHANGES[field]
    assert planned.fingerprint == changed.fingerprint
    assert planned.model_copy(update={"problems": ()}).fingerprint == changed.fingerprint


STEP_CHANGES: Dict[str, Any] = {
    "name": "b",
    "action": "other",
    "parameters": FrozenDict(a=1),
    "dependencies": ("z",),
    "locks": ("l",),
    "metadata": FrozenDict(a=1),
    "recommendation_id": "r",
    "estimated_seconds": 1.0,
    "timeout_seconds": 1.0,
    "retry": RetryPolicy(),
    "rollback": Compensation(action="undo"),
    "effect": "read",
    "continue_on_failure": True,
    "idempotent": True,
}


@pytest.mark.parametrize("field", sorted(set(Step.model_fields) - {"description", "confidence"}))
def test_each_field_of_a_step_changes_the_fingerprint_after_it_was_read(field: str) -> None:
    planned = plan({"a": []})
    before = planned.fingerprint, planned.steps["a"]
    step = planned.workflow.steps[0].model_copy(update={field: STEP_CHANGES[field]})
    workflow = planned.workflow.model_copy(update={"steps": (step,)})
    changed = planned.model_copy(update={"workflow": workflow})
    assert changed.fingerprint != before[0]
    assert list(changed.steps.values()) == [step]
    assert (planned.fingerprint, planned.steps["a"]) == before


@pytest.mark.parametrize("field", sorted(ExecutionStrategy.model_fields))
def test_each_setting_changes_the_fingerprint_after_it_was_read(field: str) -> None:
    values: Dict[str, Any] = {"mode": "sequential", "schedule": "eager", "on_failure": "cancel", "max_parallel": 1}
    planned = plan({"a": []})
    before = planned.fingerprint
    settings = ExecutionStrategy.model_validate({field: values.get(field, 1 if "max" in field else True)})
    workflow = planned.workflow.model_copy(update={"execution_strategy": settings})
    assert planned.model_copy(update={"workflow": workflow}).fingerprint != before


@pytest.mark.parametrize("duplicate", COPIES)
def test_no_copy_has_what_was_remembered(duplicate: Callable[[Any], Any]) -> None:
    planned = plan({"a": []})
    fingerprint = planned.fingerprint
    copied = duplicate(planned)
    assert not hasattr(copied, "_derived")
    assert copied == planned
    assert copied.fingerprint == fingerprint
    assert list(vars(planned)) == list(ExecutionPlan.model_fields)


def test_a_report_is_frozen_however_it_was_made() -> None:
    report = run(plan({"a": []}), {"a": list})
    read = ExecutionReport.model_validate_json(report.model_dump_json())
    for one in (report, read, read.model_copy(), pickle.loads(pickle.dumps(read))):
        for reports in (one.steps, one.dry_run, one.rollback, one.keys):
            with pytest.raises(TypeError, match="to_plain"):
                reports.clear()
    assert repr(report).endswith(f"run {report.run_id}>")
    assert type(report.steps["a"].output) is list


def test_the_fingerprint_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    planned = plan({"a": []})
    fingerprint = planned.fingerprint
    monkeypatch.setattr(ExecutionPlan, "model_dump", None)
    assert planned.fingerprint == fingerprint
    assert hash(planned) == hash(fingerprint)


def test_representations_tell_plans_apart() -> None:
    one, other = (plan([Step(name="a", parameters={"n": value})]) for value in (1, True))
    assert repr(one) != repr(other)
    assert repr(one).endswith(f"{one.fingerprint[:8]}>")


def test_values_of_another_class_are_not_equal() -> None:
    assert Workflow(steps=[]) != Step(name="a")
    assert Step(name="a") != "a"


def test_frozen_values_are_their_own_copies() -> None:
    parameters = Step(name="a", parameters={"a": [1]}).parameters
    for frozen in (parameters, parameters["a"]):
        assert copy.copy(frozen) is frozen
        assert copy.deepcopy(frozen) is frozen
