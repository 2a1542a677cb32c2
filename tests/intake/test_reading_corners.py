"""Rare ways through the reader, each with what it promises."""

from __future__ import annotations

import asyncio
import builtins
import json
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan import Step
from wfplan.diff import diff_steps
from wfplan.intake import repair
from wfplan.prompting import aplan_with_feedback, feedback, plan_with_feedback, prompt_instructions
from wfplan.problems import ProblemList

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


def test_a_part_of_an_answer_that_is_too_deep_refuses_the_whole() -> None:
    """The rest might be read, but the part that cannot be may belong to it."""
    assert codes(json.dumps([A, B]) + "\n" + "[" * 500 + "]" * 500) == ["limit-exceeded"]


def test_the_same_plan_twice_is_one_plan() -> None:
    """An answer that repeats its plan word for word says one thing."""
    plan = json.dumps([A, B])
    assert graph_of(f"Draft:\n{plan}\nFinal:\n{plan}") == GRAPH
    assert codes(f"{plan}\n{plan}", "warning") == ["surrounding-text"]


def test_json_beside_a_plan_that_may_state_an_order_is_not_passed_over() -> None:
    """However deep it hides; what states none is left out."""
    plan = json.dumps([A, B])
    assert codes(plan + '\n{"note": [{"next": "b"}]}') == ["ambiguous-answer"]
    assert graph_of(plan + '\n{"note": [{"cost": 3}, 4]}') == GRAPH


def test_one_item_in_words_is_no_plan() -> None:
    """A list might have held more of them."""
    assert codes("First: " + json.dumps(A)) == ["invalid-document"]


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


def test_an_answer_of_very_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wfplan.intake.answer._MOST_PARTS", 5)
    assert codes("[]\n" * 6) == ["limit-exceeded"]
    assert codes("[x]\n" * 5) == ["invalid-document"]


CALLS = "1. f()\n2. g($1)\n3. join()\n"
YAML = "steps:\n- id: a\n  action: x\n"


@pytest.mark.parametrize("text", [CALLS, YAML, json.dumps(A) + "\n" + json.dumps(B)])
def test_a_code_block_that_does_not_end_is_cut_off(text: str) -> None:
    """What is written in lines might have had more of them."""
    pytest.importorskip("yaml")
    assert wfplan.read(f"```\n{text}\n```\n").ok
    reading = wfplan.read(f"```\n{text}")
    assert [problem.code for problem in reading.problems if problem.severity == "error"] == ["invalid-document"]
    assert "cut off" in str(reading.problems[0])


@pytest.mark.parametrize("other", [CALLS, YAML])
def test_plans_in_several_forms_are_ambiguous(other: str) -> None:
    """JSON and lines, two code blocks of lines."""
    pytest.importorskip("yaml")
    assert codes(f"{PLAN}\n\n{other}") == ["ambiguous-answer"]
    assert codes(f"```\n{other}```\nor\n```\n{other}```\n") == ["ambiguous-answer"]
    assert wfplan.read(f"Sure!\n```\n{other}```\nDone.").ok


@pytest.mark.parametrize(
    "beside",
    ["b -> a", "depends_on: a", "[a, b]", '["b", "a"]', '{"x": ["b", "a"]}', '{"x": "b -> a"}', str([0] * 100_001)],
)
def test_what_may_be_the_order_of_a_plan_that_states_none_is_not_passed_over(beside: str) -> None:
    """As an arrow, as a key, as ids in brackets; also where it is too much to look through."""
    assert codes(f"{FREE}\n{beside}\n") == ["ambiguous-answer"]


def test_the_same_plan_in_another_spacing_is_the_same_plan() -> None:
    assert graph_of(PLAN + "\n" + json.dumps([A, B], indent=1)) == GRAPH
    twice = PLAN.replace('"action"', '"action": "z", "action"', 1)
    assert not wfplan.read(PLAN + "\n" + twice).ok


