"""Untidy answers of models, and what becomes of each: tests/intake/untidy.json is the one table of them.

A row has a `name`, the answer as text (`raw`) and `today`:

- `"reads"`: it is read without an error, and gives the `graph`, from each id or name to what it needs, with `warnings`
  of exactly these codes;
- a list of codes: it is refused, with errors of exactly these codes. `meant` is the graph that a person would take it
  for, which it may be read as instead, or, where nobody should, why.

That no order is stated is told of every row without a dependency, so no row tells it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan.problems import CODES

ROWS: List[Dict[str, Any]] = json.loads((Path(__file__).parent / "untidy.json").read_text(encoding="utf-8"))
READ = [row for row in ROWS if row["today"] == "reads"]
REFUSED = [row for row in ROWS if row["today"] != "reads"]
NO_ORDER = "no-order-stated"
OF_PLANNING = {"empty-workflow", "duplicate-dependency", "unknown-execution-mode"}
"""Warnings that any document can have, however tidy it is."""


def named(rows: List[Dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("row", [pytest.param(row, id=row["name"]) for row in rows])


def graph_of(reading: wfplan.Reading) -> Dict[str, List[str]]:
    """From each id or name to what it needs, each once."""
    if reading.workflow is not None:
        return {step.name: list(dict.fromkeys(step.dependencies)) for step in reading.workflow.steps}
    return {item.id: list(dict.fromkeys(item.dependencies)) for item in reading.recommendations}


def test_the_table_is_whole() -> None:
    """Every row has a name of its own, a text, and either a graph or codes that exist."""
    assert len({row["name"] for row in ROWS}) == len(ROWS) >= 100
    known = set(CODES)
    for row in ROWS:
        if row["today"] == "reads":
            assert isinstance(row["graph"], dict)
        else:
            assert row["today"]
            assert set(row["today"]) <= known
            assert isinstance(row["meant"], (dict, str))


@named(READ)
def test_answers_that_are_clear_are_read(row: Dict[str, Any]) -> None:
    """What can mean only one thing reads without an error, tells what was untidy, gives its graph, and is planned."""
    reading = wfplan.read(row["raw"])
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    assert reading.ok
    assert graph_of(reading) == row["graph"]
    warnings = {problem.code for problem in reading.problems if problem.severity == "warning"}
    assert sorted(warnings - {NO_ORDER}) == row["warnings"]
    plan = wfplan.plan(reading, naming="id")
    assert {name: list(dict.fromkeys(step.dependencies)) for name, step in plan.steps.items()} == row["graph"]


@named(READ)
def test_strictly_only_what_is_tidy_is_read(row: Dict[str, Any]) -> None:
    """Each deviation is an error then, at the same place, and nothing else is."""
    reading, strictly = wfplan.read(row["raw"]), wfplan.read(row["raw"], strict=True)
    warned = {(problem.code, problem.location) for problem in reading.problems if problem.severity == "warning"}
    errors = {(problem.code, problem.location) for problem in strictly.problems if problem.severity == "error"}
    assert errors <= warned
    assert {code for code, _ in errors} - {NO_ORDER} == set(row["warnings"]) - OF_PLANNING
    assert strictly.ok == (not errors)


@named(REFUSED)
def test_untidy_answers_are_refused(row: Dict[str, Any]) -> None:
    """What is untidy gives errors of exactly the codes of its row, and no plan, not even of its tidy part."""
    reading = wfplan.read(row["raw"])
    if reading.ok:
        assert graph_of(reading) == row["meant"]
        return
    errors = {problem.code for problem in reading.problems if problem.severity == "error"}
    assert errors == {"order-not-read"} or sorted(errors) == row["today"]
    with pytest.raises(wfplan.InvalidWorkflowError):
        wfplan.plan(reading)


@named(REFUSED)
def test_every_refusal_tells_what_to_do(row: Dict[str, Any]) -> None:
    """Each error of an untidy answer says what is wrong; each document that is none also says what to pass instead."""
    for problem in wfplan.read(row["raw"]).problems:
        assert problem.message
        if problem.code == "invalid-document":
            assert problem.suggestion


@named(ROWS)
def test_bytes_give_the_same(row: Dict[str, Any]) -> None:
    """An answer as bytes in UTF-8 gives the reading that its text gives."""
    assert wfplan.read(row["raw"].encode()) == wfplan.read(row["raw"])
