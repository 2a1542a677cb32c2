"""Nothing stated is lost: what is put into a readable document is read or refused; what states nothing changes nothing.

What may be put in, and what must then hold, is in `reading_strategies`.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List

import pytest
import yaml
from hypothesis import assume, event, given, note, settings
from hypothesis import strategies as st
from reading_strategies import (
    AUTHOR,
    INERT,
    NEUTRAL,
    TABLES,
    Claim,
    Document,
    Path_,
    ancestors_of,
    documents,
    errors_of,
    graph_of,
    insertions,
    judge,
    paths,
    put,
    spelled,
)

import wfplan

often = settings(max_examples=4 * settings().max_examples)


def _fenced(whole: Any) -> str:
    return f"Here you are:\n\n```json\n{json.dumps(whole, indent=1)}\n```\n\nGood luck!\n"


FORMS: Dict[str, Any] = {
    "objects": lambda whole: whole,
    "JSON": json.dumps,
    "fence": _fenced,
    "YAML": lambda whole: yaml.safe_dump(whole, sort_keys=False, allow_unicode=True),
    "YAML flow": lambda whole: yaml.safe_dump(whole, sort_keys=False, default_flow_style=True, width=10**6),
}
forms = st.sampled_from(tuple(FORMS))


@given(document=documents(), form=forms)
def test_a_plain_document_is_read(document: Document, form: str) -> None:
    """Whatever its list is called, and however it is wrapped: the property begins with what is read."""
    reading = wfplan.read(FORMS[form](document.whole))
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph


@often
@given(data=st.data(), document=documents(), form=forms)
def test_nothing_stated_is_lost(data: st.DataObject, document: Document, form: str) -> None:
    """One thing that states an order, a condition, a mode or a step: refused, or read."""
    claim = data.draw(insertions(document))
    assume(claim is not None)
    assert claim is not None
    event(claim.what.split(maxsplit=1)[0])
    source = FORMS[form](document.whole)
    note(f"{source}")
    reading = wfplan.read(source)
    event("read" if reading.ok else "refused")
    judge(reading, document, [claim])
    judge(wfplan.read(source, strict=True), document, [claim])


@given(data=st.data(), document=documents(), form=forms)
def test_nothing_is_lost_of_two(data: st.DataObject, document: Document, form: str) -> None:
    """Two at once: one hides nothing of the other."""
    claims = [claim for claim in (data.draw(insertions(document)) for _ in range(2)) if claim is not None]
    source = FORMS[form](document.whole)
    note(f"{source}: {claims}")
    judge(wfplan.read(source), document, claims)


@given(data=st.data(), document=documents())
def test_a_refusal_tells_where(data: st.DataObject, document: Document) -> None:
    """An order word that is out of reach is refused as that, where it stands, with what to do about it."""
    path = data.draw(paths(author=False, min_size=1))
    position = data.draw(st.integers(0, len(document.items) - 1))
    item = document.items[position]
    other = data.draw(st.sampled_from([one for one in document.ids if one != item["id"]]))
    word = data.draw(spelled(TABLES.ORDER))
    assume(other not in ancestors_of(document.graph)[item["id"]])
    assume(item["id"] not in ancestors_of(document.graph)[other])
    assume(put(item, path, word, other))
    reading = wfplan.read(document.whole)
    found = [problem for problem in reading.problems if problem.code == "order-not-read"]
    assert found, reading.problems
    pointer = "".join(f"/{key}/0" if listed else f"/{key}" for key, listed in path.keys) + f"/{word}"
    assert any(f"/{position}{pointer}" in problem.location for problem in found), found
    assert all(problem.severity == "error" and problem.suggestion for problem in found)


@given(data=st.data(), document=documents())
def test_every_finding_is_told(data: st.DataObject, document: Document) -> None:
    """One in each item: as many refusals as items, each at its own place."""
    word = data.draw(spelled(TABLES.CONDITION))
    path = data.draw(paths(author=False, min_size=1))
    assume(all(put(item, path, word, "x > 3") for item in document.items))
    reading = wfplan.read(document.whole)
    places = {problem.location for problem in reading.problems if problem.code == "order-not-read"}
    assert len(places) >= len(document.items), reading.problems


# ---------------------------------------------------------------------------------------------------------- converse

SILENT = (None, "", [], {})
_SAYING = (
    *(word for word in TABLES.ORDER if word not in TABLES.FIELDS_DEPENDENCIES),
    *TABLES.FIELDS_DEPENDENCIES,
    *TABLES.CONDITION,
    *TABLES.LOOSE_MODE,
    *(word for word in TABLES.WEAK if word not in TABLES.FIELDS_ACTION),
)


@often
@given(data=st.data(), document=documents(), form=forms)
def test_what_states_nothing_changes_nothing(data: st.DataObject, document: Document, form: str) -> None:
    """Inert words, values that say nothing, and the author's own data, in an item or beside, at any depth."""
    in_item = data.draw(st.booleans())
    holder: Dict[str, Any] = data.draw(st.sampled_from(document.items if in_item else document.beside))
    path = data.draw(paths(author=False))
    name = data.draw(st.sampled_from(document.ids))
    text = data.draw(st.sampled_from((name, f"Run after {name}.", f"{document.ids[0]} before {document.ids[1]}")))
    kind = data.draw(st.sampled_from(("inert", "silent", "author", "false")))
    event(kind)
    if kind == "inert":
        key, value = data.draw(spelled(INERT)), data.draw(st.sampled_from((text, [text, "x"])))
    elif kind == "silent":
        key, value = data.draw(spelled(_SAYING)), data.draw(st.sampled_from(SILENT))
    elif kind == "author":
        key = data.draw(spelled(AUTHOR))
        value = {
            data.draw(st.sampled_from((*NEUTRAL, "when", "steps", name))): data.draw(st.sampled_from((text, [text])))
        }
    else:
        order = [w for w in TABLES.ORDER if w not in (*TABLES.FIELDS_DEPENDENCIES, *TABLES.FALSE_IS_SERIAL)]
        key, value = data.draw(spelled((*order, *TABLES.CONDITION))), False
    assume(put(holder, path, key, value))
    note(f"{document.whole}")
    reading = wfplan.read(FORMS[form](document.whole))
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph
    plan = wfplan.plan(reading, naming="id")
    assert plan.workflow.execution_strategy.mode == "auto"
    assert all(step.metadata.get("execution_mode") in (None, "auto", "parallel") for step in plan.steps.values())


