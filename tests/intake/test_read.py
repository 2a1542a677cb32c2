"""read: the canonical shapes, the two ways of reading them, what is kept, what is refused, and the limits."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from pydantic import ValidationError

import wfplan
from wfplan.intake.canonical import read_canonical
from wfplan.intake.syntax import Limits

TESTS = Path(__file__).parents[1]
WIDE = Limits(max_bytes=10**8, max_depth=100, max_steps=10**6, max_dependencies=10**6)


def rec(id_: str, *dependencies: str, **fields: Any) -> Dict[str, Any]:
    return {"id": id_, "action": f"do {id_}", "dependencies": list(dependencies), **fields}


def recs(*items: Any, **around: Any) -> Dict[str, Any]:
    return {"recommendations": list(items), **around}


def steps(*items: Any, **around: Any) -> Dict[str, Any]:
    return {"steps": list(items), **around}


def found_in(reading: wfplan.Reading) -> List[Tuple[str, str]]:
    return [(problem.code, problem.location) for problem in reading.problems if problem.severity != "info"]


# ------------------------------------------------------------------------------------------------------ documents

AB = [rec("a"), rec("b", "a")]
NAMED = [{"name": "a"}, {"name": "b", "action": "verify", "dependencies": ["a"]}]
PLAN = json.loads(wfplan.plan({"a": [], "b": ["a"], "c": ["a"]}).model_dump_json())

SHAPES: Dict[str, Any] = {
    "recommendations": recs(*AB),
    "bare list of recommendations": AB,
    "steps with ids": steps(*AB),
    "steps with names": steps(*NAMED),
    "bare list of steps": NAMED,
    "recommendations with names": recs(*NAMED),
    "dump of a workflow": json.loads(wfplan.plan({"a": [], "b": ["a"]}).workflow.model_dump_json()),
    "dump of a plan": PLAN,
    "resource": {"kind": "WorkflowExecution", "spec": {"workflowDefinition": {"steps": NAMED}}},
    "dump of recommendations": [
        json.loads(wfplan.Recommendation.model_validate(item).model_dump_json()) for item in AB
    ],
}

CANONICAL: Dict[str, Any] = {
    **{name: SHAPES[name] for name in ("recommendations", "bare list of recommendations", "steps with names")},
    "dump of a workflow": SHAPES["dump of a workflow"],
    "dump of a plan": PLAN,
    "dump of a plan with other batches": {**PLAN, "batches": []},
    "dump of a plan with another strategy": {**PLAN, "strategy": "parallel"},
    "dump of recommendations": SHAPES["dump of recommendations"],
    "settings": steps(*NAMED, name="repair", schema_version=1, execution_strategy={"mode": "sequential"}),
    "all fields of a step": steps(
        {
            "name": "a",
            "action": "drain",
            "parameters": {"node": "n1", "limits": [1, 2.5, None, True, {"x": []}], "big": 10**18},
            "dependencies": [],
            "metadata": {"execution_mode": "sequential"},
            "description": "drain the node",
            "confidence": 1,
            "recommendation_id": "rec-1",
            "estimated_seconds": 5,
            "timeout_seconds": 0.5,
            "retry": {"max_attempts": 3, "delay_seconds": 1, "factor": 1.5, "max_delay_seconds": 60},
            "rollback": {"action": "uncordon", "parameters": {"node": "n1"}},
            "locks": ["n1"],
            "effect": "destructive",
            "continue_on_failure": True,
            "idempotent": False,
        }
    ),
    "numbers": recs(
        rec(
            "a", parameters={"e": 1e22, "f": 0.1, "g": 5e-324, "h": -0.0, "i": 123456789012345678901234567890, "j": 1.0}
        )
    ),
    "unicode": recs(rec("\u00e9t\u00e9"), rec("\u65e5\u672c", "\u00e9t\u00e9", description="\U0001f600 \u2028 \x00")),
    "parameters of 64 levels": recs(rec("a", parameters={"p": json.loads("[" * 63 + "]" * 63)})),
    # with problems between the items
    "empty recommendations": recs(),
    "empty list": [],
    "empty steps": steps(),
    "no dependencies": recs(rec("a"), rec("b")),
    "dependency listed twice": recs(rec("a"), rec("b", "a", "a")),
    "unknown mode": recs(rec("a", metadata={"execution_mode": "Sequential"}), rec("b", "a")),
    "unknown mode of a step": steps({"name": "a", "metadata": {"execution_mode": 5}}),
    "declared backwards": recs(rec("a", "b"), rec("b", "c"), rec("c")),
    "unknown dependency": recs(rec("rec-1"), rec("rec-2", "rec-3", "rec1")),
    "self-dependency": steps({"name": "a", "dependencies": ["a"]}),
    "cycles": recs(rec("a", "b"), rec("b", "a"), rec("c", "d", "a"), rec("d", "c")),
    "duplicates": recs(rec("a"), rec("a", "b"), rec("b", "a"), rec("b", "gone")),
}
for path in sorted((TESTS / "cases").glob("*.json")):
    document = json.loads(path.read_text(encoding="utf-8"))["input"]
    if not {"spec", "executionStrategy"} & set(document):
        CANONICAL[f"case {path.stem}"] = document

UNUSUAL: Dict[str, Any] = {
    "unknown field": recs(rec("a", owner="me")),
    "misspelt dependencies": recs(rec("a"), {"id": "b", "action": "x", "needs": ["a"]}),
    "key beside the list": recs(rec("a"), analysis="short of memory"),
    "edges beside the list": recs(rec("a"), rec("b"), edges=[["a", "b"]]),
    "wrong field": recs({"id": "a", "action": 5}),
    "invalid id": recs(rec(" a")),
    "steps with ids": steps(*AB),
    "camelCase": steps(*NAMED, executionStrategy={"dryRunFirst": True}),
    "other version": steps(*NAMED, schema_version=2),
    "NaN": recs(rec("a", confidence=float("nan"))),
    "infinity in parameters": recs(rec("a", parameters={"p": [float("inf")]})),
    "parameters of 65 levels": recs(rec("a", parameters={"p": json.loads("[" * 64 + "]" * 64)})),
    "both lists": recs(rec("a"), steps=[]),
    "null for the other list": recs(rec("a"), steps=None),
    "null for the settings": steps(*NAMED, execution_strategy=None),
    "resource": SHAPES["resource"],
    "dump of a plan that lacks its strategy": {key: PLAN[key] for key in ("workflow", "batches")},
    "dump of a reading": {"recommendations": [], "workflow": PLAN["workflow"], "problems": []},
    "number": 5,
    "nothing": None,
    "text": "restart",
    "flag": True,
    "object": {},
}

DOCUMENTS = {**CANONICAL, **UNUSUAL}


def named(documents: Dict[str, Any]) -> Any:
    return pytest.mark.parametrize("document", [pytest.param(value, id=name) for name, value in documents.items()])


def texts_of(document: Any) -> Iterator[str]:
    """The document as text, in several manners of writing it."""
    yield json.dumps(document)
    yield json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    yield "\r\n\t " + json.dumps(document, indent=3, sort_keys=True) + "\n"


def assert_same(one: wfplan.Reading, other: wfplan.Reading) -> None:
    assert one.recommendations == other.recommendations
    assert one.workflow == other.workflow
    assert one.problems == other.problems
    assert one.ok == other.ok
    assert one == other


# --------------------------------------------------------------------------------------------------------- shapes


@named(SHAPES)
def test_canonical_shapes_read(document: Any) -> None:
    """Each canonical shape reads without a problem, and `b` needs `a` in all of them."""
    reading = wfplan.read(document)
    assert reading.problems == ()
    assert reading.ok
    plan = wfplan.plan(reading, naming="id")
    assert plan.steps["a"].dependencies == ()
    assert plan.steps["b"].dependencies == ("a",)
    assert plan.problems == ()


@pytest.mark.parametrize("name", ["recommendations", "bare list of recommendations", "steps with ids"])
def test_items_with_an_id_are_recommendations(name: str) -> None:
    """Items with an `id` are recommendations, under whatever key the list stands."""
    reading = wfplan.read(SHAPES[name])
    assert reading.workflow is None
    assert reading.recommendations == (
        wfplan.Recommendation(id="a", action="do a"),
        wfplan.Recommendation(id="b", action="do b", dependencies=["a"]),
    )


@pytest.mark.parametrize("name", ["steps with names", "bare list of steps", "resource"])
def test_items_with_a_name_are_steps(name: str) -> None:
    """Items with a `name` are steps of a workflow, which keep their names; an action left out is the name."""
    reading = wfplan.read(SHAPES[name])
    assert reading.recommendations == ()
    assert reading.workflow is not None
    assert reading.workflow.steps == (
        wfplan.Step(name="a", action="a"),
        wfplan.Step(name="b", action="verify", dependencies=["a"]),
    )
    assert list(wfplan.plan(reading).steps) == ["a", "b"]


@named(DOCUMENTS)
def test_text_bytes_and_objects_agree(document: Any) -> None:
    """Text, bytes and bytearray give one reading; objects the same, where they are a document at all."""
    text = json.dumps(document)
    expected = wfplan.read(text)
    assert_same(wfplan.read(text.encode()), expected)
    assert_same(wfplan.read(bytearray(text.encode())), expected)
    if isinstance(document, (dict, list)):
        assert_same(wfplan.read(document), expected)
    else:
        assert [problem.code for problem in wfplan.read(document).problems] == ["invalid-document"]


@named(DOCUMENTS)
def test_objects_are_not_changed(document: Any) -> None:
    """Reading leaves the objects that it is handed as they are."""
    given = copy.deepcopy(document)
    wfplan.read(given)
    assert repr(given) == repr(document)


def test_objects_are_not_kept() -> None:
    """What is done to a document after it was read does not reach the reading, however deep it is done."""
    item = rec("a", parameters={"deep": [{"list": [1]}]}, metadata={"tags": ["x"]}, extra={"more": [2]})
    document = recs(item)
    reading = wfplan.read(document)
    before = reading.model_dump_json()
    item["parameters"]["deep"][0]["list"].append("late")
    item["parameters"]["late"] = True
    item["metadata"]["tags"].append("late")
    item["extra"]["more"].append("late")
    item["dependencies"].append("late")
    document["recommendations"].clear()
    assert reading.model_dump_json() == before


def test_keys_beside_the_list_are_ignored() -> None:
    """Prose, scores and lists of other things beside the list are no business of ours."""
    reading = wfplan.read(
        recs(*AB, analysis="the pod ran out of memory", confidence=2, warnings=["a warning"], metadata={"by": "model"})
    )
    assert reading.problems == ()
    assert_same(reading, wfplan.read(recs(*AB)))


# ------------------------------------------------------------------------------------------------ two ways, one result


@named(CANONICAL)
def test_canonical_text_goes_the_short_way(document: Any) -> None:
    """What this library writes, and what it asks models for, is read whole, not item by item."""
    for text in texts_of(document):
        assert read_canonical(text, WIDE) is not None


@named(UNUSUAL)
def test_unusual_text_goes_the_long_way(document: Any) -> None:
    """Whatever is wrong or unusual is left for the long way, which knows the place of every problem."""
    for text in texts_of(document):
        assert read_canonical(text, WIDE) is None


def test_a_key_there_twice_goes_the_long_way() -> None:
    """Duplicate keys are never passed over, however the key is written and wherever it is."""
    for text in (
        '{"recommendations": [], "recommendations": []}',
        '{"recommendations": [{"id": "a", "action": "x", "\\u0069d": "b"}]}',
        '[{"id": "a", "action": "x", "parameters": {"deep": [{"n": 1, "n": 1}]}}]',
        '{"steps": [], "execution_strategy": {"mode": "sequential", "mode": "auto"}}',
    ):
        assert read_canonical(text, WIDE) is None
        assert {problem.code for problem in wfplan.read(text).problems if problem.severity == "error"} == {
            "duplicate-key"
        }


@named({name: document for name, document in DOCUMENTS.items() if "levels" not in name})
def test_the_short_and_the_long_way_agree(document: Any) -> None:
    """Both ways give the same items, settings and problems, each problem at the same place."""
    for text in texts_of(document):
        assert read_canonical(text, WIDE._replace(max_depth=60)) is None
        assert_same(wfplan.read(text), wfplan.read(text, max_depth=60))


def test_both_ways_know_the_same_integers() -> None:
    """An integer of thousands of digits is read by both ways or refused by both."""
    for digits in (100, 4_000, 4_250, 4_299):
        text = json.dumps(recs(rec("a"))).replace('"id"', f'"parameters": {{"n": {"1" * digits}}}, "id"')
        assert_same(wfplan.read(text), wfplan.read(text, max_depth=60))
        assert wfplan.read(text).ok == wfplan.read(json.loads(text)).ok


# ------------------------------------------------------------------------------------------------- unknown fields


def test_unknown_fields_are_kept_in_metadata() -> None:
    """A field that is not known is kept in the metadata, with one warning at its place."""
    for document in (
        recs(rec("a", risk="low", impact={"users": 5}, metadata={"team": "x"})),
        steps({"name": "a", "risk": "low", "impact": {"users": 5}, "metadata": {"team": "x"}}),
    ):
        reading = wfplan.read(document)
        kind = next(iter(document))
        assert reading.ok
        assert reading.items[0].metadata == {"team": "x", "risk": "low", "impact": {"users": 5}}
        assert found_in(reading) == [("unknown-field", f"/{kind}/0/risk"), ("unknown-field", f"/{kind}/0/impact")]
        assert {problem.severity for problem in reading.problems} == {"warning"}
        assert all(problem.steps == ("a",) for problem in reading.problems)


def test_unknown_fields_never_go_over_a_key_that_is_there() -> None:
    """Where metadata has the key already, its value stays, and the field is kept beside it."""
    for metadata in ({"risk": "high"}, {"risk": "high", "risk_": 1, "risk__": 2}):
        reading = wfplan.read(recs(rec("a", risk="low", metadata=metadata)))
        kept = reading.recommendations[0].metadata
        assert {key: kept[key] for key in metadata} == metadata
        assert len(kept) == len(metadata) + 1
        assert "low" in kept.values()
        assert found_in(reading) == [("unknown-field", "/recommendations/0/risk")]


def test_two_unknown_fields_never_share_a_key() -> None:
    """No field is lost to the key that another one was given."""
    reading = wfplan.read(recs(rec("a", risk="low", risk_="lower", metadata={"risk": "high"})))
    assert sorted(reading.recommendations[0].metadata.values()) == ["high", "low", "lower"]


def test_unknown_fields_do_not_hide_wrong_metadata() -> None:
    """Metadata of a wrong type are an error, whether there are unknown fields or not."""
    reading = wfplan.read(recs(rec("a", risk="low", metadata=5)))
    assert ("invalid-field", "/recommendations/0/metadata") in found_in(reading)


# --------------------------------------------------------------------------------- order that is stated elsewhere

READ_AS_DEPENDENCIES = """
    dependency dependent_on depends_on dependsOn dependson Depends-On DEPENDENCIES Dependencies deps dep needs requires
    prerequisites prereqs after run_after runAfter upstream predecessors blocked_by blockedBy waits_for waitFor
