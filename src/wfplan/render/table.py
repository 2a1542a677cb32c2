"""Rows of texts as lines whose columns stand below each other."""

from __future__ import annotations

from typing import Sequence

__all__ = ["table"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line for each row; all columns but the last are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in list(zip(*rows))[:-1]]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths)]
    return "  ".join((*cells, row[-1]))