@given(data=st.data(), document=documents(edges=True))
def test_what_says_again_is_no_contradiction(data: st.DataObject, document: Document) -> None:
    """A key that names just the dependents, or dependencies, of the graph; the other way round it is refused."""
    step = data.draw(st.sampled_from([one for one in document.ids if document.graph[one]]))
    needed = data.draw(st.sampled_from(sorted(document.graph[step])))
    items = {item["id"]: item for item in document.items}
    backward = data.draw(st.booleans())
    word = data.draw(spelled(TABLES.BACKWARD if backward else TABLES.FORWARD))
    holder, value = (step, needed) if backward else (needed, step)
    right, wrong = document, document.copy()
    dependents = sorted(one for one in document.ids if holder in document.graph[one])
    all_of_them = sorted(document.graph[step]) if backward else dependents
    assume(put(items[holder], Path_(()), word, all_of_them))
    reading = wfplan.read(right.whole)
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph
    turned = next(item for item in wrong.items if item["id"] == value)
    assume(put(turned, Path_(()), word, [holder]))
    assert not wfplan.read(wrong.whole).ok


@given(data=st.data(), document=documents(edges=False))
def test_ignored_keys_state_nothing(data: st.DataObject, document: Document) -> None:
    """`ignore=` is the way out, for each family, at any depth."""
    path = data.draw(paths(author=False))
    item = document.items[0]
    other = next(one for one in document.ids if one != item["id"])
    key, value = data.draw(
        st.one_of(
            st.tuples(
                spelled([word for word in TABLES.ORDER if word not in TABLES.FIELDS_DEPENDENCIES]),
                st.sampled_from((other, [other])),
            ),
            st.tuples(spelled(TABLES.CONDITION), st.just("failed")),
            st.tuples(spelled(TABLES.LISTS), st.just([{"id": "q", "action": "x", "depends_on": "r"}])),
            st.tuples(spelled(TABLES.LOOSE_MODE), st.just("sequential")),
            st.tuples(st.sampled_from(NEUTRAL), st.just(other)),
            st.tuples(spelled([word for word in TABLES.NUMBERING if word != "stepnumber"]), st.just(7)),
        )
    )
    assume(key not in {one for around in document.beside for one in around})
    assume(put(item, path, key, value))
    reading = wfplan.read(document.whole, ignore=(key,))
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph
    plan = wfplan.plan(reading, naming="id")
    assert all(step.metadata.get("execution_mode") is None for step in plan.steps.values())


