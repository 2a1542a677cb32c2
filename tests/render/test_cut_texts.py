"""Texts are cut by the room they take, whole characters at a time."""

from __future__ import annotations

import pytest

from wfplan.render.escaping import cells, fit, fit_name


@pytest.mark.parametrize(
    "text", ["x" * 50, "\u691c" * 50, "a\u0336" * 50, "\U0001f680a" * 25, "\u0336" * 60 + "x" * 40]
)
@pytest.mark.parametrize("room", [1, 2, 3, 10, 25])
def test_what_is_cut_fits_and_says_that_it_is_cut(text: str, room: int) -> None:
    for cut in (fit(text, room), fit_name(text, room)):
        assert room - 3 < cells(cut) <= room
        assert "\u2026" in cut
        assert all(part in text for part in cut.split("\u2026"))


def test_what_fits_is_left_alone() -> None:
    assert (fit("abc", 3), fit_name("abc", 3), fit("\u691c\u8a3c", 4), fit_name("", 1)) == (
        "abc",
        "abc",
        "\u691c\u8a3c",
        "",
    )
