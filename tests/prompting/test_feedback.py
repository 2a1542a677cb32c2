"""What a model is answered: every problem, what depends on what, the nearest ids, the rules."""

from __future__ import annotations

import wfplan
from wfplan import Action
from wfplan.prompting import feedback, prompt_instructions

A, B = {"id": "a", "action": "x"}, {"id": "b", "action": "y"}


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


def test_feedback_names_long_ids_in_full_and_no_place() -> None:
    name = "i" * 120
    reading = wfplan.read([{"id": name, "action": "x", "dependencies": ["gone" * 30]}])
    told = str(feedback(reading.problems, reading.recommendations))
    assert f'"{name}": "{"gone" * 30}"' in told
    assert " at /" not in told


def test_feedback_lists_the_actions_of_the_catalog_and_shows_its_form() -> None:
    catalog = {"restart": Action(), "verify": Action()}
    told = feedback((), catalog=catalog)
    assert str(told).endswith(prompt_instructions(catalog))
    assert told.data["instructions"] == prompt_instructions(catalog)
    assert set(told.data["example"]["recommendations"][0]["action"]) == {"pause_writes"}
    assert wfplan.read(told.data["example"], strict=True).ok
    assert str(feedback(())).endswith(prompt_instructions())


def test_feedback_never_raises_whatever_the_catalog() -> None:
    reading = wfplan.read([A], catalog={"*": Action()})
    told = feedback(reading.problems, reading.recommendations, catalog={"*": Action()})
    assert "patterns are not known" in str(told)
    assert told.instructions == prompt_instructions()
