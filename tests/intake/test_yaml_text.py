"""YAML: every scalar is the text that is there, and what could stand for something else is refused."""

from __future__ import annotations

import json
import sys
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfplan.intake.limits import Limits
from wfplan.intake.yaml_text import looks_like_yaml, read_yaml
from wfplan.problems import Problem, ProblemList

yaml = pytest.importorskip("yaml")

PLAN = """\
# what to do
recommendations:
- id: a
  action: scale
  parameters: {replicas: 3, dry_run: no}
  description: |
    two
    lines
  dependencies: []
- id: b
  action: verify
  dependencies: ["a"]
"""


@pytest.fixture(params=["C", "Python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both parsers that PyYAML has."""
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not hasattr(yaml, "CSafeLoader"):
        pytest.skip("PyYAML without libyaml")


def read(text: str, **limits: int) -> Tuple[Any, Tuple[Problem, ...]]:
    problems = ProblemList()
    return read_yaml(text, problems, Limits(**limits)), problems.listed()


@pytest.mark.parametrize(
    "text",
    [
        PLAN,
        PLAN.replace("\n", "\r\n"),
        "---\nsteps:\n  a: {}\n",
        "Here it is:\n\n  tasks: # all\n  - x",
        "recommendations: []",
        "recommendations: !!python/object/apply:os.system ['true']\n",
        "spec:\n  workflowDefinition:\n    steps:\n",
        "- steps:\n  - id: a",
        "- id: a\n  action: x",
        "%YAML 1.2\n---\n\n# first\n- name: a",
        "-   task_id:\n",
    ],
)
def test_yaml_is_recognised(text: str) -> None:
    assert looks_like_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot help with that.",
        "The plan: restart it",
        "Steps:\n1. restart",
        "steps: restart it, then wait",
        '{"recommendations": []}',
        '{\nsteps: [\n"a"]}',
        '[{"id": "a"}]',
        "- restart it\n- wait",
        "We do this.\n- id: a",
        "1. a()\n2. join()",
    ],
)
def test_other_text_is_not_taken_for_yaml(text: str) -> None:
    assert not looks_like_yaml(text)


@pytest.mark.usefixtures("loader")
def test_a_plan_is_read_as_it_is_written() -> None:
    assert read(PLAN) == (
        {
            "recommendations": [
                {
                    "id": "a",
                    "action": "scale",
                    "parameters": {"replicas": "3", "dry_run": "no"},
                    "description": "two\nlines\n",
                    "dependencies": [],
                },
                {"id": "b", "action": "verify", "dependencies": ["a"]},
            ]
        },
        (),
    )


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("1.10", "1.10"),
        ("012", "012"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        (".inf", ".inf"),
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("''", ""),
        ('"~"', "~"),
        ("'null'", "null"),
        ("|-\n    a\n    b: c", "a\nb: c"),
        (">-\n    a\n    b", "a b"),
        ("&anchor x", "x"),
        ('"\\u00e9\\n"', "\u00e9\n"),
    ],
)
def test_a_scalar_is_the_text_that_is_there(text: str, value: Any) -> None:
    assert read(f"- a: {text}\n") == ([{"a": value}], ())


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "code", "location", "expected"),
    [
        ("a: &x 1\nb:\n- *x\n", "invalid-document", "/b/0", 'alias "*x" is not read: line 3 column 3'),
        ("a: !!str 1", "invalid-document", "/a", "tag"),
        ("a: ! 1", "invalid-document", "/a", "tag"),
        ("a: !!set {b}", "invalid-document", "/a", "tag"),
        ("!!map {}", "invalid-document", "", "tag"),
        ("a: [!!python/object/apply:os.system ['x']]", "invalid-document", "/a/0", "python/object"),
        ("--- a\n--- b\n", "invalid-document", "", "more than one YAML document: line 2 column 1"),
        ("a:\n- <<: {b: c}", "invalid-document", "/a/0", "merge key"),
        ("? [a]\n: b", "invalid-document", "", "a list or an object"),
        ("a: {{b: c}: d}", "invalid-document", "/a", "a list or an object"),
        ("", "invalid-document", "", "empty"),
        ("# nothing\n", "invalid-document", "", "empty"),
        ("~", "invalid-document", "", "empty"),
        ("a: [b, c", "invalid-document", "", "not YAML"),
        ("a: b: c", "invalid-document", "", "line 1 column 5"),
        ("a: 'b", "invalid-document", "", "not YAML"),
        ("a: b\nc: \x07", "invalid-document", "", 'the character "\\x07" at line 2 column 4'),
        ("a: \ud800", "invalid-document", "", "character"),
        ('a: "\\ud800"', "invalid-document", None, ""),
        ('a: "\\UFFFFFFFF"', "invalid-document", "", ""),
        ("%YAML 1." + "1" * 5000 + "\n--- a", "invalid-document", "", ""),
        ("- a: b\n  dependencies:", "invalid-document", "", "cut off"),
        ("- a\n-", "invalid-document", "", "cut off"),
        ("[" * 101 + "]" * 101, "limit-exceeded", "/0" * 100, "deeper than 100 levels"),
        ("? " + "x" * 2000 + "\n: b", "limit-exceeded", "", "2,000 characters"),
        ("x" * 1_000_001, "limit-exceeded", "", "1,000,001 characters"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_not_plain_is_refused(text: str, code: str, location: Any, expected: str) -> None:
    document, problems = read(text)
    assert document is None
    assert [problem.code for problem in problems] == [code]
    assert expected in problems[0].message
    assert location is None or problems[0].location == location


@pytest.mark.parametrize("text", ["- a\n-\n", "a: [b]\nc:\n", "{a: }", "a: '-'", "a: x-"])
def test_an_end_that_may_be_meant_is_read(text: str) -> None:
    assert read(text)[1] == ()


def test_a_merge_key_in_quotes_is_a_key() -> None:
    assert read("'<<': a") == ({"<<": "a"}, ())


@pytest.mark.usefixtures("loader")
def test_each_key_that_is_there_twice_is_told_with_its_place() -> None:
    document, problems = read("a/b:\n- x: 1\n  x: [2]\n  x: 3\na/b: {y: 1, z: 2, y: 3}\n")
    assert document == {"a/b": {"y": "3", "z": "2"}}
    assert [(problem.code, problem.location) for problem in problems] == [
        ("duplicate-key", "/a~1b/0/x"),
        ("duplicate-key", "/a~1b"),
        ("duplicate-key", "/a~1b/y"),
    ]
    assert problems[0].message == 'the key "x" is there more than once, again at line 3'


def test_very_many_keys_that_are_there_twice_end_the_reading() -> None:
    document, problems = read("".join(f"k{number}: a\nk{number}: b\n" for number in range(101)))
    assert document is None
    assert {problem.code for problem in problems} == {"duplicate-key", "limit-exceeded"}
    assert len(problems) == 101


def test_the_depth_is_bounded_as_for_json() -> None:
    assert read("[[[a]]]", max_depth=3)[1] == ()
    assert read("[[[a]]]", max_depth=2)[1][0].code == "limit-exceeded"


def test_without_pyyaml_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    document, problems = read(PLAN)
    assert document is None
    assert [problem.code for problem in problems] == ["invalid-document"]
    assert "looks like YAML" in problems[0].message
    assert "pip install 'wfplan[yaml]'" in problems[0].suggestion


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RecursionError(), "limit-exceeded"),
        (MemoryError(), "limit-exceeded"),
        (OverflowError("too large"), "invalid-document"),
        (yaml.YAMLError("x"), "invalid-document"),
        (yaml.MarkedYAMLError(context="while scanning"), "invalid-document"),
    ],
)
def test_what_pyyaml_raises_is_a_problem(monkeypatch: pytest.MonkeyPatch, error: Exception, code: str) -> None:
    def parse(text: str, Loader: Any) -> Iterator[Any]:  # noqa: N803
        raise error

    monkeypatch.setattr(yaml, "parse", parse)
    document, problems = read("a: b")
    assert document is None
    assert [problem.code for problem in problems] == [code]


