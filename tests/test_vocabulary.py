"""One word, one meaning, in plain English: the words that are banned are not used."""

from __future__ import annotations

from pathlib import Path

import pytest
from vocabulary import findings, sources


def test_no_banned_word_is_used() -> None:
    assert findings(sources()) == []


@pytest.mark.parametrize(
    ("name", "text", "instead"),
    [
        ("code.py", "x = 1  # an int is no observer\n", "is not a"),
        ("code.py", '"""What it tells."""\n', "says, reports, describes"),
        ("code.py", 'raise ValueError(f"{x} must be a number, not a text")\n', "a string"),
        ("page.md", "One line.\n\nMend the plan.\n", "fix"),
        ("page.md", "As far as dependencies go, it is early.\n", "considering only"),
        ("page.md", "The colour of a step.\n", "the American spelling"),
    ],
)
def test_a_banned_word_is_found(tmp_path: Path, name: str, text: str, instead: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    (finding,) = findings(iter([path]))
    assert finding.endswith(f"write {instead!r}")
    assert finding.startswith(f"{path}:{text.rstrip().count(chr(10)) + 1}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code.py", "told = mend = 1\n"),
        ("code.py", 'message = f"there is no {told} left"\n'),
        ("code.py", '"""There is none, and it is no longer there."""\n'),
        ("page.md", "The variable `told`, and `mend()`.\n"),
    ],
)
def test_names_and_plain_english_are_left_alone(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert findings(iter([path])) == []
