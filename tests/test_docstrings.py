"""Every parameter that a caller passes is described where `help()` finds it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from docstrings import public_callables, undescribed

import wfplan

NOUN_PHRASES = {
    "The",
    "A",
    "An",
    "Whether",
    "What",
    "How",
    "Why",
    "Where",
    "When",
    "Which",
    "All",
    "Everything",
    "Those",
}


@pytest.mark.parametrize(("path", "value"), [pytest.param(*each, id=each[0]) for each in public_callables()])
def test_every_parameter_is_described(path: str, value: Any) -> None:
    assert undescribed(value) == [], path


def test_functions_are_documented_in_the_imperative() -> None:
    """PEP 257: "Return the ...", not "The ..."; a property is a value, and documented as one."""
    found = {
        f"{path.name}:{node.lineno}"
        for path in Path(wfplan.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and not any("property" in ast.dump(decorator) for decorator in node.decorator_list)
        and (ast.get_docstring(node) or "Return").split()[0] in NOUN_PHRASES
    }
    assert found == set()
