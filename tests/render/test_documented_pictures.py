"""The pictures that the documentation shows are those that are drawn."""

from __future__ import annotations

import pytest
from documented_pictures import FOLDER, PICTURES

from wfplan.render import svg


@pytest.mark.parametrize("name", PICTURES)
def test_a_documented_picture_is_what_is_drawn(name: str) -> None:
    """If it is not any more: `python tests/render/documented_pictures.py` draws all of them anew."""
    assert (FOLDER / name).read_text(encoding="utf-8") == svg(PICTURES[name]())


def test_there_are_no_other_pictures() -> None:
    assert {file.name for file in FOLDER.iterdir() if file.suffix == ".svg"} == set(PICTURES)