""".split()

SPELLINGS = """
    dependancies dependecies dependenceis depedencies depends require required parents edges links before
""".split()

ORDINARY = """
    title risk rationale priority reasoning expected_outcome rollback_plan severity owner tags department deployment
    destination details description_html estimated_time category confidence_level
""".split()


@pytest.mark.parametrize("key", ORDINARY)
def test_an_ordinary_field_is_only_a_warning(key: str) -> None:
    """A field that looks like something else is kept, with a warning."""
    reading = wfplan.read(recs(rec("a"), rec("b", "a", **{key: "text"})))
    assert found_in(reading) == [("unknown-field", f"/recommendations/1/{key}")]
    assert reading.ok


MADE_OF_IDS = [
    ["a", "1"],
    ["a"],
    [1],
    [["a", "1"]],
    {"a": "1"},
    {"a": ["1"], "1": []},
    {"a": None, "1": "a"},
    [{"source": "a", "target": "1"}],
    {"first": "a", "second": ["1"]},
    [["a", ["1"]], []],
]
NOT_MADE_OF_IDS = [
    [],
    {},
    [[]],
    ["a", "zzz"],
    ["text"],
    [2],
    [True],
    {"a": "text"},
    {"x": []},
    "a",
    1,
    [1.5],
    ["a", None],
]


def test_metadata_and_parameters_may_name_steps() -> None:
    """In parameters and metadata, which are the caller's own, ids are no problem."""
    reading = wfplan.read(recs(rec("a", parameters={"after": ["b"]}), rec("b", metadata={"links": ["a"]})))
    assert found_in(reading) == []