@pytest.mark.parametrize("error", [RecursionError(), ValueError("digits"), json.JSONDecodeError("odd", "x", 0)])
def test_what_python_cannot_parse_is_a_problem(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stack of the caller is used up, or numbers may have fewer digits than elsewhere."""

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(json, "loads", fail)
    assert not wfplan.read("[]").ok


# ------------------------------------------------------------------------------------------------------- nearly JSON


def test_nearly_json_is_refused_where_it_is_too_long_to_be_repaired() -> None:
    text = json.dumps([{**A, "description": "z" * 1_000_001}])[:-1] + ",]"
    assert codes(text) == ["limit-exceeded"]


def test_nearly_json_is_refused_without_the_package_that_repairs(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "json_repair":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    reading = wfplan.read("Here: [{'id': 'a', 'action': 'x'}]")
    assert [problem.code for problem in reading.problems] == ["invalid-document"]
    assert "wfplan[llm]" in reading.problems[0].suggestion


def test_nearly_json_that_the_repairer_fails_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises."""
    json_repair = pytest.importorskip("json_repair")

    def fail(text: str) -> None:
        raise RecursionError(text)

    monkeypatch.setattr(json_repair, "loads", fail)
    reading = wfplan.read("Here: [{'id': 'a', 'action': 'x'}]")
    assert [problem.code for problem in reading.problems] == ["invalid-document"]
    assert "RecursionError" in reading.problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        "Do: [{'id': 'a', 'action': 'x', 'needs': ['b'], 'needs': []}]",
        "Do: [{'id': 'a', 'action': 'x', 'needs': }]",
        "Do: [{'id': 'a', 'action': 'x', /* 'needs': ['b'] */ 'zone': 1}]",
        "Do: [{'id': 'a', 'action': x y, 'zone': 1 2}]",
    ],
)
def test_a_repair_that_might_change_something_is_refused(text: str) -> None:
    """A key that is there twice would be one too few, a comment may be a field, a key may lack its value."""
    pytest.importorskip("json_repair")
    reading = wfplan.read(text)
    assert [problem.code for problem in reading.problems] == ["invalid-document"]


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


def test_two_names_of_an_id_or_action_have_to_agree() -> None:
    assert codes([{"task_id": "a", "step_id": "b", "action": "x"}]) == ["conflicting-fields"]
    assert graph_of([{"task_id": "a", "step_id": "a", "action": "x"}]) == {"a": []}
    assert codes([A, {"id": "b", "action": "y", "needs": ["a"], "deps": []}]) == ["conflicting-fields"]
    assert graph_of([A, {"id": "b", "action": "y", "needs": ["a"], "deps": ["a"]}]) == GRAPH


def test_an_action_may_be_taken_from_what_describes_it() -> None:
    """Else from the id, unless that was made up; an item that has neither is refused."""
    assert wfplan.read([{"id": "a", "title": " Scale "}]).recommendations[0].action == "Scale"
    assert wfplan.read([{"id": "a", "action": None, "description": " "}]).recommendations[0].action == "a"
    assert codes([{"tool": ""}]) == ["invalid-field"]
    reading = wfplan.read({"steps": [{"name": "a", "tool": "f", "action": "x"}]})
    assert reading.ok
    assert codes([{"id": "a", "action": []}]) == ["invalid-field"]
    assert codes([{"id": 1.5, "action": ""}]) == ["invalid-field"]


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "{broken", "[1]"])
def test_parameters_in_a_text_that_is_no_plain_object_are_refused(text: str) -> None:
    assert codes([{**A, "parameters": text}]) == ["invalid-field"]


def test_one_dependency_as_a_number_or_an_object_is_read() -> None:
    assert graph_of([{"id": 1, "action": "x"}, {"id": 2, "action": "y", "needs": 1}]) == {"1": [], "2": ["1"]}
    assert graph_of([A, {"id": "b", "action": "y", "needs": {"id": "a"}}]) == GRAPH
    assert codes([A, {"id": "b", "action": "y", "needs": {"a": False}}]) == ["invalid-field"]
    assert codes([A, {"id": "b", "action": "y", "needs": [{"id": True}]}]) == ["invalid-field"]


