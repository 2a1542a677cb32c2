"""Nearest names: what a wrong dependency may have been meant for."""

from __future__ import annotations

import wfplan


def suggestion(names: list[str], needed: str) -> str:
    (problem,) = wfplan.check({**{name: [] for name in names}, "last": [needed]})
    return problem.suggestion


def test_the_nearest_name_is_suggested() -> None:
    assert suggestion(["rec-001", "rec-010", "verify"], "rec-01") == 'did you mean "rec-001"?'
    assert suggestion(["rec-a", "rec-b"], "rec-c") == 'did you mean "rec-a" or "rec-b"?'
    assert suggestion(["Restart", "verify"], "restart ") == 'did you mean "Restart"?'


def test_the_first_2000_names_are_candidates() -> None:
    names = [f"step-{number:05}" for number in range(5000)]
    assert '"step-00001"' in suggestion(names, "step-00001x")
    assert "step-04001" not in suggestion(names, "step-04001x")


def test_a_step_is_not_suggested_to_itself() -> None:
    (problem,) = wfplan.check({"verify": ["verfy"]})
    assert problem.suggestion == 'add the entry "verfy": [] if it is a step of its own'


def test_another_normal_form_is_told() -> None:
    assert "another Unicode normal form" in suggestion(["caf\u00e9"], "cafe\u0301")