# -------------------------------------------------------------------------------------------------------- settings


def test_execution_strategy_in_camel_case() -> None:
    """Every setting is read in camelCase, as in the WorkflowExecution resource, and in snake_case, with one result."""
    expected = wfplan.ExecutionStrategy(
        mode="sequential",
        dry_run_first=True,
        rollback_on_failure=True,
        max_parallel=3,
        isolate_sequential=True,
        max_batch_size=4,
        schedule="eager",
        on_failure="skip-dependents",
    )
    snake = expected.model_dump()
    assert len(snake) == len(wfplan.ExecutionStrategy.model_fields)
    camel = {
        "mode": "sequential",
        "dryRunFirst": True,
        "rollbackOnFailure": True,
        "maxParallel": 3,
        "isolateSequential": True,
        "maxBatchSize": 4,
        "schedule": "eager",
        "onFailure": "skip-dependents",
    }
    for document in (
        steps(*NAMED, execution_strategy=snake),
        steps(*NAMED, execution_strategy=camel),
        steps(*NAMED, executionStrategy=camel),
        steps(*NAMED, executionStrategy=snake),
        {"spec": {"workflowDefinition": {"steps": NAMED}, "executionStrategy": camel}},
    ):
        reading = wfplan.read(document)
        assert reading.problems == ()
        assert reading.workflow is not None
        assert reading.workflow.execution_strategy == expected
        assert wfplan.plan(reading).workflow.execution_strategy == expected


