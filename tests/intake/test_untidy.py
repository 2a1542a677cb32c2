"""Untidy answers of models, and what becomes of each today: tests/intake/untidy.json is the one table of them.

A row has a `name`, the answer as text (`raw`) and `today`:

- `"reads"`: it is read without an error, and gives the `graph`, from each id or name to what it needs;
- a list of codes: it is refused, with errors of exactly these codes. `meant` is the graph that the answer stands for,
  or, where it has to be refused for good, why.

Today the reader takes canonical shapes only, and any other is an error. When it learns to be lenient, rows move from
their codes to "read, with a warning": `today` becomes `"reads"`, `meant` becomes `graph`, and the warning is named.
Rows whose `meant` is a sentence stay refused.
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
def test_canonical_answers_read(row: Dict[str, Any]) -> None:
    """What is canonical, however spaced, reads without an error, gives its graph, and can be planned."""
    reading = wfplan.read(row["raw"])
    assert [problem for problem in reading.problems if problem.severity == "error"] == []
    assert reading.ok
    assert graph_of(reading) == row["graph"]
    plan = wfplan.plan(reading, naming="id")
    assert {name: list(dict.fromkeys(step.dependencies)) for name, step in plan.steps.items()} == row["graph"]


@named(REFUSED)
def test_untidy_answers_are_refused(row: Dict[str, Any]) -> None:
    """What is untidy gives errors of exactly the codes of its row, and no plan, not even of its tidy part."""
    reading = wfplan.read(row["raw"])
    errors = {problem.code for problem in reading.problems if problem.severity == "error"}
    assert sorted(errors) == row["today"]
    assert not reading.ok
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
