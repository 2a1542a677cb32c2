"""Messages: quoting, cutting, listing, counting."""

from __future__ import annotations

from typing import Sequence

__all__ = [
    "describe_error",
    "escape",
    "join_names",
    "pluralize",
    "quote",
    "quote_path",
]

_QUOTED_LENGTH = 80
_QUOTED = frozenset('"\\')


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


def join_names(names: Sequence[str], limit: int = 10, length: int = _QUOTED_LENGTH) -> str:
    """Return the first names for a message, quoted, and how many more there are."""
    listed = ", ".join(quote(name, length) for name in names[:limit])
    more = len(names) - limit
    return f"{listed} and {more:,} more" if more > 0 else listed


def pluralize(number: int, noun: str, plural: str = "s") -> str:
    """Return a number with its noun: `1 step`, `2,000 steps`."""
    return f"{number:,} {noun}{plural if number != 1 else ''}"


def describe_error(error: BaseException) -> str:
    """Describe a third-party exception on one short line."""
    try:
        return f"{type(error).__name__}: {escape(str(error)[:200])}"
    except Exception:  # noqa: BLE001 - it cannot even tell itself
        return type(error).__name__