def test_no_setting_is_passed_over() -> None:
    """A setting that is not known, or there in two spellings, is an error: a run must not go without it."""
    assert found_in(wfplan.read(steps(*NAMED, execution_strategy={"dryRun": True}))) == [
        ("unknown-field", "/execution_strategy/dryRun")
    ]
    twice = wfplan.read(steps(*NAMED, execution_strategy={"maxParallel": 1, "max_parallel": 2}))
    assert [problem.code for problem in twice.problems] == ["duplicate-key"]
    both = wfplan.read(steps(*NAMED, execution_strategy={}, executionStrategy={"mode": "sequential"}))
    assert [problem.code for problem in both.problems] == ["duplicate-key"]


def test_settings_of_a_resource_count_in_either_spelling() -> None:
    """A resource that asks for mode sequential gets it, or an error, but never a plan that overlaps."""
    items = [{"name": "a"}, {"name": "b"}]
    settings = {"mode": "sequential"}
    for document in (
        {"spec": {"workflowDefinition": {"steps": items}, "executionStrategy": settings}},
        {"spec": {"workflowDefinition": {"steps": items}, "execution_strategy": settings}},
        {"spec": {"workflowDefinition": {"steps": items, "executionStrategy": settings}}},
        {"spec": {"workflowDefinition": {"steps": items, "execution_strategy": settings}}},
    ):
        reading = wfplan.read(document)
        assert not reading.ok or wfplan.plan(reading).strategy == "sequential", document


