"""Whatever is handed to `read`, it comes to its end: any text, any values, real answers that were damaged."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import junk

import wfplan
from wfplan.problems import CODES

INTAKE = Path(__file__).parent.parent / "intake"
ROWS: List[Dict[str, Any]] = json.loads((INTAKE / "untidy.json").read_text(encoding="utf-8"))
KEPT: Dict[str, str] = {
    path.name: path.read_bytes().decode("utf-8", "surrogatepass")
    for path in sorted((INTAKE / "findings").glob("*.txt"))
}
SEEDS: Tuple[str, ...] = (*(row["raw"] for row in ROWS), *KEPT.values())
SMALL = {"max_bytes": 5000, "max_depth": 12, "max_steps": 6, "max_dependencies": 8}


def come_to_an_end(source: Any) -> wfplan.Reading:
    """Read, and look at what always holds."""
    reading = wfplan.read(source)
    assert reading.ok == _is_planned(reading)
    for problem in reading.problems:
        assert problem.code in CODES
        assert problem.message
        assert "\n" not in str(problem)
    if not reading.ok:
        assert any(problem.severity == "error" for problem in reading.problems)
    strictly = wfplan.read(source, strict=True)
    assert strictly.ok == _is_planned(strictly)
    if strictly.ok:
        assert reading.ok
        assert strictly.items == reading.items
    elif reading.ok:
        warned = {(problem.code, problem.location) for problem in reading.problems if problem.severity == "warning"}
        errors = {(problem.code, problem.location) for problem in strictly.problems if problem.severity == "error"}
        assert errors <= warned, "read strictly, a warning is an error, and nothing else is"
    _stay_within_limits(source)
    return reading


def _is_planned(reading: wfplan.Reading) -> bool:
    try:
        wfplan.plan(reading)
    except wfplan.InvalidWorkflowError:
        return False
    return True


def _stay_within_limits(source: Any) -> None:
    """With small limits nothing is read beyond them, and what is read is what is read without them."""
    bounded = wfplan.read(source, **SMALL)
    if bounded.ok:
        assert len(bounded.items) <= SMALL["max_steps"]
        assert sum(len(item.dependencies) for item in bounded.items) <= SMALL["max_dependencies"]
        if isinstance(source, (str, bytes)):
            assert len(source.encode() if isinstance(source, str) else source) <= SMALL["max_bytes"]
        assert bounded.items == wfplan.read(source).items


PIECES = (
    *("{", "}", "[", "]", '"', "'", ",", ":", "\n", " ", "\\", "```", "```json\n", "\n```\n", "<think>", "</think>"),
    *(
        "id",
        "action",
        "dependencies",
        "depends_on",
        "steps",
        "recommendations",
        "plan",
        "a",
        "b",
        "1",
        "2",
        "-1",
        "1.5",
    ),
    *(
        "null",
        "true",
        "None",
        "NaN",
        "Infinity",
        "- id: a\n",
        "steps:\n",
        "  needs: [a]\n",
        "&a",
        "*a",
        "!!x",
        "<<: *a",
    ),
    *(
        "1. f($2)\n",
        "2. join()<END_OF_PLAN>",
        "<sequentially depends on 1>",
        "Node:\n1: wash\n",
        "Edge: (START,1) (1,END)",
    ),
    *(
        "\ud800",
        "\ufeff",
        "\x00",
        "\u2028",
        "\u0430",
        '{"id": "a", "action": "x"}',
        '"dependencies": ["a"]',
        "// x\n",
        "# y\n",
    ),
)
texts = st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@given(text=texts)
def test_any_text(text: str) -> None:
    come_to_an_end(text)


@given(source=st.binary(max_size=60) | texts.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(source: bytes) -> None:
    come_to_an_end(source)


_keys = st.sampled_from(
    """id name action dependencies needs dependsOn recommendations steps plan tasks workflow spec workflowDefinition
    batches strategy problems schema_version execution_strategy execution_mode metadata parameters confidence locks
    retry rollback title description when if phase next edges context a b 1""".split()
) | st.text(max_size=3)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ("a", "b", "1", "", "none", "START", " a", "a, b", "[1]", '{"id": "a"}', '["a"]', "50%", "\ud800")
    )
    | st.text(max_size=3)
)
json_like = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=5), max_leaves=15
)
_items = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(("a", "b", "c", 1, "1")), "action": st.just("x")},
        optional={"dependencies": json_like, "needs": json_like, "metadata": json_like, "zone": json_like},
    ),
    max_size=4,
)
documents = json_like | _items | st.dictionaries(_keys, json_like | _items, max_size=3)


@given(document=documents)
def test_any_values_that_json_can_hold_nearly(document: Any) -> None:
    """NaN, infinities and halves of surrogate pairs among them; as text they come to the same."""
    reading = come_to_an_end(document)
    text = json.dumps(document)
    if isinstance(document, (dict, list)) and "\\ud800" not in text:  # which no JSON is to have
        again = come_to_an_end(text)
        assert again.ok == reading.ok
        assert {problem.code for problem in again.problems} == {problem.code for problem in reading.problems}


@given(source=junk())
def test_any_object_of_python(source: Any) -> None:
    come_to_an_end(source)


def _swap(text: str, at: int, end: int) -> str:
    return text[:at] + text[end : end + 1] + text[at + 1 : end] + text[at : at + 1] + text[end + 1 :]


DAMAGES: Tuple[Callable[[str, int, int], str], ...] = (
    lambda text, at, end: text[:at],
    lambda text, at, end: text[at:],
    lambda text, at, end: text[:at] + text[end:],
    lambda text, at, end: text + "\n" + text,
    lambda text, at, end: text + text,
    _swap,
    *(partial(lambda mark, text, at, end: text[:at] + text[at:].replace(mark, "", 1), mark) for mark in '{}[]",:\n`'),
    *(partial(lambda piece, text, at, end: text[:at] + piece + text[at:], piece) for piece in PIECES),
    *(partial(lambda other, text, at, end: text[:at] + other[at:], row["raw"]) for row in ROWS),
    lambda text, at, end: text[:at] + text[at:end] * 2 + text[end:],
    lambda text, at, end: text[:at] + text[at:end].swapcase() + text[end:],
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A real answer that was cut, doubled, stirred or robbed of its brackets, a few times over."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        places = st.integers(0, len(text))
        at, end = sorted((draw(places), draw(places)))
        text = draw(st.sampled_from(DAMAGES))(text, at, end)
    return text[:20_000]


@given(text=damaged())
@example(text="")
def test_any_answer_that_was_damaged(text: str) -> None:
    come_to_an_end(text)


@given(text=damaged())
def test_a_damaged_answer_in_an_answer(text: str) -> None:
    """Quoted, fenced, in a list or an object, whatever it is by itself."""
    for source in (json.dumps(text), {"recommendations": text}, f"Here:\n```\n{text}\n```\n", [text], {"plan": [text]}):
        come_to_an_end(source)


@pytest.mark.parametrize("name", list(KEPT))
def test_what_was_found_before(name: str) -> None:
    """Each input that once was read wrongly, or nearly so, is kept and read again."""
    come_to_an_end(KEPT[name])
