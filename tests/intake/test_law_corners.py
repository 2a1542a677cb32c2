"""Rare corners of reading: what no table and no law draws often enough to be sure of."""

from __future__ import annotations

import builtins
import json
from typing import Any, Dict, List

import pytest

import wfplan
from wfplan.intake import repair
from wfplan.intake.broken_json import repair_json
from wfplan.intake.syntax import DEFAULT
from wfplan.intake.yaml_syntax import YamlError, parse_yaml
from wfplan.problems import ProblemCollector

A = {"id": "aa", "action": "x"}
B = {"id": "bb", "action": "y"}


def errors(source: Any, **options: Any) -> List[str]:
    return sorted({one.code for one in wfplan.read(source, **options).problems if one.severity == "error"})


def warnings(source: Any) -> List[str]:
    return sorted({one.code for one in wfplan.read(source).problems if one.severity == "warning"})


def without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(wanted: str, *rest: Any, **keywords: Any) -> Any:
        if wanted == name:
            raise ImportError(name)
        return real(wanted, *rest, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)


# ------------------------------------------------------------------------------------------------------- nearly JSON

NEARLY = "[{'id': 'aa', 'action': 'x'}, {'id': 'bb', 'action': 'y', 'dependencies': ['aa'],}]"


def test_nearly_json_without_the_package_that_repairs_it_is_yaml_in_flow_style(monkeypatch: pytest.MonkeyPatch) -> None:
    without("json_repair", monkeypatch)
    assert warnings(NEARLY)[-1] == "yaml-document"
    (problem,) = wfplan.read("[{'id': 'aa', 'action': \"x\" 'y' }").problems
    assert "pip install json-repair" in problem.suggestion or "cut off" in problem.message


def test_a_repair_is_given_up_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, words in (
        ('{"a": "x"' + " " * 200_000 + ",}", "200,000"),
        ('{"a": 1} // {"b": 2}', "a comment may be part of it"),
        ('{"a": /* [] */ 1,}', "a comment may be part of it"),
        ('[{"a": 1}, ...]', "left out"),
        ('{"a": }', "has no value"),
        ('{"a": "x\ny",}', "over the end of a line"),
    ):
        problems = ProblemCollector()
        assert repair_json(text, "", problems) is None
        assert words in problems.as_tuple()[0].message
    for lost in ({"a'b": "c"}, {"a": "c", "d": "e"}):
        monkeypatch.setattr("json_repair.loads", lambda _text, lost=lost: lost)
        assert repair_json("{'a\\'b': 'c d'}", "", ProblemCollector()) is None
    monkeypatch.setattr("json_repair.loads", lambda _text: 1 / 0)
    problems = ProblemCollector()
    assert repair_json("{'a': 1}", "", problems) is None
    assert "ZeroDivisionError" in problems.as_tuple()[0].message


def test_nearly_json_that_is_no_plan_is_none() -> None:
    assert errors("{'note': 'nothing to do',}") == ["invalid-document"]
    assert errors('{"id": "aa", "action": "x"}, {"id": "bb", "action": "y"}') == ["invalid-document"]
    assert errors("Do: [{'id': 'aa', 'action': 'x' : }]") == ["invalid-document"]


# -------------------------------------------------------------------------------------------------------------- YAML


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x 1\nb: *x\n", "alias"),
        ("a: !!int 1\n", "tag"),
        ("a: !!map {}\n", "tag"),
        ("a:\n  <<: {b: 1}\n", "merge key"),
        ("? [a]\n: 1\n", "a list or an object"),
        ("? " + "a" * 1025 + "\n: 1\n", "1,025 characters"),
        ("a: 1\n---\nb: 2\n", "more than one YAML document"),
        ("# nothing\n", "empty"),
        ("a: \x00\n", "cannot hold"),
        ("a: " + "1" * 4301 + "\n", "4,300 digits"),
        ("a: [" * 101 + "]" * 101, "deeper"),
        ("a: [1\n", "]"),
        ("a: b\nc:", "cut off"),
        ("x" * 4_000_001, "at most 4,000,000"),
        ("%YAML 99999999999999999999.1\n---\na: 1\n", ""),
        ("".join(f"k{n}: 1\n" * 2 for n in range(101)), "more than once"),
    ],
)
def test_yaml_that_is_not_plain_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text, DEFAULT)
    assert words in caught.value.reason


