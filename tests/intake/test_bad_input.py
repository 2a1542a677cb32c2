"""What bad input gets: every problem at once, each with code, steps, place and advice, and nothing planned in part.

The tables hold inputs and all that is to be found in them: code, JSON pointer, and the steps (ids, where the input was
recommendations) that a problem is about.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Tuple, Union

import pytest

import wfplan
from wfplan.cli import main
from wfplan.problems import LENIENT_READING_CODES

Finding = Tuple[str, str, Tuple[str, ...]]

NAN = float("nan")
WARNINGS = {"duplicate-dependency", "unknown-execution-mode", "empty-workflow", *LENIENT_READING_CODES}


class Row(NamedTuple):
    """A bad document, all findings but `no-dependencies`, and what the first of these has to tell."""

    name: str
    document: Any
    """A text is a document as text; all else, the objects that a document stands for."""
    findings: List[Finding]
    tells: Tuple[str, ...] = ()
    planned: bool = False
    """Whether it is planned all the same: it has nothing but warnings."""


def rec(id_: Any, *dependencies: Any, **fields: Any) -> Dict[str, Any]:
    return {"id": id_, "action": "restart", "dependencies": list(dependencies), **fields}


def recs(*items: Any) -> Dict[str, Any]:
    return {"recommendations": list(items)}


def steps(*items: Any, **around: Any) -> Dict[str, Any]:
    return {"steps": list(items), **around}


def nested(levels: int) -> List[Any]:
    value: List[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


ROWS = [
    # relations between the items
    Row(
        "unknown dependency",
        recs(rec("rec-001"), rec("rec-002", "rec-01")),
        [("unknown-dependency", "/recommendations/1/dependencies/0", ("rec-002",))],
        ('"rec-002"', '"rec-01"', 'did you mean "rec-001"'),
    ),
    Row(
        "unknown dependency, nothing near",
        recs(rec("a"), rec("b", "a", "somewhere-else")),
        [("unknown-dependency", "/recommendations/1/dependencies/1", ("b",))],
        ('"somewhere-else"', "leave the dependency out"),
    ),
    Row(
        "unknown dependency of a step",
        steps({"name": "restart-a"}, {"name": "verify", "dependencies": ["restart_a"]}),
        [("unknown-dependency", "/steps/1/dependencies/0", ("verify",))],
        ('did you mean "restart-a"',),
    ),
    Row(
        "several unknown dependencies",
        recs(rec("a", "x", "y"), rec("b", "x")),
        [
            ("unknown-dependency", "/recommendations/0/dependencies/0", ("a",)),
            ("unknown-dependency", "/recommendations/0/dependencies/1", ("a",)),
            ("unknown-dependency", "/recommendations/1/dependencies/0", ("b",)),
        ],
    ),
    Row(
        "self-dependency",
        recs(rec("a"), rec("b", "a", "b")),
        [("self-dependency", "/recommendations/1/dependencies/1", ("b",))],
        ('"b" needs itself', "leave"),
    ),
    Row(
        "cycle",
        recs(rec("a", "c"), rec("b", "a"), rec("c", "b")),
        [("dependency-cycle", "/recommendations/0/dependencies/0", ("a", "c", "b"))],
        ('"a" needs "c", "c" needs "b", "b" needs "a"', "remove one"),
    ),
    Row(
        "two disjoint cycles",
        recs(rec("a", "b"), rec("b", "a"), rec("c"), rec("d", "c", "e"), rec("e", "d")),
        [
            ("dependency-cycle", "/recommendations/0/dependencies/0", ("a", "b")),
            ("dependency-cycle", "/recommendations/3/dependencies/1", ("d", "e")),
        ],
    ),
    Row(
        "cycle with steps before and behind it",
        recs(rec("before"), rec("x", "before", "z"), rec("y", "x"), rec("z", "y"), rec("behind", "z")),
        [("dependency-cycle", "/recommendations/1/dependencies/1", ("x", "z", "y"))],
    ),
    Row(
        "cycle and an unknown dependency: the missing one is no cycle",
        recs(rec("a", "b"), rec("b", "a"), rec("c", "gone")),
        [
            ("dependency-cycle", "/recommendations/0/dependencies/0", ("a", "b")),
            ("unknown-dependency", "/recommendations/2/dependencies/0", ("c",)),
        ],
    ),
    Row(
        "duplicate id",
        recs(rec("a"), rec("b", "a"), rec("a")),
        [("duplicate-step", "/recommendations/2/id", ("a",))],
        ('"a"', "each its own id"),
    ),
    Row(
        "duplicate name",
        steps({"name": "a"}, {"name": "a", "dependencies": ["a"]}),
        [("duplicate-step", "/steps/1/name", ("a",))],
        ('"a"', "each its own name"),
    ),
    Row(
        "of a duplicate, the first counts in the graph and the others' dependencies must exist",
        recs(rec("a"), rec("b", "a"), rec("a", "b"), rec("a", "nowhere")),
        [
            ("duplicate-step", "/recommendations/2/id", ("a",)),
            ("unknown-dependency", "/recommendations/3/dependencies/0", ("a",)),
        ],
    ),
    Row(
        "one dependency listed twice",
        recs(rec("a"), rec("b", "a", "a")),
        [("duplicate-dependency", "/recommendations/1/dependencies", ("b",))],
        ('"b"', '"a"', "once is enough"),
        planned=True,
    ),
    Row(
        "unknown execution mode",
        recs(rec("a"), rec("b", "a", metadata={"execution_mode": "Sequential"})),
        [("unknown-execution-mode", "/recommendations/1/metadata/execution_mode", ("b",))],
        ('"Sequential"', 'write one of "sequential", "parallel", "auto"'),
        planned=True,
    ),
    Row(
        "execution mode that is no text",
        recs(rec("a"), rec("b", "a", metadata={"execution_mode": None})),
        [("unknown-execution-mode", "/recommendations/1/metadata/execution_mode", ("b",))],
        ("null",),
        planned=True,
    ),
    Row("empty list", recs(), [("empty-workflow", "/recommendations", ())], planned=True),
    Row("empty bare list", [], [("empty-workflow", "", ())], planned=True),
    Row("no steps", steps(), [("empty-workflow", "/steps", ())], planned=True),
    # fields
    Row(
        "text where a list belongs",
        recs(rec("rec-001"), {"id": "rec-002", "action": "x", "dependencies": "rec-001"}),
        [("text-as-list", "/recommendations/1/dependencies", ("rec-002",))],
        ("write a list of ids",),
        planned=True,
    ),
    Row(
        "text of what does not exist where a list belongs",
        recs(rec("rec-001"), {"id": "rec-002", "action": "x", "dependencies": "rec-01"}),
        [
            ("text-as-list", "/recommendations/1/dependencies", ("rec-002",)),
            ("unknown-dependency", "/recommendations/1/dependencies", ("rec-002",)),
        ],
    ),
    Row(
        "text where a list of locks belongs",
        steps({"name": "a", "locks": "disk"}),
        [("invalid-field", "/steps/0/locks", ("a",))],
        ("must be a list, not a string", 'write ["disk"]'),
    ),
    Row(
        "null where a list belongs",
        recs({"id": "a", "action": "x", "dependencies": None}),
        [("null-as-none", "/recommendations/0/dependencies", ("a",))],
        (),
        planned=True,
    ),
    Row(
        "object where a list belongs",
        recs(rec("a"), {"id": "b", "action": "x", "dependencies": {"a": []}}),
        [("dependency-object", "/recommendations/1/dependencies", ("b",))],
        planned=True,
    ),
    Row(
        "list inside the list",
        recs(rec("a"), rec("b", ["a"])),
        [("invalid-field", "/recommendations/1/dependencies/0", ("b",))],
        ("must be a string, not a list",),
    ),
    Row(
        "set as dependencies",
        recs(rec("a"), {"id": "b", "action": "x", "dependencies": {"a"}}),
        [
            ("invalid-field", "/recommendations/1/dependencies", ()),
            ("null-as-none", "/recommendations/1/dependencies", ("b",)),
        ],
        ("set",),
    ),
    Row(
        "wrong types",
        recs(
            {
                "id": "a",
                "action": 5,
                "description": ["x"],
                "parameters": [1],
                "confidence": "high",
                "dependencies": [1.5],
                "metadata": "m",
            }
        ),
        [
            ("invalid-field", "/recommendations/0/action", ("a",)),
            ("invalid-field", "/recommendations/0/confidence", ("a",)),
            ("invalid-field", "/recommendations/0/dependencies/0", ("a",)),
            ("invalid-field", "/recommendations/0/description", ("a",)),
            ("invalid-field", "/recommendations/0/metadata", ("a",)),
            ("invalid-field", "/recommendations/0/parameters", ("a",)),
        ],
    ),
    Row(
        "items that are no objects",
        recs("restart", None, rec("a"), ["b"]),
        [
            ("invalid-field", "/recommendations/0", ()),
            ("invalid-field", "/recommendations/1", ()),
            ("invalid-field", "/recommendations/3", ()),
        ],
        ("recommendation 1", "must be an object, not a string"),
    ),
    Row(
        "number as id",
        recs({"id": 1, "action": "x"}, {"id": 2, "action": "x", "dependencies": ["1"]}),
        [("number-as-id", "/recommendations/0/id", ()), ("number-as-id", "/recommendations/1/id", ())],
        ("is a number", "write it as a string"),
        planned=True,
    ),
    Row(
        "fraction as id",
        recs({"id": 1.5, "action": "x"}, {"id": True, "action": "x"}),
        [("invalid-field", "/recommendations/0/id", ()), ("invalid-field", "/recommendations/1/id", ())],
        ("must be a string, not a number",),
    ),
    Row(
        "id and action missing",
        recs({"parameters": {"pod": "a"}}),
        [("invalid-field", "/recommendations/0/action", ("1",)), ("missing-id", "/recommendations", ())],
        ("is missing",),
    ),
    Row(
        "id missing where one is needed",
        recs({"action": "x"}, {"action": "y", "dependencies": ["1"]}),
        [("invalid-field", "/recommendations/0/id", ()), ("invalid-field", "/recommendations/1/id", ())],
        ("is missing",),
    ),
    Row(
        "confidence above 1",
        recs(rec("a", confidence=1.5)),
        [("invalid-field", "/recommendations/0/confidence", ("a",))],
        ("at most 1", "1.5"),
    ),
    Row(
        "confidence below 0",
        recs(rec("a", confidence=-0.1)),
        [("invalid-field", "/recommendations/0/confidence", ("a",))],
        ("at least 0", "-0.1"),
    ),
    Row(
        "confidence NaN",
        recs(rec("a", confidence=NAN)),
        [("invalid-field", "/recommendations/0/confidence", ("a",))],
        ("finite",),
    ),
    Row(
        "confidence infinite",
        recs(rec("a", confidence=float("inf"))),
        [("invalid-field", "/recommendations/0/confidence", ("a",))],
    ),
    Row(
        "confidence far too large",
        recs(rec("a", confidence=10**400)),
        [("invalid-field", "/recommendations/0/confidence", ("a",))],
    ),
    Row(
        "NaN in parameters",
        recs(rec("a", parameters={"limits": [1, NAN]})),
        [("invalid-field", "/recommendations/0/parameters/limits/1", ("a",))],
        ("limits", "nan"),
    ),
    Row(
        "NaN in an unknown field",
        recs(rec("a", score=NAN)),
        [
            ("invalid-field", "/recommendations/0/score", ("a",)),
            ("unknown-field", "/recommendations/0/score", ("a",)),
        ],
    ),
    Row(
        "parameters too deep",
        recs(rec("a", parameters={"p": nested(65)})),
        [("invalid-field", "/recommendations/0/parameters", ("a",))],
        ("64 levels",),
    ),
    Row(
        "misspelt field",
        recs(rec("a", descripton="restart it")),
        [("unknown-field", "/recommendations/0/descripton", ("a",))],
        ('"descripton"', "metadata"),
        planned=True,
    ),
    Row(
        "misspelt dependencies",
        recs(rec("a"), {"id": "b", "action": "x", "dependancies": ["a"]}),
        [("order-not-read", "/recommendations/1/dependancies", ("b",))],
        ('"dependancies"', '"dependencies"'),
    ),
    Row(
        "execution mode beside metadata",
        recs(rec("a", execution_mode="Sequential")),
        [("mode-alias", "/recommendations/0/execution_mode", ("a",))],
        planned=True,
    ),
    Row(
        "item without a valid id beside problems between the others",
        recs(rec("a", "a"), {"id": 5.0, "action": "x", "dependencies": ["a"]}, rec("b", "gone"), rec("", "b")),
        [
            ("invalid-field", "/recommendations/3/id", ()),
            ("self-dependency", "/recommendations/0/dependencies/0", ("a",)),
            ("unknown-dependency", "/recommendations/2/dependencies/0", ("b",)),
            ("number-as-id", "/recommendations/1/id", ()),
        ],
    ),
    Row(
        "item that cannot be read exists for those that need it",
        recs({"id": "a", "action": 5}, rec("b", "a"), rec("c", "b", "d"), {"id": "d", "action": "x", "confidence": 2}),
        [
            ("invalid-field", "/recommendations/0/action", ("a",)),
            ("invalid-field", "/recommendations/3/confidence", ("d",)),
        ],
    ),
    Row(
        "cycle through an item that cannot be read",
        recs({"id": "a", "action": 5, "dependencies": ["b"]}, rec("b", "a")),
        [
            ("dependency-cycle", "/recommendations/0/dependencies/0", ("a", "b")),
            ("invalid-field", "/recommendations/0/action", ("a",)),
        ],
    ),
    # ids and names
    Row("empty id", recs(rec("")), [("invalid-field", "/recommendations/0/id", ())], ("is empty",)),
    Row("empty name", steps({"name": ""}), [("invalid-field", "/steps/0/name", ())], ("is empty",)),
    Row("id of spaces", recs(rec(" ")), [("invalid-field", "/recommendations/0/id", ())], ("space",)),
    Row(
        "id with outer space", recs(rec("a ")), [("id-spelling", "/recommendations/0/id", ())], ("space",), planned=True
    ),
    Row("id with NUL", recs(rec("a\0b")), [("invalid-field", "/recommendations/0/id", ())], ("printed",)),
    Row("id with a line break", recs(rec("a\nb")), [("invalid-field", "/recommendations/0/id", ())], ("printed",)),
    Row("id with escape", recs(rec("a\x1b[2Jb")), [("invalid-field", "/recommendations/0/id", ())], ("printed",)),
    Row("id with zero width", recs(rec("a\u200bb")), [("invalid-field", "/recommendations/0/id", ())], ("printed",)),
    Row(
        "id with bidi control", recs(rec("a\u202eb")), [("invalid-field", "/recommendations/0/id", ())], ("direction",)
    ),
    Row("id too long", recs(rec("a" * 129)), [("invalid-field", "/recommendations/0/id", ())], ("129", "128")),
    Row(
        "ids that differ only by normal form",
        recs(rec("caf\u00e9"), rec("cafe\u0301")),
        [("duplicate-step", "/recommendations/1/id", ("café",)), ("id-spelling", "/recommendations/1/id", ())],
        (),
    ),
    Row(
        "dependency that differs from an id only by normal form",
        recs(rec("caf\u00e9"), rec("b", "cafe\u0301")),
        [("id-spelling", "/recommendations/1/dependencies/0", ("b",))],
        planned=True,
    ),
    Row(
        "empty action",
        recs({"id": "a", "action": ""}),
        [("missing-action", "/recommendations/0/action", ("a",))],
        ("its id is taken",),
        planned=True,
    ),
    Row(
        "action too long",
        recs({"id": "a", "action": "x" * 1025}),
        [("invalid-field", "/recommendations/0/action", ("a",))],
        ("characters",),
    ),
    # documents
    Row("no text", "", [("invalid-document", "", ())], ("empty",)),
    Row("blank text", " \n\t ", [("invalid-document", "", ())], ("empty",)),
    Row("prose", "I would restart the pod first.", [("invalid-document", "", ())], ("holds no plan",)),
    Row("cut off", '{"recommendations": [{"id": "a", "act', [("invalid-document", "", ())], ("cut off",)),
    Row(
        "text behind",
        '{"recommendations": []} Done.',
        [("empty-workflow", "/recommendations", ()), ("surrounding-text", "", ())],
        planned=True,
    ),
    Row(
        "the same document twice",
        "[]\n[]",
        [("empty-workflow", "", ()), ("surrounding-text", "", ())],
        planned=True,
    ),
    Row("two documents", '[]\n[{"id": "a", "action": "x"}]', [("ambiguous-answer", "", ())], ()),
    Row("byte order mark", '\ufeff{"recommendations": []}', [("empty-workflow", "/recommendations", ())], planned=True),
    Row("half a surrogate pair", '["\\ud800"]', [("invalid-document", "", ())]),
    Row("a number", "5", [("invalid-document", "", ())], ("number",)),
    Row("null", "null", [("invalid-document", "", ())], ("null",)),
    Row("true", "true", [("invalid-document", "", ())], ("boolean",)),
    Row("NaN", "NaN", [("invalid-document", "", ())]),
    Row("a JSON text", '"restart"', [("invalid-document", "", ())], ()),
    Row("no list", {}, [("invalid-document", "", ())], ("no list", '"recommendations"')),
    Row("other keys", {"plan": [rec("a")]}, [("key-alias", "/plan", ())], ("recommendations",), planned=True),
    Row("unknown keys", {"ideas": "restart it"}, [("invalid-document", "", ())], ('"recommendations"',)),
    Row("list that is none", {"recommendations": {"a": 5}}, [("invalid-field", "/recommendations", ())]),
    Row("list that is null", {"recommendations": None}, [("invalid-field", "/recommendations", ())]),
    Row(
        "both lists",
        {"recommendations": [rec("a")], "steps": [{"name": "b"}]},
        [("ambiguous-answer", "/recommendations", ())],
    ),
    Row(
        "steps and recommendations mixed",
        steps({"name": "a"}, {"name": "b"}, {"id": "c", "action": "x"}),
        [("invalid-document", "/steps/2", ())],
        ("mixed", "item 3"),
    ),
    Row("300 levels", nested(300), [("limit-exceeded", "*", ())], ("deep",)),
    Row("300 levels, not closed", "[" * 300, [("invalid-document", "", ())], ()),
    Row("a million levels", "[" * 1_000_000, [("limit-exceeded", "*", ())], ("deep",)),
    Row("300 levels of parameters", recs(rec("a", parameters={"p": nested(300)})), [("limit-exceeded", "*", ())]),
    Row(
        "duplicate key",
        '{"recommendations": [{"id": "a", "action": "x"},'
        ' {"id": "b", "action": "x", "dependencies": ["a"], "dependencies": []}]}',
        [("duplicate-key", "/recommendations/1/dependencies", ("b",))],
        ('"dependencies"', "more than once"),
    ),
    Row(
        "duplicate keys in several places",
        '{"recommendations": [], "recommendations":'
        ' [{"id": "a", "action": "x", "parameters": {"n": 1, "n": 1}, "act\\u0069on": "y"}]}',
        [
            ("duplicate-key", "/recommendations", ()),
            ("duplicate-key", "/recommendations/0/action", ("a",)),
            ("duplicate-key", "/recommendations/0/parameters/n", ("a",)),
        ],
    ),
    Row("key that is no text", {"recommendations": [], 5: 6}, [("invalid-document", "", ())], ("key",)),
    # settings
    Row(
        "execution strategy",
        steps(
            {"name": "a"},
            executionStrategy={"mode": "parallel", "maxParallel": 0, "dryRun": True, "rollbackOnFailure": "yes"},
        ),
        [
            ("invalid-field", "/executionStrategy/maxParallel", ()),
            ("invalid-field", "/executionStrategy/mode", ()),
            ("invalid-field", "/executionStrategy/rollbackOnFailure", ()),
            ("unknown-field", "/executionStrategy/dryRun", ()),
        ],
    ),
    Row(
        "execution strategy that is none",
        steps({"name": "a"}, execution_strategy="sequential"),
        [("invalid-field", "/execution_strategy", ())],
        ("must be an object, not a string",),
    ),
    Row(
        "execution strategy of a resource",
        {"spec": {"workflowDefinition": {"steps": [{"name": "a"}]}, "executionStrategy": {"mode": "fast"}}},
        [("invalid-field", "/spec/executionStrategy/mode", ())],
        ('"fast"', "sequential"),
    ),
    Row("schema version", steps({"name": "a"}, schema_version=2), [("invalid-field", "/schema_version", ())]),
    Row("name of the workflow", steps({"name": "a"}, name=5), [("invalid-field", "/name", ())]),
    # order that is stated elsewhere
    Row(
        "edges beside the list",
        {"recommendations": [rec("a"), rec("b")], "edges": [["a", "b"]]},
        [("order-not-read", "/edges", ())],
        ('"edges"', '"dependencies"'),
    ),
    Row(
        "order made of ids beside the list",
        {"recommendations": [rec("a"), rec("b")], "sequence": ["a", "b"]},
        [("order-not-read", "/sequence/0", ()), ("order-not-read", "/sequence/1", ())],
        ('"sequence"', '"dependencies"'),
    ),
]

EVERYTHING = """{"recommendations": [
  {"id": "a", "action": "x", "dependencies": ["a"]},
  {"id": "b", "action": "x", "dependencies": ["c"]},
  {"id": "c", "action": "x", "dependencies": ["b"]},
  {"id": "d", "action": "x", "dependencies": ["zzz"]},
  {"id": "d", "action": "y"},
  {"id": "e", "action": "x", "dependencies": "a"},
  {"id": "", "action": "x"},
  {"id": "f", "action": "x", "confidence": 2},
  {"id": "g", "action": "x", "depends_on": ["a"]},
  {"id": "h", "action": "x", "dependencies": ["c", "c"]},
  {"id": "i", "action": "x", "metadata": {"execution_mode": "Sequential"}},
  {"id": "j", "action": "x", "note": "hello"},
  {"id": "k", "action": "x", "action": "y"},
  7
], "edges": [["a", "b"]]}"""

EVERYTHING_FOUND = [
    ("dependency-cycle", "/recommendations/1/dependencies/0", ("b", "c")),
    ("duplicate-dependency", "/recommendations/9/dependencies", ("h",)),
    ("duplicate-key", "/recommendations/12/action", ("k",)),
    ("duplicate-step", "/recommendations/4/id", ("d",)),
    ("invalid-field", "/recommendations/13", ()),
    ("text-as-list", "/recommendations/5/dependencies", ("e",)),
    ("invalid-field", "/recommendations/6/id", ()),
    ("invalid-field", "/recommendations/7/confidence", ("f",)),
    ("self-dependency", "/recommendations/0/dependencies/0", ("a",)),
    ("unknown-dependency", "/recommendations/3/dependencies/0", ("d",)),
    ("unknown-execution-mode", "/recommendations/10/metadata/execution_mode", ("i",)),
    ("order-not-read", "/edges", ()),
    ("unknown-field", "/recommendations/11/note", ("j",)),
    ("key-alias", "/recommendations/8/depends_on", ("g",)),
]

ROWS.append(
    Row(
        "everything at once",
        EVERYTHING,
        [
            ("dependency-cycle", "/recommendations/1/dependencies/0", ("b", "c")),
            ("duplicate-key", "/recommendations/12/action", ("k",)),
            ("duplicate-step", "/recommendations/4/id", ("d",)),
            ("invalid-field", "/recommendations/13", ()),
            ("invalid-field", "/recommendations/6/id", ()),
            ("invalid-field", "/recommendations/7/confidence", ("f",)),
            ("order-not-read", "/edges", ()),
            ("self-dependency", "/recommendations/0/dependencies/0", ("a",)),
            ("unknown-dependency", "/recommendations/3/dependencies/0", ("d",)),
            ("duplicate-dependency", "/recommendations/9/dependencies", ("h",)),
            ("key-alias", "/recommendations/8/depends_on", ("g",)),
            ("text-as-list", "/recommendations/5/dependencies", ("e",)),
            ("unknown-execution-mode", "/recommendations/10/metadata/execution_mode", ("i",)),
            ("unknown-field", "/recommendations/11/note", ("j",)),
        ],
    )
)


def named(rows: Iterable[Row]) -> Any:
    return pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in rows])


def has_text(row: Row) -> bool:
    if isinstance(row.document, str):
        return True
    try:
        json.dumps(row.document)
    except TypeError:
        return False
    return all(isinstance(key, str) for key in row.document) if isinstance(row.document, dict) else True


def text_of(row: Row) -> str:
    return row.document if isinstance(row.document, str) else json.dumps(row.document)


TEXT_ROWS = [row for row in ROWS if has_text(row)]
OBJECT_ROWS = [row for row in ROWS if not isinstance(row.document, str)]

each_text = named(TEXT_ROWS)
each_object = named(OBJECT_ROWS)


def found_in(problems: Iterable[wfplan.Problem]) -> List[Finding]:
    return sorted((problem.code, problem.location, problem.steps) for problem in problems if problem.severity != "info")


def expected_of(row: Row, problems: Iterable[wfplan.Problem]) -> List[Finding]:
    """The findings of a row; a location of `*` is any."""
    located = {problem.code: problem.location for problem in problems}
    return sorted((code, located.get(code, where) if where == "*" else where, who) for code, where, who in row.findings)


def assert_found(row: Row, reading: wfplan.Reading) -> None:
    assert found_in(reading.problems) == expected_of(row, reading.problems)
    first = [problem for problem in reading.problems if problem.code == row.findings[0][0]]
    said = "\n".join(f"{problem.message} {problem.suggestion}" for problem in first)
    assert [words for words in row.tells if words not in said] == []


# ------------------------------------------------------------------------------------------------------------ read


@each_text
def test_read_finds_all_in_text(row: Row) -> None:
    """Text with problems: all of them come out, nothing else, and they tell what to do."""
    assert_found(row, wfplan.read(text_of(row)))


@each_text
def test_read_finds_all_in_bytes(row: Row) -> None:
    """Bytes are read as the text that they are in UTF-8."""
    assert wfplan.read(text_of(row).encode()).problems == wfplan.read(text_of(row)).problems


@each_object
def test_read_finds_all_in_objects(row: Row) -> None:
    """Objects with problems: the same findings as in the text that they stand for."""
    assert_found(row, wfplan.read(row.document))


@named(ROWS)
def test_errors_come_first(row: Row) -> None:
    """Problems are listed by severity, errors first."""
    severities = [problem.severity for problem in wfplan.read(row.document).problems]
    assert severities == sorted(severities, key=("error", "warning", "info").index)


@named(ROWS)
def test_severity_is_that_of_the_code(row: Row) -> None:
    """Errors refuse, warnings do not: a code always has its severity, but for unknown-field, which has either."""
    for problem in wfplan.read(row.document).problems:
        if problem.code != "unknown-field":
            wanted = "info" if problem.code == "no-dependencies" else "warning" if problem.code in WARNINGS else "error"
            assert problem.severity == wanted


def resolves(document: Any, location: str) -> bool:
    """Whether a JSON pointer points at something in the document."""
    value = document
    for part in location.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return False
    return location == "" or location.startswith("/")


@named([row for row in ROWS if "levels" not in row.name])
def test_locations_exist(row: Row) -> None:
    """Each location is a JSON pointer to what the problem is about; for what is missing, to where it belongs."""
    try:
        document = json.loads(row.document) if isinstance(row.document, str) else row.document
    except ValueError:
        return  # of an answer in words, they lead into the document that is in it
    for problem in wfplan.read(row.document).problems:
        missing = problem.message.endswith("is missing") or "has no action" in problem.message
        location = problem.location.rpartition("/")[0] if missing else problem.location
        location = location.replace("/dependencies/0", "/dependencies") if "rec-01" in problem.message else location
        assert resolves(document, location), problem


# ------------------------------------------------------------------------------------------------------ plan, check


@named([row for row in ROWS if not row.planned])
def test_refused_by_plan_with_the_same_problems(row: Row) -> None:
    """A reading with an error is not ok, and plan raises with all errors and warnings of the reading."""
    reading = wfplan.read(row.document)
    assert not reading.ok
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        wfplan.plan(reading)
    assert caught.value.problems == tuple(problem for problem in reading.problems if problem.severity != "info")
    assert caught.value.reason == "dependency_resolution_failed"


@named([row for row in ROWS if row.planned])
def test_warnings_ride_along(row: Row) -> None:
    """A reading with nothing but warnings is ok, and the plan carries them."""
    reading = wfplan.read(row.document)
    assert reading.ok
    plan = wfplan.plan(reading)
    assert plan.problems == tuple(problem for problem in reading.problems if problem.severity == "warning")
    assert plan.problems


@named(ROWS)
def test_check_gives_the_problems_of_the_reading(row: Row) -> None:
    """check(reading) raises nothing and gives what the reading found."""
    reading = wfplan.read(row.document)
    assert wfplan.check(reading) == reading.problems


class PlanRow(NamedTuple):
    """What is no document and cannot be planned, with codes and steps of all problems, and what they have to tell."""

    name: str
    source: Any
    findings: List[Tuple[str, Tuple[str, ...]]]
    tells: Tuple[str, ...] = ()
    keywords: Mapping[str, Any] = MappingProxyType({})


def broken_iterator() -> Iterator[wfplan.Step]:
    yield wfplan.Step(name="a")
    raise RuntimeError("the source went away")


class Broken:
    """Something to iterate over, again and again, that fails."""

    def __iter__(self) -> Iterator[wfplan.Step]:
        return broken_iterator()


STEP = wfplan.Step(name="a")
RECOMMENDATION = wfplan.Recommendation(id="b", action="x")

PLAN_ROWS = [
    PlanRow(
        "mapping: unknown dependency",
        {"tie": ["shirt"]},
        [("unknown-dependency", ("tie",))],
        ('"shirt"', 'add the entry "shirt": []'),
    ),
    PlanRow("mapping: self-dependency", {"a": ["a"]}, [("self-dependency", ("a",))]),
    PlanRow("mapping: cycle", {"a": ["b"], "b": ["a"]}, [("dependency-cycle", ("a", "b"))]),
    PlanRow("mapping: text for a list", {"a": "b", "b": []}, [("invalid-field", ("a",))], ('write ["b"]',)),
    PlanRow("mapping: set", {"a": {"b"}, "b": []}, [("invalid-field", ("a",))], ("set", "write a list")),
    PlanRow("mapping: null", {"a": None}, [("invalid-field", ("a",))], ("write []",)),
    PlanRow("mapping: number in the list", {"a": [1]}, [("invalid-field", ("a",))], ("must be a string",)),
    PlanRow("mapping: name that is no text", {1: []}, [("invalid-field", ())], ("must be a string",)),
    PlanRow("mapping: empty name", {"": []}, [("invalid-field", ())], ("is empty",)),
    PlanRow("mapping: bidi name", {"a\u202eb": []}, [("invalid-field", ())], ("direction",)),
    PlanRow(
        "mapping: all at once",
        {"a": "b", "b": ["b"], "c": ["d"], "d": ["c"], "e": ["nowhere"], "f": None},
        [
            ("dependency-cycle", ("c", "d")),
            ("invalid-field", ("a",)),
            ("invalid-field", ("f",)),
            ("self-dependency", ("b",)),
            ("unknown-dependency", ("e",)),
        ],
    ),
    PlanRow("steps: duplicate name", [STEP, STEP], [("duplicate-step", ("a",))]),
    PlanRow("recommendations: duplicate id", [RECOMMENDATION] * 3, [("duplicate-step", ("b",))], ("3 rec", '"b"')),
    PlanRow(
        "recommendations: unknown id",
        [wfplan.Recommendation(id="a", action="scale", dependencies=["scale"])],
        [("unknown-dependency", ("a",))],
        ("no recommendation has this id",),
    ),
    PlanRow("steps and recommendations", [STEP, RECOMMENDATION], [("invalid-document", ())], ("item 2",)),
    PlanRow("steps and a dict", [STEP, {"name": "b"}], [("invalid-document", ())], ("item 2", "read")),
    PlanRow("text", '{"recommendations": []}', [("invalid-document", ())], ("plan(read(",)),
    PlanRow("bytes", b'{"recommendations": []}', [("invalid-document", ())], ("plan(read(",)),
    PlanRow("document", recs(rec("a")), [("invalid-document", ())], ("plan(read(",)),
    PlanRow("document of steps", steps({"name": "a"}), [("invalid-document", ())], ("plan(read(",)),
    PlanRow("list of a document", [rec("a"), rec("b")], [("invalid-document", ())], ("plan(read(",)),
    PlanRow("dump of a plan", wfplan.plan({"a": []}).model_dump(), [("invalid-document", ())], ("plan(read(",)),
    PlanRow("list of names", ["a", "b"], [("invalid-document", ())], ("item 1",)),
    PlanRow("one step", STEP, [("invalid-document", ())], ("plan([",)),
    PlanRow("one recommendation", RECOMMENDATION, [("invalid-document", ())], ("plan([",)),
    PlanRow("a plan", wfplan.plan({"a": []}), [("invalid-document", ())], ("workflow",)),
    PlanRow("set", {"a", "b"}, [("invalid-document", ())], ("order",)),
    PlanRow("nothing", None, [("invalid-document", ())]),
    PlanRow("number", 5, [("invalid-document", ())]),
    PlanRow("failing iterable", Broken(), [("invalid-document", ())], ("RuntimeError", "the source went away")),
    PlanRow("naming", {"a": []}, [("invalid-field", ())], ('"action" or "id"',), {"naming": "name"}),
    PlanRow("naming that is no text", {"a": []}, [("invalid-field", ())], (), {"naming": ["id"]}),
    PlanRow("batch size 0", {"a": []}, [("invalid-field", ())], ("at least 1",), {"max_batch_size": 0}),
    PlanRow("batch size true", {"a": []}, [("invalid-field", ())], ("whole number",), {"max_batch_size": True}),
    PlanRow("isolate", {"a": []}, [("invalid-field", ())], ("true or false",), {"isolate_sequential": "yes"}),
    PlanRow("strategy", {"a": []}, [("invalid-field", ())], ("object",), {"execution_strategy": "sequential"}),
    PlanRow("mode", {"a": []}, [("invalid-field", ())], ("sequential",), {"execution_strategy": {"mode": "fast"}}),
    PlanRow("key of strategy", {"a": []}, [("invalid-field", ())], (), {"execution_strategy": {1: "fast"}}),
    PlanRow(
        "keywords and source at once",
        {"a": ["b"]},
        [("invalid-field", ()), ("invalid-field", ()), ("invalid-field", ()), ("unknown-dependency", ("a",))],
        (),
        {"naming": "name", "max_batch_size": 0, "isolate_sequential": "yes"},
    ),
    PlanRow(
        "all keywords at once",
        {"a": []},
        [("invalid-field", ()), ("invalid-field", ())],
        (),
        {"max_batch_size": 0, "execution_strategy": {"mode": "fast"}},
    ),
]

each_source = pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in PLAN_ROWS])


@each_source
def test_plan_refuses_with_all_problems(row: PlanRow) -> None:
    """What plan raises is a ValueError with every problem; locations are empty, for there is no document."""
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        wfplan.plan(row.source, **row.keywords)
    problems = caught.value.problems
    assert isinstance(caught.value, ValueError)
    assert sorted((problem.code, problem.steps) for problem in problems) == row.findings
    assert {problem.location for problem in problems} == {""}
    said = "\n".join(f"{problem.message} {problem.suggestion}" for problem in problems)
    assert [words for words in row.tells if words not in said] == []
    assert all(problem.message in str(caught.value) for problem in problems)


@each_source
def test_check_tells_what_plan_refuses(row: PlanRow) -> None:
    """check, called in the same way, raises nothing and gives the problems that plan raises with."""
    with pytest.raises(wfplan.InvalidWorkflowError) as caught:
        wfplan.plan(row.source, **row.keywords)
    assert wfplan.check(row.source, **row.keywords) == caught.value.problems


# ---------------------------------------------------------------------------------------------- field by field


WRONG_VALUES = {
    "action": [5, [1], {"x": 1}, True],
    "parameters": [[1], "x", 5, [{"name": "x", "value": "1"}, {"name": "x", "value": "2"}]],
    "dependencies": [True, [5.5], [["b"]], [{}], [True], [{"id": 1.5}]],
    "metadata": [[], "x"],
    "description": [5, []],
    "confidence": ["1.1", "high", "110%", "1_0%", True, [], -1, 1.0001, NAN],
    "recommendation_id": [5, "", " ", "a\nb", []],
    "estimated_seconds": [-1, "1", [], NAN],
    "timeout_seconds": [0, -1, "1", True],
    "retry": [5, "x", [], {"max_attempts": 0}, {"max_attempts": 1.5}, {"attempts": 3}, {"factor": 0.5}],
    "rollback": [5, "undo", [], {}, {"action": ""}, {"action": "undo", "parameters": []}],
    "locks": [None, "disk", {}, [""], [5], ["x" * 1025]],
    "effect": ["delete", "", 5, ["read"], {}],
    "continue_on_failure": [None, 1, "true", []],
    "idempotent": [0, "yes", []],
}

each_wrong_value = pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG_VALUES.items() for value in values]
)


def items_with(field: str, value: Any) -> Iterator[Tuple[Dict[str, Any], str]]:
    """Documents with one item that has this value in this field, and the pointers to it."""
    yield steps({"name": "a", field: value}, {"name": "b"}), f"/steps/0/{field}"
    if field in wfplan.Recommendation.model_fields:
        yield recs({"id": "a", "action": "x", field: value}, rec("b")), f"/recommendations/0/{field}"


@each_wrong_value
def test_a_wrong_value_is_one_problem_at_its_field(field: str, value: Any) -> None:
    """A value that a field cannot hold is an invalid-field at this field or inside it, with the name of its step."""
    for document, location in items_with(field, value):
        for source in (document, json.dumps(document)):
            reading = wfplan.read(source)
            errors = [problem for problem in reading.problems if problem.severity == "error"]
            assert [problem.code for problem in errors] == ["invalid-field"], errors
            assert (errors[0].location + "/").startswith(location + "/")
            assert errors[0].steps == ("a",)
            assert not reading.ok


@each_wrong_value
def test_wrong_values_are_told_in_our_words(field: str, value: Any) -> None:
    """No sentence of pydantic comes through, and none says that something must be what it is."""
    for document, _ in items_with(field, value):
        assert_in_our_words(wfplan.read(document).problems)


STRATEGY_WRONG_VALUES = [
    ("mode", "parallel"),
    ("mode", None),
    ("mode", []),
    ("dry_run_first", 1),
    ("rollback_on_failure", "true"),
    ("max_parallel", 0),
    ("max_parallel", 1.5),
    ("max_parallel", 2**31),
    ("isolate_sequential", None),
    ("max_batch_size", "2"),
    ("schedule", "lazy"),
    ("on_failure", "continue"),
]


@pytest.mark.parametrize(("field", "value"), STRATEGY_WRONG_VALUES)
def test_a_wrong_setting_is_one_problem_at_its_key(field: str, value: Any) -> None:
    """A setting that cannot be is an invalid-field at the key as the document spells it; `plan` finds it as well."""
    camel = re.sub("_(.)", lambda match: match.group(1).upper(), field)
    for key in dict.fromkeys((field, camel)):
        reading = wfplan.read(steps({"name": "a"}, execution_strategy={key: value}))
        assert found_in(reading.problems) == [("invalid-field", f"/execution_strategy/{key}", ())]
        assert f'"{key}"' in reading.problems[0].message
        assert_in_our_words(reading.problems)
    problems = wfplan.check({"a": []}, execution_strategy={field: value})  # type: ignore[arg-type]
    assert [problem.code for problem in problems] == ["invalid-field"]
    assert_in_our_words(problems)


# ------------------------------------------------------------------------------------------------- what is told

FOREIGN = ("pydantic", "validation error", "input should", "value error", "input_value", "input_type", "keys should be")


def assert_in_our_words(problems: Iterable[wfplan.Problem]) -> None:
    for problem in problems:
        said = f"{problem.message} {problem.suggestion}".lower()
        assert [words for words in FOREIGN if words in said] == [], said
        assert re.search(r"must be (\S+ \S+), not \1$", problem.message) is None, problem.message


@named(ROWS)
def test_problems_are_told_in_our_words(row: Row) -> None:
    """No word of pydantic in a problem of a document."""
    assert_in_our_words(wfplan.read(row.document).problems)


@each_source
def test_refusals_are_told_in_our_words(row: PlanRow) -> None:
    """No word of pydantic in a problem of what plan was handed."""
    assert_in_our_words(wfplan.check(row.source, **row.keywords))


@named(ROWS)
def test_a_problem_is_a_sentence_on_one_line(row: Row) -> None:
    """Each problem has a message; as a text it is one line of printable characters, whatever the document held."""
    for problem in wfplan.read(row.document).problems:
        assert problem.message
        assert str(problem).isprintable()
        assert problem.code in str(problem)


def test_keys_cannot_reach_the_terminal() -> None:
    """A key with control or bidi characters is told escaped, in the location too."""
    reading = wfplan.read(recs(rec("a", **{"\x1b[2J\u202e": 1})))
    assert [problem.code for problem in reading.problems] == ["unknown-field"]
    assert str(reading.problems[0]).isprintable()


def test_long_values_are_cut() -> None:
    """A value of a megabyte does not make a message of a megabyte."""
    huge = "x" * 1_000_000
    for document in (
        recs(rec("a", huge)),
        recs({"id": "a", "action": "x", "dependencies": huge}),
        recs(rec("a", metadata={"execution_mode": huge})),
        recs({"id": huge, "action": "x"}),
        steps({"name": "a", "effect": huge}),
        steps({"name": "a"}, execution_strategy={"mode": huge}),
    ):
        problems = wfplan.read(document).problems
        assert problems
        assert all(len(problem.message) + len(problem.suggestion) < 1000 for problem in problems)


# -------------------------------------------------------------------------------------------------- never an exception

ODD = [
    recs(rec(10**5000)),
    recs(rec("a", extra=[10**5000])),
    recs(rec("a", parameters={"n": 10**5000})),
    recs(rec("a", confidence=10**5000)),
    recs({"id": ["a"], "action": {"b": 1}}),
    recs({"id": "\ud800", "action": "\ud800", "description": "\ud800", "dependencies": ["\ud800"]}),
    recs(rec("a", **{"\ud800": 1})),
    recs(rec("a", parameters={1: 2})),
    recs(rec("a", parameters={"x": object()})),
    {"workflow": steps(), "batches": {}},
    {"workflow": {}, "batches": []},
    {"spec": {"workflowDefinition": {}}},
    {"spec": {"workflowDefinition": []}},
    {"spec": {"workflowDefinition": {"steps": {"name": "a"}}, "executionStrategy": []}},
    {"spec": None, "recommendations": None},
    steps({"name": "a"}, executionStrategy={}, execution_strategy={}),
    steps({"name": "a"}, execution_strategy={"maxParallel": 1, "max_parallel": 2}),
    None,
    5,
    {"a"},
    object(),
    b"\xff\xfe",
    memoryview(b"[]"),
    "\ud800",
    "0",
    "-",
    "1" * 5000,
    '{"recommendations":[{"id":"a","action":"x","parameters":{"n":' + "1" * 5000 + "}}]}",
]


@pytest.mark.parametrize("source", ODD, ids=range(len(ODD)))
def test_read_raises_nothing(source: Any) -> None:
    """Whatever it is handed, read gives a reading, which is not ok, whose problems are told in our words."""
    reading = wfplan.read(source)
    assert not reading.ok
    assert any(problem.severity == "error" for problem in reading.problems)
    assert_in_our_words(reading.problems)


def test_read_survives_objects_that_hold_themselves() -> None:
    """A dict that holds itself is too deep, not an endless loop."""
    document = recs(rec("a"))
    document["self"] = document
    assert [problem.code for problem in wfplan.read(document).problems] == ["limit-exceeded"]


def test_a_number_of_many_digits_is_not_called_bad_json() -> None:
    """An integer of 5,000 digits is JSON: it is refused for its length."""
    text = '{"recommendations":[{"id":"a","action":"x","parameters":{"n":' + "1" * 5000 + "}}]}"
    for problem in wfplan.read(text).problems:
        assert "not JSON" not in problem.message
        assert "set_int_max_str_digits" not in problem.message


SOURCES: List[Union[Any, object]] = [
    object(),
    int,
    Ellipsis,
    {None: None},
    {("a",): []},
    {b"a": []},
    {"a": object()},
    {"a": [object()]},
    {"a": [[]]},
    [None],
    [[]],
    iter(()),
    broken_iterator(),
    {"a\ud800": ["\ud800"]},
    {"a": ["x" * 100_000]},
]


@pytest.mark.parametrize("source", SOURCES, ids=range(len(SOURCES)))
def test_check_raises_nothing(source: Any) -> None:
    """Whatever it is handed, check gives problems, told in our words."""
    problems = wfplan.check(source)
    assert problems
    assert_in_our_words(problems)


# ----------------------------------------------------------------------------------------------------- many problems


def test_beyond_a_thousand_problems_are_counted() -> None:
    """At most 1,000 problems are listed; the last tells how many more there are, an error if one of them is."""
    reading = wfplan.read(recs(*(rec(f"r{number}", "gone") for number in range(1500))))
    assert len(reading.problems) == 1000
    last = reading.problems[-1]
    assert (last.code, last.severity) == ("limit-exceeded", "error")
    assert "501" in last.message
    assert {problem.code for problem in reading.problems[:-1]} == {"unknown-dependency"}


def test_an_error_behind_a_thousand_warnings_refuses() -> None:
    """What is refused is decided on all problems, and errors are listed before any number of warnings."""
    items = [rec(f"r{number}", "a", "a") for number in range(1500)]
    reading = wfplan.read(recs(*items, rec("a", "gone")))
    assert not reading.ok
    assert reading.problems[0].code == "unknown-dependency"
    assert (reading.problems[-1].code, reading.problems[-1].severity) == ("limit-exceeded", "warning")
    assert len(reading.problems) == 1000


def test_a_thousand_warnings_do_not_refuse() -> None:
    """Warnings beyond the thousandth are counted by a warning, and planned."""
    items = [rec(f"r{number}", "a", "a") for number in range(1500)]
    reading = wfplan.read(recs(rec("a"), *items))
    assert reading.ok
    plan = wfplan.plan(reading)
    assert (plan.problems[-1].code, plan.problems[-1].severity) == ("limit-exceeded", "warning")
    assert len(plan.problems) == 1000


def test_nearest_names_are_looked_up_for_the_first_twenty() -> None:
    """Advice is given for the first 20 unknown dependencies only, so that hostile input stays cheap."""
    reading = wfplan.read(recs(rec("rec-001"), *(rec(f"r{number}", f"rec-01{number}") for number in range(30))))
    advised = ["did you mean" in problem.suggestion for problem in reading.problems if problem.steps]
    assert advised == [True] * 20 + [False] * 10


# ------------------------------------------------------------------------------------------------------------- shell


@each_text
def test_shell_check_tells_all(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` prints every problem to stdout, one a line, and exits with 1 if one is an error."""
    path = tmp_path / "answer.json"
    path.write_bytes(text_of(row).encode())
    reading = wfplan.read(text_of(row))
    code = main(["check", str(path)])
    output = capsys.readouterr()
    assert code == (0 if row.planned else 1)
    assert output.err == ""
    printed = [line.split(maxsplit=2)[:2] for line in output.out.splitlines()]
    assert [[severity, code.rstrip(":")] for severity, code in printed] == [
        [problem.severity, problem.code] for problem in reading.problems
    ]