def test_name_of_the_workflow() -> None:
    """The name beside the steps is the name of the workflow."""
    for document in (
        steps(*NAMED, name="repair"),
        {"spec": {"workflowDefinition": {"name": "repair", "steps": NAMED}}},
    ):
        reading = wfplan.read(document)
        assert reading.workflow is not None
        assert reading.workflow.name == "repair"


# ---------------------------------------------------------------------------------------------------- dumps of plans


def test_the_dump_of_a_plan_gives_the_plan() -> None:
    """What json output prints is also read: the plan of the reading is the plan that was dumped."""
    settings = wfplan.ExecutionStrategy(max_batch_size=2, isolate_sequential=True)
    items = [wfplan.Step(name=name, locks=["x"] if name in "bd" else []) for name in "abcde"]
    plan = wfplan.plan([*items, wfplan.Step(name="z", dependencies=["a"])], execution_strategy=settings)
    for dump in (plan.model_dump_json(), plan.model_dump(mode="json"), plan.model_dump()):
        reading = wfplan.read(dump)
        assert reading.problems == ()
        assert wfplan.plan(reading) == plan


def changed(change: Callable[[Dict[str, Any]], Any]) -> Dict[str, Any]:
    dump = copy.deepcopy(PLAN)
    change(dump)
    return dump


TAMPERED = {
    "batches in another order": changed(lambda dump: dump["batches"].reverse()),
    "steps of a batch in another order": changed(lambda dump: dump["batches"][1]["steps"].reverse()),
    "a batch left out": changed(lambda dump: dump["batches"].pop()),
    "no batch at all": changed(lambda dump: dump["batches"].clear()),
    "a step left out of a batch": changed(lambda dump: dump["batches"][1]["steps"].pop()),
    "a batch too many": changed(lambda dump: dump["batches"].append({"number": 3, "steps": [], "parallel": False})),
    "steps in one batch": changed(
        lambda dump: dump.update(batches=[{"number": 1, "steps": ["a", "b", "c"], "parallel": True}])
    ),
    "parallel where it is not": changed(lambda dump: dump["batches"][0].update(parallel=True)),
    "not parallel where it is": changed(lambda dump: dump["batches"][1].update(parallel=False)),
    "another number": changed(lambda dump: dump["batches"][0].update(number=7)),
    "an unknown key in a batch": changed(lambda dump: dump["batches"][0].update(after=2)),
    "batches null": changed(lambda dump: dump.update(batches=None)),
    "batches an object": changed(lambda dump: dump.update(batches={})),
    "another strategy": changed(lambda dump: dump.update(strategy="parallel")),
    "no strategy": changed(lambda dump: dump.pop("strategy")),
    "another dependency": changed(lambda dump: dump["workflow"]["steps"][1].update(dependencies=["c"])),
    "a step more": changed(lambda dump: dump["workflow"]["steps"].append({"name": "d"})),
    "another size": changed(lambda dump: dump["workflow"]["execution_strategy"].update(max_batch_size=1)),
}