def test_half_a_surrogate_pair_is_refused_whatever_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    with pytest.raises(YamlError, match="surrogate"):
        parse_yaml('a: "\\ud800"\n', DEFAULT)


def test_scalars_follow_the_core_schema() -> None:
    text = "[null, ~, true, FALSE, 1, -2, +3, 1.5, .5, 1.e+3, 0x1F, 017, yes, 12:30, 1_000, 2024-01-01, .inf, No, o]"
    value = parse_yaml(text, DEFAULT).json.value
    expected = [None, None, True, False, 1, -2, 3, 1.5, 0.5, 1000.0, 31, "017", "yes", "12:30", "1_000", "2024-01-01"]
    assert value == [*expected, float("inf"), "No", "o"]
    assert [text for _, text in parse_yaml(text, DEFAULT).disputed] == ["017", "yes", "12:30", "1_000", "No"]


def test_a_disputed_scalar_is_a_warning_where_it_is_no_string_anyway() -> None:
    text = "steps:\n- id: 017\n  action: on\n  parameters: {debug: yes}\n  dependencies: []\n"
    found = [(one.code, one.location) for one in wfplan.read(text).problems if one.code == "yaml-scalar"]
    assert found == [("yaml-scalar", "/steps/0/parameters/debug")]


def test_yaml_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    without("yaml", monkeypatch)
    (problem,) = wfplan.read("steps:\n- id: aa\n  action: x\n").problems
    assert "pip install PyYAML" in problem.suggestion


def test_two_keys_and_a_cut_off_block_in_yaml() -> None:
    assert errors("steps:\n- id: aa\n  action: x\n  action: y\n") == ["duplicate-key"]
    assert errors("```yaml\nsteps:\n- id: aa\n  action: x\n") == ["invalid-document"]
    assert errors("steps:\n- id: aa\n  action: x\n# 2 more steps omitted\n") == ["order-not-read"]


# ------------------------------------------------------------------------------------------------------ words around

FREE = json.dumps([A, B])


@pytest.mark.parametrize(
    "line",
    [
        "aa -> bb",
        "Run these strictly one after the other.",
        "and so on",
        "...",
        "the same as above",
        "the remaining steps go here",
        "it depends on aa",
        "[aa, bb]",
    ],
)
def test_lines_around_a_plan_without_dependencies(line: str) -> None:
    text = f"{FREE}\n{line}\n"
    expected = [] if line == "the same as above" else ["order-not-read"]
    assert errors(text) == expected


def test_lines_around_a_plan_with_dependencies() -> None:
    plan = json.dumps([A, {**B, "dependencies": ["aa"]}, {"id": "cc", "action": "z"}])
    assert errors(f"{plan}\naa -> bb, then we are done\nA b c\n") == []
    assert errors(f"{plan}\nbb -> cc\n") == ["order-not-read"]
    assert errors(f"{plan}\n" + "[see " * 30 + "]" * 30) == []


def test_brackets_in_words() -> None:
    text = "".join(f"[see {n} x] " for n in range(30)) + "\n" + json.dumps([{**A, "dependencies": []}])
    assert errors(text + "\n[never closed") == []
    assert errors('"' + text) == []
    assert errors("Plan: [" * 3 + json.dumps([A])) == ["invalid-document"]


def test_thinking_may_hold_brackets_only_where_it_has_begun() -> None:
    plan = json.dumps([{**A, "dependencies": []}])
    assert errors(f"<think>\nfirst [{{\n</think>\n{plan}") == []
    assert errors(f"so\n</think>\n{plan}") == []
    assert errors(f"[1]\n</think>\n{plan}") == ["ambiguous-answer"]
    assert errors(f"<think>\n{plan}") == ["ambiguous-answer"]


# ------------------------------------------------------------------------------------------------------------- items


def test_a_finished_step_is_no_silent_one() -> None:
    for field in ({"status": "done"}, {"completed": True}):
        assert "finished-step" in warnings([{**A, **field, "dependencies": []}])
    for field in ({"status": True}, {"status": "open"}):
        assert "finished-step" not in warnings([{**A, **field, "dependencies": []}])


