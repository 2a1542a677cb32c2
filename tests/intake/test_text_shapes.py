"""Answers of models as text, in the shapes in which they were seen: tests/intake/text_shapes.jsonl, one a line.

Each has the `graph` that reading must give, from each id or name to what it needs, or the `problem` that refuses it,
and where the shape was `seen`; `strict` ones are read strictly. Written for this library, under its licence.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan.problems import LENIENT

SHAPES: List[Dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "text_shapes.jsonl").read_text(encoding="utf-8").splitlines()
]
READ = [shape for shape in SHAPES if shape["graph"] is not None]
REFUSED = [shape for shape in SHAPES if shape["graph"] is None]

CODE_OF_PROBLEM = {
    "two plans": "ambiguous-answer",
    "truncated": "invalid-document",
    "duplicate key": "duplicate-key",
    "no plan": "invalid-document",
    "id": "invalid-field",
    "confidence": "invalid-field",
    "unknown": "unknown-dependency",
    "cycle": "dependency-cycle",
    "duplicate id": "duplicate-step",
    "confusable ids": "confusable-ids",
}

TELLS = {
    "truncated": "cut off",
    "refusal": "holds no plan",
    "duplicate-json-key": '"dependencies" is there more than once',
    "padded-number": 'did you mean "t1"?',
    "dep-by-title": '"task_17" has this for a title',
    "dep-with-step-prefix": "no recommendation has this id",
    "dep-out-of-plan": '"rec-999"',
    "dep-cycle-3": '"a" needs "c", "c" needs "b", "b" needs "a"',
    "id-homoglyph": "armenian small letter seh",
    "confidence-word": "must be a number",
    "yaml-tag": "tag",
}


def named(shapes: List[Dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("shape", [pytest.param(shape, id=shape["name"]) for shape in shapes])


def code_of(problem: str) -> str:
    return CODE_OF_PROBLEM.get(problem) or CODE_OF_PROBLEM[problem.split(maxsplit=1)[0]]


def test_all_of_them_are_there() -> None:
    assert len(SHAPES) == 55
    assert {shape["name"] for shape in REFUSED} >= set(TELLS)


@named(READ)
def test_a_shape_gives_its_graph(shape: Dict[str, Any]) -> None:
    reading = wfplan.read(shape["raw"])
    assert reading.ok, reading.problems
    plan = wfplan.plan(reading, naming="id")
    assert {name: list(dict.fromkeys(step.dependencies)) for name, step in plan.steps.items()} == shape["graph"]


@named([shape for shape in SHAPES if shape["strict"]])
def test_a_strict_shape_is_read_without_any_liberty(shape: Dict[str, Any]) -> None:
    reading = wfplan.read(shape["raw"], strict=True)
    assert reading.ok
    assert LENIENT.isdisjoint(problem.code for problem in reading.problems)


@named(REFUSED)
def test_a_shape_is_refused_for_its_problem(shape: Dict[str, Any]) -> None:
    reading = wfplan.read(shape["raw"])
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    assert [problem.code for problem in errors] == [code_of(shape["problem"])]
    assert TELLS.get(shape["name"], "") in f"{errors[0].message} {errors[0].suggestion}"
