"""What a notebook asks values for."""

from __future__ import annotations

from typing import Any

import pytest

import wfplan
from wfplan.render import mimebundle

PLAN = wfplan.plan({"a": [], "b": ["a"]})


@pytest.mark.parametrize(
    "value",
    [
        PLAN,
        wfplan.run(PLAN, {"a": int, "b": int}),
        wfplan.read("[]"),
        wfplan.InvalidWorkflowError(wfplan.check({"a": ["b"]})),
    ],
    ids=["plan", "report", "reading", "error"],
)
def test_a_value_shows_itself(value: Any) -> None:
    assert value._repr_mimebundle_(include=None, exclude=None) == mimebundle(value)
    assert "text/html" in mimebundle(value)