def test_modes() -> None:
    hint = {**A, "parallel": False, "metadata": {"execution_mode": "sequential"}}
    assert wfplan.read([hint]).items[0].metadata == {"execution_mode": "sequential"}
    assert errors([{**hint, "metadata": {"execution_mode": "auto"}}]) == ["conflicting-fields"]
    assert errors([{**A, "parallel": False, "execution_mode": "parallel"}]) == ["order-not-read"]
    document: Dict[str, Any] = {"steps": [A], "execution_mode": "sequential"}
    assert wfplan.plan(wfplan.read(document)).workflow.execution_strategy.mode == "sequential"
    assert errors({**document, "execution_strategy": {"mode": "auto"}}) == ["conflicting-fields"]
    assert errors({**document, "parallel": True}) == []
    assert errors({**document, "executionMode": "parallel"}) == ["conflicting-fields"]
    assert errors({"steps": [{**A, "execution_mode": 5}]}) == ["order-not-read"]


def test_numbers_and_measures() -> None:
    assert errors([{**A, "phase": "1"}, {**B, "phase": 2.0}]) == ["order-not-read"]
    assert errors([{**A, "phase": "early"}, {**B, "phase": "late"}]) == ["order-not-read"]
    assert errors([{**A, "order": "early"}, {**B, "phase": [1]}]) == []
    assert errors([{**A, "priority": 1}, {**B, "priority": 1}]) == []
    assert errors({"steps": [A, B], "efforts": {"aa": 1, "bb": 2}}) == ["order-not-read"]
    assert errors({"steps": [A, B], "report": {"efforts": {"aa": 1, "bb": 2}}}) == []


def test_names_as_ids_want_a_name_for_each() -> None:
    named = [{**A, "name": "First"}, {**B, "name": "Second", "dependencies": ["First"]}]
    assert wfplan.read(named).items[1].dependencies == ("aa",)
    assert errors([*named, {"id": "cc", "action": "z"}]) == ["unknown-dependency"]
    assert errors([*named, {"id": "cc", "action": "z", "name": "First"}]) == ["unknown-dependency"]


def test_dependencies_in_odd_forms() -> None:
    assert wfplan.read([A, {**B, "dependencies": False}]).items[1].dependencies == ()
    assert errors([A, {**B, "dependencies": ["aa, zz"]}]) == ["unknown-dependency"]
    assert errors([A, {**B, "dependencies": [{"id": "aa", "owner": "me"}]}]) == ["order-not-read"]
    many = [{**A, "dependencies": [True] * 30}]
    assert len(wfplan.read(many).problems) == 21


def test_many_items_of_other_names_are_counted() -> None:
    items = [{"task_id": f"s{n}", "tool": "x", "needs": []} for n in range(500)]
    assert "more problems are not listed" in wfplan.read(items).problems[-1].message


def test_far_references_and_paths() -> None:
    chain = [A, {**B, "dependencies": ["aa"]}, {"id": "cc", "action": "z", "dependencies": ["bb"]}]
    for text in ("$aa", "{{steps.aa.output}}", "see {{ steps.aa.output }} there"):
        assert warnings([*chain[:2], {**chain[2], "parameters": {"x": [{"y": text}]}}]) == ["text-reference"]
        assert errors([{**A, "parameters": {"x": text.replace("aa", "bb")}}, *chain[1:]]) == ["order-not-read"]
    assert errors([{**A, "in": "bb/out"}, B]) == ["order-not-read"]
    assert errors([{"id": "E1", "action": "x"}, {"id": "2", "action": "y", "parameters": {"q": "is #E1 more?"}}]) == [
        "order-not-read"
    ]


def test_shared_values_and_long_strings_come_to_an_end() -> None:
    shared = ["x"] * 1000
    assert errors([{**A, "zone": [shared] * 1002, "dependencies": []}]) == ["limit-exceeded"]
    assert errors([{**A, "zone": "a,b;" * 1000, "dependencies": []}]) == []
    assert errors([{**A, "plan": []}, B]) == []
    assert errors({"jobs": [], "list": [1]}) == []


def test_mending_strips_spaces() -> None:
    reading = wfplan.Reading(
        recommendations=[wfplan.Recommendation(**A), wfplan.Recommendation(**B, dependencies=[" aa"])]
    )
    mended = repair(reading)
    assert mended.items[1].dependencies == ("aa",)


