"""Reading.replace: one item changed, problems between the items looked for anew."""

from __future__ import annotations

import json

import wfplan


def codes(reading: wfplan.Reading) -> list[str]:
    return [problem.code for problem in reading.problems]


def test_settings_beside_recommendations_are_not_lost_in_silence() -> None:
    reading = wfplan.read(
        {"recommendations": [{"id": "a", "action": "x"}], "executionStrategy": {"mode": "sequential"}}
    )
    assert reading.problems == ()
    assert wfplan.plan(reading).workflow.execution_strategy.mode == "sequential"
    assert (
        wfplan.plan(reading, execution_strategy=wfplan.ExecutionStrategy()).workflow.execution_strategy.mode == "auto"
    )
    assert wfplan.Reading.model_validate_json(reading.model_dump_json()) == reading


def test_what_was_only_counted_goes_when_it_lay_between_the_items() -> None:
    """1,500 unknown dependencies of one item: mended by one change."""
    needs = [f"no-{number}" for number in range(1500)]
    reading = wfplan.read([{"id": "a", "action": "x", "dependencies": needs}, {"id": "b", "action": "y"}])
    assert codes(reading)[-1] == "limit-exceeded"
    mended = reading.replace("a", dependencies=["b"])
    assert mended.ok
    assert codes(mended) == []


def test_what_was_only_counted_stays_when_it_lay_in_the_document() -> None:
    """1,500 items with a confidence out of range are not mended by changing another."""
    broken = [{"id": f"r{number}", "action": "x", "confidence": 2} for number in range(1500)]
    reading = wfplan.read(json.dumps([*broken, {"id": "a", "action": "x"}]))
    changed = reading.replace("a", description="still here")
    assert not changed.ok
    assert codes(changed)[-1] == "limit-exceeded"


def test_a_dependency_on_what_could_not_be_read_is_no_further_problem() -> None:
    reading = wfplan.read(
        [{"id": "a", "action": "x", "confidence": 2}, {"id": "b", "action": "y", "dependencies": ["a"]}]
    )
    assert codes(reading) == ["invalid-field"]
    assert codes(reading.replace("b", description="changed")) == ["invalid-field"]


def test_a_note_on_missing_dependencies_follows_the_change() -> None:
    reading = wfplan.read([{"id": "a", "action": "x"}, {"id": "b", "action": "y"}])
    assert codes(reading) == ["no-order-stated"]
    linked = reading.replace("b", dependencies=["a"])
    assert codes(linked) == []
    assert codes(linked.replace("b", dependencies=[])) == ["no-dependencies"]
