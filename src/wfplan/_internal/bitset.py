"""Sets of small numbers as the bits of an integer: a thousand of them are united in one step."""

from __future__ import annotations

from typing import Iterator

__all__ = ["count", "members"]


def members(bits: int, most: int) -> Iterator[int]:
    """Yield the smallest numbers of a set, as many as `most`.

    >>> list(members(0b10110, 2))
    [1, 2]
    """
    while bits and most > 0:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
        most -= 1


def count(bits: int) -> int:
    """Return how many numbers are in a set.

    >>> count(0b10110)
    3
    """
    return bin(bits).count("1")  # int.bit_count is there from Python 3.10 on