def test_what_is_around_and_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = json.dumps(A) + "\n" + json.dumps(B) + "\n"
    assert errors("```json\n" + lines) == ["invalid-document"]
    assert errors(FREE + "\n\nsteps:\n- id: aa\n  action: x\n") == ["ambiguous-answer"]
    assert errors("Here:\n```yaml\nsteps:\n- id: aa\n  action: x\n  n: " + "1" * 4301 + "\n```\n") == ["limit-exceeded"]
    assert errors("Here: " + json.dumps([{**A, "description": "<think>", "dependencies": []}])) == []
    assert errors(FREE + "\nremaining steps\n") == ["order-not-read"]
    letters = json.dumps([{**A, "id": "a"}, {**B, "id": "b"}])
    assert errors(letters + "\nthis takes a moment, then it ends\n") == []
    monkeypatch.setattr("wfplan.intake.text_parts._MOST_PARTS", 3)
    assert errors("[1] [2] [3] " + lines) == ["limit-exceeded"]


def test_objects_around_ids() -> None:
    assert errors([A, {**B, "dependencies": [{"id": "aa", "title": "First thing"}]}]) == []
    named = [{**A, "name": "First"}, {**B, "name": "Second", "dependencies": ["Nope"]}]
    assert errors(named) == ["unknown-dependency"]
    assert errors({"steps": [{**A, "dependencies": []}], "extra": {"action": "undo"}}) == ["order-not-read"]
    job = {"runs-on": "linux", "steps": [{"run": "make", "with": {"after": "x"}}]}
    assert errors({"jobs": {"one": job}}) == []
    assert errors({"jobs": {"one": {**job, "steps": [{"run": "make", "needs": "two"}]}}}) == ["order-not-read"]


def test_references_in_a_diamond() -> None:
    left, right = {"id": "left", "action": "l", "dependencies": ["E1"]}, {"id": "right", "action": "r"}
    right["dependencies"] = ["E1"]
    join = {"id": "join", "action": "j", "dependencies": ["left", "right"], "parameters": {"x": "#E1"}}
    assert warnings([{"id": "E1", "action": "x"}, left, right, join]) == ["text-reference"]


@pytest.mark.parametrize("parameters", [{"depends_on": ["a"]}, {"waitFor": "a"}, {"x": [{"needs": ["q", "a"]}]}])
@pytest.mark.parametrize("write", [json.dumps, list])
def test_an_order_in_parameters_is_told(parameters: Dict[str, Any], write: Any) -> None:
    """It belongs to the action; where the step does wait for that, or the caller knows the key, nothing is told."""

    def codes(needs: List[str], **options: Any) -> List[str]:
        last = {"id": "b", "action": "y", "dependencies": needs, "parameters": parameters}
        reading = wfplan.read(write([*CHAIN[:1], {**CHAIN[1], "id": "c"}, last]), **options)
        return [problem.code for problem in reading.problems]

    assert codes([]) == codes([], strict=True) == ["order-in-parameters"]
    assert codes(["a"]) == codes([], ignore=("depends_on", "wait_for", "needs")) == []


CHAIN = [
    {"id": "a", "action": "x", "dependencies": []},
    {"id": "b", "action": "y", "dependencies": ["a"]},
    {"id": "c", "action": "z", "dependencies": ["b"]},
]


@pytest.mark.parametrize(
    ("key", "listed", "ok"),
    [
        ("execution_order", ["a", "b", "c"], True),
        ("criticalPath", ["b", "c"], True),
        ("execution_order", ["b", "a", "c"], False),
        ("order", ["a", "c"], False),
        ("order", ["a", "b", "q"], False),
        ("parallel", ["a", "b"], False),
    ],
)
def test_an_order_beside_the_list_is_read_over_where_it_says_what_the_steps_say(
    key: str, listed: List[str], *, ok: bool
) -> None:
    assert wfplan.read({"recommendations": CHAIN, key: listed}).ok is ok


def test_yaml_nested_deeper_than_can_be_written_is_read() -> None:
    text = "recommendations:\n- id: a\n  action: x\nnotes: " + "[" * 300 + "]" * 300 + "\n"
    assert errors(text) == ["limit-exceeded"]
    assert wfplan.read(text, max_depth=400).ok


