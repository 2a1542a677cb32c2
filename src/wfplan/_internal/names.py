"""Names of steps and ids of recommendations: which texts are one, how to quote one, which is nearest."""

from __future__ import annotations

import unicodedata
from typing import Iterable, Sequence

__all__ = [
    "MAX_NAME_LENGTH",
    "counted",
    "escape",
    "list_names",
    "nearest",
    "quote",
    "quote_path",
    "similarity",
    "tell_error",
    "why_not_a_name",
    "why_not_an_action",
]

MAX_NAME_LENGTH = 128
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Printable to Python, and never seen: fillers and the like, and what chooses the look of a character before it.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0").union(map(chr, range(0xFE00, 0xFE10)))
_QUOTED_LENGTH = 80
_ALIKE = 0.5
_MAX_ACTION_LENGTH = 1024
_PATTERN = frozenset("*?[]|^$\\")
_QUOTED = frozenset('"\\')


def why_not_a_name(text: str) -> str | None:
    """What keeps `text` from being a name, as the end of a sentence; None if it is one."""
    if not text:
        return "is empty"
    if len(text) > MAX_NAME_LENGTH:
        return f"has {len(text)} characters, at most {MAX_NAME_LENGTH} are allowed"
    if text[0].isspace() or text[-1].isspace():
        return "begins or ends with a space"
    return _why_not_readable(text)


def _why_not_readable(text: str) -> str | None:
    if text.isascii() and text.isprintable():
        return None
    if not _BIDI_CONTROLS.isdisjoint(text):
        return "holds a control character that turns the direction of writing"
    if not text.isprintable():
        return "holds a character that cannot be printed"
    if not _INVISIBLE.isdisjoint(text):
        return "holds a character that cannot be seen"
    if not unicodedata.is_normalized("NFC", text):
        return "is not in Unicode normal form NFC"
    return None


def why_not_an_action(text: str) -> str | None:
    """What keeps `text` from naming an action in a catalog or a policy, as the end of a sentence; None if it does one.

    There, a name stands for itself alone: what looks like a pattern would match nothing, and look as if it did. The
    same goes for what holds a character that cannot be seen.

    >>> why_not_an_action("restart_pods"), why_not_an_action("restart_*")
    (None, 'holds "*", but patterns are not known: name each action in full')
    """
    if not text:
        return "is empty"
    if len(text) > _MAX_ACTION_LENGTH:
        return f"has {len(text):,} characters, at most {_MAX_ACTION_LENGTH:,} are allowed"
    if text[0].isspace() or text[-1].isspace():
        return "begins or ends with a space"
    found = next((char for char in text if char in _PATTERN), None)
    if found is not None:
        return f"holds {quote(found)}, but patterns are not known: name each action in full"
    return _why_not_readable(text)


def quote(text: str, length: int = _QUOTED_LENGTH) -> str:
    """`text` for a message: in quotes, on one line, nothing unprintable in it, cut where it is longer than `length`."""
    if len(text) > length:
        text = text[: length - 3] + "..."
    return f'"{escape(text, also=_QUOTED)}"'


def quote_path(path: str, length: int = _QUOTED_LENGTH) -> str:
    """Return a path for a message, as `quote` does; where it is cut, it keeps its end, which names the file.

    >>> quote_path("a/" * 50 + "plan.json", 20)
    '"...a/a/a/a/plan.json"'
    """
    return quote(path if len(path) <= length else "..." + path[3 - length :], length)


def escape(text: str, also: frozenset[str] = frozenset()) -> str:
    """`text` with what cannot be printed, and the characters in `also`, written as escapes."""
    if text.isprintable() and also.isdisjoint(text):
        return text
    return "".join(
        "\\" + char if char in also else char if char.isprintable() else char.encode("unicode_escape").decode()
        for char in text
    )


def list_names(names: Sequence[str], limit: int = 10, length: int = _QUOTED_LENGTH) -> str:
    """The first names for a message, quoted, and how many more there are."""
    listed = ", ".join(quote(name, length) for name in names[:limit])
    more = len(names) - limit
    return f"{listed} and {more:,} more" if more > 0 else listed


def counted(number: int, noun: str, plural: str = "s") -> str:
    """A number with its noun: `1 step`, `2,000 steps`."""
    return f"{number:,} {noun}{plural if number != 1 else ''}"


def tell_error(error: BaseException) -> str:
    """What an exception of somebody else's code is and says, for a message: short, on one line."""
    try:
        return f"{type(error).__name__}: {escape(str(error)[:200])}"
    except Exception:  # noqa: BLE001 - it cannot even tell itself
        return type(error).__name__


def similarity(one: str, other: str) -> float:
    """How alike two texts are, from 0 to 1, whatever their case; at a cost that is linear in their length.

    The Sørensen-Dice coefficient of their pairs of neighbouring characters, beginning and end included.

    >>> round(similarity("rec-04", "rec-004"), 2), similarity("scale", "verify")
    (0.93, 0.0)
    """
    pairs, others = _pairs(one), _pairs(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def _pairs(text: str) -> set[tuple[str, str]]:
    text = text[:MAX_NAME_LENGTH].strip().casefold()
    return set(zip(("", *text), (*text, "")))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of `known` that `name` may have been meant for, the best first.

    >>> nearest("rec-04", ["rec-001", "rec-004", "verify"]), nearest("Verify ", ["rec-001", "verify"])
    (['rec-004'], ['verify'])
    """
    scores = {candidate: similarity(name, candidate) for candidate in known}
    enough = max(_ALIKE, max(scores.values(), default=0) - 0.1)
    return sorted((text for text, score in scores.items() if score >= enough), key=lambda text: -scores[text])[:3]
