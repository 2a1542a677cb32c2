"""What functions return is shown in words, in a notebook and in IPython."""

from __future__ import annotations

from typing import Any, List

import pytest

import wfplan
from wfplan.analysis import compare, critical_path, explain, lint, slack
from wfplan.diff import diff
from wfplan.policy import Policy, review

PLAN = wfplan.plan({"a": [], "b": ["a"], "c": ["a", "b"]})


class Printer:
    """As much of IPython's printer as is needed to show a value."""

    def __init__(self) -> None:
        self.shown: List[str] = []

    def text(self, text: str) -> None:
        self.shown.append(text)


@pytest.mark.parametrize(
    "value",
    [
        critical_path(PLAN),
        compare(PLAN, [1, 2]),
        explain(PLAN, "b"),
        diff(PLAN, wfplan.plan({"a": []})),
        review(PLAN, Policy()),
        *lint(PLAN),
        *wfplan.check({"a": ["b"]}),
        *slack(PLAN).values(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_is_shown_in_words(value: Any) -> None:
    printer = Printer()
    value._repr_pretty_(printer, False)
    assert printer.shown == [str(value)]
    assert "=" not in str(value).replace("->", "")


def test_a_timing_says_when_a_step_starts_and_how_late_it_may() -> None:
    plan = wfplan.plan({"a": [], "b": [], "c": ["a"]})
    assert {name: str(timing) for name, timing in slack(plan).items()} == {
        "a": "0.000 s to 1.000 s, critical",
        "b": "0.000 s to 1.000 s, up to 1.000 s later",
        "c": "1.000 s to 2.000 s, critical",
    }


def test_other_values_are_shown_as_they_are_written() -> None:
    printer = Printer()
    PLAN.workflow.steps[0]._repr_pretty_(printer, False)
    assert printer.shown == [repr(PLAN.workflow.steps[0])]


@pytest.mark.slow
def test_ipython_shows_lists_of_problems_line_by_line() -> None:
    from IPython.lib.pretty import pretty

    problems = wfplan.check({"a": ["b"]})
    assert pretty(problems) == f"({problems[0]},)"