def test_an_id_with_an_escape_of_markdown_is_the_id_without() -> None:
    reading = wfplan.read([{"id": "a\\_1 ", "action": "x"}, {"id": "b", "action": "y", "dependencies": ["a\\_1"]}])
    assert [item.id for item in reading.recommendations] == ["a_1", "b"]
    assert reading.recommendations[1].dependencies == ("a_1",)


def test_parameters_under_the_name_of_an_action_keep_their_types_in_yaml() -> None:
    reading = wfplan.read(
        "recommendations:\n- id: 1\n  action: {scale: {replicas: 5, force: true}}\n  dependencies: []\n"
    )
    assert reading.recommendations[0].id == "1"
    assert reading.recommendations[0].parameters == {"replicas": 5, "force": True}


def test_a_yaml_parser_that_gives_up_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_yaml('"<<": 1\n', DEFAULT).json.value == {"<<": 1}
    assert list(parse_yaml("a: 1\na: 2\na: 3\n", DEFAULT).json.repeated.values()) == [["a"]]
    for error in (RecursionError(), ValueError("beyond")):

        def give_up(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        monkeypatch.setattr("yaml.CSafeLoader", give_up, raising=False)
        with pytest.raises(YamlError):
            parse_yaml("a: 1\n", DEFAULT)
    begun = repair_json('"x": 1}', "", ProblemCollector())  # what versions of the repairer differ in
    assert begun is None or begun.value == {"x": 1}


class _Odd(str):
    """A key that is equal to no other, though it is written like one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _Number(int):
    """A number of a class of its own."""


class _Share(float):
    """Likewise."""


def test_classes_of_their_own_are_read_by_their_value() -> None:
    values = {**A, "parameters": {"n": _Number(3), "x": _Share(0.5), "s": _Odd("s")}, "dependencies": []}
    assert wfplan.read([values]).items[0].parameters == {"n": 3, "x": 0.5, "s": "s"}
    assert errors([{**A, "parameters": {_Odd("k"): 1, _Odd("k"): 2}}]) == ["duplicate-key"]
    assert errors([{**A, "parameters": {"n": _Number(10**5000)}}]) == ["invalid-field"]


def test_marks_that_are_no_fences_and_thinking_in_strings() -> None:
    plan = json.dumps([{**A, "description": "<think> \n </think>", "dependencies": []}])
    assert errors("```` not ` a fence\n" + json.dumps([{**A, "dependencies": []}])) == []
    assert errors(f"So: {plan}\n<thinking>\nso\n</thinking>\n") == []
    assert errors(f"So: {plan}") == []
    assert errors([{"name": 5, "action": "x"}]) == ["invalid-field"]
    hinted = {**A, "executionMode": "sequential", "metadata": {"after": "bb"}}
    assert errors([hinted, B]) == ["order-not-read"]
    assert errors([{**A, "metadata": {"next": "bb", "after": "none"}}, {**B, "dependencies": ["aa"]}]) == []


def test_tags_in_strings_and_arrows_between_letters() -> None:
    tagged = json.dumps([{"id": "aa", "tool": "x", "description": "<think>", "needs": []}])
    assert errors(f"So: {tagged}") == []
    assert errors(f"<think>so</think>\nSo: {tagged}") == []
    assert errors([{**A, "id": "a"}, {**B, "id": "b", "zone": "c -> a"}]) == ["order-not-read"]
    begun = repair_json("{'a': \"b}", "", ProblemCollector())
    assert begun is None or begun.value == {"a": "b"}
    assert wfplan.read({"steps": [{"name": "\\\\*", "owner": "me"}]}).items[0].name == "\\\\*"


def test_dependencies_as_objects_are_no_list_of_steps() -> None:
    needs = [{"task": "aa", "condition": "done"}]
    mapping = {"aa": {"action": "x", "dependencies": []}, "bb": {"action": "y", "dependencies": needs}}
    assert wfplan.read(mapping).items[1].dependencies == ("aa",)
    lines = json.dumps({**A, "dependencies": []}) + "\n" + json.dumps({**B, "dependencies": needs})
    assert wfplan.read(lines).items[1].dependencies == ("aa",)
    checked = {"aa": {**mapping["aa"], "checks": [{"action": "look"}]}, "bb": mapping["bb"]}
    assert errors(checked) == ["order-not-read"]