UNITS = ["[", "{", "- ", "? ", "-\n", "[a,", "{a: [", "&a ", "!", "*a ", "'", '"', "|\n", "a\n", " ", "\n", "a: b\n"]
UNITS += ["<<: ", "%A\n", "---\n", "# \n", "steps: ", "steps:\n", " steps: [", "- - - - a\n", "\\", "\t", ",", "- id"]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_much_of_anything_is_read_to_its_end(unit: str) -> None:
    """What took a time that grows with the square would not come back from this."""
    text = (unit * 300_000)[:300_000]
    looks_like_yaml(text)
    if hasattr(yaml, "CSafeLoader"):
        document, problems = read(text)
        assert document is not None or problems


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_hostile_text_is_an_answer_in_either_parser(unit: str) -> None:
    document, problems = read((unit * 5000)[:5000])
    assert document is not None or problems


PIECES = [*UNITS, "a: ", "]", "}", ": ", "\n  ", "\n", "x", "~", "null", "<<: *a", "!!str ", "--- ", "...\n", "\ufeff"]
ARBITRARY = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))


@given(ARBITRARY)
def test_no_text_raises(text: str) -> None:
    looks_like_yaml(text)
    document, problems = read(text)
    assert document is not None or problems
    json.dumps(document).encode()


@given(ARBITRARY)
def test_no_text_raises_without_libyaml(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader", raising=False)
        document, problems = read(text)
    assert document is not None or problems


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F, exclude_categories=("Cc",)), max_size=20)
DOCUMENTS = st.recursive(
    TEXTS | st.none(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=12,
).filter(lambda document: document is not None)


@given(DOCUMENTS, st.sampled_from([None, False, True]), st.sampled_from([None, "'", '"', "|"]))
def test_what_is_written_as_yaml_is_read_back(document: Any, flow: Any, style: Any) -> None:
    class Writer(yaml.SafeDumper):
        """Writes a value that is there twice in full."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def write_null(writer: Any, value: None) -> Any:
        return writer.represent_scalar("tag:yaml.org,2002:null", "null", style="")

    Writer.add_representer(type(None), write_null)
    text = yaml.dump(document, Dumper=Writer, default_flow_style=flow, default_style=style, allow_unicode=True)
    untagged = [line for line in text.splitlines() if "!!" not in line]
    if len(untagged) == len(text.splitlines()):
        assert read(text) == (document, ())


@given(st.dictionaries(st.text("abc", min_size=1), st.lists(st.text("abc", min_size=1))))
def test_a_plan_written_by_hand_is_read_back(graph: Dict[str, List[str]]) -> None:
    lines = ["recommendations:"]
    for id_, needs in graph.items():
        lines += [f"- id: {id_}", f"  dependencies: [{', '.join(needs)}]"]
    text = "\n".join([*lines, "" if graph else "  []", ""])
    assert looks_like_yaml(text)
    document, problems = read(text)
    assert problems == ()
    assert {item["id"]: item["dependencies"] for item in document["recommendations"]} == graph