def test_a_text_that_begins_like_a_list_and_is_none_is_one_id() -> None:
    assert codes([A, {"id": "b", "action": "y", "needs": "[a"}]) == ["unknown-dependency"]
    assert graph_of([{"id": "[a", "action": "x"}, {"id": "b", "action": "y", "needs": "[a"}]) == {"[a": [], "b": ["[a"]}


@pytest.mark.parametrize("text", ["1_0", "high", "101%", "nan", "-0.1", "\u0661"])
def test_confidence_in_a_text_that_is_no_share_is_refused(text: str) -> None:
    assert codes([{**A, "confidence": text}]) == ["invalid-field"]


def test_an_item_in_a_mapping_has_to_agree_with_its_key() -> None:
    assert codes({"plan": {"a": {**A, "id": "z"}}}) == ["conflicting-fields"]
    assert graph_of({"a": {"action": "x"}, "b": {"action": "y", "needs": ["a"]}}) == GRAPH


def test_several_lists_are_refused_unless_all_but_one_are_empty() -> None:
    assert codes({"plan": [A], "tasks": [B]}) == ["ambiguous-answer", "invalid-document"]
    assert codes({"recommendations": [A], "tasks": [B]}) == ["ambiguous-answer"]
    assert graph_of({"plan": [A, B], "tasks": []}) == GRAPH


def test_a_text_in_place_of_the_list_that_is_no_json_is_no_list() -> None:
    assert codes({"recommendations": "[see above"}) == ["invalid-field"]
    assert codes({"recommendations": '[{"id": "a", "id": "b", "action": "x"}]'}) == ["duplicate-key"]
    assert codes(json.dumps('{"recommendations": [{"id": "a", "id": "b", "action": "x"}]}')) == ["duplicate-key"]


def test_what_is_beyond_a_limit_inside_of_a_text_is_refused_too() -> None:
    assert codes({"recommendations": "[" * 150 + "]" * 150}) == ["limit-exceeded"]


def test_keys_around_a_wrapped_plan_state_no_order() -> None:
    assert codes({"result": {"plan": [A, B]}, "edges": [["b", "a"]]}) == ["unknown-field"]


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


def test_very_much_that_is_made_of_ids_is_refused_unseen() -> None:
    assert codes([A, {**B, "zone": ["a"] * 100_001}]) == ["unknown-field"]


# ----------------------------------------------------------------------------------------------- mending and talking


def test_mending_leaves_alone_what_may_mean_something() -> None:
    reading = wfplan.read([A, {**B, "dependencies": ["A"]}])
    assert repair(reading) is reading
    mended = repair(wfplan.read([A, {**B, "dependencies": ["a", " a", "a"]}]))
    assert mended.ok
    assert mended.recommendations[1].dependencies == ("a",)
    assert [one.code for one in mended.problems] == ["repaired", "repaired"]


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


def test_a_conversation_ends_with_a_plan_an_exception_or_its_last_attempt() -> None:
    """Each attempt tells what changed, of what nobody had asked for too."""
    bad, good = [{**A, "dependencies": ["b"]}, B], [{**A, "action": "z"}, {**B, "action": "w"}]
    answers = iter([bad, good])
    done = plan_with_feedback(lambda told: next(answers))
    assert done.ok
    assert done.raise_for_plan() is done.plan
    assert not done.attempts[0].changes
    assert done.attempts[1].changes
    assert repr(done) == "<Conversation ok: [<Attempt 1: refused>, <Attempt 2: ok>]>"
    given_up = plan_with_feedback(lambda told: bad, max_attempts=2)
    assert (given_up.ok, len(given_up.attempts), given_up.plan) == (False, 2, None)
    with pytest.raises(wfplan.InvalidWorkflowError):
        given_up.raise_for_plan()
    broken = plan_with_feedback(lambda told: next(iter([])))
    assert isinstance(broken.error, StopIteration)
    with pytest.raises(StopIteration):
        broken.raise_for_plan()
    with pytest.raises(ValueError, match="at least 1"):
        plan_with_feedback(lambda told: bad, max_attempts=0)


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
    assert ProblemList(problems).listed() == problems
