"""Frozen mappings from names, which say what to do about a name that is not in them."""

from __future__ import annotations

from typing import Any

from wfplan._internal.json import FrozenDict
from wfplan.errors import UnknownNameError

__all__ = ["NO_STEPS", "StepsByName"]


class StepsByName(FrozenDict):
    """A frozen dictionary by the names of steps; asked for another, it raises UnknownNameError with the nearest."""

    __slots__ = ()

    def __missing__(self, name: Any) -> Any:
        raise UnknownNameError.of("step", [name], self)

    def __repr__(self) -> str:
        return f"<StepsByName: {', '.join(list(self)[:10])}{', ...' if len(self) > 10 else ''}>"


NO_STEPS = StepsByName()
"""The one empty mapping that all values share."""
