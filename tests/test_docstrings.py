"""Every parameter that a caller passes is described where `help()` finds it."""

from __future__ import annotations

from typing import Any

import pytest
from docstrings import public_callables, undescribed


@pytest.mark.parametrize(("path", "value"), [pytest.param(*each, id=each[0]) for each in public_callables()])
def test_every_parameter_is_described(path: str, value: Any) -> None:
    assert undescribed(value) == [], path
