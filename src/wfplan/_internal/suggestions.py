"""Suggestions for names that do not exist: "did you mean"."""

from __future__ import annotations

from itertools import islice
from typing import Iterable, Sequence

from wfplan._internal.messages import quote

__all__ = ["Suggester", "did_you_mean", "nearest", "similarity"]

_ALIKE = 0.5
_COMPARED_LENGTH = 128
_MOST_LOOKED_UP = 20
_MOST_CANDIDATES = 2000


def similarity(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1, whatever their case; at a cost that is linear in their length.

    The Sørensen-Dice coefficient of their pairs of neighboring characters, beginning and end included.

    >>> round(similarity("rec-04", "rec-004"), 2), similarity("scale", "verify")
    (0.93, 0.0)
    """
    pairs, others = _pairs(one), _pairs(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def _pairs(text: str) -> set[tuple[str, str]]:
    text = text[:_COMPARED_LENGTH].strip().casefold()
    return set(zip(("", *text), (*text, "")))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of `known` that `name` may have been meant for, the best first.

    >>> nearest("rec-04", ["rec-001", "rec-004", "verify"]), nearest("Verify ", ["rec-001", "verify"])
    (['rec-004'], ['verify'])
    """
    scores = {candidate: similarity(name, candidate) for candidate in known}
    enough = max(_ALIKE, max(scores.values(), default=0) - 0.1)
    return sorted((text for text, score in scores.items() if score >= enough), key=lambda text: -scores[text])[:3]


class Suggester:
    """Suggestions for names that do not exist: for the first 20 of them, among the first 2,000 candidates."""

    def __init__(self, candidates: Iterable[str]) -> None:
        self._candidates = list(islice(dict.fromkeys(candidates), _MOST_CANDIDATES))
        self._found: dict[str, list[str]] = {}

    def nearest(self, name: str) -> list[str]:
        """Return up to three candidates, other than `name`, that it may have been meant for, the best first."""
        if name not in self._found:
            if len(self._found) == _MOST_LOOKED_UP:
                return []
            self._found[name] = nearest(name, (candidate for candidate in self._candidates if candidate != name))
        return self._found[name]

    def suggest(self, name: str, otherwise: str = "correct its spelling or leave it out") -> str:
        """Return what to do about `name`; `otherwise` if no candidate is like it."""
        return did_you_mean(self.nearest(name)) or otherwise


def did_you_mean(guesses: Sequence[str]) -> str:
    """Return the question whether one of these was meant; an empty string if there are none."""
    return f"did you mean {' or '.join(map(quote, guesses))}?" if guesses else ""
