"""One document has one meaning: its dump reads as itself, and YAML says what JSON says."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Set

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from reading_strategies import TABLES, Document, documents
from strategies import json_objects, recommendation_lists, workflows

import wfplan
from wfplan import Recommendation, Workflow


def _keys_in(value: Any) -> Set[str]:
    if isinstance(value, dict):
        return {key.lower() for key in value}.union(*map(_keys_in, value.values()))
    return set().union(*map(_keys_in, value)) if isinstance(value, (list, tuple)) else set()


def _strings_in(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(map(_strings_in, value.values()))
    return "".join(map(_strings_in, value)) if isinstance(value, (list, tuple)) else str(value)


def _states_no_order_twice(items: Any) -> bool:
    """Whether no metadata hold a word of order, and no parameters what looks like a reference."""
    return not any(
        set(TABLES.ORDER) & _keys_in(item.metadata)
        or any(mark in _strings_in(item.parameters) for mark in ("$", "#", "{{", "<"))
        for item in items
    )


def _read_as_checked(source: Any, dump: Any, *, strict: bool = False) -> wfplan.Reading:
    """The reading of a dump has no problem that the source itself has not."""
    reading = wfplan.read(dump, strict=strict)
    known = {(problem.code, problem.severity) for problem in wfplan.check(source)}
    assert {(problem.code, problem.severity) for problem in reading.problems} <= known | {("no-dependencies", "info")}
    assert reading.ok
    return reading


@given(workflow=workflows(), strict=st.booleans())
def test_the_dump_of_a_workflow_is_that_workflow(workflow: Workflow, *, strict: bool) -> None:
    """As text, as objects, and as YAML but for the warning that it is YAML; whether or not a step needs another."""
    assume(_states_no_order_twice(workflow.steps))
    plain = workflow.model_dump(mode="json")
    for dump in (workflow.model_dump_json(), workflow.model_dump(), plain):
        reading = _read_as_checked(workflow, dump, strict=strict)
        assert reading.workflow == workflow
        assert reading.workflow.model_dump_json() == workflow.model_dump_json()


@given(source=workflows() | recommendation_lists(), strict=st.booleans())
def test_the_dump_of_a_plan_is_its_workflow(source: Any, *, strict: bool) -> None:
    plan = wfplan.plan(source)
    assume(_states_no_order_twice(plan.workflow.steps))
    for dump in (plan.model_dump_json(), plan.model_dump(), plan.model_dump(mode="json")):
        reading = _read_as_checked(plan.workflow, dump, strict=strict)
        assert reading.workflow == plan.workflow
        assert wfplan.plan(reading).fingerprint == plan.fingerprint


@given(recommendations=recommendation_lists(), strict=st.booleans())
def test_the_dump_of_recommendations_is_these(recommendations: List[Recommendation], *, strict: bool) -> None:
    assume(_states_no_order_twice(recommendations))
    for mode in ("python", "json"):
        items = [item.model_dump(mode=mode) for item in recommendations]
        documents_: List[Any] = [{"recommendations": items}, items]
        for dump in [*documents_, *(map(json.dumps, documents_) if mode == "json" else ())]:
            reading = _read_as_checked(recommendations, dump, strict=strict)
            assert reading.recommendations == tuple(recommendations)


# -------------------------------------------------------------------------------------------------------------- YAML

_TRAPS = (
    *("yes", "no", "on", "off", "Y", "n", "true", "True", "FALSE", "null", "Null", "~", "", " ", "none", "None"),
    *("1", "017", "0o17", "0x1F", "0b11", "1_000", "1e3", "1.0", "1.", ".5", "+1", "-0", "-.inf", ".nan", "12:30"),
    *(
        "1:30:00",
        "2001-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "=",
        "<<",
        "!x",
        "&a",
        "*a",
        "- a",
        "a: b",
        "#c",
        "a #b",
    ),
    *("[a]", "{a: b}", "'", '"', "\\n", "a\nb", " a", "a ", "%", "@x", "`x`", "|", ">", "?", "é", "中", "\u2028"),
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(_TRAPS),
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"), max_size=5),
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from((*_TRAPS, "k", "l")), inner, max_size=3)
    ),
    max_leaves=8,
)


class _Dumper(yaml.SafeDumper):
    """Writes each string that could be anything else in quotes, as a careful author does."""


def _quoted(dumper: _Dumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Dumper.add_representer(str, _quoted)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[assignment, method-assign]


def _items(value: Any, ids: List[str]) -> List[Dict[str, Any]]:
    return [
        {"id": one, "action": "x", "parameters": {"p": value}, "metadata": {"m": value}, "dependencies": ids[:position]}
        for position, one in enumerate(ids)
    ]


def _fingerprint(source: Any) -> str:
    reading = wfplan.read(source)
    assert reading.ok, reading.problems
    return wfplan.plan(reading, naming="id").fingerprint


_ids = st.lists(st.sampled_from(("1", "017", "1.0", "true", "yes", "null", "1e3", "a", "0x1F", "~", "on")), unique=True)


@given(value=_values, ids=_ids.filter(bool), flow=st.booleans())
def test_yaml_and_json_of_one_document_give_one_fingerprint(value: Any, ids: List[str], *, flow: bool) -> None:
    """Values of all types of JSON, strings that look like others, ids that look like numbers."""
    assume(_states_no_order_twice([wfplan.Recommendation(id="q", action="x", parameters={"p": value})]))
    assume(not set(TABLES.ORDER) & _keys_in(value))
    document = {"recommendations": _items(value, ids)}
    text = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, allow_unicode=True, width=10**6
    )
    assert yaml.safe_load(text) == document
    assert _fingerprint(text) == _fingerprint(json.dumps(document)) == _fingerprint(document)


@given(document=documents(), flow=st.booleans())
def test_a_document_is_the_same_in_yaml(document: Document, *, flow: bool) -> None:
    text = yaml.safe_dump(document.whole, sort_keys=False, default_flow_style=flow)
    assert _fingerprint(text) == _fingerprint(document.whole)


@given(parameters=json_objects())
def test_json_is_yaml(parameters: Dict[str, Any]) -> None:
    """A JSON document behind a comment can only be YAML."""
    assume(_states_no_order_twice([wfplan.Recommendation(id="q", action="x", parameters=parameters)]))
    text = json.dumps({"recommendations": [{"id": "a", "action": "x", "parameters": parameters, "dependencies": []}]})
    assert _fingerprint(f"# by hand\n{text}\n") == _fingerprint(text)


PLAIN_SCALARS: Dict[str, Any] = {
    **dict.fromkeys(("null", "Null", "NULL", "~", "")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    "0": 0,
    "7": 7,
    "-7": -7,
    "+7": 7,
    "0x1F": 31,
    "123456789012345678901": 123456789012345678901,
    "1.5": 1.5,
    "-1.5e-3": -0.0015,
    ".5": 0.5,
    "1.0": 1.0,
    "6.02e+23": 6.02e23,
}
TOLD = ("yes", "No", "on", "OFF", "017", "0o17", "0b11", "1_000", "12:30", "1:30:15", "1e3")
STRINGS = ("a", "None", "nil", "1.2.3", "v1", "1Gi", "tRue", "a b", "0x", "--", "2024-W05", "http://x/y", "a#b")


def _parameter_of(text: str) -> Any:
    reading = wfplan.read(f"steps:\n- id: a\n  action: x\n  dependencies: []\n  parameters:\n    p: {text}\n")
    assert reading.ok, reading.problems
    told = any("/parameters/p" in problem.location for problem in reading.problems)
    return reading.items[0].parameters["p"], told


@pytest.mark.parametrize("text", list(PLAIN_SCALARS))
def test_plain_scalars_follow_the_core_schema(text: str) -> None:
    value, told = _parameter_of(text)
    assert (type(value), value) == (type(PLAIN_SCALARS[text]), PLAIN_SCALARS[text])
    assert not told


@pytest.mark.parametrize("text", TOLD)
def test_what_the_versions_read_differently_is_a_string_and_told(text: str) -> None:
    assert _parameter_of(text) == (text, True)


@pytest.mark.parametrize("text", STRINGS)
def test_all_other_plain_scalars_are_strings(text: str) -> None:
    assert _parameter_of(text) == (text, False)


@pytest.mark.parametrize("text", [*PLAIN_SCALARS, *TOLD, *STRINGS])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_what_is_quoted_is_a_string(text: str, quote: str) -> None:
    assert _parameter_of(f"{quote}{text}{quote}") == (text, False)


@pytest.mark.parametrize("text", ["017", "1.0", "1e3", "true", "yes", "0x1F", "12:30", "2001-01-01", "7"])
def test_ids_are_strings_whatever_they_look_like(text: str) -> None:
    """Plain or in quotes, they name the same step."""
    for one, other in ((text, text), (f"'{text}'", text), (text, f'"{text}"')):
        reading = wfplan.read(
            f"steps:\n- id: {one}\n  action: x\n- id: b\n  action: y\n  dependencies: [{other}]\n- id: c\n"
            f"  action: z\n  dependencies: {other}\n"
        )
        assert reading.ok, reading.problems
        assert [step.id for step in reading.recommendations] == [text, "b", "c"]
        assert [list(step.dependencies) for step in reading.recommendations] == [[], [text], [text]]


@pytest.mark.parametrize("mapping", ["true: {action: x}\n  7: {action: y, needs: [true]}"])
def test_keys_of_a_mapping_of_steps_are_strings(mapping: str) -> None:
    reading = wfplan.read(f"steps:\n  {mapping}\n")
    assert reading.ok, reading.problems
    plan = wfplan.plan(reading, naming="id")
    assert {name: list(step.dependencies) for name, step in plan.steps.items()} == {"true": [], "7": ["true"]}


def test_a_mapping_in_yaml_that_holds_json_is_one_document() -> None:
    """What `kubectl apply` leaves behind in an annotation is no second plan."""
    steps = [{"name": "a", "action": "x", "dependencies": []}, {"name": "b", "action": "y", "dependencies": ["a"]}]
    resource: Dict[str, Any] = {
        "apiVersion": "workflow.kubernaut.io/v1",
        "kind": "WorkflowExecution",
        "metadata": {"name": "w"},
        "spec": {"workflowDefinition": {"steps": steps}, "executionStrategy": {"mode": "auto", "dryRunFirst": True}},
    }
    applied = json.dumps(resource) + "\n"
    resource["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    text = yaml.safe_dump(resource, sort_keys=False)
    reading = wfplan.read(text)
    assert reading.ok, reading.problems
    assert [list(item.dependencies) for item in reading.items] == [[], ["a"]]
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [resource]}, sort_keys=False)
    assert [list(item.dependencies) for item in wfplan.read(listed).items] == [[], ["a"]]
