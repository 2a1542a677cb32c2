"""How each state of a step is shown: by colour, and by a sign for those who do not see it."""

from __future__ import annotations

from typing import Mapping, NamedTuple

__all__ = ["STATES", "State"]


class State(NamedTuple):
    """How a state looks."""

    sign: str
    """One character."""
    drawing: str
    """The same as an SVG path in a square of 12 by 12, so that no font has to know it."""
    fill: str
    line: str
    dark_fill: str
    dark_line: str


STATES: Mapping[str, State] = {
    "pending": State("\u25cb", "M6 2A4 4 0 1 0 6 10A4 4 0 1 0 6 2", "#f4f5f7", "#6b7280", "#262b33", "#9ca3af"),
    "running": State("\u25b6", "M3 2L10 6L3 10Z", "#e3effd", "#1d5fb8", "#152d4d", "#7db5f5"),
    "succeeded": State("\u2713", "M1.5 6.5L4.5 9.5L10.5 2.5", "#e4f4e8", "#1b7a36", "#14351f", "#6fcf8b"),
    "failed": State("\u2717", "M2.5 2.5L9.5 9.5M9.5 2.5L2.5 9.5", "#fde7e7", "#b91c1c", "#471a1c", "#f58a8a"),
    "timed_out": State(
        "\u231b", "M3 1.5H9L3 10.5H9L3 1.5M9 1.5L6 6M6 6L9 10.5", "#fdebd8", "#a84a00", "#45280d", "#f2a65e"
    ),
    "cancelled": State(
        "\u2298", "M6 1.5A4.5 4.5 0 1 0 6 10.5A4.5 4.5 0 1 0 6 1.5M3 9L9 3", "#f3e8fb", "#7a2ea8", "#351a45", "#cf9bf0"
    ),
    "skipped": State("\u00bb", "M2 2.5L5.5 6L2 9.5M6.5 2.5L10 6L6.5 9.5", "#fbf6d9", "#7a6200", "#3a3210", "#dcc552"),
    "undone": State(
        "\u21b6", "M4.5 2L2 4.5L4.5 7M2 4.5H7A2.8 2.8 0 1 1 7 10.2H4.5", "#e0f4f3", "#0f6e6a", "#123634", "#67cfc8"
    ),
    "undo_failed": State("!", "M6 1.5V7M6 9.3V10.3", "#fde4f1", "#ad1466", "#451532", "#f48ac0"),
}
"""Every state: the statuses of a step, and what a rollback makes of one that had succeeded."""