@named(TAMPERED)
def test_a_plan_that_does_not_follow_from_its_workflow_is_refused(document: Any) -> None:
    """The batches and the strategy of a dump are verified, as loading it as an ExecutionPlan does."""
    for source in (document, json.dumps(document)):
        reading = wfplan.read(source)
        assert [problem.severity for problem in reading.problems] == ["error"] * len(reading.problems)
        assert {problem.code for problem in reading.problems} == {"invalid-document"}
        assert {problem.location for problem in reading.problems} <= {"", "/batches", "/strategy"}
        assert not reading.ok
    with pytest.raises(ValidationError):
        wfplan.ExecutionPlan.model_validate_json(json.dumps(document))


def test_the_dump_of_a_newer_version_is_refused() -> None:
    """A dump of another schema version is not read as if it were of this one, whichever part of it says so."""
    outer = {**PLAN, "schema_version": 2}
    inner = {**PLAN, "workflow": {**PLAN["workflow"], "schema_version": 2}}
    assert found_in(wfplan.read(inner)) == [("invalid-field", "/workflow/schema_version")]
    assert found_in(wfplan.read(outer)) == [("invalid-field", "/schema_version")]


def test_a_workflow_that_cannot_be_planned_has_its_own_problems() -> None:
    """In a dump whose workflow is wrong, the problems of the workflow are told, at their places."""
    dump = changed(lambda dump: dump["workflow"]["steps"][0].update(dependencies=["a"]))
    assert found_in(wfplan.read(dump)) == [("self-dependency", "/workflow/steps/0/dependencies/0")]


# --------------------------------------------------------------------------------------------------------- limits


def test_default_limits() -> None:
    """128 MiB, 100 levels, 200,000 steps, 2,000,000 dependencies."""
    parameters = inspect.signature(wfplan.read).parameters
    assert {name: parameters[name].default for name in parameters if name.startswith("max_")} == {
        "max_bytes": 128 * 1024 * 1024,
        "max_depth": 100,
        "max_steps": 200_000,
        "max_dependencies": 2_000_000,
    }


def assert_only_beyond(document: Any, limit: str, value: int) -> None:
    """Within `value` it reads as without any limit; within one less it is refused whole."""
    sources = [json.dumps(document), json.dumps(document).encode()] + [document] * (limit != "max_bytes")
    for source in sources:
        assert_same(wfplan.read(source, **{limit: value}), wfplan.read(source))
        beyond = wfplan.read(source, **{limit: value - 1})
        assert [problem.code for problem in beyond.problems] == ["limit-exceeded"]
        assert f"{value - 1:,}" in beyond.problems[0].message
        assert not beyond.ok
        assert list(beyond.items) == []


@pytest.mark.parametrize(
    "document", [recs(*AB), AB, steps(*NAMED), PLAN, {"spec": {"workflowDefinition": steps(*NAMED)}}]
)
def test_limits_of_steps_and_dependencies(document: Any) -> None:
    """A document with just as many steps or dependencies as allowed is read, with one more it is refused."""
    count = len(wfplan.read(document).items)
    assert_only_beyond(document, "max_steps", count)
    assert_only_beyond(document, "max_dependencies", count - 1)


@pytest.mark.parametrize("extra", [{}, {"owner": "me"}], ids=["canonical", "unusual"])
@pytest.mark.parametrize("levels", [5, 50])
def test_limit_of_depth(levels: int, extra: Dict[str, Any]) -> None:
    """Levels are counted from the document itself, on either way of reading."""
    value: Any = {}
    for _ in range(levels - 4):
        value = {"inner": value}
    assert_only_beyond(recs(rec("a", parameters=value, **extra)), "max_depth", levels)


