"""Small documents with the one right answer to each: three tables of them, and the blocks of the seed document.

- `reading_cases.jsonl`: what states something that is easily lost, or was refused although it can mean one thing only;
- `text_shapes.jsonl`: answers of models, in the shapes in which they were seen;
- `seed/`: the blocks of the document that this library implements, as they stand there.

A row has the `graph` that reading must give, from each id to what it needs, or the `problem` that refuses it; where it
has `graph_also_right`, that will do, too. Written for this library, under its licence; `seen` tells after what.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest

import wfplan
from wfplan.cli import main

HERE = Path(__file__).parent


def rows_of(name: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


CASES, SHAPES = rows_of("reading_cases.jsonl"), rows_of("text_shapes.jsonl")
BOTH = [*CASES, *SHAPES]
READ = [row for row in BOTH if row.get("graph") is not None]
REFUSED = [row for row in BOTH if row.get("graph") is None]
STATED = {"order-not-read", "conflicting-fields"}

CODES_OF_CASES: Dict[str, Set[str]] = {
    "assetops-lines": {"invalid-document"},
    "markdown-table": {"invalid-document"},
    "numbered-depends-on": {"invalid-document"},
    "cloud-build-waitfor-free": STATED,
    "databricks-jobs-yaml": STATED,
    "deps-and": {"unknown-dependency"},
    "reference-with-a-hash": {"unknown-dependency"},
    "beads-issue-line": {"invalid-document", "unknown-dependency", "invalid-field", *STATED},
    "beads-related": {"unknown-dependency", "invalid-field", *STATED},
    "unknown-wrapper-mapping-some-without-marks": {"invalid-document", *STATED},
    "llmcompiler": {"invalid-document"},
}
CODE_OF_SHAPE = {
    "two plans": "ambiguous-answer",
    "truncated": "invalid-document",
    "duplicate key": "duplicate-key",
    "no plan": "invalid-document",
    "id": "invalid-field",
    "confidence": "invalid-field",
    "unknown": "unknown-dependency",
    "cycle": "dependency-cycle",
    "duplicate id": "duplicate-step",
}
TELLS = {
    "truncated": "cut off",
    "duplicate-json-key": '"dependencies"',
    "padded-number": '"t1"',
    "dep-by-title": '"task_17"',
    "dep-out-of-plan": '"rec-999"',
    "dep-cycle-3": '"a" needs "c", "c" needs "b", "b" needs "a"',
    "yaml-tag": "tag",
    "await-id": '"a"',
    "on-success-scalar": "on_success",
    "triggered-by-scalar": "triggered_by",
    "order-numbers": "order",
    "wave-numbers-no-deps": "wave",
    "execution-mode-beside-list": "execution_mode",
    "parallel-false-per-step": "parallel",
}


def named(rows: List[Dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in rows])


def graph_of(reading: wfplan.Reading) -> Dict[str, List[str]]:
    plan = wfplan.plan(reading, naming="id")
    return {name: sorted(set(step.dependencies)) for name, step in plan.steps.items()}


def expected_codes(row: Dict[str, Any]) -> Set[str]:
    if row in SHAPES and row["name"] not in CODES_OF_CASES:
        problem = row["problem"]
        return {CODE_OF_SHAPE.get(problem) or CODE_OF_SHAPE[problem.split(maxsplit=1)[0]]}
    return CODES_OF_CASES.get(row["name"], STATED)


def test_all_of_them_are_there() -> None:
    assert len(CASES) == 37
    assert len(SHAPES) == 54
    assert {row["name"] for row in REFUSED} >= set(CODES_OF_CASES)
    assert len({row["name"] for row in CASES}) == len(CASES)


@named(READ)
def test_a_document_that_means_one_thing_is_read(row: Dict[str, Any]) -> None:
    reading = wfplan.read(row["raw"])
    assert reading.ok, reading.problems
    assert graph_of(reading) == row["graph"]


@named([row for row in SHAPES if row["strict"]])
def test_plain_shapes_are_read_strictly(row: Dict[str, Any]) -> None:
    assert wfplan.read(row["raw"], strict=True).ok


@named(REFUSED)
def test_a_document_that_states_more_than_is_read_is_refused(row: Dict[str, Any]) -> None:
    """For that reason, with what to do about it; or it is read as somebody who knows the shape would read it."""
    reading = wfplan.read(row["raw"])
    if reading.ok and "graph_also_right" in row:
        assert graph_of(reading) == row["graph_also_right"]
        return
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert errors
    assert {problem.code for problem in errors} & expected_codes(row), errors
    told = " ".join(f"{problem.message} {problem.suggestion} {problem.location}" for problem in errors)
    assert TELLS.get(row["name"], "") in told


@named([row for row in CASES if row["name"] in {"execution-mode-beside-list", "parallel-false-per-step"}])
def test_a_mode_is_obeyed_or_refused(row: Dict[str, Any]) -> None:
    """The graph alone does not show it: no two of the steps run at the same time."""
    reading = wfplan.read(row["raw"])
    if reading.ok:
        assert not any(batch.parallel for batch in wfplan.plan(reading).batches)


@named(
    [
        row
        for row in REFUSED
        if row["name"] in {"assetops-lines", "markdown-table", "numbered-depends-on", "llmcompiler"}
    ]
)
def test_plans_that_are_no_documents_say_what_to_ask_for(row: Dict[str, Any]) -> None:
    """Prose, tables and line formats are not read: the answer says what would be."""
    reading = wfplan.read(row["raw"])
    assert [problem.code for problem in reading.problems] == ["invalid-document"]
    assert "JSON" in reading.problems[0].suggestion


# ---------------------------------------------------------------------------------------------------------- the seed

CHAIN = {"rec-001": [], "rec-002": ["rec-001"], "rec-003": ["rec-002"]}
SEED_GRAPHS: Dict[str, Dict[str, List[str]]] = {
    "recommendations.json": {"rec-001": [], "rec-002": ["rec-001"]},
    "workflow-execution.yaml": {"scale-deployment": [], "increase-memory": ["scale-deployment"]},
    "scenario-1.yaml": CHAIN,
    "scenario-2.yaml": {"rec-001": [], "rec-002": [], "rec-003": []},
    "scenario-3.yaml": {
        "rec-001": [],
        "rec-002": ["rec-001"],
        "rec-003": ["rec-001"],
        "rec-004": ["rec-002", "rec-003"],
    },
    "hint.yaml": {"stepA": []},
}
SEED_PLANS = {
    "scenario-1.yaml": ("sequential", [["restart_pod"], ["scale_deployment"], ["verify_deployment"]]),
    "scenario-2.yaml": ("parallel", [["restart_pod_a", "restart_pod_b", "restart_pod_c"]]),
    "scenario-3.yaml": (
        "sequential-with-parallel",
        [["scale_deployment"], ["restart_pod_a", "restart_pod_b"], ["verify_deployment"]],
    ),
}
SEED_REFUSALS = {
    "same-dependency.yaml": {"unknown-dependency"},
    "execution-order.yaml": {"invalid-document", *STATED},
    "scenario-1-plan.yaml": {"invalid-document", *STATED},
    "scenario-2-plan.yaml": {"invalid-document", *STATED},
    "scenario-3-plan.yaml": {"invalid-document", *STATED},
}


def test_every_block_of_the_seed_is_there() -> None:
    assert {path.name for path in (HERE / "seed").iterdir()} == set(SEED_GRAPHS) | set(SEED_REFUSALS)


@pytest.mark.parametrize("name", list(SEED_GRAPHS))
def test_the_seed_is_read_as_it_stands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = HERE / "seed" / name
    reading = wfplan.read(path.read_text(encoding="utf-8"))
    assert reading.ok, reading.problems
    assert graph_of(reading) == SEED_GRAPHS[name]
    assert main(["plan", str(path), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    plan = wfplan.plan(reading)
    assert (told["strategy"], [batch["steps"] for batch in told["batches"]]) == (
        plan.strategy,
        [list(batch.steps) for batch in plan.batches],
    )
    assert SEED_PLANS.get(name, (told["strategy"], [batch["steps"] for batch in told["batches"]])) == (
        told["strategy"],
        [batch["steps"] for batch in told["batches"]],
    )


def test_the_manifest_of_the_seed_keeps_its_values() -> None:
    """A number is a number, a truth value a truth value, and the strategy is the one that is written."""
    reading = wfplan.read((HERE / "seed" / "workflow-execution.yaml").read_text(encoding="utf-8"))
    workflow = wfplan.plan(reading).workflow
    assert workflow.steps[0].parameters == {"deployment": "payment-api", "namespace": "production", "replicas": 5}
    assert workflow.steps[0].parameters["replicas"].__class__ is int
    strategy = workflow.execution_strategy
    assert (strategy.mode, strategy.dry_run_first, strategy.rollback_on_failure) == ("auto", True, True)


def test_the_hint_of_the_seed_is_kept() -> None:
    reading = wfplan.read((HERE / "seed" / "hint.yaml").read_text(encoding="utf-8"))
    assert wfplan.plan(reading).steps["stepA"].metadata["execution_mode"] == "sequential"


@pytest.mark.parametrize("name", list(SEED_REFUSALS))
def test_fragments_of_the_seed_are_refused_for_the_right_reason(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A dependency that is not in the fragment, and batches that do not say what needs what."""
    path = HERE / "seed" / name
    reading = wfplan.read(path.read_text(encoding="utf-8"))
    errors = {problem.code for problem in reading.problems if problem.severity == "error"}
    assert errors
    assert errors <= SEED_REFUSALS[name], reading.problems
    assert main(["plan", str(path)]) == 1
    assert capsys.readouterr().err


# ------------------------------------------------------------------------------------------- what was always readable

STILL_READ = rows_of("still_read.jsonl")
"""Documents that were read before the law was written down, each with its graph.

Left out are those that state more than was read: a field of an item that names another step, a dependency with a
condition, an order word or a second list beside the list. So are a list of titles alone, and two actions of one step.
"""


def test_enough_of_them_are_kept() -> None:
    assert len(STILL_READ) > 250


@pytest.mark.parametrize("row", [pytest.param(row, id=str(number)) for number, row in enumerate(STILL_READ, 1)])
def test_what_was_readable_stays_readable(row: Dict[str, Any]) -> None:
    reading = wfplan.read(row["raw"])
    assert reading.ok, [str(problem) for problem in reading.problems if problem.severity == "error"]
    assert graph_of(reading) == row["graph"]
