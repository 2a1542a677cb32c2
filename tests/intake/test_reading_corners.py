"""Rare ways through the reader, each with what it promises."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan import Step
from wfplan.diff import diff_steps
from wfplan.problems import ProblemCollector
from wfplan.prompting import aplan_with_feedback, feedback, plan_with_feedback, prompt_instructions

A: Dict[str, Any] = {"id": "a", "action": "x"}
B: Dict[str, Any] = {"id": "b", "action": "y", "dependencies": ["a"]}
GRAPH = {"a": [], "b": ["a"]}


def codes(source: Any, *severities: str, **options: Any) -> List[str]:
    """The codes of these severities (default: errors), each once."""
    wanted = severities or ("error",)
    return sorted({one.code for one in wfplan.read(source, **options).problems if one.severity in wanted})


def graph_of(source: Any) -> Dict[str, List[str]]:
    reading = wfplan.read(source)
    assert reading.ok, list(map(str, reading.problems))
    return {item.id: list(item.dependencies) for item in reading.recommendations}


# ----------------------------------------------------------------------------------------------------- where it is


def test_a_bracket_in_prose_that_is_never_closed_is_passed_over() -> None:
    assert graph_of("We begin [as asked\n" + json.dumps([A, B])) == GRAPH


def test_a_plan_that_is_cut_off_behind_prose_is_refused() -> None:
    reading = wfplan.read("Here: " + json.dumps([A, B])[:-5])
    assert [problem.code for problem in reading.problems] == ["invalid-document"]
    assert "cut off" in reading.problems[0].message


def test_the_same_plan_twice_is_one_plan() -> None:
    """An answer that repeats its plan word for word says one thing."""
    plan = json.dumps([A, B])
    assert graph_of(f"Draft:\n{plan}\nFinal:\n{plan}") == GRAPH
    assert codes(f"{plan}\n{plan}", "warning") == ["surrounding-text"]


def test_items_with_words_between_them_are_not_json_lines() -> None:
    """Whether the words tell an order nobody knows."""
    assert not wfplan.read(json.dumps(A) + "\nand only then\n" + json.dumps(B)).ok


def test_nearly_json_that_holds_no_plan_is_no_plan() -> None:
    assert codes("Set {colour: red} first.") == ["invalid-document"]


@pytest.mark.parametrize("text", ["nothing to do\n[]\n", "[]\n\nNothing to do."])
def test_an_empty_list_on_a_line_of_its_own_is_an_empty_plan(text: str) -> None:
    assert graph_of(text) == {}


PLAN = json.dumps([A, B])
FREE = json.dumps([A, {"id": "b", "action": "y"}])


def test_a_thinking_block_has_to_be_clear() -> None:
    """Tags in brackets are text; an end alone ends what was before, as long as no plan may be in it."""
    assert graph_of("hm, first a\n</think>\n" + PLAN) == GRAPH
    assert graph_of("<think>a <think>[b]</think> c</think>" + PLAN) == GRAPH
    assert codes("[1]\n</think>\n" + PLAN) == ["ambiguous-answer"]
    assert codes("<think>\n" + PLAN) == ["ambiguous-answer"]
    reading = wfplan.read("Here: " + json.dumps([{**A, "description": "<think>"}]))
    assert reading.recommendations[0].description == "<think>"
    assert codes("Here: " + json.dumps([{**A, "description": "<think>"}]), "warning") == ["surrounding-text"]


CALLS = "1. f()\n2. g($1)\n3. join()\n"
YAML = "steps:\n- id: a\n  action: x\n"


def test_the_same_plan_in_another_spacing_is_the_same_plan() -> None:
    assert graph_of(PLAN + "\n" + json.dumps([A, B], indent=1)) == GRAPH
    twice = PLAN.replace('"action"', '"action": "z", "action"', 1)
    assert not wfplan.read(PLAN + "\n" + twice).ok


# ------------------------------------------------------------------------------------------------------- nearly JSON


# ------------------------------------------------------------------------------------------------------------- hints


def test_a_title_that_several_have_is_no_hint() -> None:
    items = [{"id": "a", "action": "x", "title": "t"}, {"id": "b", "action": "y", "title": "t"}]
    alone = wfplan.read([items[0], {"id": "c", "action": "z", "dependencies": ["t"]}])
    both = wfplan.read([*items, {"id": "c", "action": "z", "dependencies": ["t"]}])
    assert "has this for a title" in alone.problems[0].suggestion
    assert "has this for a title" not in both.problems[0].suggestion


@pytest.mark.parametrize(("first", "needs"), [(1, "0"), (0, "2")])
def test_references_that_are_all_off_by_one_are_told(first: int, needs: str) -> None:
    items: List[Dict[str, Any]] = [{"id": str(number), "action": "x"} for number in range(first, first + 2)]
    items[0 if needs == "2" else 1]["dependencies"] = [needs]
    reading = wfplan.read(items)
    assert not reading.ok
    assert f"the ids begin at {first}" in reading.problems[0].suggestion


def test_references_that_fit_from_no_number_are_not_explained() -> None:
    items = [{"id": "1", "action": "x"}, {"id": "2", "action": "y", "dependencies": ["7"]}]
    assert "every reference fits" not in wfplan.read(items).problems[0].suggestion


# ------------------------------------------------------------------------------------------------- items and wrappers


def test_an_id_that_is_not_ascii_and_alone_is_like_any_other() -> None:
    assert graph_of([{"id": "д", "action": "x"}, {"id": "z", "action": "y", "dependencies": ["д"]}]) == {
        "д": [],
        "z": ["д"],
    }


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{broken", "[1]"])
def test_parameters_in_a_text_that_is_no_plain_object_are_refused(text: str) -> None:
    assert codes([{**A, "parameters": text}]) == ["invalid-field"]


def test_a_text_that_begins_like_a_list_and_is_none_is_one_id() -> None:
    assert codes([A, {"id": "b", "action": "y", "needs": "[a"}]) == ["unknown-dependency"]
    assert graph_of([{"id": "[a", "action": "x"}, {"id": "b", "action": "y", "needs": "[a"}]) == {"[a": [], "b": ["[a"]}


@pytest.mark.parametrize("text", ["1_0", "high", "101%", "nan", "-0.1", "\u0661"])
def test_confidence_in_a_text_that_is_no_share_is_refused(text: str) -> None:
    assert codes([{**A, "confidence": text}]) == ["invalid-field"]


def test_an_item_in_a_mapping_has_to_agree_with_its_key() -> None:
    assert codes({"plan": {"a": {**A, "id": "z"}}}) == ["conflicting-fields"]
    assert graph_of({"a": {"action": "x"}, "b": {"action": "y", "needs": ["a"]}}) == GRAPH


def test_a_text_in_place_of_the_list_that_is_no_json_is_no_list() -> None:
    assert codes({"recommendations": "[see above"}) == ["invalid-field"]
    assert codes({"recommendations": '[{"id": "a", "id": "b", "action": "x"}]'}) == ["duplicate-key"]
    assert codes(json.dumps('{"recommendations": [{"id": "a", "id": "b", "action": "x"}]}')) == ["duplicate-key"]


def test_a_key_that_is_there_twice_is_told_with_its_item() -> None:
    """In a list alone, under any name of the list, in a mapping, and in what is around them."""
    item = '{"id": "a", "action": "x", "action": "y"}'
    for text in (f"[{item}]", f'{{"recommendations": [{item}]}}'):
        (problem,) = [one for one in wfplan.read(text).problems if one.code == "duplicate-key"]
        assert problem.steps == ("a",)
    for text in (f'{{"plan": [{item}]}}', f'{{"result": [{item}]}}', f'{{"recommendations": {{"a": {item}}}}}'):
        assert "duplicate-key" in codes(text)


def test_an_item_alone_is_not_taken_for_what_is_around_its_dependencies() -> None:
    """The list of what it needs is no plan: the item itself would be lost."""
    item = {"id": "b", "action": "y", "dependencies": [{"id": "a"}]}
    for source in (item, json.dumps(item), "Do: " + json.dumps(item)):
        assert not wfplan.read(source).ok
    assert graph_of(json.dumps(A) + "\n" + json.dumps(item)) == GRAPH


# ----------------------------------------------------------------------------------------------- mending and talking


def test_feedback_lists_a_thousand_recommendations_and_counts_the_rest() -> None:
    reading = wfplan.read([{"id": str(number), "action": "x"} for number in range(1003)])
    text = str(feedback(reading.problems, reading.recommendations))
    assert "\nand 3 more\n" in text
    assert '"999": nothing' in text
    assert '"1000": nothing' not in text


def test_feedback_without_recommendations_has_the_rules_alone() -> None:
    text = str(feedback(wfplan.read("no plan").problems))
    assert "depends on now" not in text
    assert text.endswith(prompt_instructions())


def test_feedback_says_so_where_no_id_is_near() -> None:
    reading = wfplan.read([A, {**B, "dependencies": ["zzzzzz"]}])
    assert '"zzzzzz": none is near' in str(feedback(reading.problems, reading.recommendations))


def test_a_conversation_may_be_about_steps_and_may_be_awaited() -> None:
    answers = iter([{"steps": [{"name": "a", "dependencies": ["z"]}]}, {"steps": [{"name": "a"}, {"name": "b"}]}])

    async def ask(told: Any) -> Any:
        return next(answers, None) if told is None or "unknown-dependency" in str(told) else 1

    done = asyncio.run(aplan_with_feedback(ask))
    assert done.ok
    assert [step.name for step in done.attempts[1].unasked.added] == ["b"]

    async def fail(told: Any) -> Any:
        raise OSError("no model today")

    failed = asyncio.run(aplan_with_feedback(fail))
    assert isinstance(failed.error, OSError)
    assert failed.attempts == ()


def test_steps_that_cannot_be_planned_are_compared_all_the_same() -> None:
    before = [Step(name="a", dependencies=["gone"]), Step(name="b")]
    after = [Step(name="a"), Step(name="c", dependencies=["a"])]
    told = diff_steps(before, after)
    assert [step.name for step in told.added] == ["c"]
    assert [step.name for step in told.removed] == ["b"]
    assert [(edge.dependency, edge.dependent) for edge in told.added_edges] == [("a", "c")]
    assert [(edge.dependency, edge.dependent) for edge in told.removed_edges] == [("gone", "a")]


def test_steps_that_cannot_be_planned_are_no_change_of_themselves() -> None:
    """A dependency that does not exist is one like any other."""
    steps = [Step(name="a", dependencies=["gone", "b"]), Step(name="b", dependencies=["a"])]
    assert diff_steps(steps, steps).is_empty
    bad = [{**A, "dependencies": ["gone"]}]
    again = plan_with_feedback(lambda told: bad, max_attempts=2)
    assert again.attempts[1].changes.is_empty


def test_a_problem_list_may_begin_with_problems() -> None:
    problems = wfplan.read("no plan").problems
    assert ProblemCollector(problems).as_tuple() == problems