def test_limit_of_depth_by_default() -> None:
    """100 levels are read, 101 are not, whatever is read of them."""
    for levels, codes in ((100, []), (101, ["limit-exceeded"])):
        value: Any = []
        for _ in range(levels - 2):
            value = [value]
        for source in (recs(rec("a"), notes=value), json.dumps(recs(rec("a"), notes=value))):
            assert [problem.code for problem in wfplan.read(source).problems] == codes


def test_limit_of_bytes() -> None:
    """Bytes are counted as UTF-8 has them, in text too."""
    for document in (recs(rec("a")), recs(rec("a", description="\u65e5\u672c"))):
        for text in (json.dumps(document), json.dumps(document, ensure_ascii=False)):
            size = len(text.encode())
            for source in (text, text.encode()):
                assert wfplan.read(source, max_bytes=size).ok
                beyond = wfplan.read(source, max_bytes=size - 1)
                assert [problem.code for problem in beyond.problems] == ["limit-exceeded"]
                assert not beyond.ok


def test_limit_of_steps_by_default() -> None:
    """200,001 steps are refused at once, not read and then refused."""
    reading = wfplan.read(recs(*([rec("a")] * 200_001)))
    assert [(problem.code, problem.location) for problem in reading.problems] == [
        ("limit-exceeded", "/recommendations")
    ]
    assert "200,001" in reading.problems[0].message


# --------------------------------------------------------------------------------------------------------- Reading


def can_be_planned(reading: wfplan.Reading) -> bool:
    try:
        wfplan.plan(reading)
    except wfplan.InvalidWorkflowError:
        return False
    return True


@named({**DOCUMENTS, **TAMPERED})
def test_ok_if_and_only_if_it_can_be_planned(document: Any) -> None:
    """reading.ok if and only if plan(reading) does not raise, for a document as text and as objects."""
    for reading in (wfplan.read(json.dumps(document)), wfplan.read(document)):
        assert reading.ok is can_be_planned(reading)
        assert reading.ok is not any(problem.severity == "error" for problem in wfplan.check(reading))


A = wfplan.Recommendation(id="a", action="x")
NEEDS_A = wfplan.Recommendation(id="b", action="y", dependencies=["a"])
ERROR = wfplan.Problem(code="invalid-field", severity="error", message="made by hand")
WARNING = wfplan.Problem(code="unknown-field", severity="warning", message="made by hand")


@pytest.mark.parametrize(
    ("reading", "ok"),
    [
        (wfplan.Reading(), True),
        (wfplan.Reading(recommendations=[A, NEEDS_A]), True),
        (wfplan.Reading(recommendations=[NEEDS_A, A], problems=[WARNING]), True),
        (wfplan.Reading(recommendations=[A, NEEDS_A], problems=[ERROR]), False),
        (wfplan.Reading(recommendations=[NEEDS_A]), False),
        (wfplan.Reading(recommendations=[A, A]), False),
        (wfplan.Reading(workflow=wfplan.Workflow(steps=[])), True),
        (wfplan.Reading(workflow=wfplan.Workflow(steps=[wfplan.Step(name="a")])), True),
        (wfplan.Reading(workflow=wfplan.Workflow(steps=[wfplan.Step(name="a", dependencies=["a"])])), False),
        (wfplan.Reading(problems=[ERROR]), False),
    ],
)
def test_ok_of_readings_made_by_hand(reading: wfplan.Reading, ok: bool) -> None:
    """A reading that nobody searched for problems is searched when asked: ok means the same."""
    assert reading.ok is ok
    assert can_be_planned(reading) is ok


@named(DOCUMENTS)
def test_readings_survive(document: Any) -> None:
    """A reading is the same after a JSON round trip, pickling and deepcopy, and plans to the same plan."""
    reading = wfplan.read(json.dumps(document))
    loaded = wfplan.Reading.model_validate_json(reading.model_dump_json())
    for twin in (loaded, pickle.loads(pickle.dumps(reading)), copy.deepcopy(reading), copy.copy(reading)):
        assert_same(twin, reading)
        if reading.ok:
            assert wfplan.plan(twin) == wfplan.plan(reading)
            assert wfplan.plan(twin).problems == wfplan.plan(reading).problems


def test_a_reading_holds_one_of_both() -> None:
    """Recommendations and a workflow at once are no reading."""
    with pytest.raises(ValidationError):
        wfplan.Reading(recommendations=[A], workflow=wfplan.Workflow(steps=[wfplan.Step(name="b")]))


