"""How wide a text is, in characters of a font in which all are equally wide: close enough to cut it by."""

from __future__ import annotations

from unicodedata import category, east_asian_width

__all__ = ["cells", "fit", "fit_name"]


def cells(text: str) -> int:
    """How many characters wide a text is; those of East Asia and emoji count two, marks on others none.

    >>> cells("verify"), cells("\u691c\u8a3c")
    (6, 4)
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def fit(text: str, room: int) -> str:
    """`text`, cut where it is wider than `room`.

    >>> fit("verify_memory_usage", 10), fit("verify", 10)
    ('verify_me\u2026', 'verify')
    """
    return text if cells(text) <= room else text[: _fitting(text, room - 1)] + "\u2026"


def fit_name(text: str, room: int) -> str:
    """`text`, cut in its middle where it is wider than `room`: names that begin alike often end differently.

    >>> fit_name("verify_memory_usage_in_zone_a", 16)
    'verify_m\u2026_zone_a'
    """
    if cells(text) <= room:
        return text
    tail = (room - 1) // 2
    kept = _fitting(text[::-1], tail)
    return text[: _fitting(text, room - 1 - tail)] + "\u2026" + text[len(text) - kept :]


def _fitting(text: str, room: int) -> int:
    """How many of the first characters of a text, which is wider than that, have room."""
    count, width = 0, _width(text[0])
    while width <= room:
        count += 1
        width += _width(text[count])
    return count


def _width(char: str) -> int:
    if east_asian_width(char) in "WF":
        return 2
    return 0 if category(char) in ("Mn", "Me") else 1