# ---------------------------------------------------------------------------------------------------------- comments


def _with_comment(document: Document, position: int, comment: str, *, in_yaml: bool) -> str:
    """The document as text with a comment behind the end of one item."""
    mark = "a mark that no document has"
    document.items[position]["zz"] = mark
    text = yaml.safe_dump(document.whole, sort_keys=False) if in_yaml else json.dumps(document.whole, indent=1)
    del document.items[position]["zz"]
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if mark in line)
    lines[at] = lines[at].replace(mark, "m") + (" # " if in_yaml else " // ") + comment
    return "\n".join(lines)


@given(data=st.data(), document=documents(edges=False), in_yaml=st.booleans())
def test_a_comment_that_states_an_order_is_refused(data: st.DataObject, document: Document, in_yaml: bool) -> None:
    """Beside JSON (with the extra `llm`, which would repair it away) and in YAML."""
    position = data.draw(st.integers(0, len(document.items) - 1))
    step = document.items[position]["id"]
    other = data.draw(st.sampled_from([one for one in document.ids if one != step]))
    comment = data.draw(st.sampled_from((f"depends on {other}", f"after {other}", f"needs {other}")))
    reading = wfplan.read(_with_comment(document, position, comment, in_yaml=in_yaml))
    judge(reading, document, [Claim(comment, edges=frozenset({(other, step)}))])


@given(data=st.data(), document=documents(), in_yaml=st.booleans())
def test_a_comment_that_something_is_left_out_is_refused(
    data: st.DataObject,
    document: Document,
    in_yaml: bool,
) -> None:
    """Half a plan is no plan."""
    comments = ("...", "remaining steps omitted", "rest of the steps", "3 more steps", "other tasks go here")
    comment = data.draw(st.sampled_from(comments))
    text = _with_comment(document, len(document.items) - 1, comment, in_yaml=in_yaml)
    assert not wfplan.read(text).ok


@given(document=documents(), in_yaml=st.booleans())
def test_a_comment_that_states_nothing_is_none(document: Document, in_yaml: bool) -> None:
    """What a person notes beside a step."""
    reading = wfplan.read(_with_comment(document, 0, "checked by hand", in_yaml=in_yaml))
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph


# ------------------------------------------------------------------------------------------------------ words around


@given(data=st.data(), document=documents(edges=False))
def test_words_around_that_name_two_steps_are_refused(data: st.DataObject, document: Document) -> None:
    """Where nothing else states an order, a line that tells one is not passed over."""
    one, other = data.draw(st.permutations(document.ids))[:2]
    lines: List[str] = [
        f"{one} must not start before {other} has finished.",
        f"First {one}, then {other}.",
        f"{one} -> {other}",
        f"`{one}` depends on `{other}`",
    ]
    line = data.draw(st.sampled_from(lines))
    text = f"```json\n{json.dumps(document.whole)}\n```\n"
    source = data.draw(st.sampled_from((f"{line}\n\n{text}", f"{text}\n{line}\n")))
    judge(wfplan.read(source), document, [Claim(line, joined=frozenset({(one, other)}))])


@pytest.mark.parametrize("line", ["Good luck!", "This scales the service and checks it.", "Ask me for more.", "---"])
@given(document=documents())
def test_other_words_around_change_nothing(line: str, document: Document) -> None:
    """What people say around an answer."""
    reading = wfplan.read(f"{line}\n```json\n{json.dumps(document.whole)}\n```\n{line}\n")
    assert reading.ok, reading.problems
    assert graph_of(reading) == document.graph


def test_each_kind_of_insertion_is_possible() -> None:
    """A property whose insertions find no room would hold of anything."""
    whole: Dict[str, Any] = {"steps": [{"id": "a", "action": "x"}, {"id": "b", "action": "y", "after": "a"}]}
    document = Document(whole, whole["steps"], [whole], {"a": set(), "b": {"a"}}, ("a", "b"))
    for claim in (
        Claim("lost", lost=True),
        Claim("b before a", edges=frozenset({("b", "a")})),
        Claim("mode", serial=""),
    ):
        with pytest.raises(AssertionError):
            judge(wfplan.read(whole), document, [claim])
    judge(wfplan.read(whole), document, [Claim("a before b", edges=frozenset({("a", "b")}), orders=True)])
    assert not errors_of(wfplan.read(whole))
