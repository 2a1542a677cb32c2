"""Problems and errors: what people read."""

from __future__ import annotations

import pickle
import sys
from typing import List

import pytest
from pydantic import TypeAdapter, ValidationError

import wfplan
from wfplan import InvalidWorkflowError, Problem
from wfplan._internal.identifiers import name_error
from wfplan._internal.messages import escape, join_names, quote
from wfplan._internal.validation_errors import add_field_errors, kind_of, show
from wfplan.graph import DependencyGraph
from wfplan.problems import ProblemCollector


def test_a_text_is_quoted_on_one_line_and_cut() -> None:
    assert quote('say "a\\b"\n') == '"say \\"a\\\\b\\"\\n"'
    assert quote("\u202e\u00e9\ud800") == '"\\u202e\u00e9\\ud800"'
    assert len(quote("x" * 1000)) == 82
    assert escape("caf\u00e9") == "caf\u00e9"


def test_many_names_are_counted() -> None:
    assert join_names(["a"]) == '"a"'
    assert join_names([str(n) for n in range(1012)]).endswith('"9" and 1,002 more')


@pytest.mark.parametrize(
    "name", ["a", "rec-001", "two words", "\u00e9t\u00e9", "x" * 128, "\u6b65\u9aa4", "\U0001f680"]
)
def test_a_name_is_printable_text(name: str) -> None:
    assert name_error(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " a",
        "a ",
        "\ta",
        "a\n",
        "a\u00a0",
        "x" * 129,
        "a\x00b",
        "a\u202eb",
        "a\u2067b",
        "a\u200bb",
        "e\u0301",
        "\ud800",
    ],
)
def test_anything_else_is_no_name(text: str) -> None:
    assert name_error(text)


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem(code="invalid-field", severity="error", message="wrong", location="/a\n", suggestion="mend it")
    assert str(problem) == "error invalid-field at /a\\n: wrong (mend it)"


def test_beyond_1000_problems_are_counted_by_the_highest_severity_left_out() -> None:
    problems = ProblemCollector()
    for number in range(999):
        problems.add("self-dependency", str(number))
    problems.add("empty-workflow", "first")
    assert [problem.message for problem in problems.as_tuple()[-2:]] == ["998", "first"]
    problems.add("empty-workflow", "second")
    last = problems.as_tuple()[-1]
    assert (len(problems.as_tuple()), last.code, last.severity) == (1000, "limit-exceeded", "warning")
    assert last.message == "2 more problems are not listed"
    for number in range(5000):
        problems.add("self-dependency", str(number))
    assert problems.as_tuple()[-1].severity == "error"
    assert "5,002" in problems.as_tuple()[-1].message
    assert problems.as_tuple("warning")[-1].message == "second"


def test_an_error_tells_the_first_problems_and_can_be_pickled() -> None:
    with pytest.raises(InvalidWorkflowError) as caught:
        wfplan.plan({f"step-{n}": [f"no-{n}"] for n in range(30)})
    error = caught.value
    text = str(error)
    assert text.startswith("this cannot be planned: 30 errors\n  error unknown-dependency")
    assert text.endswith("and 10 more, in .problems")
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.problems, copy.reason, str(copy)) == (error.problems, error.reason, text)


def test_one_error_is_not_called_errors() -> None:
    with pytest.raises(InvalidWorkflowError, match=r"^this cannot be planned: one error"):
        wfplan.plan({"a": ["b"]})


def test_a_long_cycle_is_told_in_short_and_named_in_full() -> None:
    ring = {f"s{n}": [f"s{(n + 1) % 500}"] for n in range(500)}
    (problem,) = wfplan.check(ring)
    assert len(problem.steps) == 500
    assert problem.message.startswith('"s0" needs "s1", "s1" needs "s2"')
    assert problem.message.endswith('and so on through 500 steps, back to "s0"')
    short = {f"s{n}": [f"s{(n + 1) % 20}"] for n in range(20)}
    assert wfplan.check(short)[0].message.endswith('"s19" needs "s0"')


def test_a_cycle_of_one_in_a_graph_alone_is_a_self_dependency() -> None:
    graph = DependencyGraph.from_mapping({"a": ["a"], "b": ["c"], "c": ["b"]})
    with pytest.raises(InvalidWorkflowError) as caught:
        graph.levels()
    assert [problem.code for problem in caught.value.problems] == ["self-dependency", "dependency-cycle"]
    assert caught.value.reason == "execution_order_failed"


def test_a_graph_shows_itself_in_short() -> None:
    assert repr(DependencyGraph.from_mapping({"a": ["b", "c"]})) == "<DependencyGraph: 3 names, 2 edges>"


def test_what_pydantic_finds_and_we_have_no_words_for_is_told_all_the_same() -> None:
    problems = ProblemCollector()
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(List[bytes]).validate_python([3])
    add_field_errors(caught.value, problems, subject="the value", location="/x")
    (problem,) = problems.as_tuple()
    assert (problem.code, problem.location) == ("invalid-field", "/x/0")
    assert problem.message.startswith('"0" of the value does not fit: ')


def test_values_are_shown_if_they_are_short() -> None:
    assert [show(value) for value in (0.5, 7, 2**70, "a", None, [])] == [
        "0.5",
        "7",
        "a number",
        '"a"',
        "null",
        "a list",
    ]
    assert kind_of(object()) == "a value of type object"


def test_a_document_deeper_than_the_stack_is_a_problem() -> None:
    """Also where the caller's stack is nearly full."""

    def at_depth(depth: int) -> wfplan.Reading:
        return at_depth(depth - 1) if depth else wfplan.read('{"a":' * 90 + "1" + "}" * 90)

    depth = sys.getrecursionlimit()
    for room in range(100, 400, 20):
        try:
            codes = {problem.code for problem in at_depth(depth - room).problems}
        except RecursionError:  # no room even to begin
            continue
        assert codes <= {"limit-exceeded", "invalid-document"}


def test_digits_beyond_what_python_reads_are_a_problem() -> None:
    for text in (
        '{"recommendations": [{"id": "a", "action": "x", "parameters": {"n": %s}}]}',
        '{"steps": [{"id": %s}]}',
    ):
        (problem,) = wfplan.read(text % ("1" * 5000)).problems
        assert (problem.code, problem.severity) == ("limit-exceeded", "error")


def test_an_object_that_cannot_even_tell_its_failure() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def source() -> object:
        yield wfplan.Step(name="a")
        raise SilentError

    (problem,) = wfplan.check(source())  # type: ignore[arg-type]
    assert (problem.code, problem.message) == ("invalid-document", "looking at the generator raised SilentError")