def test_the_dump_of_a_reading_does_not_lose_its_workflow() -> None:
    """A document with steps in it never reads as one without any, silently."""
    dump = json.loads(wfplan.read(steps(*NAMED)).model_dump_json())
    reading = wfplan.read(dump)
    assert not reading.ok or len(wfplan.plan(reading).steps) == 2


# --------------------------------------------------------------------------------------------------------- replace


def test_replace_mends_a_dependency() -> None:
    """A reading with an unknown dependency is mended by replacing it; the old reading stays as it was."""
    reading = wfplan.read(recs(rec("a"), rec("b", "aa")))
    mended = reading.replace("b", dependencies=["a"])
    assert not reading.ok
    assert reading.recommendations[1].dependencies == ("aa",)
    assert mended.ok
    assert mended.problems == ()
    assert wfplan.plan(mended, naming="id").steps["b"].dependencies == ("a",)
    assert mended.recommendations[0] == reading.recommendations[0]


def test_replace_mends_a_cycle() -> None:
    """The problems between the items are looked for anew."""
    mended = wfplan.read(recs(rec("a", "b"), rec("b", "a"))).replace("a", dependencies=[])
    assert mended.problems == ()
    assert mended.ok


def test_replace_finds_new_problems() -> None:
    """A change that breaks something makes a reading that is not ok, and says why."""
    reading = wfplan.read(recs(rec("a"), rec("b", "a")))
    broken = reading.replace("a", dependencies=["b"])
    assert not broken.ok
    assert [problem.code for problem in broken.problems] == ["dependency-cycle"]
    unknown = reading.replace("b", dependencies=["gone"])
    assert [(problem.code, problem.steps) for problem in unknown.problems] == [("unknown-dependency", ("b",))]
    twice = reading.replace("b", id="a")
    assert "duplicate-step" in {problem.code for problem in twice.problems}


def test_replace_works_on_steps() -> None:
    """The steps of a workflow are replaced by name; its settings stay."""
    reading = wfplan.read(steps(*NAMED, name="repair", execution_strategy={"mode": "sequential"}))
    changed_reading = reading.replace("b", action="look", dependencies=[])
    assert changed_reading.workflow is not None
    assert changed_reading.workflow.name == "repair"
    assert changed_reading.workflow.execution_strategy.mode == "sequential"
    assert changed_reading.workflow.steps[1] == wfplan.Step(name="b", action="look")
    assert changed_reading.workflow.steps[0] == wfplan.Step(name="a", action="a")


def test_replace_keeps_nothing_that_is_no_longer_so() -> None:
    """Once a recommendation depends on another, no problem says that none does."""
    reading = wfplan.read(recs(rec("a"), rec("b")))
    assert [problem.code for problem in reading.problems] == ["no-dependencies"]
    assert reading.replace("b", dependencies=["a"]).problems == ()
    again = reading.replace("b", dependencies=["a"]).replace("b", dependencies=[])
    assert [problem.code for problem in again.problems] == ["no-dependencies"]


def test_replace_of_an_id_leaves_no_ghost() -> None:
    """Who needs the old id of a recommendation that was renamed needs something that is not there."""
    for extra in ({}, {"owner": "me"}, {"metadata": {"execution_mode": "Sequential"}}):
        renamed = wfplan.read(recs(rec("a", **extra), rec("b", "a"))).replace("a", id="z")
        assert renamed.ok is can_be_planned(renamed)
        assert "unknown-dependency" in {problem.code for problem in renamed.problems}
        assert not renamed.ok
        mended = renamed.replace("b", dependencies=["z"])
        assert mended.ok is can_be_planned(mended) is True


def test_replace_after_a_thousand_problems() -> None:
    """When what caused them is mended, nothing is left of the problems, however many there were."""
    reading = wfplan.read(recs(rec("a"), rec("b", *(f"gone {number}" for number in range(1500)))))
    assert len(reading.problems) == 1000
    mended = reading.replace("b", dependencies=["a"])
    assert mended.problems == ()
    assert mended.ok


def test_replace_of_what_is_not_there() -> None:
    """A KeyError names the id that no recommendation has."""
    with pytest.raises(KeyError, match="zzz"):
        wfplan.read(recs(rec("a"))).replace("zzz", action="x")


def test_replace_with_what_does_not_fit() -> None:
    """A change that the model refuses raises pydantic's own error, as constructing it would."""
    reading = wfplan.read(recs(rec("a")))
    for changes in ({"action": ""}, {"confidence": 2}, {"dependencies": "b"}, {"no_such_field": 1}):
        with pytest.raises(ValidationError):
            reading.replace("a", **changes)