@each_text
def test_shell_check_as_json(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check --format json` prints the problems as a list of objects that load again."""
    path = tmp_path / "answer.json"
    path.write_bytes(text_of(row).encode())
    main(["check", "--format", "json", str(path)])
    loaded = tuple(wfplan.Problem.model_validate(problem) for problem in json.loads(capsys.readouterr().out))
    assert loaded == wfplan.read(text_of(row)).problems


@named([row for row in TEXT_ROWS if not row.planned])
def test_shell_plan_prints_nothing_half_planned(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`plan` exits with 1, prints every error to stderr and nothing to stdout."""
    path = tmp_path / "answer.json"
    path.write_bytes(text_of(row).encode())
    reading = wfplan.read(text_of(row))
    code = main(["plan", str(path)])
    output = capsys.readouterr()
    assert code == 1
    assert output.out == ""
    assert "Traceback" not in output.err
    assert all(problem.code in output.err for problem in reading.problems if problem.severity != "info")


@pytest.mark.parametrize("command", ["plan", "check"])
def test_shell_tells_an_absent_file(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is a problem like any other: invalid-document, exit 1, its path in the message."""
    path = tmp_path / "absent.json"
    code = main([command, str(path)])
    output = capsys.readouterr()
    told, other = (output.out, output.err) if command == "check" else (output.err, output.out)
    assert code == 1
    assert other == ""
    assert told.startswith("error invalid-document")
    assert "absent.json" in told
    assert "Traceback" not in told
